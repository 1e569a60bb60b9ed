# SPDX-License-Identifier: Apache-2.0
"""The charts of an episode's page; each draws into a figure, or into a part of one."""

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from booth.plot import COLUMNS, COMMANDED, ENGAGED, MEASURED, decorate, shade
from recorder.report import Lane, PageData
from recorder.schema import COMMANDS

matplotlib.use("Agg")

INK, QUIET = "#20262b", "#66707a"
FRESH, IGNORED, STALE, LOST = "#5b8db8", "#dbe4ec", "#c8383c", "#7b2d8b"
PAUSED = "#dcd6ee"
EVENT_COLOURS = {"driver_state": "#2e7d32", "teleop_event": "#d1495b", "diagnostics": "#e0902f"}
OTHER_EVENTS = "#8a949c"
LANE_AGE = 0.8
"""Height of a lane's age at the limit of freshness."""


def draw_streams(part: Any, page: PageData) -> None:
    """One lane a stream over time: age of each row's sample, stale rows, losses; events on top; numbers beside it."""
    axis = part.subplots()
    names = ["events", *(lane.name for lane in page.lanes)]
    shade(axis, page.time_s, page.engaged)
    shade(axis, page.time_s, page.paused, PAUSED)
    for time_s, stream, _ in page.events:
        axis.plot([time_s, time_s], [-0.35, 0.35], color=EVENT_COLOURS.get(stream, OTHER_EVENTS), lw=1.5)
    for place, lane in enumerate(page.lanes, 1):
        _draw_lane(axis, page, lane, place)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(page.time_s[0], max(page.time_s[-1], 0.1))
    axis.set_yticks(range(len(names)), names, fontsize=9)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("time [s]", fontsize=9)
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right", "left"]].set_visible(False)
    beside = axis.twinx()
    beside.set_ylim(axis.get_ylim())
    beside.set_yticks(range(len(names)), [_event_words(page), *map(_lane_words, page.lanes)], fontsize=8, color=QUIET)
    beside.tick_params(axis="y", length=0)
    beside.spines[:].set_visible(False)
    axis.legend(handles=_legend(page), loc="lower left", bbox_to_anchor=(0, 1.0), ncols=10, fontsize=8, frameon=False)
    _headline(part, "Streams: age of each row's sample, the dashed line is the limit of freshness")


def _draw_lane(axis: Axes, page: PageData, lane: Lane, place: int) -> None:
    base = place + 0.42
    height = LANE_AGE * np.clip(np.nan_to_num(lane.age_ms) / lane.limit_ms, 0, 1.1)
    counts = page.engaged | (lane.name not in COMMANDS)
    axis.fill_between(page.time_s, base, base - height, where=counts, color=FRESH, lw=0, step="mid", alpha=0.85)
    axis.fill_between(page.time_s, base, base - height, where=~counts, color=IGNORED, lw=0, step="mid")
    absent = np.isnan(lane.age_ms)
    axis.fill_between(page.time_s, base, base - LANE_AGE, where=absent, color="#eceff1", lw=0, step="mid")
    stale = lane.stale & ~absent
    axis.fill_between(page.time_s, base, base - height, where=stale, color=STALE, lw=0, step="mid")
    axis.plot(page.time_s[stale], np.full(int(stale.sum()), base - LANE_AGE), "s", color=STALE, ms=2.5)
    axis.plot(lane.lost_s, np.full(len(lane.lost_s), base - 0.12), "v", color=LOST, ms=5)
    axis.axhline(base - LANE_AGE, color=QUIET, lw=0.6, ls=(0, (4, 4)))
    axis.axhline(base, color="#c5ccd1", lw=0.8)


def _lane_words(lane: Lane) -> str:
    if not lane.messages:
        return "nothing recorded"
    words = f"{lane.rate_hz:.0f} Hz · {lane.messages} messages · longest interval {lane.largest_ms:.0f} ms"
    problems = [f"{lane.gaps} gap{'s' * (lane.gaps != 1)}"] * (lane.gaps > 0) + [f"{lane.lost} lost"] * (lane.lost > 0)
    return " · ".join([words, *problems])


def _event_words(page: PageData) -> str:
    count = len(page.events)
    return f"{count} event{'s' * (count != 1)}, listed below" if count else "no events"


def _legend(page: PageData) -> list[Patch]:
    entries = {"engaged": ENGAGED, "age": FRESH, "age of commands, not engaged": IGNORED, "stale": STALE, "lost": LOST}
    if page.paused.any():
        entries["paused"] = PAUSED
    streams = {stream for _, stream, _ in page.events}
    entries |= {name.replace("_", " "): colour for name, colour in EVENT_COLOURS.items() if name in streams}
    if streams - set(EVENT_COLOURS):
        entries["other event"] = OTHER_EVENTS
    return [Patch(color=colour, label=name) for name, colour in entries.items()]


