# SPDX-License-Identifier: Apache-2.0
"""Control tables of the X series (XL330, XM335, XM430, XH430, XH540): one layout, other limits.

Sources: ROBOTIS e-Manual, dxl/x/{xl330-m288, xm335-t323, xm430-w350, xh430-v210, xh540-v150}; addresses checked against
the register lists of ROBOTIS's dynamixel_hardware_interface 1.5.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.control_table_types import BAUD_RATES, ControlTable, IndirectBlock, Item, indirect_items

POSITION_MAX_EXTENDED = 1_048_575
"""Goal positions of the multi-turn modes: +-256 revolutions."""


@dataclass(frozen=True, slots=True)
class _XModel:
    """What differs between models that share the register layout; raw units."""

    baud_default: int
    baud_maximum: int
    temperature_limit: int
    voltage_range: tuple[int, int]
    voltage_limits: tuple[int, int]
    current_limit: int
    velocity_limit: int
    shutdown: int
    position_p: int
    goal_current: int
    velocity_i: int = 1920
    velocity_p: int = 100
    position_limits: tuple[int, int] = (0, 4095)
    velocity_maximum: int = 1023
    drive_mode_maximum: int = 13
    pwm_slope: int | None = None
    external_ports: int = 0


def _eeprom(number: int, x: _XModel) -> Iterator[Item]:
    low, high = x.voltage_range
    yield Item(0, 2, "Model Number", "r", "eeprom", number)
    yield Item(2, 4, "Model Information", "r", "eeprom")
    yield Item(6, 1, "Firmware Version", "r", "eeprom")
    yield Item(7, 1, "ID", "rw", "eeprom", 1, 0, 252)
    yield Item(8, 1, "Baud Rate", "rw", "eeprom", x.baud_default, 0, x.baud_maximum)
    yield Item(9, 1, "Return Delay Time", "rw", "eeprom", 250, 0, 254)
    yield Item(10, 1, "Drive Mode", "rw", "eeprom", 0, 0, x.drive_mode_maximum)
    yield Item(11, 1, "Operating Mode", "rw", "eeprom", 3, 0, 16)
    yield Item(12, 1, "Secondary ID", "rw", "eeprom", 255, 0, 255)
    yield Item(13, 1, "Protocol Type", "rw", "eeprom", 2, 1, 2)
    yield Item(20, 4, "Homing Offset", "rw", "eeprom", 0, -1_044_479, 1_044_479, signed=True)
    yield Item(24, 4, "Moving Threshold", "rw", "eeprom", 10, 0, 1023)
    yield Item(31, 1, "Temperature Limit", "rw", "eeprom", x.temperature_limit, 0, 100)
    yield Item(32, 2, "Max Voltage Limit", "rw", "eeprom", x.voltage_limits[1], low, high)
    yield Item(34, 2, "Min Voltage Limit", "rw", "eeprom", x.voltage_limits[0], low, high)
    yield Item(36, 2, "PWM Limit", "rw", "eeprom", 885, 0, 885)
    yield Item(38, 2, "Current Limit", "rw", "eeprom", x.current_limit, 0, x.current_limit)
    yield Item(44, 4, "Velocity Limit", "rw", "eeprom", x.velocity_limit, 0, x.velocity_maximum)
    yield Item(48, 4, "Max Position Limit", "rw", "eeprom", x.position_limits[1], 0, 4095)
    yield Item(52, 4, "Min Position Limit", "rw", "eeprom", x.position_limits[0], 0, 4095)
    for port in range(1, x.external_ports + 1):
        yield Item(55 + port, 1, f"External Port Mode {port}", "rw", "eeprom", 3, 0, 3)
    yield Item(60, 1, "Startup Configuration", "rw", "eeprom", 0, 0, 3)
    if x.pwm_slope is not None:
        yield Item(62, 1, "PWM Slope", "rw", "eeprom", x.pwm_slope, 1, 255)
    yield Item(63, 1, "Shutdown", "rw", "eeprom", x.shutdown, 0, 63)


def _settings(x: _XModel) -> Iterator[Item]:
    yield Item(64, 1, "Torque Enable", default=0, minimum=0, maximum=1)
    yield Item(65, 1, "LED", default=0, minimum=0, maximum=1)
    yield Item(68, 1, "Status Return Level", default=2, minimum=0, maximum=2)
    yield Item(69, 1, "Registered Instruction", "r")
    yield Item(70, 1, "Hardware Error Status", "r")
    yield Item(76, 2, "Velocity I Gain", default=x.velocity_i, minimum=0, maximum=16_383)
    yield Item(78, 2, "Velocity P Gain", default=x.velocity_p, minimum=0, maximum=16_383)
    yield Item(80, 2, "Position D Gain", default=0, minimum=0, maximum=16_383)
    yield Item(82, 2, "Position I Gain", default=0, minimum=0, maximum=16_383)
    yield Item(84, 2, "Position P Gain", default=x.position_p, minimum=0, maximum=16_383)
    yield Item(88, 2, "Feedforward 2nd Gain", default=0, minimum=0, maximum=16_383)
    yield Item(90, 2, "Feedforward 1st Gain", default=0, minimum=0, maximum=16_383)
    yield Item(98, 1, "Bus Watchdog", default=0, minimum=0, maximum=127, signed=True)


def _goals(x: _XModel) -> Iterator[Item]:
    far, amps, fast = POSITION_MAX_EXTENDED, x.current_limit, x.velocity_maximum
    yield Item(100, 2, "Goal PWM", default=885, minimum=-885, maximum=885, signed=True)
    yield Item(102, 2, "Goal Current", default=x.goal_current, minimum=-amps, maximum=amps, signed=True)
    yield Item(104, 4, "Goal Velocity", default=0, minimum=-fast, maximum=fast, signed=True)
    yield Item(108, 4, "Profile Acceleration", default=0, minimum=0, maximum=32_767)
    yield Item(112, 4, "Profile Velocity", default=0, minimum=0, maximum=32_767)
    yield Item(116, 4, "Goal Position", default=0, minimum=-far, maximum=far, signed=True)


def _present(x: _XModel) -> Iterator[Item]:
    yield Item(120, 2, "Realtime Tick", "r")
    yield Item(122, 1, "Moving", "r")
    yield Item(123, 1, "Moving Status", "r")
    yield Item(124, 2, "Present PWM", "r", signed=True)
    yield Item(126, 2, "Present Current", "r", signed=True)
    yield Item(128, 4, "Present Velocity", "r", signed=True)
    yield Item(132, 4, "Present Position", "r", signed=True)
    yield Item(136, 4, "Velocity Trajectory", "r", signed=True)
    yield Item(140, 4, "Position Trajectory", "r", signed=True)
    yield Item(144, 2, "Present Input Voltage", "r")
    yield Item(146, 1, "Present Temperature", "r")
    yield Item(147, 1, "Backup Ready", "r")
    for port in range(1, x.external_ports + 1):
        yield Item(150 + 2 * port, 2, f"External Port Data {port}", maximum=4095)


def _table(name: str, number: int, x: _XModel, *blocks: IndirectBlock) -> ControlTable:
    items = [*_eeprom(number, x), *_settings(x), *_goals(x), *_present(x)]
    last = blocks[-1].data + blocks[-1].count - 1
    first = 1
    for block in blocks:
        items += indirect_items(block, first=first, targets=(64, last))
        first += block.count
    bauds = {index: rate for index, rate in BAUD_RATES.items() if index <= x.baud_maximum}
    return ControlTable(name, number, items, blocks, bauds)


_SMALL, _LARGE = IndirectBlock(168, 224, 28), IndirectBlock(578, 634, 28)

XM430_W350 = _table(
    "xm430_w350",
    1020,
    _XModel(1, 7, 80, (95, 160), (95, 160), 1193, 200, 52, position_p=800, goal_current=1193),
    _SMALL,
    _LARGE,
)
"""XM430-W350. Velocity Limit is that of firmware 42 and later (200; 350 before)."""

XM335_T323 = _table(
    "xm335_t323",
    1710,
    _XModel(
        3,
        6,
        70,
        (55, 140),
        (55, 140),
        910,
        280,
        52,
        position_p=2000,
        goal_current=0,
        velocity_i=1800,
        velocity_p=50,
        position_limits=(1024, 3072),
        velocity_maximum=2047,
        pwm_slope=255,
    ),
    _SMALL,
)
"""XM335-T323, the motor of the HX5-D20 hand. Its goal current starts at 0: without one the hand doesn't move."""

