# SPDX-License-Identifier: Apache-2.0
"""The picture of a robot's health on one page: how warm every joint runs, how that changed, its risk and why."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten, wrap

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from drivers.maintenance_risk import HIGH, LOW, Assessment, weekly_degc
from drivers.maintenance_tally import DEGC_BIN, SLICES

matplotlib.use("Agg")

Array = NDArray[np.float64]

COLDEST_DEGC, HOTTEST_DEGC = 20.0, 100.0
WEEKS = 26
"""Most weeks in the middle chart."""
CALM, RAISED, ALARM, UNKNOWN = "#7aa874", "#e0a030", "#c8383c", "#bbbbbb"


def draw_health(assessments: Sequence[Assessment], out: Path, title: str) -> None:
    """Write a PNG: one row for each joint, the riskiest on top.

    Args:
        assessments: as `assess` sorts them.
        out: file to write.
        title: headline.
    """
    count = len(assessments)
    figure = Figure(figsize=(17, 2.6 + 0.27 * count), layout="constrained")
    strip, weeks, risk = figure.subplots(1, 3, sharey=True, width_ratios=(4, 2.2, 6.2))
    _draw_strip(strip, assessments)
    _draw_weeks(weeks, assessments)
    _draw_risk(risk, assessments)
    strip.set_yticks(range(count), [f"{one.joint}  {one.history.actuator.servo_id}" for one in assessments], fontsize=8)
    strip.set_ylim(count - 0.5, -0.5)
    figure.suptitle(_lines(title, 165), fontsize=11, x=0.01, ha="left")
    figure.legend(*strip.get_legend_handles_labels(), loc="outside lower left", ncols=4, fontsize=8, frameon=False)
    figure.savefig(out, dpi=90)


def _draw_strip(axis: Axes, assessments: Sequence[Assessment]) -> None:
    """Share of the powered time at each temperature, with median, 95 % quantile, maximum and limit."""
    first, last = int(COLDEST_DEGC / DEGC_BIN), int(HOTTEST_DEGC / DEGC_BIN)
    seconds = np.array([one.history.sums[:, SLICES["degc_s"]].sum(axis=0)[first:last] for one in assessments])
    share = seconds / np.maximum(seconds.sum(axis=1, keepdims=True), 1e-9)
    extent = (COLDEST_DEGC, HOTTEST_DEGC, len(assessments) - 0.5, -0.5)
    axis.imshow(np.sqrt(share), cmap="Oranges", vmin=0, vmax=0.9, aspect="auto", extent=extent, interpolation="nearest")
    rows = np.arange(len(assessments))
    for values, marker, colour, label in (
        ([one.p50_degc for one in assessments], "o", "#222222", "median"),
        ([one.p95_degc for one in assessments], "|", "#222222", "95 % of the time below"),
        ([one.max_degc for one in assessments], "x", "#222222", "maximum"),
        ([one.history.actuator.limit_degc or np.nan for one in assessments], "|", ALARM, "limit: it stops itself"),
    ):
        size = 14 if marker == "o" else 70 if marker == "|" else 22
        axis.scatter(values, rows, s=size, marker=marker, c=colour, linewidths=1.6, label=label, zorder=3)
    axis.set_xlim(COLDEST_DEGC, HOTTEST_DEGC)
    axis.set_xlabel("temperature [°C]")
    axis.set_title("how warm it runs (darker: more of the time)", fontsize=10, loc="left")


def _draw_weeks(axis: Axes, assessments: Sequence[Assessment]) -> None:
    """Mean temperature under torque, week by week."""
    latest = max((int(one.history.weeks[-1]) for one in assessments if len(one.history.weeks)), default=0)
    earliest = min((int(one.history.weeks[0]) for one in assessments if len(one.history.weeks)), default=0)
    span = min(WEEKS, latest - earliest + 1)
    image = np.full((len(assessments), span), np.nan)
    for row, one in enumerate(assessments):
        columns = one.history.weeks - (latest - span + 1)
        shown = columns >= 0
        image[row, columns[shown]] = weekly_degc(one.history)[shown]
    extent = (-span + 0.5, 0.5, len(assessments) - 0.5, -0.5)
    axis.set_facecolor("#eeeeee")
    shades = axis.imshow(image, cmap="inferno", vmin=25, vmax=75, aspect="auto", extent=extent, interpolation="nearest")
    axis.set_xticks(sorted({-span + 1, 0}))
    axis.set_xlabel("week (0: the latest), grey: not used")
    axis.set_title("mean °C under torque, by week", fontsize=10, loc="left")
    axis.figure.colorbar(shades, ax=axis, shrink=0.6, pad=0.02)


def _draw_risk(axis: Axes, assessments: Sequence[Assessment]) -> None:
    """The score as a bar, the reasons in words beside it."""
    scores = [one.score for one in assessments]
    colours = [_colour(score) for score in scores]
    axis.barh(range(len(scores)), [score or 0.0 for score in scores], color=colours, height=0.7)
    for row, one in enumerate(assessments):
        number = "–" if one.score is None else f"{one.score:.0f}"
        words = _lines(f"{number}  {one.words}", 98)
        dim = one.score is None or one.score < LOW
        axis.text(
            (one.score or 0.0) + 1.0,
            row,
            words,
            fontsize=7,
            va="center",
            linespacing=1.1,
            color="#777777" if dim else "#111111",
        )
    axis.set_xlim(0, 240)
    axis.set_xticks([0, LOW, HIGH, 100])
    axis.set_xlabel("risk score, a rule of thumb, not a validated model", loc="left")
    axis.set_title("risk, and why", fontsize=10, loc="left")
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _lines(text: str, width: int) -> str:
    """A text in at most two lines."""
    return "\n".join(wrap(shorten(text, 2 * width - 10, placeholder=" …"), width))


def _colour(score: float | None) -> str:
    if score is None:
        return UNKNOWN
    return ALARM if score >= HIGH else RAISED if score >= LOW else CALM
