# SPDX-License-Identifier: Apache-2.0
"""The HX5-D20 controller, set up through the bus the way ROBOTIS does it."""

import numpy as np
import pytest

from drivers import protocol as dxl
from drivers.control_table import HX5_CONTROLLER_RIGHT, SYNC_TABLES, sync_table_address
from drivers.virtual_build import build_virtual_bus
from robots import load_robot

S = 1_000_000_000
MS = 1_000_000
CONTROLLER = 110
READ_BLOCK, WRITE_BLOCK = 634, 799
ROBOT = load_robot("hx5_d20_right")
IDS = [joint.id for joint in ROBOT.joints]


class Host:
    """Just enough of a host: sends, wants every answer to be without error, lets time pass."""

    def __init__(self):
        self.bus = build_virtual_bus(ROBOT)
        self.now_ns = 0

    def send(self, request, error=0):
        answers = [dxl.decode(answer.data) for answer in self.bus.handle(request, self.now_ns)]
        self.now_ns += MS
        assert [a.error_number for a in answers] in ([], [error])
        return answers[0].params if answers else b""

    def write(self, number, name, value, error=0):
        item = self.bus.device(number).table[name]
        self.send(dxl.write(number, item.address, item.encode(value)), error)

    def read(self, number, name):
        item = self.bus.device(number).table[name]
        return item.decode(self.send(dxl.read(number, item.address, item.size)))

    def block(self):
        """Current, velocity, position of the 20 motors and the tactile bytes, from the 165-byte block."""
        fingers = np.frombuffer(self.send(dxl.read(CONTROLLER, READ_BLOCK, 165)), np.uint8).reshape(SYNC_TABLES, 33)
        return np.frombuffer(fingers[:, :24].tobytes(), "<i2").reshape(20, 3), fingers[:, 24:]

    def command(self, goals, current=300, error=0):
        words = np.column_stack([np.full(20, current), goals])
        self.send(dxl.write(CONTROLLER, WRITE_BLOCK, np.asarray(words, "<i2").tobytes()), error)


def set_up(host):
    """Motors first, then the SyncTables and the indirect addresses of the controller, Table Sync Enable last."""
    host.write(CONTROLLER, "Table Sync Enable", 0)
    for number in IDS:
        for name, value in {"Profile Velocity": 100, "Profile Acceleration": 50, "Position P Gain": 500}.items():
            host.write(number, name, value)
        for n, address in enumerate([126, 127, 128, 129, 132, 133, 102, 103, 116, 117], 1):
            host.write(number, f"Indirect Address {n}", address)
    for table in range(1, SYNC_TABLES + 1):
        first = IDS[4 * (table - 1)]
        config = bytes(range(first, first + 5)) + b"\0"
        config += b"".join(v.to_bytes(2, "little") for v in [224] * 4 + [72, 0] + [6] * 4 + [9, 0])
        config += b"".join(v.to_bytes(2, "little") for v in [230] * 4 + [0, 0] + [4] * 4 + [0, 0])
        host.send(dxl.write(CONTROLLER, sync_table_address(table), config))
    reads = [sync_table_address(t) + 54 + n for t in range(1, 6) for n in range(33)]
    writes = [sync_table_address(t) + 126 + n for t in range(1, 6) for n in range(16)]
    host.send(dxl.write(CONTROLLER, 122, b"".join(a.to_bytes(2, "little") for a in reads)))
    host.send(dxl.write(CONTROLLER, 452, b"".join(a.to_bytes(2, "little") for a in writes)))
    host.write(CONTROLLER, "Table Sync Enable", 1)


@pytest.fixture
def host():
    ready = Host()
    set_up(ready)
    return ready


def test_controller_and_motors_answer_a_ping_with_their_models():
    models = {}
    for answer in Host().bus.handle(dxl.ping(), 0):
        packet = dxl.decode(answer.data)
        models[packet.id] = int.from_bytes(packet.params[:2], "little")
    assert models == {CONTROLLER: 260} | dict.fromkeys(IDS, 1710)


def test_165_byte_block_mirrors_what_the_motors_say_themselves(host):
    motors, tactile = host.block()
    assert motors[:, 2].tolist() == [host.read(number, "Present Position") for number in IDS]
    assert not tactile.any()


def test_80_byte_block_moves_20_joints(host):
    start, _ = host.block()
    goals = start[:, 2] + np.where(np.arange(20) % 2, 100, -100)
    host.command(goals)
    host.now_ns += 50 * MS
    moving, _ = host.block()
    assert (np.sign(moving[:, 1]) == np.sign(goals - start[:, 2])).all()
    host.now_ns += S
    assert host.block()[0][:, 2].tolist() == goals.tolist()
    assert [host.read(number, "Torque Enable") for number in IDS] == [1] * 20


def test_hand_does_not_move_without_goal_current(host):
    start, _ = host.block()
    host.command(start[:, 2] + 50, current=0)
    host.now_ns += S
    assert host.block()[0][:, 2].tolist() == start[:, 2].tolist()


