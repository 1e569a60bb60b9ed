# SPDX-License-Identifier: Apache-2.0
"""Absolute deadlines on the monotonic clock, with what a loop needs to know about its own punctuality."""

import time
from collections import deque
from dataclasses import dataclass
from threading import Event

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
    """Sleeps until the next deadline; a missed deadline is counted and skipped, never caught up by a burst.

    Args:
        rate_hz: of the deadlines.
        least_s: what must lie between two starts when somebody is in a hurry; 0: nobody may be.
    """

    def __init__(self, rate_hz: float, least_s: float = 0.0) -> None:
        self._period_ns = round(NS_PER_S / rate_hz)
        self._least_ns = round(least_s * NS_PER_S) or self._period_ns
        self._started_ns = time.monotonic_ns()
        self._next_ns = self._started_ns + self._period_ns
        self._starts_ns: deque[int] = deque(maxlen=WINDOW)
        self._hurried = Event()
        self.overruns = 0

    def hurry(self) -> None:
        """From any thread: there is news, the next start need not wait for its deadline."""
        self._hurried.set()

    def wait(self) -> None:
        """Return at the next deadline, or as soon after a `hurry` as is allowed; deadlines count from there on."""
        now_ns = time.monotonic_ns()
        if now_ns >= self._next_ns:
            missed = (now_ns - self._next_ns) // self._period_ns
            self.overruns += missed
            self._next_ns += missed * self._period_ns
        elif self._least_ns == self._period_ns:
            time.sleep((self._next_ns - now_ns) / NS_PER_S)
        elif self._hurried.wait((self._next_ns - now_ns) / NS_PER_S):
            earliest_ns = min(self._started_ns + self._least_ns, self._next_ns)
            time.sleep(max(0, earliest_ns - time.monotonic_ns()) / NS_PER_S)
            self._next_ns = min(time.monotonic_ns(), self._next_ns)
        self._hurried.clear()
        self._next_ns += self._period_ns
        self._started_ns = time.monotonic_ns()
        self._starts_ns.append(self._started_ns)

    def punctuality(self) -> Punctuality:
        """Figures of the last cycles."""
        starts = np.array(self._starts_ns, dtype=np.int64)
        if len(starts) < 2:
            return Punctuality(0.0, 0.0, 0.0, self.overruns)
        periods_ms = np.diff(starts) * 1e-6
        p50, p99 = np.percentile(periods_ms, [50, 99])
        rate = (len(starts) - 1) * NS_PER_S / float(starts[-1] - starts[0])
        return Punctuality(rate, float(p50), float(p99), self.overruns)
