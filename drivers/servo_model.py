# SPDX-License-Identifier: Apache-2.0
"""What differs between DYNAMIXEL models beyond their registers: family, units, firmware, how the driver uses them.

Sources: ROBOTIS e-Manual pages of the models (units, limits, operating modes, first firmware of a feature, "Fast Bulk
Read"); ticks per revolution from the unit lists of dynamixel_hardware_interface 1.5.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType

from drivers.control_table import (
    PH42_020_S300,
    RH_P12_RN,
    XH430_V210,
    XH540_V150,
    XL330_M288,
    XL330_M288_FIRMWARE_52,
    XM335_T323,
    XM430_W350,
    YM070_210_R099,
    YM080_230_B001,
    YM080_230_R099,
    ControlTable,
    ControlTableError,
    Family,
    IndirectBlock,
)

__all__ = ["BLOCK_BYTES", "SERVO_MODELS", "Family", "ServoModel", "servo_model"]

BLOCK_BYTES = 20
"""State, goal and health of one servo side by side in its indirect data, see `drivers.servo_block`."""

_RAD_S_PER_RPM = 2.0 * pi / 60.0
_RAD_S2_PER_REV_MIN2 = 2.0 * pi / 3600.0
_X_MODES = frozenset((0, 1, 3, 4, 5, 16))
_P_MODES = frozenset((0, 1, 3, 4, 16))
_RH_P12_MODES = frozenset((0, 5))
_Y_MODES = frozenset((0, 1, 3))
_ONE_TEMPERATURE = (("Present Temperature", "Temperature Limit"),)
_Y_TEMPERATURES = (
    ("Present Motor Temperature", "Motor Temperature Limit"),
    ("Present Inverter Temperature", "Inverter Temperature Limit"),
)


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
        rad_s2_per_unit: Profile Acceleration of a velocity-based profile.
        nominal_v: supply voltage that the model is meant for.
        operating_modes: values of Operating Mode that it knows: 0 current, 1 velocity, 3 position, 4 extended
            position, 5 current-based position, 16 PWM.
        error_register: Hardware Error Status (bits) or Error Code (one code), see `drivers.hardware_error`.
        temperatures: every temperature register with the register of its limit, °C; the motor's first.
        profile_time_registers: acceleration time and whole time of a time-based profile, ``profile_time_s`` a unit.
        homing_offset_limit: larger homing offsets count only in the multi-turn modes; None: no such rule.
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
    rad_s2_per_unit: float
    nominal_v: float
    operating_modes: frozenset[int] = _X_MODES
    old_table: ControlTable | None = None
    old_firmware: int = 0
    error_register: str = "Hardware Error Status"
    temperatures: tuple[tuple[str, str], ...] = _ONE_TEMPERATURE
    profile_time_registers: tuple[str, str] = ("Profile Acceleration", "Profile Velocity")
    profile_time_s: float = 1e-3
    homing_offset_limit: int | None = None

    @property
    def rad_per_tick(self) -> float:
        """Position unit."""
        return 2.0 * pi / self.ticks_per_revolution

    @property
    def temperature_register(self) -> str:
        """The motor's temperature, °C."""
        return self.temperatures[0][0]

    @property
    def temperature_limit_register(self) -> str:
        """Above this temperature of the motor it is an error, °C."""
        return self.temperatures[0][1]

    @property
    def temperature_limit_degc(self) -> int:
        """Factory value of `temperature_limit_register`."""
        return self.table[self.temperature_limit_register].default

    @property
    def voltage_limits_v(self) -> tuple[float, float]:
        """Factory values of Min and Max Voltage Limit, V. Those registers count 0.1 V in every family."""
        return self.table["Min Voltage Limit"].default * 0.1, self.table["Max Voltage Limit"].default * 0.1

    @property
    def current_limit_ma(self) -> float:
        """Factory value of Current Limit, mA."""
        return self.table["Current Limit"].default * self.ma_per_unit

    @property
    def full_pwm(self) -> int:
        """Goal PWM at 100 %."""
        return self.table["PWM Limit"].default

    @property
    def ticks_s_per_unit(self) -> float:
        """Velocity unit in position ticks per second."""
        return self.rad_s_per_unit / self.rad_per_tick

    @property
    def ticks_s2_per_unit(self) -> float:
        """Profile acceleration unit in position ticks per second²."""
        return self.rad_s2_per_unit / self.rad_per_tick

    def volts(self, raw: int) -> float:
        """Present Input Voltage in V.

        The e-Manual counts a Y's in 0.01 V, ROBOTIS's own driver in 0.1 V, and nobody here has measured. The two
        can't be mixed up: a Y runs from 16 to 40 V, which is 160 … 400 in one and 1600 … 4000 in the other.
        """
        if self.family == "y" and raw >= 1000:
            return raw * 0.01
        return raw * self.volt_per_unit

    def table_for(self, firmware: int) -> ControlTable:
        """Control table of a servo with this firmware."""
        return self.old_table if self.old_table is not None and firmware <= self.old_firmware else self.table

    def block_for(self, firmware: int) -> IndirectBlock:
        """The indirect block that the driver uses: the one whose data lie at 634 where there is one, because all
        large servos of all families have that one in common; else the first.
        """
        blocks = [block for block in self.table_for(firmware).indirect if block.count >= BLOCK_BYTES]
        return next((block for block in blocks if block.data == 634), blocks[0])


