# SPDX-License-Identifier: Apache-2.0
"""The picture of `booth library stats`: good takes an hour, takes done again, time in which nothing was recorded."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recorder.library_errors import LibraryError
from recorder.library_stats import TOTAL, Shift

matplotlib.use("Agg")

GOOD, REDONE, IDLE = "#2a6fbb", "#d1495b", "#9aa5ad"
CHARTS: tuple[tuple[str, str, Callable[[Shift], float], str], ...] = (
    ("good takes per hour", GOOD, lambda shift: shift.good_per_hour, "{:.1f}"),
    ("takes done again [%]", REDONE, lambda shift: 100 * shift.redo_share, "{:.0f}"),
    ("idle time [%]", IDLE, lambda shift: 100 * shift.idle_share, "{:.0f}"),
)


def plot_shifts(shifts: Sequence[Shift], by: str, out: Path) -> None:
    """Write a PNG with three bar charts, one bar an operator, booth, task, robot or day.

    Raises:
        LibraryError: it can't be written.
    """
    if out.suffix != ".png":
        raise LibraryError(f"a picture's name ends in .png, found {out.name}")
    figure = Figure(figsize=(13, 1.6 + 0.32 * len(shifts)), layout="constrained")
    axes = figure.subplots(1, len(CHARTS), sharey=True, squeeze=False)[0]
    for axis, (title, colour, value, form) in zip(axes, CHARTS, strict=True):
        _bars(axis, shifts, colour, value, form)
        axis.set_title(title, fontsize=10, loc="left")
    total = shifts[-1]
    figure.suptitle(
        f"{total.good} good of {total.takes} takes in {total.worked_s / 3600:.1f} h, by {by}", x=0.01, ha="left"
    )
    try:
        figure.savefig(out, dpi=90)
    except OSError as error:
        raise LibraryError(f"can't write {out}: {error.strerror}") from error


def _bars(axis: Axes, shifts: Sequence[Shift], colour: str, value: Callable[[Shift], float], form: str) -> None:
    names = [shift.name for shift in shifts]
    bars = axis.barh(names, [value(shift) for shift in shifts], color=colour)
    for bar, shift in zip(bars, shifts, strict=True):
        bar.set_alpha(0.55 if shift.name == TOTAL else 1.0)
    axis.bar_label(bars, [form.format(value(shift)) for shift in shifts], padding=3, fontsize=8)
    axis.margins(x=0.15)
    axis.invert_yaxis() if not axis.yaxis_inverted() else None
    axis.tick_params(labelsize=8)
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