def draw_timing(part: Any, page: PageData) -> None:
    """Histogram of the skew; quantiles of ages and of delays by stream."""
    skew, ages, ways = part.subplots(1, 3, width_ratios=(1.0, 1.1, 1.1))
    top = max(40.0, float(np.percentile(page.skew_ms, 99.5)) * 1.15, page.usual_ms * 1.3)
    skew.hist(np.clip(page.skew_ms, 0, top), bins=np.linspace(0, top, 41).tolist(), color=FRESH)
    skew.axvline(page.usual_ms, color=INK, lw=1, ls="--")
    middle = skew.get_xaxis_transform()
    skew.text(page.usual_ms, 0.97, " slowest\n stream's\n interval", transform=middle, fontsize=8, va="top", color=INK)
    median, p99 = np.percentile(page.skew_ms, [50, 99])
    skew.set_title(f"Skew of a row: median {median:.0f} ms, p99 {p99:.0f} ms", fontsize=10, loc="left")
    skew.set_xlabel("newest minus oldest stamp [ms]", fontsize=9)
    skew.set_ylabel("rows", fontsize=9)
    engaged = page.engaged if page.engaged.any() else np.ones_like(page.engaged)
    age = {lane.name: lane.age_ms[engaged] if lane.name in COMMANDS else lane.age_ms for lane in page.lanes}
    _quantiles(ages, age, {lane.name: lane.limit_ms for lane in page.lanes})
    ages.set_title("Age at the tick (commands: while engaged)", fontsize=10, loc="left")
    _quantiles(ways, {lane.name: lane.delay_ms for lane in page.lanes}, {})
    ways.set_title("Delay from stamp to arrival", fontsize=10, loc="left")
    for axis in (skew, ages, ways):
        axis.grid(alpha=0.3)
        axis.set_axisbelow(True)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)


def _quantiles(axis: Axes, values: dict[str, Any], limits: dict[str, float]) -> None:
    """One bar a stream from p1 to p99, its median and maximum; logarithmic, for 1 ms and 1 s in one chart."""
    names = list(values)
    for place, name in enumerate(names):
        known = values[name][np.isfinite(values[name])]
        if not len(known):
            continue
        low, middle, high, most = np.maximum(np.percentile(known, [1, 50, 99, 100]), 0.1)
        axis.plot([low, high], [place, place], color=FRESH, lw=7, solid_capstyle="butt")
        axis.plot([middle], [place], "|", color="white", ms=8, mew=2)
        over = most > limits.get(name, np.inf)
        axis.plot([most], [place], "o", color=STALE if over else INK, ms=4)
        if name in limits:
            axis.plot([limits[name]], [place], "|", color=QUIET, ms=13, mew=1.2)
    axis.set_xscale("log")
    axis.set_xlim(0.1, max(1000.0, axis.get_xlim()[1]))
    axis.set_xticks([0.1, 1, 10, 100, 1000], ["0.1", "1", "10", "100", "1000"])
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    limit = ", grey: limit" if limits else ""
    axis.set_xlabel(f"ms; bar: 98 % of all, white: median, dot: maximum{limit}", fontsize=9)


def draw_joints(part: Any, page: PageData) -> None:
    """Requested, sent and measured angles of the joints that moved most."""
    rows = -(-len(page.courses) // COLUMNS)
    axes = part.subplots(rows, COLUMNS, sharex=True, squeeze=False)
    for axis in axes.flat[len(page.courses) :]:
        axis.set_visible(False)
    for axis, course in zip(axes.flat, page.courses, strict=False):
        shade(axis, page.time_s, page.engaged)
        shade(axis, page.time_s, page.paused, PAUSED)
        axis.plot(page.time_s, course.requested, color=COMMANDED, lw=1.1, ls=(0, (3, 1.5)), label="requested")
        axis.plot(page.time_s, course.sent, color="#e0902f", lw=1.6, label="sent")
        axis.plot(page.time_s, course.measured, color=MEASURED, lw=1.0, label="measured")
        decorate(axis, course.name, course.unit)
        axis.set_xlim(page.time_s[0], max(page.time_s[-1], 0.1))
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    part.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    words = (
        "All joints"
        if len(page.courses) == page.joints
        else f"The {len(page.courses)} of {page.joints} joints that moved most"
    )
    _headline(part, f"{words}, degrees over seconds; engaged is shaded")


def draw_pictures(part: Any, page: PageData) -> None:
    """One row a camera."""
    cameras = list(dict.fromkeys(picture.camera for picture in page.pictures))
    count = max(sum(picture.camera == camera for picture in page.pictures) for camera in cameras)
    axes = part.subplots(len(cameras), count, squeeze=False)
    for row, camera in zip(axes, cameras, strict=True):
        shown = [picture for picture in page.pictures if picture.camera == camera]
        for axis, picture in zip(row, shown, strict=False):
            if picture.pixels is None:
                axis.text(0.5, 0.5, "no picture", ha="center", va="center", color=QUIET, fontsize=9)
                axis.set_facecolor("#eceff1")
            else:
                axis.imshow(picture.pixels, interpolation="bilinear", aspect="equal")
            axis.set_xticks([])
            axis.set_yticks([])
            axis.spines[:].set_visible(False)
            axis.set_title(f"{picture.time_s:.1f} s", fontsize=8, color=QUIET, pad=2)
        row[0].set_ylabel(camera, fontsize=9)


def _headline(part: Any, text: str) -> None:
    part.suptitle(text, x=0.008, ha="left", fontsize=11, fontweight="bold", color=INK)
