# SPDX-License-Identifier: Apache-2.0
"""Absolute deadlines on the monotonic clock, with what a loop needs to know about its own punctuality."""

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

NS_PER_S = 1_000_000_000
WINDOW = 3000


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Period of the last 30 s at 100 Hz: rate [Hz], percentiles [ms], and how many deadlines were missed in all."""

    rate_hz: float
    period_p50_ms: float
    period_p99_ms: float
    overruns: int


class Pacer:
    """Sleeps until the next deadline; a missed deadline is counted and skipped, never caught up by a burst."""

    def __init__(self, rate_hz: float) -> None:
        self._period_ns = round(NS_PER_S / rate_hz)
        self._next_ns = time.monotonic_ns() + self._period_ns
        self._starts_ns: deque[int] = deque(maxlen=WINDOW)
        self.overruns = 0

    def wait(self) -> None:
        """Return at the next deadline."""
        now_ns = time.monotonic_ns()
        if now_ns < self._next_ns:
            time.sleep((self._next_ns - now_ns) / NS_PER_S)
        else:
            missed = (now_ns - self._next_ns) // self._period_ns
            self.overruns += missed
            self._next_ns += missed * self._period_ns
        self._next_ns += self._period_ns
        self._starts_ns.append(time.monotonic_ns())

    def punctuality(self) -> Punctuality:
        """Figures of the last cycles."""
        starts = np.array(self._starts_ns, dtype=np.int64)
        if len(starts) < 2:
            return Punctuality(0.0, 0.0, 0.0, self.overruns)
        periods_ms = np.diff(starts) * 1e-6
        p50, p99 = np.percentile(periods_ms, [50, 99])
        rate = (len(starts) - 1) * NS_PER_S / float(starts[-1] - starts[0])
        return Punctuality(rate, float(p50), float(p99), self.overruns)
