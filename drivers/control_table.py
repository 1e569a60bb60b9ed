# SPDX-License-Identifier: Apache-2.0
"""Control tables of the devices we drive, by the model strings of robots/*.yaml.

Sources: ROBOTIS e-Manual pages of XM430-W350, XM335-T323 and the HX5-D20 hand; register lists of ROBOTIS's
dynamixel_hardware_interface. Values are raw servo units; `drivers.units` turns them into SI.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from drivers.control_table_types import Access, Area, ControlTable, ControlTableError, IndirectBlock, Item

__all__ = [
    "HX5_CONTROLLER_LEFT",
    "HX5_CONTROLLER_RIGHT",
    "SYNC_TABLES",
    "SYNC_TABLE_SLOTS",
    "TABLES",
    "XM335_T323",
    "XM430_W350",
    "Access",
    "Area",
    "ControlTable",
    "ControlTableError",
    "IndirectBlock",
    "Item",
    "control_table",
]

_BAUD_RATES = {0: 9600, 1: 57_600, 2: 115_200, 3: 1_000_000, 4: 2_000_000, 5: 3_000_000, 6: 4_000_000}
POSITION_MAX_EXTENDED = 1_048_575
"""Goal positions of the multi-turn modes: +-256 revolutions."""
SYNC_TABLES = 5
"""SyncTables of an HX5 controller: one a finger, thumb first."""
SYNC_TABLE_SLOTS = 6
"""Devices of one SyncTable: four motors, one tactile sensor, one spare."""
SYNC_TABLE_STRIDE = 198
SYNC_TABLE_DATA_BYTES = 72


@dataclass(frozen=True, slots=True)
class _XModel:
    """What differs between the X-series models that share one register layout; raw units."""

    baud_default: int
    baud_maximum: int
    temperature_limit: int
    voltage_range: tuple[int, int]
    current_limit: int
    velocity_limit: int
    position_limits: tuple[int, int]
    shutdown: int
    position_p: int
    goal_current: int


def _x_eeprom(number: int, x: _XModel) -> Iterator[Item]:
    low_volt, high_volt = x.voltage_range
    yield Item(0, 2, "Model Number", "r", "eeprom", number)
    yield Item(2, 4, "Model Information", "r", "eeprom")
    yield Item(6, 1, "Firmware Version", "r", "eeprom")
    yield Item(7, 1, "ID", "rw", "eeprom", 1, 0, 252)
    yield Item(8, 1, "Baud Rate", "rw", "eeprom", x.baud_default, 0, x.baud_maximum)
    yield Item(9, 1, "Return Delay Time", "rw", "eeprom", 250, 0, 254)
    yield Item(10, 1, "Drive Mode", "rw", "eeprom", 0, 0, 13)
    yield Item(11, 1, "Operating Mode", "rw", "eeprom", 3, 0, 16)
    yield Item(12, 1, "Secondary ID", "rw", "eeprom", 255, 0, 255)
    yield Item(13, 1, "Protocol Type", "rw", "eeprom", 2, 1, 2)
    yield Item(20, 4, "Homing Offset", "rw", "eeprom", 0, -1_044_479, 1_044_479, signed=True)
    yield Item(24, 4, "Moving Threshold", "rw", "eeprom", 10, 0, 1023)
    yield Item(31, 1, "Temperature Limit", "rw", "eeprom", x.temperature_limit, 0, 100)
    yield Item(32, 2, "Max Voltage Limit", "rw", "eeprom", high_volt, low_volt, high_volt)
    yield Item(34, 2, "Min Voltage Limit", "rw", "eeprom", low_volt, low_volt, high_volt)
    yield Item(36, 2, "PWM Limit", "rw", "eeprom", 885, 0, 885)
    yield Item(38, 2, "Current Limit", "rw", "eeprom", x.current_limit, 0, x.current_limit)
    yield Item(44, 4, "Velocity Limit", "rw", "eeprom", x.velocity_limit, 0, 1023)
    yield Item(48, 4, "Max Position Limit", "rw", "eeprom", x.position_limits[1], 0, 4095)
    yield Item(52, 4, "Min Position Limit", "rw", "eeprom", x.position_limits[0], 0, 4095)
    yield Item(60, 1, "Startup Configuration", "rw", "eeprom", 0, 0, 3)
    yield Item(63, 1, "Shutdown", "rw", "eeprom", x.shutdown, 0, 63)


def _x_settings(x: _XModel) -> Iterator[Item]:
    yield Item(64, 1, "Torque Enable", default=0, minimum=0, maximum=1)
    yield Item(65, 1, "LED", default=0, minimum=0, maximum=1)
    yield Item(68, 1, "Status Return Level", default=2, minimum=0, maximum=2)
    yield Item(69, 1, "Registered Instruction", "r")
    yield Item(70, 1, "Hardware Error Status", "r")
    yield Item(76, 2, "Velocity I Gain", default=1920, minimum=0, maximum=16_383)
    yield Item(78, 2, "Velocity P Gain", default=100, minimum=0, maximum=16_383)
    yield Item(80, 2, "Position D Gain", default=0, minimum=0, maximum=16_383)
    yield Item(82, 2, "Position I Gain", default=0, minimum=0, maximum=16_383)
    yield Item(84, 2, "Position P Gain", default=x.position_p, minimum=0, maximum=16_383)
    yield Item(88, 2, "Feedforward 2nd Gain", default=0, minimum=0, maximum=16_383)
    yield Item(90, 2, "Feedforward 1st Gain", default=0, minimum=0, maximum=16_383)
    yield Item(98, 1, "Bus Watchdog", default=0, minimum=0, maximum=127, signed=True)


def _x_goals(x: _XModel) -> Iterator[Item]:
    far = POSITION_MAX_EXTENDED
    yield Item(100, 2, "Goal PWM", default=885, minimum=-885, maximum=885, signed=True)
    yield Item(
        102,
        2,
        "Goal Current",
        default=x.goal_current,
        minimum=-x.current_limit,
        maximum=x.current_limit,
        signed=True,
    )
    yield Item(104, 4, "Goal Velocity", default=0, minimum=-1023, maximum=1023, signed=True)
    yield Item(108, 4, "Profile Acceleration", default=0, minimum=0, maximum=32_767)
    yield Item(112, 4, "Profile Velocity", default=0, minimum=0, maximum=32_767)
    yield Item(116, 4, "Goal Position", default=0, minimum=-far, maximum=far, signed=True)


def _x_present() -> Iterator[Item]:
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


def _indirect(block: IndirectBlock, pointer: str, data: str, first: int = 1) -> Iterator[Item]:
    """Pointers of one indirect block; each points at its own data byte until somebody sets it."""
    for n in range(block.count):
        yield Item(block.address + 2 * n, 2, f"{pointer} {first + n}", default=block.data + n)
        yield Item(block.data + n, 1, f"{data} {first + n}")


def _x_table(name: str, number: int, x: _XModel, indirect: tuple[IndirectBlock, ...]) -> ControlTable:
    items = [*_x_eeprom(number, x), *_x_settings(x), *_x_goals(x), *_x_present()]
    first = 1
    for block in indirect:
        items += _indirect(block, "Indirect Address", "Indirect Data", first)
        first += block.count
    bauds = {index: rate for index, rate in {**_BAUD_RATES, 7: 4_500_000}.items() if index <= x.baud_maximum}
    return ControlTable(name, number, items, indirect, bauds)


def sync_table_address(table: int) -> int:
    """First address of SyncTable ``table`` (1 … 5) of an HX5 controller."""
    return 1024 + SYNC_TABLE_STRIDE * (table - 1)


def _sync_table(table: int) -> Iterator[Item]:
    base = sync_table_address(table)
    for slot in range(SYNC_TABLE_SLOTS):
        yield Item(base + slot, 1, f"SyncTable {table} ID {slot + 1}")
        yield Item(base + 6 + 2 * slot, 2, f"SyncTable {table} Read Address {slot + 1}")
        yield Item(base + 18 + 2 * slot, 2, f"SyncTable {table} Read Size {slot + 1}", maximum=SYNC_TABLE_DATA_BYTES)
        yield Item(base + 30 + 2 * slot, 2, f"SyncTable {table} Write Address {slot + 1}")
        yield Item(base + 42 + 2 * slot, 2, f"SyncTable {table} Write Size {slot + 1}", maximum=SYNC_TABLE_DATA_BYTES)
    for n in range(SYNC_TABLE_DATA_BYTES):
        yield Item(base + 54 + n, 1, f"SyncTable {table} Read Data {n + 1}", "r")
        yield Item(base + 126 + n, 1, f"SyncTable {table} Write Data {n + 1}")


def _hx5_table(name: str, number: int, default_id: int) -> ControlTable:
    read, write = IndirectBlock(122, 634, 165), IndirectBlock(452, 799, 80)
    items = [
        Item(0, 2, "Model Number", "r", "eeprom", number),
        Item(2, 4, "Model Information", "r", "eeprom"),
        Item(6, 1, "Firmware Version", "r", "eeprom"),
        Item(7, 1, "ID", "rw", "eeprom", default_id, 0, 252),
        Item(8, 1, "Bus Watchdog", default=0, minimum=0, maximum=127, signed=True),
        Item(11, 1, "Protocol Type", "rw", "eeprom", 2, 2, 2),
        Item(12, 1, "Baud Rate (Bus)", "rw", "eeprom", 6, 0, 8),
        Item(13, 1, "Return Delay Time", "rw", "eeprom", 0, 0, 254),
        Item(15, 1, "Status Return Level", "rw", "eeprom", 2, 0, 2),
        Item(16, 1, "Registered Instruction", "r"),
        Item(20, 1, "Baud Rate (DXL)", "rw", "eeprom", 3, 0, 6),
        Item(65, 1, "LED", default=0, minimum=0, maximum=1),
        Item(70, 1, "Table Sync Enable", default=0, minimum=0, maximum=1),
        Item(100, 2, "Realtime Tick", "r"),
        Item(102, 2, "Present Input Voltage", "r"),
        Item(106, 1, "Status", "r"),
        *_indirect(read, "Indirect Address Read", "Indirect Data Read"),
        *_indirect(write, "Indirect Address Write", "Indirect Data Write"),
    ]
    for table in range(1, SYNC_TABLES + 1):
        items += _sync_table(table)
    return ControlTable(name, number, items, (read, write), {**_BAUD_RATES, 7: 4_500_000, 8: 6_000_000})


XM430_W350 = _x_table(
    "xm430_w350",
    1020,
    _XModel(1, 7, 80, (95, 160), 1193, 200, (0, 4095), 52, position_p=800, goal_current=1193),
    (IndirectBlock(168, 224, 28), IndirectBlock(578, 634, 28)),
)
"""XM430-W350. Velocity Limit is that of firmware 42 and later (200; 350 before)."""

XM335_T323 = _x_table(
    "xm335_t323",
    1710,
    _XModel(3, 6, 70, (55, 140), 910, 280, (1024, 3072), 52, position_p=2000, goal_current=0),
    (IndirectBlock(168, 224, 28),),
)
"""XM335-T323, the motor of the HX5-D20 hand. Its goal current starts at 0: without one the hand doesn't move."""

HX5_CONTROLLER_RIGHT = _hx5_table("hx5_d20_right", 260, 110)
"""Controller of the right HX5-D20 hand."""

HX5_CONTROLLER_LEFT = _hx5_table("hx5_d20_left", 261, 140)
"""Controller of the left HX5-D20 hand."""

TABLES: Mapping[str, ControlTable] = MappingProxyType(
    {table.model_name: table for table in (XM430_W350, XM335_T323, HX5_CONTROLLER_RIGHT, HX5_CONTROLLER_LEFT)}
)
"""Every known table by model string."""


def control_table(model: str) -> ControlTable:
    """The table of a model string as used in robots/*.yaml.

    Raises:
        ControlTableError: unknown model; lists the known ones.
    """
    if model not in TABLES:
        raise ControlTableError(f"unknown model {model!r}: expected one of {', '.join(sorted(TABLES))}")
    return TABLES[model]
