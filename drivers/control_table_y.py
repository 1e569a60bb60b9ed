# SPDX-License-Identifier: Apache-2.0
"""Control tables of the Y series (YM070, YM080): one layout; gear and brake change the limits.

Sources: ROBOTIS e-Manual, dxl/y/{ym070-210-r099-rh, ym080-230-r099-rh, ym080-230-b001-rh}; addresses checked against
the register lists of ROBOTIS's dynamixel_hardware_interface 1.5.1 (Min Voltage Limit has 2 bytes there, 4 in the
e-Manual, where PWM Limit would overlap it). There is no Moving, no Shutdown and no Hardware Error Status: Error Code
holds one code, not bits. The indirect pointers lie in the EEPROM area: they outlive a power-off and are writable only
while torque is off. "Hybrid" registers (gains, profiles) are RAM that Hybrid Save stores.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.control_table_types import BAUD_RATES, INT32_MAX, INT32_MIN, ControlTable, IndirectBlock, Item
from drivers.control_table_types import indirect_items as _indirect_items

ERROR_HISTORY = 16
"""Registers Error Code History 1 … 16, newest first."""

_INDIRECT = IndirectBlock(256, 634, 128)


@dataclass(frozen=True, slots=True)
class _YModel:
    """What differs between models; raw units."""

    motor_temperature_limit: int
    acceleration_limit: tuple[int, int]
    velocity_limit: tuple[int, int]
    threshold: int
    gear: int
    brake_delay: int = 0
    goal_update_delay: int = 0
    normal_excitation: int = 0
    overexcitation_time: int = 0


def _identity(number: int) -> Iterator[Item]:
    yield Item(0, 2, "Model Number", "r", "eeprom", number)
    yield Item(2, 4, "Model Information", "r", "eeprom")
    yield Item(6, 1, "Firmware Version", "r", "eeprom")
    yield Item(7, 1, "ID", "rw", "eeprom", 1, 0, 252)
    yield Item(8, 2, "Bus Watchdog", default=0, minimum=0, maximum=127, signed=True)
    yield Item(10, 1, "Secondary ID", "rw", "eeprom", 255, 0, 255)
    yield Item(11, 1, "Protocol Type", "rw", "eeprom", 2, 2, 2)
    yield Item(12, 1, "Baud Rate", "rw", "eeprom", 1, 0, 9)
    yield Item(13, 1, "Return Delay Time", "rw", "eeprom", 250, 0, 254)
    yield Item(15, 1, "Status Return Level", default=2, minimum=0, maximum=2)
    yield Item(16, 1, "Registered Instruction", "r")


def _eeprom(y: _YModel) -> Iterator[Item]:
    yield Item(32, 1, "Drive Mode", "rw", "eeprom", 0, 0, 77)
    yield Item(33, 1, "Operating Mode", "rw", "eeprom", 3, 0, 3)
    yield Item(34, 1, "Startup Configuration", "rw", "eeprom", 0, 0, 1)
    yield Item(38, 2, "Position Limit Threshold", "rw", "eeprom", 0, 0, 32_767)
    yield Item(40, 4, "In-Position Threshold", "rw", "eeprom", y.threshold, 0, INT32_MAX)
    yield Item(44, 4, "Following Error Threshold", "rw", "eeprom", 0, 0, INT32_MAX)
    yield Item(48, 4, "Moving Threshold", "rw", "eeprom", y.threshold, 0, INT32_MAX)
    yield Item(52, 4, "Homing Offset", "rw", "eeprom", 0, INT32_MIN, INT32_MAX, signed=True)
    yield Item(56, 1, "Inverter Temperature Limit", "rw", "eeprom", 80, 0, 100)
    yield Item(57, 1, "Motor Temperature Limit", "rw", "eeprom", y.motor_temperature_limit, 0, 100)
    yield Item(60, 2, "Max Voltage Limit", "rw", "eeprom", 320, 240, 400)
    yield Item(62, 2, "Min Voltage Limit", "rw", "eeprom", 160, 160, 400)
    yield Item(64, 2, "PWM Limit", "rw", "eeprom", 1000, 0, 1000)
    yield Item(66, 2, "Current Limit", "rw", "eeprom", 2080, 0, 2080)
    yield Item(68, 4, "Acceleration Limit", "rw", "eeprom", y.acceleration_limit[0], 0, y.acceleration_limit[1])
    yield Item(72, 4, "Velocity Limit", "rw", "eeprom", y.velocity_limit[0], 0, y.velocity_limit[1])
    yield Item(76, 4, "Max Position Limit", "rw", "eeprom", 262_144, INT32_MIN, INT32_MAX, signed=True)
    yield Item(84, 4, "Min Position Limit", "rw", "eeprom", -262_144, INT32_MIN, INT32_MAX, signed=True)
    yield Item(96, 4, "Electronic GearRatio Numerator", "rw", "eeprom", y.gear, 1, 1_045_576)
    yield Item(100, 4, "Electronic GearRatio Denominator", "rw", "eeprom", 1, 1, 1_045_576)
    yield Item(104, 2, "Safe Stop Time", "rw", "eeprom", 200, 0, 32_767)
    yield Item(106, 2, "Brake Delay", "rw", "eeprom", y.brake_delay, 0, 32_767)
    yield Item(108, 2, "Goal Update Delay", "rw", "eeprom", y.goal_update_delay, 0, 32_767)
    yield Item(110, 1, "Overexcitation Voltage", "rw", "eeprom", 100, 0, 100)
    yield Item(111, 1, "Normal Excitation Voltage", "rw", "eeprom", y.normal_excitation, 0, 100)
    yield Item(112, 2, "Overexcitation Time", "rw", "eeprom", y.overexcitation_time, 0, 32_767)
    yield Item(132, 2, "Present Velocity LPF Frequency", "rw", "eeprom", 0, 0, 32_767)
    yield Item(134, 2, "Goal Current LPF Frequency", "rw", "eeprom", 0, 0, 32_767)
    yield Item(136, 2, "Position FF LPF Time", "rw", "eeprom", 0, 0, 512)
    yield Item(138, 2, "Velocity FF LPF Time", "rw", "eeprom", 0, 0, 512)


def _state_and_hybrid(y: _YModel) -> Iterator[Item]:
    yield Item(152, 1, "Controller State", "r")
    yield Item(153, 1, "Error Code", "r")
    for n in range(1, ERROR_HISTORY + 1):
        yield Item(153 + n, 1, f"Error Code History {n}", "r")
    yield Item(170, 1, "Hybrid Save", minimum=0, maximum=2)
    yield Item(212, 4, "Velocity I Gain", default=2_446_559, minimum=0, maximum=INT32_MAX)
    yield Item(216, 4, "Velocity P Gain", default=24_778, minimum=0, maximum=INT32_MAX)
    yield Item(220, 4, "Velocity FF Gain", default=0, minimum=0, maximum=INT32_MAX)
    yield Item(224, 4, "Position D Gain", default=9090, minimum=0, maximum=INT32_MAX)
    yield Item(228, 4, "Position I Gain", default=0, minimum=0, maximum=INT32_MAX)
    yield Item(232, 4, "Position P Gain", default=6_283_185, minimum=0, maximum=INT32_MAX)
    yield Item(236, 4, "Position FF Gain", default=0, minimum=0, maximum=INT32_MAX)
    acceleration, velocity = y.acceleration_limit, y.velocity_limit
    yield Item(240, 4, "Profile Acceleration", default=acceleration[0], minimum=0, maximum=acceleration[1])
    yield Item(244, 4, "Profile Velocity", default=velocity[0], minimum=0, maximum=velocity[1])
    yield Item(248, 4, "Profile Acceleration Time", default=400, minimum=0, maximum=262_144)
    yield Item(252, 4, "Profile Time", default=800, minimum=0, maximum=524_288)


def _goals(y: _YModel) -> Iterator[Item]:
    fast = y.velocity_limit[1]
    yield Item(512, 1, "Torque Enable", minimum=0, maximum=1)
    yield Item(513, 1, "LED", minimum=0, maximum=1)
    yield Item(516, 2, "PWM Offset", minimum=-1000, maximum=1000, signed=True)
    yield Item(518, 2, "Current Offset", minimum=-2080, maximum=2080, signed=True)
    yield Item(520, 4, "Velocity Offset", minimum=-fast, maximum=fast, signed=True)
    yield Item(524, 2, "Goal PWM", minimum=-1000, maximum=1000, signed=True)
    yield Item(526, 2, "Goal Current", minimum=-2080, maximum=2080, signed=True)
    yield Item(528, 4, "Goal Velocity", minimum=-fast, maximum=fast, signed=True)
    yield Item(532, 4, "Goal Position", minimum=INT32_MIN, maximum=INT32_MAX, signed=True)


def _present() -> Iterator[Item]:
    yield Item(541, 1, "Moving Status", "r")
    yield Item(542, 2, "Realtime Tick", "r")
    yield Item(544, 2, "Present PWM", "r", signed=True)
    yield Item(546, 2, "Present Current", "r", signed=True)
    yield Item(548, 4, "Present Velocity", "r", signed=True)
    yield Item(552, 4, "Present Position", "r", signed=True)
    yield Item(560, 4, "Position Trajectory", "r", signed=True)
    yield Item(564, 4, "Velocity Trajectory", "r", signed=True)
    yield Item(568, 2, "Present Input Voltage", "r")
    yield Item(570, 1, "Present Inverter Temperature", "r")
    yield Item(571, 1, "Present Motor Temperature", "r")
    yield Item(919, 1, "Backup Ready", "r")


def _table(name: str, number: int, y: _YModel) -> ControlTable:
    items = [*_identity(number), *_eeprom(y), *_state_and_hybrid(y), *_goals(y), *_present()]
    items += _indirect_items(_INDIRECT, area="eeprom", targets=(0, 919))
    return ControlTable(name, number, items, (_INDIRECT,), BAUD_RATES)


YM070_210_R099 = _table("ym070_210_r099", 4030, _YModel(60, (161, 389_090), (2020, 6486), threshold=10, gear=99))
"""YM070-210-R099-RH, 24 V, gear 99:1."""

YM080_230_R099 = _table("ym080_230_r099", 4150, _YModel(60, (161, 215_515), (2020, 3591), threshold=10, gear=99))
"""YM080-230-R099-RH, 24 V, gear 99:1."""

YM080_230_B001 = _table(
    "ym080_230_b001",
    4130,
    _YModel(
        80,
        (24_800, 21_336_000),
        (310_000, 355_600),
        threshold=1000,
        gear=1,
        brake_delay=20,
        goal_update_delay=200,
        normal_excitation=30,
        overexcitation_time=200,
    ),
)
"""YM080-230-B001-RH, 24 V, no gear, spring-applied brake."""
