# SPDX-License-Identifier: Apache-2.0
"""What differs between DYNAMIXEL models beyond their registers: family, units, firmware, how the driver uses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType
from typing import Literal

from drivers.control_table import XM335_T323, XM430_W350, ControlTable, ControlTableError, IndirectBlock

Family = Literal["x", "p", "y"]

BLOCK_BYTES = 20
"""State, goal and health of one servo side by side in its indirect data, see `drivers.servo_block`."""


@dataclass(frozen=True, slots=True)
class ServoModel:
    """One DYNAMIXEL model.

    Attributes:
        name: model string of robots/*.yaml.
        family: register layout and error semantics: X (also XL330, XM335), P (also RH-P12-RN), Y.
        table: control table of current firmware; ``old_table`` that of firmware up to ``old_firmware``.
        ticks_per_revolution, centre_ticks: position register; ``centre_ticks`` is joint angle 0.
        rad_s_per_unit, ma_per_unit, volt_per_unit: velocity, current and voltage registers.
        watchdog_firmware: first firmware with a Bus Watchdog.
        fast_read_firmware: first firmware known to answer fast reads; None: not documented, to be tried.
    """

    name: str
    family: Family
    table: ControlTable
    ticks_per_revolution: int
    centre_ticks: int
    rad_s_per_unit: float
    ma_per_unit: float
    volt_per_unit: float
    watchdog_firmware: int
    fast_read_firmware: int | None
    old_table: ControlTable | None = None
    old_firmware: int = 0
    error_register: str = "Hardware Error Status"
    temperature_register: str = "Present Temperature"

    @property
    def rad_per_tick(self) -> float:
        """Position unit."""
        return 2.0 * pi / self.ticks_per_revolution

    def table_for(self, firmware: int) -> ControlTable:
        """Control table of a servo with this firmware."""
        return self.old_table if self.old_table is not None and firmware <= self.old_firmware else self.table

    def block_for(self, firmware: int) -> IndirectBlock:
        """The indirect block that the driver uses: the one whose data lie at 634 where there is one, because all
        large servos of all families have that one in common; else the first.
        """
        blocks = [block for block in self.table_for(firmware).indirect if block.count >= BLOCK_BYTES]
        return next((block for block in blocks if block.data == 634), blocks[0])


_MODELS = (
    ServoModel("xm430_w350", "x", XM430_W350, 4096, 2048, 0.229 * 2.0 * pi / 60.0, 2.69, 0.1, 38, 45),
    ServoModel("xm335_t323", "x", XM335_T323, 4096, 2048, 0.229 * 2.0 * pi / 60.0, 1.0, 0.1, 38, 46),
)

SERVO_MODELS: Mapping[str, ServoModel] = MappingProxyType({model.name: model for model in _MODELS})
"""Every servo model by its string."""


def servo_model(name: str) -> ServoModel:
    """The model of this string.

    Raises:
        ControlTableError: unknown model; lists the known ones.
    """
    if name not in SERVO_MODELS:
        raise ControlTableError(f"unknown servo model {name!r}: expected one of {', '.join(sorted(SERVO_MODELS))}")
    return SERVO_MODELS[name]
