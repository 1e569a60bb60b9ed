# SPDX-License-Identifier: Apache-2.0
"""Graph time: CLOCK_MONOTONIC plus one wall-clock offset that is fixed when the graph starts.

Every process of one graph gets the same offset through the environment, so an NTP step cannot tear a recording apart,
and all stamps of one machine are comparable to the microsecond.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from graph.errors import InputError

ENV_OFFSET = "BOOTH_WALL_OFFSET_NS"

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class GraphClock:
    """Converts between monotonic time and graph time.

    Attributes:
        offset_ns: wall time minus monotonic time at the start of the graph [ns].
        shared: whether the offset came from the environment, i.e. is the same in all processes.
        monotonic_ns: the clock; tests hand in their own.
    """

    offset_ns: int
    shared: bool = True
    monotonic_ns: Callable[[], int] = time.monotonic_ns

    def now_ns(self) -> int:
        """Graph time now [ns since the epoch]."""
        return self.monotonic_ns() + self.offset_ns

    def drift_ns(self) -> int:
        """How far the wall clock has moved against graph time since the start [ns]; to be recorded, never used."""
        return time.time_ns() - self.now_ns()


def measure_offset_ns() -> int:
    """Wall time minus monotonic time now [ns]: the best of five bracketed readings."""
    best_width, best_offset = None, 0
    for _ in range(5):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        if best_width is None or after - before < best_width:
            best_width, best_offset = after - before, wall - (before + after) // 2
    return best_offset


def graph_clock(environ: Mapping[str, str] | None = None) -> GraphClock:
    """The clock of this process: the graph's offset from the environment, else one measured now.

    Raises:
        InputError: the environment holds something that is not an integer.
    """
    text = (os.environ if environ is None else environ).get(ENV_OFFSET)
    if text is None:
        return GraphClock(measure_offset_ns(), shared=False)
    try:
        return GraphClock(int(text))
    except ValueError as error:
        raise InputError(f"{ENV_OFFSET} should be nanoseconds as an integer, found {text!r}: unset it") from error


def split(stamp_ns: int) -> tuple[int, int]:
    """(sec, nanosec) of a builtin_interfaces/Time."""
    return divmod(stamp_ns, NS_PER_S)


def join(sec: int, nanosec: int) -> int:
    """Nanoseconds of a builtin_interfaces/Time or Duration."""
    return sec * NS_PER_S + nanosec
