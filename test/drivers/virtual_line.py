# SPDX-License-Identifier: Apache-2.0
"""A virtual bus behind the driver's port interface, in virtual time: no pty, no threads, no waiting."""

import time

from drivers.bus import Bus
from drivers.control_loop import ControlLoop
from drivers.hand_link import HandLink
from drivers.servo_link import ServoLink
from drivers.virtual_build import build_virtual_bus
from robots import Robot, load_robot

MS = 1_000_000


class VirtualLine:
    """drivers.bus.Port on a VirtualBus. ``now_ns`` runs with the wire time of what is sent and on request."""

    def __init__(self, robot: Robot) -> None:
        self.virtual = build_virtual_bus(robot)
        self.baud = robot.buses[0].baud
        self.now_ns = time.monotonic_ns()
        self.waiting: list[bytes] = []
        self.instructions: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.instructions.append(data)
        for answer in self.virtual.handle(data, self.now_ns):
            self.now_ns = max(self.now_ns, answer.complete_ns)
            self.waiting.append(answer.data)
        self.now_ns += 100_000

    def read(self, _deadline_ns: int) -> bytes:
        data, self.waiting = b"".join(self.waiting), []
        return data

    def discard(self) -> None:
        self.waiting.clear()

    def clock(self) -> int:
        return self.now_ns


class Rig:
    """A connected control loop on a virtual line, cycled in virtual time."""

    def __init__(self, name: str, connect: bool = True) -> None:
        self.robot = load_robot(name)
        self.line = VirtualLine(self.robot)
        self.bus = Bus(self.line)
        kind = HandLink if self.robot.controllers else ServoLink
        self.link = kind(self.bus, self.robot)
        self.loop = ControlLoop(self.robot, self.link, self.line.clock)
        self.cycles = []
        if connect:
            self.loop.connect()

    def run(self, cycles: int, command_rad=None):
        """Cycle at the robot's rate; with a command, a fresh one in every cycle. Returns the last cycle."""
        from drivers.command import Command

        period_ns = 1_000 * MS // self.robot.rate_hz
        next_ns = self.line.now_ns
        for _ in range(cycles):
            next_ns += period_ns
            self.line.now_ns = max(self.line.now_ns, next_ns)
            if command_rad is not None:
                self.loop.offer(Command(command_rad, self.line.now_ns, self.line.now_ns - 30 * MS))
            self.cycles.append(self.loop.cycle())
        return self.cycles[-1]
