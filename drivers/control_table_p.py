# SPDX-License-Identifier: Apache-2.0
"""Control tables of the P series (PH42) and of the RH-P12-RN(A) gripper, which has the same layout.

Sources: ROBOTIS e-Manual, dxl/p/ph42-020-s300-r and platform/rh_p12_rn/rh-p12-rna; addresses checked against the
register lists of ROBOTIS's dynamixel_hardware_interface 1.5.1. The indirect pointers lie in the EEPROM area: they
outlive a power-off and are writable only while torque is off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.control_table_types import BAUD_RATES, INT32_MAX, INT32_MIN, ControlTable, IndirectBlock, Item
from drivers.control_table_types import indirect_items as _indirect_items

_INDIRECT = IndirectBlock(168, 634, 128)


@dataclass(frozen=True, slots=True)
class _PModel:
    """What differs between the two; raw units."""

    operating_mode: int
    homing_offset: tuple[int, int]
    moving_threshold: int
    voltage_range: tuple[int, int]
    current_limit: int
    acceleration_limit: tuple[int, int]
    velocity_limit: int
    position_limits: tuple[int, int]
    position_range: tuple[int, int]
    shutdown: int
    goal_current: int
    gains: tuple[int, int, int]
    drive_mode: bool


def _eeprom(number: int, p: _PModel) -> Iterator[Item]:
    low, high = p.voltage_range
    yield Item(0, 2, "Model Number", "r", "eeprom", number)
    yield Item(2, 4, "Model Information", "r", "eeprom")
    yield Item(6, 1, "Firmware Version", "r", "eeprom")
    yield Item(7, 1, "ID", "rw", "eeprom", 1, 0, 252)
    yield Item(8, 1, "Baud Rate", "rw", "eeprom", 1, 0, 9)
    yield Item(9, 1, "Return Delay Time", "rw", "eeprom", 250, 0, 254)
    if p.drive_mode:
        yield Item(10, 1, "Drive Mode", "rw", "eeprom", 0, 0, 13)
    yield Item(11, 1, "Operating Mode", "rw", "eeprom", p.operating_mode, 0, 16)
    yield Item(12, 1, "Secondary ID", "rw", "eeprom", 255, 0, 255)
    yield Item(13, 1, "Protocol Type", "rw", "eeprom", 2, 2, 10)
    yield Item(20, 4, "Homing Offset", "rw", "eeprom", 0, *p.homing_offset, signed=True)
    yield Item(24, 4, "Moving Threshold", "rw", "eeprom", p.moving_threshold, 0, p.velocity_limit)
    yield Item(31, 1, "Temperature Limit", "rw", "eeprom", 80, 0, 100)
    yield Item(32, 2, "Max Voltage Limit", "rw", "eeprom", 350, low, high)
    yield Item(34, 2, "Min Voltage Limit", "rw", "eeprom", 150, low, high)
    yield Item(36, 2, "PWM Limit", "rw", "eeprom", 2009, 0, 2009)
    yield Item(38, 2, "Current Limit", "rw", "eeprom", p.current_limit, 0, p.current_limit)
    yield Item(40, 4, "Acceleration Limit", "rw", "eeprom", p.acceleration_limit[0], 0, p.acceleration_limit[1])
    yield Item(44, 4, "Velocity Limit", "rw", "eeprom", p.velocity_limit, 0, p.velocity_limit)
    yield Item(48, 4, "Max Position Limit", "rw", "eeprom", p.position_limits[1], *p.position_range, signed=True)
    yield Item(52, 4, "Min Position Limit", "rw", "eeprom", p.position_limits[0], *p.position_range, signed=True)
    for port in range(1, 5):
        yield Item(55 + port, 1, f"External Port Mode {port}", "rw", "eeprom", 3, 0, 3)
    if p.drive_mode:
        yield Item(60, 1, "Startup Configuration", "rw", "eeprom", 0, 0, 3)
    yield Item(63, 1, "Shutdown", "rw", "eeprom", p.shutdown, 0, 63)


def _settings(p: _PModel) -> Iterator[Item]:
    yield Item(512, 1, "Torque Enable", minimum=0, maximum=1)
    yield Item(513, 1, "LED Red")
    yield Item(514, 1, "LED Green")
    yield Item(515, 1, "LED Blue")
    yield Item(516, 1, "Status Return Level", default=2, minimum=0, maximum=2)
    yield Item(517, 1, "Registered Instruction", "r")
    yield Item(518, 1, "Hardware Error Status", "r")
    velocity_i, velocity_p, position_p = p.gains
    yield Item(524, 2, "Velocity I Gain", default=velocity_i, minimum=0, maximum=32_767)
    yield Item(526, 2, "Velocity P Gain", default=velocity_p, minimum=0, maximum=32_767)
    yield Item(528, 2, "Position D Gain", default=0, minimum=0, maximum=32_767)
    yield Item(530, 2, "Position I Gain", default=0, minimum=0, maximum=32_767)
    yield Item(532, 2, "Position P Gain", default=position_p, minimum=0, maximum=32_767)
    yield Item(536, 2, "Feedforward 2nd Gain", default=0, minimum=0, maximum=32_767)
    yield Item(538, 2, "Feedforward 1st Gain", default=0, minimum=0, maximum=32_767)
    yield Item(546, 1, "Bus Watchdog", default=0, minimum=0, maximum=127, signed=True)


def _goals(p: _PModel) -> Iterator[Item]:
    amps, fast = p.current_limit, p.velocity_limit
    yield Item(548, 2, "Goal PWM", default=2009, minimum=-2009, maximum=2009, signed=True)
    yield Item(550, 2, "Goal Current", default=p.goal_current, minimum=-amps, maximum=amps, signed=True)
    yield Item(552, 4, "Goal Velocity", default=0, minimum=-fast, maximum=fast, signed=True)
    yield Item(556, 4, "Profile Acceleration", default=0, minimum=0, maximum=p.acceleration_limit[1])
    yield Item(560, 4, "Profile Velocity", default=0, minimum=0, maximum=32_767)
    yield Item(564, 4, "Goal Position", default=0, minimum=INT32_MIN, maximum=INT32_MAX, signed=True)


def _present() -> Iterator[Item]:
    yield Item(568, 2, "Realtime Tick", "r")
    yield Item(570, 1, "Moving", "r")
    yield Item(571, 1, "Moving Status", "r")
    yield Item(572, 2, "Present PWM", "r", signed=True)
    yield Item(574, 2, "Present Current", "r", signed=True)
    yield Item(576, 4, "Present Velocity", "r", signed=True)
    yield Item(580, 4, "Present Position", "r", signed=True)
    yield Item(584, 4, "Velocity Trajectory", "r", signed=True)
    yield Item(588, 4, "Position Trajectory", "r", signed=True)
    yield Item(592, 2, "Present Input Voltage", "r")
    yield Item(594, 1, "Present Temperature", "r")
    for port in range(1, 5):
        yield Item(598 + 2 * port, 2, f"External Port Data {port}", maximum=4095)
    yield Item(878, 1, "Backup Ready", "r")


def _table(name: str, number: int, p: _PModel) -> ControlTable:
    items = [*_eeprom(number, p), *_settings(p), *_goals(p), *_present()]
    items += _indirect_items(_INDIRECT, area="eeprom", targets=(512, 1023))
    return ControlTable(name, number, items, (_INDIRECT,), BAUD_RATES)


PH42_020_S300 = _table(
    "ph42_020_s300",
    2000,
    _PModel(
        operating_mode=3,
        homing_offset=(INT32_MIN, INT32_MAX),
        moving_threshold=20,
        voltage_range=(150, 350),
        current_limit=4500,
        acceleration_limit=(10_765, 4_306_173),
        velocity_limit=2920,
        position_limits=(-303_454, 303_454),
        position_range=(-303_750, 303_750),
        shutdown=58,
        goal_current=4500,
        gains=(502, 1332, 879),
        drive_mode=True,
    ),
)
"""PH42-020-S300-R, 24 V: 607 500 ticks a revolution, 0 in the middle."""

RH_P12_RN = _table(
    "rh_p12_rn",
    35_074,
    _PModel(
        operating_mode=5,
        homing_offset=(0, 1150),
        moving_threshold=80,
        voltage_range=(150, 350),
        current_limit=1984,
        acceleration_limit=(3447, 1_378_788),
        velocity_limit=2970,
        position_limits=(0, 1150),
        position_range=(0, 1150),
        shutdown=52,
        goal_current=0,
        gains=(0, 0, 0),
        drive_mode=False,
    ),
)
"""RH-P12-RN(A) gripper, 24 V: 0 open … 1150 closed. It has no Drive Mode; its goal current starts at 0."""
