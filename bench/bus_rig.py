# SPDX-License-Identifier: Apache-2.0
"""A virtual robot of any number of servos in a process of its own, and ways to read and write it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import yaml
from dynamixel_sdk import COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PacketHandler, PortHandler

from drivers.port import SerialPort, wait_for_port
from drivers.robot_link import RobotLink
from drivers.virtual_control import control_path, request
from graph.errors import BoothError
from graph.nodes import bus_ports
from robots import Robot, load_robot
from robots.robot import parse_robot

BAUD = 4_000_000
STATE_ADDRESS, STATE_BYTES, GOAL_ADDRESS, GOAL_BYTES, TORQUE_ADDRESS = 126, 10, 116, 4, 64
"""XM430: Present Current … Present Position side by side, Goal Position, Torque Enable (e-Manual XM430-W350)."""
START_S = 10.0


def servo_robot(count: int, rate_hz: int, buses: int = 1) -> Robot:
    """A robot of ``count`` XM430, shared by some buses at 4 Mbps."""
    model = load_robot("op3").model_dump(mode="json", exclude_defaults=True)
    joint = model["joints"][0]
    model["joints"] = [joint | {"name": f"joint{k}", "id": k} for k in range(1, count + 1)]
    model["buses"] = [model["buses"][0] | {"baud": BAUD}]
    model |= {"name": f"servos_{count}", "rate_hz": rate_hz}
    if buses > 1:
        model["buses"] = [model["buses"][0] | {"name": f"bus{k}"} for k in range(buses)]
        model["joints"] = [joint | {"bus": f"bus{k * buses // count}"} for k, joint in enumerate(model["joints"])]
        model["name"] += f"_on_{buses}"
    return parse_robot(yaml.safe_dump(model), model["name"])


class Served:
    """A virtual robot that is being served."""

    def __init__(self, robot: Robot, path: Path) -> None:
        self.robot, self.path = robot, str(path)

    def fault(self, line: str) -> None:
        """Make a fault, or take it back."""
        answer = request(control_path(self.path), line)
        if not answer.startswith("ok"):
            raise BoothError(f"the virtual robot refused `{line}`: {answer}")


@contextmanager
def served(robot: Robot, directory: Path) -> Iterator[Served]:
    """Serve a robot for the time of a with block."""
    file, link = directory / f"{robot.name}.yaml", directory / robot.name
    file.write_text(yaml.safe_dump(robot.model_dump(mode="json", exclude_defaults=True)), encoding="utf-8")
    command = [sys.executable, "-m", "booth", "virtual-robot", str(file), "--link", str(link)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        last = list(bus_ports(robot, str(link)).values())[-1]
        wait_for_port(last, START_S)
        if not Path(last).exists():
            raise BoothError(f"no virtual robot within {START_S:.0f} s: try `{' '.join(command)}`")
        time.sleep(0.3)
        yield Served(robot, link)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def ours(serving: Served) -> Iterator[RobotLink]:
    """Our driver's link, connected and with torque on."""
    paths = bus_ports(serving.robot, serving.path)
    link = RobotLink(serving.robot, {name: partial(SerialPort, path, BAUD) for name, path in paths.items()})
    try:
        link.prepare()
        link.torque_on()
        yield link
        link.torque_off()
    finally:
        link.close()


def bare_cycle(serving: Served) -> Callable[[], None]:
    """One cycle's bytes written and read with nothing done to them; the port stays open."""
    with ours(serving) as link:
        line = link.lines[0]
        goal = np.nan_to_num(link.exchange(np.zeros(len(serving.robot.joints))).reading.position_rad)
        burst = line.burst(goal, np.empty_like(goal))
        expected = sum(read.answer_bytes for read in line.reads)
    port = SerialPort(serving.path, BAUD)

    def cycle() -> None:
        port.write(burst)
        received = 0
        while received < expected:
            data = port.read(time.monotonic_ns() + 100_000_000)
            if not data:
                return
            received += len(data)

    return cycle


class SdkCycle:
    """The same cycle through the SDK, as its own examples do it: GroupSyncRead, getData, GroupSyncWrite."""

    def __init__(self, serving: Served, *, fast: bool = False) -> None:
        self._ids = [joint.id for joint in serving.robot.joints]
        self._port = PortHandler(serving.path)
        if not self._port.setBaudRate(BAUD):
            raise BoothError(f"the SDK can't open {serving.path}")
        self._packets = PacketHandler(2.0)
        for servo in self._ids:
            self._packets.write1ByteTxRx(self._port, servo, TORQUE_ADDRESS, 1)
        self._read = GroupSyncRead(self._port, self._packets, STATE_ADDRESS, STATE_BYTES)
        self._write = GroupSyncWrite(self._port, self._packets, GOAL_ADDRESS, GOAL_BYTES)
        self._transfer = self._read.fastSyncRead if fast else self._read.txRxPacket
        for servo in self._ids:
            self._read.addParam(servo)
            self._write.addParam(servo, [0, 8, 0, 0])

    def __enter__(self) -> "SdkCycle":
        return self

    def __exit__(self, *_: object) -> None:
        self._port.closePort()

    def cycle(self) -> np.ndarray:
        """Read all, write all; (n,) which servos' data were there, by the SDK's own isAvailable."""
        success = self._transfer() == COMM_SUCCESS
        there = np.zeros(len(self._ids), bool)
        for k, servo in enumerate(self._ids):
            there[k] = success and self._read.isAvailable(servo, STATE_ADDRESS, STATE_BYTES)
            for address, size in ((126, 2), (128, 4), (132, 4)):
                self._read.getData(servo, address, size)
            self._write.changeParam(servo, [0, 8, 0, 0])
        self._write.txPacket()
        return there
