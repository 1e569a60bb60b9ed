# SPDX-License-Identifier: Apache-2.0
"""Count lost messages from the sequence numbers that each publisher gives its messages."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MODULUS = 1 << 32
"""MCAP keeps sequence numbers as 32-bit integers, so they wrap."""

MAX_RUNS = 8
MAX_GAP = 10_000
"""A jump further than this is taken for another publisher, not for a loss."""


class SequenceCounter:
    """Lost messages of one topic.

    A sequence number that continues a known publisher costs nothing; a jump ahead counts the numbers in between as
    lost; a number that is behind every known publisher is a new or restarted one. Two publishers on one topic are
    therefore kept apart as long as their numbers are.
    """

    def __init__(self) -> None:
        self._last: list[int] = []  # last number of each publisher, most recent publisher first

    def observe(self, sequence: int) -> int:
        """Take in the next message's number; returns how many messages were lost right before it."""
        ahead = [(sequence - last) % MODULUS for last in self._last]
        candidates = [gap for gap in ahead if 0 < gap <= MAX_GAP]
        lost = 0
        if candidates:
            lost = min(candidates) - 1
            del self._last[ahead.index(min(candidates))]
        self._last.insert(0, sequence)
        del self._last[MAX_RUNS:]
        return lost


def lost_before(sequences: Iterable[int]) -> NDArray[np.int64]:
    """For each message, in order of arrival, how many messages were lost right before it; (N,)."""
    numbers = np.fromiter(sequences, np.int64)
    gaps = np.diff(numbers, prepend=numbers[:1] - 1) % MODULUS
    if ((gaps > 0) & (gaps <= MAX_GAP)).all():  # one publisher, as almost always
        return gaps - 1
    counter = SequenceCounter()
    return np.fromiter((counter.observe(sequence) for sequence in numbers.tolist()), np.int64)
