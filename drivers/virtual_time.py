# SPDX-License-Identifier: Apache-2.0
"""Virtual buses behind the driver's port interface, in virtual time: no pseudo-terminal, no threads, no waiting.

The whole driver runs on them as fast as the computer can, and always the same: for tests, and for figures that must not
depend on how busy the machine is.
"""

import time
from collections.abc import Callable

from drivers.control_loop import ControlLoop, Cycle
from drivers.errors import PortError
from drivers.robot_link import RobotLink
from drivers.safety import COMMAND_TTL_NS
from drivers.virtual_build import build_virtual_bus, build_virtual_buses
from drivers.virtual_bus import VirtualBus
from robots import Robot

LATENCY_NS = 100_000
"""From the last byte on the wire to the driver's hands."""


class Clock:
    """Virtual time, shared by all lines of a robot."""

    def __init__(self) -> None:
        self.now_ns = time.monotonic_ns()

    def __call__(self) -> int:
        return self.now_ns


class VirtualLine:
    """`drivers.bus.Port` on a virtual bus. Time runs with the wire time of what is sent, and on request.

    Attributes:
        instructions: every packet that was written.
        mangle: damages what is read; None: nothing does.
        unplugged: the adapter is gone.
        opened: how often it is open.
    """

    def __init__(
        self, robot: Robot, virtual: VirtualBus | None = None, baud: int = 0, clock: Clock | None = None
    ) -> None:
        self.virtual = virtual if virtual is not None else build_virtual_bus(robot)
        self.baud = baud or robot.buses[0].baud
        self.clock = clock or Clock()
        self.waiting: list[bytes] = []
        self.instructions: list[bytes] = []
        self.mangle: Callable[[bytes], bytes] | None = None
        self.unplugged = False
        self.opened = 1
        self.due_ns = 0

    @property
    def now_ns(self) -> int:
        """Virtual time [ns]."""
        return self.clock.now_ns

    @now_ns.setter
    def now_ns(self, value: int) -> None:
        self.clock.now_ns = value

    def open(self) -> "VirtualLine":
        """The same line again.

        Raises:
            PortError: it is unplugged.
        """
        if self.unplugged:
            raise PortError("no serial port at /dev/virtual")
        self.opened += 1
        return self

    def write(self, data: bytes) -> None:
        """Send; the servos' answers are due when their bytes would be through.

        Raises:
            PortError: it is unplugged.
        """
        self._plugged()
        self.instructions.append(data)
        last_ns = self.now_ns
        for answer in self.virtual.handle(data, self.now_ns):
            last_ns = max(last_ns, answer.complete_ns)
            self.waiting.append(answer.data)
        self.due_ns = last_ns

    def read(self, deadline_ns: int) -> bytes:
        """What was asked for is there when its wire time is over; silence lasts until the deadline.

        Raises:
            PortError: it is unplugged.
        """
        self._plugged()
        data, self.waiting = b"".join(self.waiting), []
        if self.mangle is not None:
            data = self.mangle(data)
        self.now_ns = max(self.now_ns, self.due_ns + LATENCY_NS if data else deadline_ns)
        return data

    def discard(self) -> None:
        """Forget what was not read."""
        self._plugged()
        self.waiting.clear()

    def close(self) -> None:
        """Count it as closed."""
        self.opened -= 1

    def _plugged(self) -> None:
        if self.unplugged:
            raise PortError("/dev/virtual was lost: was the adapter unplugged?")


class VirtualTimeDriver:
    """A robot's whole driver on virtual servos, cycled in virtual time.

    Attributes:
        clock: what everybody takes for now.
        lines: by the buses' names.
        cycles: what every cycle did.
    """

    def __init__(self, robot: Robot, command_ttl_ns: int = COMMAND_TTL_NS) -> None:
        self.robot = robot
        self.clock = Clock()
        bauds = {bus.name: bus.baud for bus in robot.buses}
        self.lines = {
            name: VirtualLine(robot, virtual, bauds[name], self.clock)
            for name, virtual in build_virtual_buses(robot).items()
        }
        self.link = RobotLink(robot, {name: line.open for name, line in self.lines.items()}, self.clock)
        self.loop = ControlLoop(robot, self.link, self.clock, command_ttl_ns=command_ttl_ns)
        self.cycles: list[Cycle] = []

    def cycle_at(self, start_ns: int) -> Cycle:
        """One cycle that starts at a moment, or as soon as the one before is over."""
        self.clock.now_ns = max(self.clock.now_ns, start_ns)
        self.cycles.append(self.loop.cycle())
        return self.cycles[-1]
