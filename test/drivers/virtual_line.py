# SPDX-License-Identifier: Apache-2.0
"""Virtual buses behind the driver's port interface, in virtual time: no pty, no threads, no waiting."""

import time

from drivers.bus import Bus
from drivers.command import Command
from drivers.control_loop import ControlLoop
from drivers.errors import PortError
from drivers.robot_link import RobotLink
from drivers.virtual_build import build_virtual_bus, build_virtual_buses
from robots import Robot, load_robot

MS = 1_000_000


class Clock:
    """Virtual time, shared by all lines of a robot."""

    def __init__(self) -> None:
        self.now_ns = time.monotonic_ns()

    def __call__(self) -> int:
        return self.now_ns


class VirtualLine:
    """drivers.bus.Port on a VirtualBus. Time runs with the wire time of what is sent, and on request."""

    def __init__(self, robot: Robot, virtual=None, baud: int = 0, clock: Clock | None = None) -> None:
        self.virtual = virtual if virtual is not None else build_virtual_bus(robot)
        self.baud = baud or robot.buses[0].baud
        self.clock = clock or Clock()
        self.waiting: list[bytes] = []
        self.instructions: list[bytes] = []
        self.mangle = None
        self.unplugged = False
        self.opened = 1
        self.due_ns = 0

    @property
    def now_ns(self) -> int:
        return self.clock.now_ns

    @now_ns.setter
    def now_ns(self, value: int) -> None:
        self.clock.now_ns = value

    def open(self) -> "VirtualLine":
        if self.unplugged:
            raise PortError("no serial port at /dev/virtual")
        self.opened += 1
        return self

    def write(self, data: bytes) -> None:
        self._plugged()
        self.instructions.append(data)
        last_ns = self.now_ns
        for answer in self.virtual.handle(data, self.now_ns):
            last_ns = max(last_ns, answer.complete_ns)
            self.waiting.append(answer.data)
        self.due_ns = last_ns

    def read(self, deadline_ns: int) -> bytes:
        self._plugged()
        data, self.waiting = b"".join(self.waiting), []
        if self.mangle is not None:
            data = self.mangle(data)
        # what was asked is there when its wire time is over; silence lasts until the deadline
        self.now_ns = max(self.now_ns, self.due_ns + 100_000 if data else deadline_ns)
        return data

    def discard(self) -> None:
        self._plugged()
        self.waiting.clear()

    def close(self) -> None:
        self.opened -= 1

    def _plugged(self) -> None:
        if self.unplugged:
            raise PortError("/dev/virtual was lost: was the adapter unplugged?")


class Rig:
    """A connected control loop on virtual lines, cycled in virtual time."""

    def __init__(self, name: str | Robot, connect: bool = True) -> None:
        self.robot = load_robot(name) if isinstance(name, str) else name
        self.clock = Clock()
        self.lines = {
            bus: VirtualLine(self.robot, virtual, next(b.baud for b in self.robot.buses if b.name == bus), self.clock)
            for bus, virtual in build_virtual_buses(self.robot).items()
        }
        self.line = next(iter(self.lines.values()))
        self.bus = Bus(self.line)
        self.link = RobotLink(self.robot, {bus: line.open for bus, line in self.lines.items()}, self.clock)
        self.loop = ControlLoop(self.robot, self.link, self.clock)
        self.cycles = []
        if connect:
            self.loop.connect()

    def device(self, servo_id: int):
        """The virtual device with this ID, on whatever line."""
        for line in self.lines.values():
            for device in line.virtual.devices:
                if device.id == servo_id:
                    return device
        raise KeyError(servo_id)

    def run(self, cycles: int, command_rad=None):
        """Cycle at the robot's rate; with a command, a fresh one for every group in every cycle. Returns the last."""
        period_ns = 1_000 * MS // self.robot.rate_hz
        next_ns = self.clock.now_ns
        for _ in range(cycles):
            next_ns += period_ns
            self.clock.now_ns = max(self.clock.now_ns, next_ns)
            if command_rad is not None:
                now_ns = self.clock.now_ns
                for group in range(len(self.robot.groups)):
                    self.loop.offer(Command(command_rad, now_ns, now_ns - 30 * MS), group)
            self.cycles.append(self.loop.cycle())
        return self.cycles[-1]

    def engage(self, command_rad) -> None:
        """Fresh commands, then a request."""
        self.run(1, command_rad)
        refusal = self.loop.request_engage()
        assert not refusal, refusal
