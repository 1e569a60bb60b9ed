# SPDX-License-Identifier: Apache-2.0
"""Control table of the HX5-D20 hand's controller, and where its SyncTables lie.

Sources: ROBOTIS ai_worker_website, docs/hands/control_table_hands; addresses checked against hx5_d20_rr.model of
dynamixel_hardware_interface 1.5.1. That page calls the SyncTables and the indirect pointers EEPROM; ROBOTIS writes them
anew at every start, and so do we: here they are RAM. The bits of its Hardware Error Status are documented nowhere.
"""

from collections.abc import Iterator

from drivers.control_table_types import BAUD_RATES, ControlTable, IndirectBlock, Item, indirect_items

SYNC_TABLES = 5
"""SyncTables of an HX5 controller: one a finger, thumb first."""
SYNC_TABLE_SLOTS = 6
"""Devices of one SyncTable: four motors, one tactile sensor, one spare."""
SYNC_TABLE_STRIDE = 198
SYNC_TABLE_DATA_BYTES = 72


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


def _table(name: str, number: int, default_id: int) -> ControlTable:
    read, write = IndirectBlock(122, 634, 165), IndirectBlock(452, 799, 80)
    items = [
        Item(0, 2, "Model Number", "r", "eeprom", number),
        Item(2, 4, "Model Information", "r", "eeprom"),
        Item(6, 1, "Firmware Version", "r", "eeprom"),
        Item(7, 1, "ID", "rw", "eeprom", default_id, 0, 252),
        Item(8, 1, "Bus Watchdog", default=0, minimum=0, maximum=127, signed=True),
        Item(11, 1, "Protocol Type", "rw", "eeprom", 2, 2, 10),
        Item(12, 1, "Baud Rate (Bus)", "rw", "eeprom", 6, 0, 8),
        Item(13, 1, "Return Delay Time", "rw", "eeprom", 0, 0, 254),
        Item(15, 1, "Status Return Level", "rw", "eeprom", 2, 0, 2),
        Item(16, 1, "Registered Instruction", "r"),
        Item(20, 1, "Baud Rate (DXL)", "rw", "eeprom", 3, 0, 6),
        Item(33, 1, "Operating Mode", "rw", "eeprom", 0, 0, 1),
        Item(60, 2, "Max Voltage Limit", "rw", "eeprom", 3200, 3200, 5500),
        Item(62, 2, "Min Voltage Limit", "rw", "eeprom", 1600, 1600, 5500),
        Item(65, 1, "LED", default=0, minimum=0, maximum=1),
        Item(70, 1, "Table Sync Enable", default=0, minimum=0, maximum=1),
        Item(71, 1, "Hardware Error Status", "r"),
        Item(100, 2, "Realtime Tick", "r"),
        Item(102, 2, "Present Input Voltage", "r"),
        Item(106, 1, "Status", "r"),
        *indirect_items(read, "Indirect Address Read", "Indirect Data Read"),
        *indirect_items(write, "Indirect Address Write", "Indirect Data Write"),
    ]
    for table in range(1, SYNC_TABLES + 1):
        items += _sync_table(table)
    return ControlTable(name, number, items, (read, write), {n: rate for n, rate in BAUD_RATES.items() if n <= 8})


HX5_VOLT_PER_UNIT = 0.01
"""Unit of the controller's Present Input Voltage and voltage limits."""

HX5_CONTROLLER_RIGHT = _table("hx5_d20_right", 260, 110)
"""Controller of the right HX5-D20 hand."""

HX5_CONTROLLER_LEFT = _table("hx5_d20_left", 261, 140)
"""Controller of the left HX5-D20 hand."""
