# SPDX-License-Identifier: Apache-2.0
"""An operator far away in injected time: both ends of the link without sockets, and a network between them that delays,
loses, holds back and repeats whatever a test wants."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from link_clouds import hands

from teleop.link_answers import LinkAnswers
from teleop.link_gate import Arrival, LinkGate
from teleop.link_operator import OperatorEnd

MS = 1_000_000
BEAT_NS, FRAME_NS, TRACKED_NS = 10 * MS, 33_333_333, 25 * MS
LOST = -1


class Packet(NamedTuple):
    """On its way to the robot, or back."""

    due_ns: int
    number: int
    to_robot: bool
    data: bytes


class FarOperator:
    """Steps of whole milliseconds; the robot's clock is the one that counts.

    Attributes:
        travel: for a packet (to the robot or not) sent now, how long it takes [ns], or LOST.
        gate, end: the two ends.
        arrivals: what counted: when it came, and itself. uncertainties_ns: of the clocks then.
        packets: what was sent to the robot; a replay takes them from here.
    """

    def __init__(self, start_ns: int, ahead_ns: int, rng: np.random.Generator) -> None:
        """The operator's clock is ahead by so much."""
        self.now_ns, self._ahead_ns, self._rng = start_ns, ahead_ns, rng
        self.travel: Callable[[bool, int], int] = lambda _to_robot, _now_ns: MS
        self.gate = LinkGate()
        self.answers = LinkAnswers(self.gate)
        self.end = OperatorEnd()
        self.arrivals: list[tuple[int, Arrival]] = []
        self.uncertainties_ns: list[int] = []
        self.packets: list[bytes] = []
        self._waiting: list[Packet] = []
        self._captured_ns: dict[int, int] = {}
        self._number = self._frame = 0
        self._beat_ns = self._frame_ns = start_ns

    def run_until(self, now_ns: int) -> list[Arrival]:
        """Let time pass; what counted at the robot meanwhile."""
        before = len(self.arrivals)
        while self.now_ns < now_ns:
            self.now_ns = min(now_ns, self.now_ns + MS)
            self._operator()
            for _, answer in self.answers.due(self.now_ns):
                self._send(False, answer)
            self._deliver()
        return [arrival for _, arrival in self.arrivals[before:]]

    def see(self, data: bytes, user: str = "ana") -> Arrival | None:
        """Bytes that come out of the network at the robot now."""
        head, arrival = self.gate.see(data, user, self.now_ns)
        if head is not None:
            self.answers.heard(b"1", head, user, self.now_ns)
        if arrival is not None:
            offset = self.gate.clock.at(self.now_ns)
            assert offset is not None
            self.arrivals.append((self.now_ns, arrival))
            self.uncertainties_ns.append(offset.uncertainty_ns)
        return arrival

    def restart(self) -> None:
        """The operator's program is started anew."""
        self.end = OperatorEnd()

    def true_capture_ns(self, arrival: Arrival) -> int:
        """When the frame of an arrival was really taken, on the robot's clock."""
        return self._captured_ns[int(arrival.cloud["frame"][0, 0])]

    def _operator(self) -> None:
        theirs_ns = self.now_ns + self._ahead_ns
        if self.now_ns >= self._beat_ns:
            self._beat_ns += BEAT_NS
            self._send(True, self.end.beat(theirs_ns))
        if self.now_ns >= self._frame_ns:
            self._frame_ns += FRAME_NS
            self._frame += 1
            self._captured_ns[self._frame] = self.now_ns - TRACKED_NS
            data = self.end.landmarks(hands(self._rng, self._frame), theirs_ns - TRACKED_NS, theirs_ns)
            if data is not None:
                self._send(True, data)

    def _send(self, to_robot: bool, data: bytes) -> None:
        if to_robot:
            self.packets.append(data)
        took_ns = self.travel(to_robot, self.now_ns)
        if took_ns != LOST:
            self._number += 1
            heappush(self._waiting, Packet(self.now_ns + took_ns, self._number, to_robot, data))

    def _deliver(self) -> None:
        while self._waiting and self._waiting[0].due_ns <= self.now_ns:
            packet = heappop(self._waiting)
            if packet.to_robot:
                self.see(packet.data)
            else:
                self.end.hear(packet.data, self.now_ns + self._ahead_ns)
