# SPDX-License-Identifier: Apache-2.0
"""Correct what an episode file says about its rows after some of them were taken out: sums, counts, spacings.

The take is not asked again, so what can't be seen in the rows is not made up: of a stream that is faster than the rows
only the samples that rows hold are counted.
"""

import json

import h5py
import numpy as np

from recorder.align import Int64

UNKNOWN = -1
NOT_REQUIRED = ("sent",)
"""Streams whose stale samples do not make a row stale."""

GAP_FACTOR = 2.5


def correct_sums(file: h5py.File) -> None:
    """Make every attribute that counts something agree with the rows of the file."""
    rows = len(file["/time/tick_ns"])
    for lost in file["/health/lost"].values():
        lost[0] = 0  # messages since the row before, and there is none
    for name in file["/time"]:
        if isinstance(file[f"/time/{name}"], h5py.Group):
            _correct_stream(file, name)
    if "/data/demo_0" in file:
        file["/data"].attrs["total"] = rows
        file["/data/demo_0"].attrs["num_samples"] = rows
    file.attrs["rows"] = rows
    file.attrs["dropped_rows"] = int(file["/health/dropped"][()].sum())
    file.attrs["stale_rows"] = stale_rows(file)
    file.attrs["lost_messages"] = json.dumps({name: int(d[()].sum()) for name, d in file["/health/lost"].items()})


def stale_rows(file: h5py.File) -> int:
    """Rows in which a required stream is stale: each flag already says that the row needed the sample."""
    flags = [d[()] for name, d in file["/health/stale"].items() if name not in NOT_REQUIRED]
    return int(np.any(flags, axis=0).sum())


def _correct_stream(file: h5py.File, name: str) -> None:
    group = file[f"/time/{name}"]
    if "messages" not in group.attrs:
        return
    period_ns = round(1e9 / float(file.attrs["rate_hz"]))
    usual_ns, largest_ns = (int(group.attrs[key]) for key in ("usual_interval_ns", "largest_interval_ns"))
    messages, largest_ns, gaps = samples_held(
        group["stamp_ns"][()], group["sequence"][()], usual_ns, largest_ns, period_ns
    )
    group.attrs.update(
        messages=messages,
        largest_interval_ns=largest_ns,
        gaps=gaps,
        undecodable_messages=UNKNOWN,
        incomplete_messages=UNKNOWN,
        counted_from="rows",
    )


def samples_held(
    stamp_ns: Int64, sequence: Int64, usual_ns: int, largest_ns: int, period_ns: int
) -> tuple[int, int, int]:
    """(samples, largest interval [ns], gaps) as far as rows show them.

    Args:
        stamp_ns: (T,) source stamp of each row's sample; -1: none.
        sequence: (T,) its number.
        usual_ns: the stream's usual interval.
        largest_ns: largest interval of the whole recording: that of a part is no larger.
        period_ns: one row.
    """
    held = stamp_ns >= 0
    stamps, numbers = stamp_ns[held], sequence[held]
    if not len(stamps):
        return 0, 0, 0
    new = (np.diff(stamps) != 0) | (np.diff(numbers) != 0)
    intervals = np.diff(np.unique(stamps))
    if not len(intervals):
        return 1 + int(new.sum()), 0, 0
    gaps = int(np.count_nonzero(intervals > round(GAP_FACTOR * max(usual_ns, period_ns))))
    return 1 + int(new.sum()), min(int(intervals.max()), largest_ns), gaps
