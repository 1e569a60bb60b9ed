# SPDX-License-Identifier: Apache-2.0
"""The HX5 hand's controller: its watchdog, and how it mirrors a finger motor. No goal is ever distributed here."""

import struct

import pytest
from bench_servo import Servo

from drivers.control_table import SYNC_TABLE_SLOTS, SYNC_TABLES
from drivers.hand_device import INDIRECT_READ, READ_BLOCK
from drivers.protocol import ErrorNumber

pytestmark = pytest.mark.writes_eeprom
FIRED, UNITS, SILENCE_S = -1, 3, 0.12


def mirror(hand: Servo, motor: int, address: int, size: int) -> None:
    """All SyncTables empty but for one motor's registers to read; then on."""
    for table in range(1, SYNC_TABLES + 1):
        for slot in range(1, SYNC_TABLE_SLOTS + 1):
            hand.set(f"SyncTable {table} ID {slot}", 0)
    hand.set("SyncTable 1 ID 1", motor)
    for name, value in (("Read Address", address), ("Read Size", size), ("Write Address", 0), ("Write Size", 0)):
        hand.set(f"SyncTable 1 {name} 1", value)
    hand.set("Table Sync Enable", 1)


def finger_of(everybody: list[Servo]) -> Servo:
    fingers = [servo for servo in everybody if servo.kind == "xm335"]
    if not fingers:
        pytest.skip("not present: a finger motor (XM335) on the line")
    return fingers[0]


def test_controller_mirrors_a_finger_motor(hand: Servo, everybody: list[Servo]) -> None:
    finger = finger_of(everybody)
    item = finger.table["Present Position"]
    mirror(hand, finger.id, item.address, item.size)
    first = hand.table["SyncTable 1 Read Data 1"].address

    def agrees() -> bool:
        mirrored = item.decode(hand.line.bus.read(hand.id, first, item.size))
        return abs(mirrored - finger.get("Present Position")) <= finger.jitter_ticks

    hand.wait_until(agrees, 1.0, "its mirror shows the motor's position")


def test_indirect_data_give_the_mirrored_bytes(hand: Servo, everybody: list[Servo]) -> None:
    finger = finger_of(everybody)
    item = finger.table["ID"]
    first = hand.table["SyncTable 1 Read Data 1"].address
    hand.line.bus.write(hand.id, INDIRECT_READ, struct.pack("<H", first))
    mirror(hand, finger.id, item.address, item.size)
    hand.wait_until(lambda: hand.line.bus.read(hand.id, READ_BLOCK, 1)[0] == finger.id, 1.0, "the motor's ID at 634")


def test_watchdog_lies_at_8_and_is_read_back(hand: Servo) -> None:
    item = hand.table["Bus Watchdog"]
    assert (item.address, item.size) == (8, 1)
    hand.set("Bus Watchdog", 127)
    assert hand.get("Bus Watchdog") == 127


def test_silence_fires_the_watchdog_while_tables_are_on(hand: Servo, everybody: list[Servo]) -> None:
    finger = finger_of(everybody)
    mirror(hand, finger.id, finger.table["Present Position"].address, 4)
    hand.set("Bus Watchdog", UNITS)
    hand.line.be_silent(SILENCE_S)
    assert hand.get("Bus Watchdog") == FIRED
    assert hand.try_write("SyncTable 1 Write Data 1", 0) == ErrorNumber.DATA_RANGE
    assert hand.try_write("Bus Watchdog", UNITS) == ErrorNumber.DATA_RANGE
    hand.set("Bus Watchdog", 0)
    assert hand.try_write("SyncTable 1 Write Data 1", 0) == ErrorNumber.NONE


def test_reboot_switches_the_tables_off(hand: Servo, everybody: list[Servo]) -> None:
    finger = finger_of(everybody)
    mirror(hand, finger.id, finger.table["Present Position"].address, 4)
    hand.reboot()
    assert hand.get("Table Sync Enable") == 0
