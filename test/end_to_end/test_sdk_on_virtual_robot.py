# SPDX-License-Identifier: Apache-2.0
"""The DYNAMIXEL SDK's own classes, as its users write them, against `booth virtual-robot op3`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dynamixel_sdk import COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PacketHandler, PortHandler

IDS = list(range(1, 21))
TORQUE, GOAL, POSITION = 64, 116, 132


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PortHandler]:
    command = [sys.executable, "-m", "booth", "virtual-robot", "op3", "--link", str(tmp_path / "op3")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    path = process.stdout.readline().strip()
    handler = PortHandler(path)
    assert handler.openPort()
    assert handler.setBaudRate(2_000_000)
    yield handler
    handler.closePort()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0


def test_ping_torque_goal_sync_read_and_sync_write(port: PortHandler) -> None:
    packet = PacketHandler(2.0)
    for servo in IDS:
        model, result, error = packet.ping(port, servo)
        assert (model, result, error) == (1020, COMM_SUCCESS, 0)
        assert packet.write1ByteTxRx(port, servo, TORQUE, 1) == (COMM_SUCCESS, 0)
    assert packet.write4ByteTxRx(port, 1, GOAL, 2300) == (COMM_SUCCESS, 0)
    writer = GroupSyncWrite(port, packet, GOAL, 4)
    for servo in IDS[1:]:
        assert writer.addParam(servo, (2048 + 10 * servo).to_bytes(4, "little"))
    assert writer.txPacket() == COMM_SUCCESS
    for read in ("txRxPacket", "fastSyncRead"):
        reader = GroupSyncRead(port, packet, POSITION, 4)
        for servo in IDS:
            reader.addParam(servo)
        expected = [2300] + [2048 + 10 * servo for servo in IDS[1:]]
        for _ in range(400):
            assert getattr(reader, read)() == COMM_SUCCESS
            assert all(reader.isAvailable(servo, POSITION, 4) for servo in IDS)
            positions = [reader.getData(servo, POSITION, 4) for servo in IDS]
            if positions == expected:
                break
        assert positions == expected
