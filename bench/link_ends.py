# SPDX-License-Identifier: Apache-2.0
"""The two ends of the measured link, each a process of its own: `robot` with the real driver on virtual servos in real
time, and `operator` with landmarks at a camera's pace. Each ends when its standard input does, with a line of JSON."""

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from threading import Thread

import numpy as np

from drivers.command import Command
from drivers.safety import State
from drivers.virtual_time import VirtualTimeDriver
from graph import hands_cloud
from graph.nodes import FAR_TTL_MS
from robots import load_robot
from teleop.link_address import connecting, listening
from teleop.link_allowed import AllowedKeys, allowed_path
from teleop.link_gate import Arrival
from teleop.link_keys import load_key
from teleop.link_receiver import LinkReceiver
from teleop.link_sender import LinkSender

ROBOT_NAME = "hx5_d20_right"
KEYS = ("robot", "operator")
CAMERA_HZ = 30.0
STEADY_NS = 300_000_000
"""Landmarks must have come for this long before the measured operator engages again."""
TRACKED_NS = 25_000_000
NS_PER_MS = 1_000_000
SWITCH_INTERVAL_S = 0.0005
"""As in the driver's node."""


class MeasuredRobot:
    """Follows what arrives, engages when it may, and remembers every hold.

    Attributes:
        holds_ms: from the last landmarks that counted to the hold.
        gaps_ms: between landmarks that counted, while engaged.
    """

    def __init__(self, ttl_ms: int = FAR_TTL_MS) -> None:
        self._driver = VirtualTimeDriver(load_robot(ROBOT_NAME), ttl_ms * NS_PER_MS)
        self._driver.loop.connect()
        self._home = np.array(self._driver.robot.home_rad)
        self._arrivals: deque[tuple[int, Arrival]] = deque(maxlen=100)
        self._last_ns = self._since_ns = 0
        self.holds_ms: list[float] = []
        self.gaps_ms: list[float] = []
        self.ages_ms: list[float] = []

    def deliver(self, arrival: Arrival) -> None:
        """From the link's thread."""
        if arrival.hands:
            self._arrivals.append((time.monotonic_ns(), arrival))

    def run(self, stopping: Callable[[], bool]) -> None:
        """Cycle at the robot's rate."""
        period_s, due_s = 1.0 / self._driver.robot.rate_hz, time.monotonic()
        while not stopping():
            due_s = max(due_s + period_s, time.monotonic() - period_s)
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._cycle()

    def _cycle(self) -> None:
        loop, engaged = self._driver.loop, self._driver.loop.status.state is State.ENGAGED
        while self._arrivals:
            came_ns, arrival = self._arrivals.popleft()
            if self._last_ns and came_ns - self._last_ns > STEADY_NS:
                self._since_ns = came_ns
            if engaged:
                self.gaps_ms.append((came_ns - self._last_ns) / NS_PER_MS)
                self.ages_ms.append((came_ns - arrival.capture_ns) / NS_PER_MS)
            self._since_ns, self._last_ns = self._since_ns or came_ns, came_ns
            for group in range(len(self._driver.robot.groups)):
                loop.offer(Command(self._home, came_ns, arrival.capture_ns), group)
        self._driver.cycle_at(time.monotonic_ns())
        self._driver.cycles.clear()
        now_ns = time.monotonic_ns()
        if engaged and loop.status.state is State.HOLD:
            self.holds_ms.append((now_ns - self._last_ns) / NS_PER_MS)
            self._since_ns = 0
        elif not engaged and self._since_ns and now_ns - self._since_ns > STEADY_NS:
            loop.request_engage()


def robot_end(address: str, ttl_ms: int) -> dict[str, object]:
    """The robot's side, until standard input ends."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    robot = MeasuredRobot(ttl_ms)
    link = LinkReceiver(listening(address), load_key(KEYS[0]), AllowedKeys(allowed_path()), robot.deliver)
    link.start()
    robot.run(_input_ended())
    report = link.report
    link.close()
    return {"holds_ms": robot.holds_ms, "gaps_ms": robot.gaps_ms, "ages_ms": robot.ages_ms, "report": asdict(report)}


def operator_end(address: str, connections: int, beat_ms: float) -> dict[str, object]:
    """The operator's side, until standard input ends."""
    server = load_key(KEYS[0]).public
    sender = LinkSender(connecting(address), load_key(KEYS[1]), server, connections, round(beat_ms * NS_PER_MS))
    sender.start()
    cloud = hands_cloud.empty()
    cloud["aspect"], stopping = 4 / 3, _input_ended()
    trips, due_s = [], time.monotonic()
    while not stopping():
        due_s = max(due_s + 1.0 / CAMERA_HZ, time.monotonic() - 1.0)
        time.sleep(max(0.0, due_s - time.monotonic()))
        cloud["frame"] += 1
        sender.put(cloud.copy(), time.monotonic_ns() - TRACKED_NS)
        if sender.view.round_trip_ms is not None:
            trips.append(sender.view.round_trip_ms)
    counts = sender.counts
    sender.close()
    return {"round_trips_ms": trips, **counts}


def hurry() -> None:
    """Before other programs, as the driver's own process is, where the system allows it."""
    with suppress(OSError):
        os.nice(-10)


def _input_ended() -> Callable[[], bool]:
    thread = Thread(target=sys.stdin.read, daemon=True)
    thread.start()
    return lambda: not thread.is_alive()


def main() -> None:
    """`robot ADDRESS TTL_MS` or `operator ADDRESS CONNECTIONS BEAT_MS`."""
    side, address, *numbers = sys.argv[1:]
    hurry()
    figures = robot_end(address, int(numbers[0])) if side == "robot" else None
    figures = figures or operator_end(address, int(numbers[0]), float(numbers[1]))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