def test_one_motors_four_bytes_move_one_motor(host):
    start, _ = host.block()
    goal = int(start[6, 2]) + 80
    host.send(dxl.write(CONTROLLER, WRITE_BLOCK + 4 * 6, np.array([300, goal], "<i2").tobytes()))
    host.now_ns += S
    moved = host.block()[0][:, 2] - start[:, 2]
    assert moved.tolist() == [0] * 6 + [80] + [0] * 13


def test_nothing_is_mirrored_while_table_sync_is_off():
    host = Host()
    assert not host.block()[0].any()
    host.command(np.full(20, 2100))
    host.now_ns += S
    assert [host.read(number, "Torque Enable") for number in IDS] == [0] * 20


def test_write_data_stored_before_the_sync_reach_the_motors_when_it_starts():
    host = Host()
    set_up(host)
    host.write(CONTROLLER, "Table Sync Enable", 0)
    start = [host.read(number, "Present Position") for number in IDS]
    host.command(np.array(start) + 40)
    host.write(CONTROLLER, "Table Sync Enable", 1)
    host.now_ns += S
    assert host.block()[0][:, 2].tolist() == [ticks + 40 for ticks in start]


def test_sync_tables_are_locked_while_the_sync_is_on(host):
    host.write(CONTROLLER, "SyncTable 1 ID 1", 5, error=dxl.ErrorNumber.ACCESS)
    host.write(CONTROLLER, "Return Delay Time", 5, error=dxl.ErrorNumber.ACCESS)
    host.write(CONTROLLER, "Table Sync Enable", 0)
    host.write(CONTROLLER, "SyncTable 1 ID 1", 5)


def test_read_data_can_not_be_written(host):
    host.write(CONTROLLER, "SyncTable 1 Read Data 1", 5, error=dxl.ErrorNumber.ACCESS)


def test_tactile_bytes_come_from_the_sensors_of_the_sync_tables(host):
    device = host.bus.device(CONTROLLER)
    device.tactile[115] = bytes(range(1, 10))
    device.tactile[135] = b"\xff"
    _, tactile = host.block()
    assert tactile[0].tolist() == list(range(1, 10))
    assert tactile[4].tolist() == [255] + [0] * 8
    assert not tactile[1:4].any()


def test_controllers_watchdog_stops_all_fingers_latches_and_refuses_goals_until_cleared(host):
    host.write(CONTROLLER, "Bus Watchdog", 10)
    start, _ = host.block()
    host.send(dxl.sync_write(112, 4, [(number, (2000).to_bytes(4, "little")) for number in IDS]))
    host.command(start[:, 2] + 100)
    host.now_ns += 10 * S
    assert host.read(CONTROLLER, "Bus Watchdog") == -1
    stopped, _ = host.block()
    assert ((stopped[:, 2] - start[:, 2] > 0) & (stopped[:, 2] - start[:, 2] < 50)).all()
    assert not stopped[:, 1].any()
    host.command(start[:, 2], error=dxl.ErrorNumber.DATA_RANGE)
    host.write(CONTROLLER, "Bus Watchdog", 10, error=dxl.ErrorNumber.DATA_RANGE)
    host.write(CONTROLLER, "Bus Watchdog", 0)
    host.now_ns += 100 * MS
    assert host.block()[0][:, 2].tolist() == stopped[:, 2].tolist()
    host.command(start[:, 2])
    host.now_ns += 3 * S
    assert host.block()[0][:, 2].tolist() == start[:, 2].tolist()


def test_sync_traffic_feeds_the_motors_watchdogs_until_the_controllers_own_expires(host):
    host.command(host.block()[0][:, 2])
    host.send(dxl.sync_write(98, 1, [(number, b"\x05") for number in IDS]))
    host.now_ns += S
    assert host.read(111, "Bus Watchdog") == 5
    host.write(CONTROLLER, "Bus Watchdog", 5)
    host.now_ns += S
    assert host.read(111, "Bus Watchdog") == -1


def test_silent_finger_keeps_its_last_mirrored_bytes_and_gets_no_goals(host):
    start, _ = host.block()
    host.bus.set_silent(IDS[3], True)
    host.command(start[:, 2] + 30)
    host.now_ns += S
    moved = host.block()[0][:, 2] - start[:, 2]
    assert moved.tolist() == [30] * 3 + [0] + [30] * 16


def test_reboot_of_the_controller_ends_the_sync(host):
    host.send(dxl.reboot(CONTROLLER))
    host.now_ns += S
    assert host.read(CONTROLLER, "Table Sync Enable") == 0
    assert HX5_CONTROLLER_RIGHT["SyncTable 1 ID 1"].default == host.read(CONTROLLER, "SyncTable 1 ID 1") == 0


def test_block_read_takes_under_half_a_millisecond_on_the_wire(host):
    (answer,) = host.bus.handle(dxl.read(CONTROLLER, READ_BLOCK, 165), host.now_ns)
    assert len(answer.data) - 176 in range(3)
    assert 470_000 <= answer.complete_ns - host.now_ns <= 490_000
