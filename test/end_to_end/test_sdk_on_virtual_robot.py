# SPDX-License-Identifier: Apache-2.0
"""The DYNAMIXEL SDK's own classes, as its users write them, against `booth virtual-robot op3`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dynamixel_easy_sdk.connector import Connector
from dynamixel_easy_sdk.data_types import OperatingMode
from dynamixel_sdk import (
    COMM_SUCCESS,
    GroupBulkRead,
    GroupBulkWrite,
    GroupSyncRead,
    GroupSyncWrite,
    PacketHandler,
    PortHandler,
)

IDS = list(range(1, 21))
TORQUE, LED, GOAL, POSITION, TEMPERATURE = 64, 65, 116, 132, 146
BAUD = 2_000_000


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    """The port of a running virtual OP3."""
    command = [sys.executable, "-m", "booth", "virtual-robot", "op3", "--link", str(tmp_path / "op3")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0


@pytest.fixture
def port(path: str) -> Iterator[PortHandler]:
    """The same, opened with the SDK."""
    handler = PortHandler(path)
    assert handler.openPort()
    assert handler.setBaudRate(BAUD)
    yield handler
    handler.closePort()


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


def test_bulk_write_and_bulk_reads(port: PortHandler) -> None:
    packet = PacketHandler(2.0)
    for servo in IDS:
        assert packet.write1ByteTxRx(port, servo, TORQUE, 1) == (COMM_SUCCESS, 0)
    writer = GroupBulkWrite(port, packet)
    for servo in IDS:
        address, size, value = (GOAL, 4, 2048 + servo) if servo % 2 else (LED, 1, 1)
        assert writer.addParam(servo, address, size, list(value.to_bytes(size, "little")))
    assert writer.txPacket() == COMM_SUCCESS
    for read in ("txRxPacket", "fastBulkRead"):
        reader = GroupBulkRead(port, packet)
        # SDK 4.1.0 looks for an ID among all bytes of a fast bulk read's request; 4 is also a length in this one.
        asked = [servo for servo in IDS if servo != 4 or read == "txRxPacket"]
        for servo in asked:
            assert reader.addParam(servo, *((POSITION, 4) if servo % 2 else (TEMPERATURE, 1)))
        for _ in range(400):
            assert getattr(reader, read)() == COMM_SUCCESS
            positions = [reader.getData(servo, POSITION, 4) for servo in IDS[::2]]
            if positions == [2048 + servo for servo in IDS[::2]]:
                break
        assert positions == [2048 + servo for servo in IDS[::2]]
        assert {reader.getData(servo, TEMPERATURE, 1) for servo in asked if servo % 2 == 0} == {30}


def test_easy_sdk(path: str) -> None:
    """ROBOTIS's own easy layer: it finds the models, sets modes, and groups commands by itself."""
    connector = Connector(path, BAUD)
    try:
        motors = connector.createAllMotors()
        assert [motor.id for motor in motors] == IDS
        for motor in motors:
            motor.setOperatingMode(OperatingMode.POSITION)
            motor.enableTorque()
        motors[0].setGoalPosition(2200)
        group = connector.createGroupExecutor()
        for motor in motors[1:]:
            group.addCmd(motor.stageSetGoalPosition(2100))
        group.executeWrite()
        for motor in motors:
            group.addCmd(motor.stageGetPresentPosition())
        for _ in range(400):
            found = group.executeRead()
            if found == [2200] + [2100] * 19:
                break
        assert found == [2200] + [2100] * 19
        assert motors[0].getPresentPosition() == 2200
        group.clearStagedReadCommands()
        group.addCmd(motors[0].stageGetPresentPosition())
        group.addCmd(motors[1].stageGetPresentVelocity())
        assert group.executeRead() == [2200, 0], "two registers: the easy layer takes a bulk read"
        motors[0].disableTorque()
        assert not motors[0].isTorqueOn()
    finally:
        connector._port_handler.closePort()
