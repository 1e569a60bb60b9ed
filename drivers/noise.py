# SPDX-License-Identifier: Apache-2.0
"""How much of what comes from a line is damaged: packets with a wrong CRC, over the last second."""

from collections import deque

WINDOW_NS = 1_000_000_000
ENOUGH = 50
"""Fewer packets than this say nothing."""


class NoiseMeter:
    """Share of damaged answers in the last second."""

    def __init__(self) -> None:
        self._counts: deque[tuple[int, int, int]] = deque()
        self._packets = self._damaged = 0

    def count(self, packets: int, damaged: int, now_ns: int) -> None:
        """Answers of one read, and how many of them were damaged."""
        self._counts.append((now_ns, packets, damaged))
        self._packets += packets
        self._damaged += damaged
        while self._counts and now_ns - self._counts[0][0] > WINDOW_NS:
            _, old_packets, old_damaged = self._counts.popleft()
            self._packets -= old_packets
            self._damaged -= old_damaged

    @property
    def share(self) -> float:
        """0 … 1; 0 while there is too little to tell."""
        return self._damaged / self._packets if self._packets >= ENOUGH else 0.0
