# SPDX-License-Identifier: Apache-2.0
"""How trustworthy each row is: stale, lost, late and dropped, by the definitions of docs/format.md section 5."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recorder.align import Aligned, Bool, Int64, Spacing, lost_per_row, lost_rows, newest_at, spacing
from recorder.schema import CAMERA_STALE_NS, COMMANDS, STALE_NS
from recorder.streams import Samples

COMMAND_PATIENCE_NS = 500_000_000
"""A take that starts in the moment of engaging may wait this long for its first requested action."""


@dataclass(frozen=True, slots=True)
class StreamRows:
    """A stream's samples and which of them each row holds."""

    samples: Samples
    aligned: Aligned


@dataclass(frozen=True, slots=True)
class Health:
    """Per row, (T,) each: stale and lost by stream, late, dropped, skew; and each stream's spacing."""

    stale: dict[str, Bool]
    lost: dict[str, Int64]
    late: Bool
    dropped: Bool
    skew_ns: Int64
    stale_rows: int
    spacing: dict[str, Spacing]

    def datasets(self) -> dict[str, NDArray[np.generic]]:
        """By HDF5 path."""
        return {
            **{f"/health/stale/{name}": flags for name, flags in self.stale.items()},
            **{f"/health/lost/{name}": counts for name, counts in self.lost.items()},
            "/health/late": self.late,
            "/health/dropped": self.dropped,
            "/health/skew_ns": self.skew_ns,
        }

    def attributes(self) -> dict[str, str | bool | int | float]:
        """Sums, for the root of the file."""
        lost = {name: int(counts.sum()) for name, counts in self.lost.items()}
        return {
            "dropped_rows": int(self.dropped.sum()),
            "stale_rows": self.stale_rows,
            "lost_messages": json.dumps(lost),
        }


def assess(rows: dict[str, StreamRows], tick_ns: Int64, engaged: Bool, rate_hz: float) -> Health:
    """Judge every row.

    Args:
        rows: by stream; every name of ``schema.STREAMS`` and each camera.
        tick_ns: (T,).
        engaged: (T,) whether the operator drove the robot.
        rate_hz: rows per second.
    """
    period_ns = round(1e9 / rate_hz)
    required = {name: _required(name, row, tick_ns, engaged) for name, row in rows.items()}
    stale = {name: _stale(name, row, engaged) for name, row in rows.items()}
    observed = [row for name, row in rows.items() if name not in COMMANDS and len(row.samples)]
    dropped, late = (np.zeros(len(tick_ns), np.bool_) for _ in range(2))
    for name, row in rows.items():
        dropped |= required[name] & ~row.aligned.present
        for topic in row.samples.by_topic():
            held = newest_at(topic.stamp_ns, tick_ns)
            dropped |= required[name] & lost_rows(held, topic.stamp_ns, topic.lost, period_ns)
            late |= required[name] & (held.pick(topic.receive_ns) > tick_ns + period_ns)
    any_stale = np.any([stale[name] & required[name] for name in rows], axis=0)
    return Health(
        stale,
        {name: lost_per_row(row.samples.stamp_ns, row.samples.lost, tick_ns) for name, row in rows.items()},
        late,
        dropped,
        _skew(observed),
        int(any_stale.sum()),
        {name: _spacing(row.samples, int(tick_ns[0]), int(tick_ns[-1])) for name, row in rows.items()},
    )


def _required(name: str, row: StreamRows, tick_ns: Int64, engaged: Bool) -> Bool:
    """(T,) whether a row without this stream is a dropped row."""
    if name == "joint_states":
        return np.ones(len(tick_ns), np.bool_)
    if name == "requested":
        starts = np.flatnonzero(engaged & ~np.append(False, engaged[:-1]))
        since = np.searchsorted(starts, np.arange(len(tick_ns)), side="right") - 1
        start_ns = tick_ns[starts[since]] if len(starts) else tick_ns
        waited = engaged & (tick_ns - start_ns > COMMAND_PATIENCE_NS)
        return waited | (engaged & row.aligned.present)
    if name == "sent":  # not every driver tells
        return np.zeros(len(tick_ns), np.bool_)
    return np.full(len(tick_ns), bool(len(row.samples)))


def _stale(name: str, row: StreamRows, engaged: Bool) -> Bool:
    """(T,) whether the row's sample is older than its stream allows; commands only count while engaged."""
    stale: Bool = row.aligned.age_ns > STALE_NS.get(name, CAMERA_STALE_NS)
    return stale & engaged if name in COMMANDS else stale


def _spacing(samples: Samples, first_ns: int, last_ns: int) -> Spacing:
    """Of a stream of several topics, each judged by itself: the largest intervals of any, the gaps of all."""
    topics = [spacing(topic.stamp_ns, first_ns, last_ns) for topic in samples.by_topic()]
    return Spacing(
        max(topic.usual_ns for topic in topics),
        max(topic.largest_ns for topic in topics),
        sum(topic.gaps for topic in topics),
    )


def _skew(observed: list[StreamRows]) -> Int64:
    """(T,) newest minus oldest source stamp among the observations of a row [ns]."""
    stamps = np.array([row.aligned.pick(row.samples.stamp_ns) for row in observed])
    present = np.array([row.aligned.present for row in observed])
    newest = np.where(present, stamps, np.iinfo(np.int64).min).max(axis=0)
    oldest = np.where(present, stamps, np.iinfo(np.int64).max).min(axis=0)
    skew: Int64 = np.where(present.any(axis=0), newest - oldest, 0)
    return skew
