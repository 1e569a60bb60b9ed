# SPDX-License-Identifier: Apache-2.0
"""How far another computer's monotonic clock is ahead of this one, from messages that go both ways.

As NTP does it: of four stamps (mine when I sent, theirs when it came, theirs when they answered, mine when that came)
follow a round trip and an offset, and the true offset lies within half the round trip of it. The exchange with the
shortest round trip of the last seconds is believed, because queues and retransmissions only ever make it longer.
"""

from collections import deque
from dataclasses import dataclass

WINDOW_NS = 10_000_000_000
DRIFT = 100e-6
"""Quartzes of two computers differ by less."""
STEPS_IN_A_ROW = 3
"""So many exchanges that can't be true beside the estimate: the other clock stood still (a laptop slept)."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Their clock minus mine [ns]; the truth is within ``uncertainty_ns``; ``round_trip_ns``: of the best exchange."""

    offset_ns: int
    uncertainty_ns: int
    round_trip_ns: int


@dataclass(frozen=True, slots=True)
class _Exchange:
    at_ns: int
    round_trip_ns: int
    offset_ns: int


class OffsetEstimate:
    """The minimum filter over one peer's messages.

    Attributes:
        round_trip_ns: of the newest exchange; 0 before the first.
        steps: how often the other clock had to be measured anew.
    """

    def __init__(self, resolution_ns: int = 1) -> None:
        self.resolution_ns = resolution_ns
        self.round_trip_ns = 0
        self.steps = 0
        self._doubts = 0
        self._best: deque[_Exchange] = deque()

    def see(self, sent_ns: int, echo_ns: int, held_ns: int, now_ns: int) -> None:
        """One message.

        Args:
            sent_ns: when they sent it, on their clock.
            echo_ns: my own stamp, as they got it; 0: they had none.
            held_ns: how long they had kept it.
            now_ns: my clock.
        """
        round_trip_ns = now_ns - echo_ns - held_ns
        if echo_ns <= 0 or round_trip_ns < 0:
            return
        self.round_trip_ns = round_trip_ns
        newest = _Exchange(now_ns, round_trip_ns, sent_ns + round_trip_ns // 2 - now_ns)
        if self._contradicts(newest):
            self._doubts += 1
            if self._doubts < STEPS_IN_A_ROW:
                return
            self._best.clear()
            self.steps += 1
        self._doubts = 0
        while self._best and self._best[-1].round_trip_ns >= round_trip_ns:
            self._best.pop()
        self._best.append(newest)
        while self._best[0].at_ns < now_ns - WINDOW_NS:
            self._best.popleft()

    def at(self, now_ns: int) -> Offset | None:
        """The estimate now; None before the first exchange."""
        if not self._best:
            return None
        best = self._best[0]
        return Offset(best.offset_ns, self._width(best, now_ns), best.round_trip_ns)

    def _contradicts(self, newest: _Exchange) -> bool:
        if not self._best:
            return False
        best = self._best[0]
        apart = abs(newest.offset_ns - best.offset_ns)
        return apart > self._width(best, newest.at_ns) + self._width(newest, newest.at_ns)

    def _width(self, exchange: _Exchange, now_ns: int) -> int:
        drifted = DRIFT * max(0, now_ns - exchange.at_ns)
        return exchange.round_trip_ns // 2 + round(drifted) + self.resolution_ns
