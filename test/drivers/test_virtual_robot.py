# SPDX-License-Identifier: Apache-2.0
"""The virtual robot on a real pseudo-terminal, used as a user would: with ROBOTIS's own SDK."""

import logging
import os
import select
import termios
import threading
import time
from contextlib import contextmanager

import dynamixel_sdk as sdk
import pytest

from drivers import protocol as dxl
from drivers.virtual_build import build_virtual_bus, start_ticks
from drivers.virtual_robot import VirtualRobotError, VirtualRobotServer, run_virtual_robot
from robots import load_robot

OP3 = load_robot("op3")
IDS = [joint.id for joint in OP3.joints]
TORQUE_ENABLE, GOAL_POSITION, PRESENT_POSITION, PRESENT_CURRENT = 64, 116, 132, 126
DEADLINE_S = 20.0


@contextmanager
def served(robot=OP3, **options):
    """A server in a thread of its own."""
    stop = threading.Event()
    with VirtualRobotServer(build_virtual_bus(robot), **options) as server:
        thread = threading.Thread(target=server.serve, args=(stop,))
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


@pytest.fixture
def op3():
    with served() as server:
        yield server


@contextmanager
def opened(path, baud=OP3.buses[0].baud):
    port = sdk.PortHandler(path)
    assert port.openPort()
    assert port.setBaudRate(baud)
    try:
        yield port
    finally:
        port.closePort()


@pytest.fixture
def port(op3):
    with opened(op3.path) as handler:
        yield handler


@pytest.fixture
def packets():
    return sdk.PacketHandler(2.0)


def ok(result, error=0):
    assert (result, error) == (sdk.COMM_SUCCESS, 0)


def until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"


def exchange(path, request, answer_bytes):
    """Send bytes the way any program would, without any serial library; b"" when nobody answers in half a second."""
    host = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(host, request)
        got = b""
        while len(got) < answer_bytes and select.select([host], [], [], 0.5)[0]:
            got += os.read(host, 4096)
        return got
    finally:
        os.close(host)


def test_sdk_pings_every_servo(port, packets):
    for number in IDS:
        model, result, error = packets.ping(port, number)
        ok(result, error)
        assert model == 1020


def test_sdk_finds_everyone_by_broadcast_ping(port, packets):
    found, result = packets.broadcastPing(port)
    ok(result)
    assert found == {number: [1020, 50] for number in IDS}


def test_sdk_moves_one_servo_to_its_goal(port, packets):
    ok(*packets.write1ByteTxRx(port, 19, TORQUE_ENABLE, 1))
    ok(*packets.write4ByteTxRx(port, 19, GOAL_POSITION, 2200))

    def arrived():
        position, result, error = packets.read4ByteTxRx(port, 19, PRESENT_POSITION)
        ok(result, error)
        return position == 2200

    until(arrived)


def test_sdk_is_told_why_a_write_is_refused(port, packets):
    result, error = packets.write4ByteTxRx(port, 1, GOAL_POSITION, 5000)
    assert (result, error) == (sdk.COMM_SUCCESS, dxl.ErrorNumber.DATA_LIMIT)


def patient(ask):
    """The SDK waits 36 ms and no longer; a test machine may pause for more than that, but not three times in a row."""
    return next((sdk.COMM_SUCCESS for _ in range(3) if ask() == sdk.COMM_SUCCESS), sdk.COMM_RX_TIMEOUT)


@pytest.mark.parametrize("read", ["txRxPacket", "fastSyncRead"])
def test_sdk_reads_the_whole_robot_in_one_group(port, packets, read):
    group = sdk.GroupSyncRead(port, packets, PRESENT_CURRENT, 10)
    assert all(group.addParam(number) for number in IDS)
    ok(patient(getattr(group, read)))
    assert all(group.isAvailable(number, PRESENT_POSITION, 4) for number in IDS)
    positions = [group.getData(number, PRESENT_POSITION, 4) for number in IDS]
    assert positions == [start_ticks(joint) for joint in OP3.joints]


@pytest.mark.parametrize("read", ["txRxPacket", "fastBulkRead"])
def test_sdk_reads_other_registers_of_each_servo(port, packets, read):
    group = sdk.GroupBulkRead(port, packets)
    for number in IDS:
        assert group.addParam(number, *((PRESENT_POSITION, 4) if number % 2 else (146, 1)))
    ok(patient(getattr(group, read)))
    assert group.getData(1, PRESENT_POSITION, 4) == start_ticks(OP3.joints[0])
    assert group.getData(2, 146, 1) == 30


def test_sdk_moves_the_whole_robot_by_sync_write(port, packets):
    for address, size, values in (
        (TORQUE_ENABLE, 1, [1] * 20),
        (GOAL_POSITION, 4, [2048 + 5 * number for number in IDS]),
    ):
        group = sdk.GroupSyncWrite(port, packets, address, size)
        assert all(group.addParam(n, list(v.to_bytes(size, "little"))) for n, v in zip(IDS, values, strict=True))
        ok(group.txPacket())
    state = sdk.GroupSyncRead(port, packets, PRESENT_POSITION, 4)
    assert all(state.addParam(number) for number in IDS)

    def arrived():
        ok(state.txRxPacket())
        return all(state.getData(n, PRESENT_POSITION, 4) == 2048 + 5 * n for n in IDS)

    until(arrived)


