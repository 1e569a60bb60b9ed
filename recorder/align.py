# SPDX-License-Identifier: Apache-2.0
"""Fixed-rate rows from streams of any rate. Causal: row k never holds a sample that is younger than tick k."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

NONE = -1
"""Index and age of a row that has no sample."""


def make_ticks(first_ns: int, last_ns: int, rate_hz: float) -> Int64:
    """(T,) graph times first, first + 1/rate … up to last [ns]; each rounded on its own, so nothing accumulates."""
    if last_ns < first_ns:
        return np.zeros(0, np.int64)
    count = int((last_ns - first_ns) * rate_hz / 1e9) + 2
    ticks: Int64 = first_ns + np.rint(np.arange(count) * (1e9 / rate_hz)).astype(np.int64)
    return ticks[ticks <= last_ns]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Which sample each row holds: (T,) index into the stream, (T,) age at the tick [ns]; NONE where there is none."""

    index: Int64
    age_ns: Int64

    @property
    def present(self) -> Bool:
        """(T,) whether the row has a sample."""
        return self.index >= 0

    def pick(self, values: Int64) -> Int64:
        """(T,) the sample's entry of ``values`` (N,); NONE where there is none."""
        return np.where(self.present, values[self.index] if len(values) else NONE, NONE)


def newest_at(stamp_ns: Int64, tick_ns: Int64) -> Aligned:
    """For each tick the newest sample whose stamp is ≤ the tick.

    Args:
        stamp_ns: (N,) ascending; of equal stamps the last counts.
        tick_ns: (T,) ascending.
    """
    index = np.searchsorted(stamp_ns, tick_ns, side="right").astype(np.int64) - 1
    if not len(stamp_ns):
        return Aligned(index, np.full(len(tick_ns), NONE, np.int64))
    return Aligned(index, np.where(index >= 0, tick_ns - stamp_ns[index], NONE))


def lost_per_row(stamp_ns: Int64, lost: Int64, tick_ns: Int64) -> Int64:
    """(T,) messages that were lost between the previous tick and this one; row 0 counts none.

    A loss is noticed at the first message that arrives after it, and counts in that message's row.
    """
    rows = np.searchsorted(tick_ns, stamp_ns, side="left")
    inside = (rows > 0) & (rows < len(tick_ns))
    return np.bincount(rows[inside], weights=lost[inside], minlength=len(tick_ns)).astype(np.int64)


def lost_rows(aligned: Aligned, stamp_ns: Int64, lost: Int64, period_ns: int) -> Bool:
    """(T,) rows that repeat an old sample because the transport lost the newer one.

    The next message of the stream tells of a loss, and the row's sample is older than both a row's period and the
    stream's usual (median) interval: had nothing been lost, this row would hold a newer sample.
    """
    if len(stamp_ns) < 2:
        return np.zeros(len(aligned.index), np.bool_)
    following = np.append(lost[1:] > 0, False)
    longest_ns = max(period_ns, int(np.median(np.diff(stamp_ns))))
    rows: Bool = aligned.present & following[aligned.index] & (aligned.age_ns >= longest_ns)
    return rows


@dataclass(frozen=True, slots=True)
class Spacing:
    """How evenly a stream ticked: usual (median) and largest interval [ns], and intervals above 2.5 times the usual."""

    usual_ns: int
    largest_ns: int
    gaps: int


def spacing(stamp_ns: Int64, first_ns: int, last_ns: int) -> Spacing:
    """Intervals between consecutive samples within first … last; zeros for fewer than two samples."""
    inside = stamp_ns[(stamp_ns >= first_ns) & (stamp_ns <= last_ns)]
    if len(inside) < 2:
        return Spacing(0, 0, 0)
    intervals = np.diff(inside)
    usual = int(np.median(intervals))
    return Spacing(usual, int(intervals.max()), int((intervals > 2.5 * usual).sum()))