def _x(table: ControlTable, ma: float, nominal_v: float, fast: int, old: ControlTable | None = None) -> ServoModel:
    return ServoModel(
        name=table.model_name,
        family="x",
        table=table,
        ticks_per_revolution=4096,
        centre_ticks=2048,
        rad_s_per_unit=0.229 * _RAD_S_PER_RPM,
        ma_per_unit=ma,
        volt_per_unit=0.1,
        watchdog_firmware=38,
        fast_read_firmware=fast,
        rad_s2_per_unit=214.577 * _RAD_S2_PER_REV_MIN2,
        nominal_v=nominal_v,
        old_table=old,
        old_firmware=52 if old is not None else 0,
        homing_offset_limit=1024,
    )


def _p(table: ControlTable, ticks: int, fast: int, modes: frozenset[int]) -> ServoModel:
    return ServoModel(
        name=table.model_name,
        family="p",
        table=table,
        ticks_per_revolution=ticks,
        centre_ticks=0,
        rad_s_per_unit=0.01 * _RAD_S_PER_RPM,
        ma_per_unit=1.0,
        volt_per_unit=0.1,
        watchdog_firmware=0,
        fast_read_firmware=fast,
        rad_s2_per_unit=1.0 * _RAD_S2_PER_REV_MIN2,
        nominal_v=24.0,
        operating_modes=modes,
    )


def _y(table: ControlTable) -> ServoModel:
    return ServoModel(
        name=table.model_name,
        family="y",
        table=table,
        ticks_per_revolution=524_288,
        centre_ticks=0,
        rad_s_per_unit=0.01 * _RAD_S_PER_RPM,
        ma_per_unit=10.0,
        volt_per_unit=0.1,
        watchdog_firmware=0,
        fast_read_firmware=None,
        rad_s2_per_unit=10.0 * _RAD_S2_PER_REV_MIN2,
        nominal_v=24.0,
        operating_modes=_Y_MODES,
        error_register="Error Code",
        temperatures=_Y_TEMPERATURES,
        profile_time_registers=("Profile Acceleration Time", "Profile Time"),
        profile_time_s=2e-4,
    )


_MODELS = (
    _x(XL330_M288, 1.0, 5.0, fast=46, old=XL330_M288_FIRMWARE_52),
    _x(XM335_T323, 1.0, 12.0, fast=46),
    _x(XM430_W350, 2.69, 12.0, fast=45),
    _x(XH430_V210, 1.34, 24.0, fast=45),
    _x(XH540_V150, 2.69, 24.0, fast=45),
    _p(PH42_020_S300, 607_500, 12, _P_MODES),
    _p(RH_P12_RN, 4096, 13, _RH_P12_MODES),
    _y(YM070_210_R099),
    _y(YM080_230_R099),
    _y(YM080_230_B001),
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