def test_host_may_close_and_open_the_port_again(op3, packets):
    for _ in range(5):
        with opened(op3.path) as port:
            ok(*packets.ping(port, 1)[1:])


def test_silent_servo_times_out_and_comes_back(op3, port, packets):
    op3.bus.set_silent(7, True)
    assert packets.ping(port, 7)[1] == sdk.COMM_RX_TIMEOUT
    ok(*packets.ping(port, 8)[1:])
    op3.bus.set_silent(7, False)
    ok(*packets.ping(port, 7)[1:])


def test_an_answer_never_comes_before_it_could_be_on_the_wire(op3):
    request = dxl.sync_read(0, 120, IDS)
    size = 20 * (11 + 120)
    began_ns = time.monotonic_ns()
    assert len(exchange(op3.path, request, size)) == size
    took_ns = time.monotonic_ns() - began_ns
    assert took_ns > (len(request) + size) * 5_000 - 50_000


def test_hand_is_served_too():
    with served(load_robot("hx5_d20_right")) as server:
        packet = dxl.decode(exchange(server.path, dxl.ping(110), 14))
    assert packet.params == (260).to_bytes(2, "little") + bytes((10,))


def test_link_points_at_the_pty_replaces_an_old_link_and_goes_at_the_end(tmp_path):
    link = tmp_path / "op3"
    link.symlink_to("/dev/pts/ptmx")
    with served(link=link) as server:
        assert str(link.readlink()) == server.device_path
        assert dxl.decode(exchange(str(link), dxl.ping(3), 14)).id == 3
    assert not link.is_symlink()


def test_a_link_to_a_real_port_is_never_replaced(tmp_path):
    link = tmp_path / "by-id-adapter"
    link.symlink_to("/dev/null")
    with pytest.raises(VirtualRobotError, match="no symbolic link of ours"):
        VirtualRobotServer(build_virtual_bus(OP3), link)
    assert str(link.readlink()) == "/dev/null"


def test_link_that_somebody_else_took_over_is_left_alone(tmp_path):
    link = tmp_path / "op3"
    server = VirtualRobotServer(build_virtual_bus(OP3), link)
    link.unlink()
    link.symlink_to("/dev/null")
    server.close()
    assert str(link.readlink()) == "/dev/null"


def test_a_file_where_the_link_should_be_is_not_overwritten(tmp_path):
    file = tmp_path / "op3"
    file.write_text("mine")
    with pytest.raises(VirtualRobotError, match="no symbolic link"):
        VirtualRobotServer(build_virtual_bus(OP3), file)
    assert file.read_text() == "mine"


def test_close_may_be_called_again():
    server = VirtualRobotServer(build_virtual_bus(OP3))
    server.close()
    server.close()


def test_another_baud_is_one_warning_and_still_answered(caplog, packets):
    with caplog.at_level(logging.WARNING), served() as server:
        for _ in range(2):
            with opened(server.path, 57_600) as port:
                ok(*packets.ping(port, 1)[1:])
    warnings = [record.getMessage() for record in caplog.records if record.name == "virtual_robot"]
    assert len(warnings) == 1
    assert "57600" in warnings[0]


def test_the_right_baud_is_no_warning(caplog, op3, packets):
    with caplog.at_level(logging.WARNING), opened(op3.path) as port:
        ok(*packets.ping(port, 1)[1:])
    assert not [record for record in caplog.records if record.name == "virtual_robot"]


def test_strict_baud_is_silent_until_the_host_talks_at_the_servos_baud(packets):
    with served(strict_baud=True) as server:
        with opened(server.path, 57_600) as port:
            assert packets.ping(port, 1)[1] == sdk.COMM_RX_TIMEOUT
        with opened(server.path) as port:
            ok(*packets.ping(port, 1)[1:])


def test_a_host_that_never_reads_does_not_block_the_server(op3):
    host = os.open(op3.path, os.O_RDWR | os.O_NOCTTY)
    for _ in range(40):
        os.write(host, dxl.sync_read(0, 120, IDS))
    termios.tcflush(host, termios.TCIOFLUSH)
    os.close(host)

    def answers():
        host = os.open(op3.path, os.O_RDWR | os.O_NOCTTY)
        termios.tcflush(host, termios.TCIFLUSH)
        os.close(host)
        return exchange(op3.path, dxl.ping(3), 14) == dxl.encode_status(3, 0, b"\xfc\x03\x32")

    until(answers)


def test_run_virtual_robot_tells_the_path_serves_and_cleans_up(tmp_path):
    link, stop, ready = tmp_path / "robot", threading.Event(), threading.Event()
    told = []

    def on_ready(paths):
        told.append(paths)
        ready.set()

    thread = threading.Thread(target=run_virtual_robot, args=(OP3, link, False, on_ready, stop))
    thread.start()
    try:
        assert ready.wait(DEADLINE_S)
        assert told == [{"body": str(link)}]
        assert dxl.decode(exchange(str(link), dxl.ping(5), 14)).id == 5
    finally:
        stop.set()
        thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert not link.is_symlink()
