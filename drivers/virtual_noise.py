# SPDX-License-Identifier: Apache-2.0
"""Bit errors on a virtual line: the same ones every time for the same seed."""

from math import log
from random import Random


class BitErrors:
    """Flips bits at a given rate. Costs nothing while no error is due: it counts bits down to the next one."""

    def __init__(self, rate: float = 0.0, seed: int = 0) -> None:
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"a bit error rate lies from 0 to below 1, found {rate}")
        self.rate = rate
        self.flipped = 0
        """Bits flipped so far."""
        self._random = Random(seed)
        self._left = self._gap()

    def pass_through(self, data: bytes) -> bytes:
        """What arrives of ``data``."""
        bits = 8 * len(data)
        if self._left >= bits:
            self._left -= bits
            return data
        damaged = bytearray(data)
        while self._left < bits:
            at = int(self._left)
            damaged[at >> 3] ^= 1 << (at & 7)
            self.flipped += 1
            self._left += 1 + self._gap()
        self._left -= bits
        return bytes(damaged)

    def _gap(self) -> float:
        """Good bits before the next error: geometric."""
        if self.rate <= 0.0:
            return float("inf")
        return float(int(log(1.0 - self._random.random()) / log(1.0 - self.rate)))
