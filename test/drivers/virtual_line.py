# SPDX-License-Identifier: Apache-2.0
"""A robot's driver in virtual time, with handles for tests."""

from drivers.bus import Bus
from drivers.command import Command
from drivers.safety import COMMAND_TTL_NS
from drivers.virtual_time import Clock, VirtualLine, VirtualTimeDriver
from robots import Robot, load_robot

__all__ = ["MS", "Clock", "Rig", "VirtualLine"]

MS = 1_000_000


class Rig(VirtualTimeDriver):
    """A connected control loop on virtual lines."""

    def __init__(self, name: str | Robot, connect: bool = True, command_ttl_ns: int = COMMAND_TTL_NS) -> None:
        super().__init__(load_robot(name) if isinstance(name, str) else name, command_ttl_ns)
        self.line = next(iter(self.lines.values()))
        self.bus = Bus(self.line)
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
            self.cycle_at(self.clock.now_ns)
        return self.cycles[-1]

    def engage(self, command_rad) -> None:
        """Fresh commands, then a request."""
        self.run(1, command_rad)
        refusal = self.loop.request_engage()
        assert not refusal, refusal