XH430_V210 = _table(
    "xh430_v210",
    1050,
    _XModel(1, 7, 80, (110, 300), (110, 300), 689, 230, 52, position_p=800, goal_current=689),
    _SMALL,
    _LARGE,
)
"""XH430-V210, 24 V. Its page of old firmware gives a Velocity Limit of 380; 230 is the no-load speed of 52 rpm."""

XH540_V150 = _table(
    "xh540_v150",
    1150,
    _XModel(
        1,
        7,
        80,
        (110, 300),
        (110, 300),
        1188,
        230,
        52,
        position_p=800,
        goal_current=1188,
        drive_mode_maximum=15,
        external_ports=3,
    ),
    _SMALL,
    _LARGE,
)
"""XH540-V150, 24 V."""

_XL330_M288 = _XModel(
    1,
    6,
    70,
    (31, 70),
    (35, 70),
    1750,
    445,
    53,
    position_p=400,
    goal_current=1750,
    velocity_i=1600,
    velocity_p=180,
    velocity_maximum=2047,
    pwm_slope=140,
)

XL330_M288 = _table("xl330_m288", 1200, _XL330_M288, _SMALL)
"""XL330-M288 with firmware 53 and later: indirect data at 224."""

XL330_M288_FIRMWARE_52 = _table("xl330_m288", 1200, _XL330_M288, IndirectBlock(168, 208, 20))
"""XL330-M288 with firmware up to 52: 20 indirect data at 208."""
