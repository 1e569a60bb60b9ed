# SPDX-License-Identifier: Apache-2.0
"""The part of a film that stands still: title, joint charts, timeline. Drawn once; where its charts lie, in pixels."""

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from booth.plot import COMMANDED, LEAST_RANGE, MEASURED, shade
from graph.errors import InputError
from recorder.check_motion import span
from recorder.episode import Episode
from recorder.report import joint_units

matplotlib.use("Agg")

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

WIDTH, HEIGHT, DPI = 1280, 720, 100
HEAD, FOOT = 64, 84
CAMERAS_WIDTH = 500
MARGIN = 16
MOST_JOINTS = 20
PALE = 0.72
"""How much of the colour is taken from what is still to come."""
INK, QUIET, HELD, PAUSED = "#20262b", "#66707a", "#f4c9c4", "#dcd6ee"
EVENT = "#8a6d1d"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels: columns ``left`` … ``right`` - 1, rows ``top`` … ``bottom`` - 1."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One joint's chart: where it lies, and (T,) pixel rows of the measured position, -1 where it is not known."""

    box: Box
    measured: NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Page:
    """The standing picture.

    Attributes:
        bright, pale: (HEIGHT, WIDTH, 3) RGB; the second with charts as they look before their time has come.
        charts: of the joints that are shown.
        timeline: the band at the bottom.
        columns: (T,) 0 … 1, where the cursor stands in a chart in each row.
    """

    bright: Pixels
    pale: Pixels
    charts: tuple[Chart, ...]
    timeline: Box
    columns: Array


def draw_page(episode: Episode, joints: str = "", cameras: bool = True) -> Page:
    """Draw everything that does not move.

    Args:
        joints: comma-separated names or patterns; empty: those that move most, at most ``MOST_JOINTS``.
        cameras: leave room for them.

    Raises:
        InputError: no joint has such a name.
    """
    ticks = episode["/time/tick_ns"]
    time_s = (ticks - ticks[0]) * 1e-9
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    _write_head(figure, episode)
    chosen = chosen_joints(episode, joints)
    axes = [_axes(figure, place, len(chosen), cameras) for place in range(len(chosen))]
    values = _draw_charts(axes, episode, chosen, time_s)
    timeline = _draw_timeline(figure, episode, time_s, _held(episode))
    canvas.draw()
    bright = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, :3])
    pale = bright.copy()
    charts = []
    for axis, measured in zip(axes, values, strict=True):
        box = _box(axis)
        part = pale[box.top : box.bottom, box.left : box.right]
        part[:] = (255 - (255 - part.astype(np.float32)) * (1.0 - PALE)).astype(np.uint8)
        charts.append(Chart(box, _pixel_rows(axis, measured, box)))
    columns = time_s / max(float(time_s[-1]), 1e-9)
    return Page(bright, pale, tuple(charts), _box(timeline), columns)


def chosen_joints(episode: Episode, joints: str) -> list[int]:
    """Indices of the joints that are shown, in the order of the robot.

    Raises:
        InputError: a name or pattern fits no joint.
    """
    names = episode.joint_names
    if joints:
        patterns = [pattern.strip() for pattern in joints.split(",")]
        for pattern in patterns:
            if not any(fnmatch(name, pattern) for name in names):
                raise InputError(f"no joint is called {pattern!r}: expected names or patterns of {', '.join(names)}")
        return [index for index, name in enumerate(names) if any(fnmatch(name, pattern) for pattern in patterns)]
    scale, units = joint_units(episode)
    moved = span(episode["/observations/qpos"].astype(np.float64) * scale)
    moved = moved * np.array([0.2 if unit == "mm" else 1.0 for unit in units])
    return sorted(np.argsort(-moved, kind="stable")[:MOST_JOINTS].tolist())


def _write_head(figure: Figure, episode: Episode) -> None:
    task = str(episode.attribute("task")) or "no task named"
    kind = " (virtual)" if episode.attribute("sim") else ""
    told = [f"{episode.attribute('robot')}{kind}", str(episode.attribute("operator")), str(episode.attribute("booth"))]
    told += [str(episode.attribute("created"))[:19].replace("T", " ") + " UTC", f"{episode.attribute('verdict')}"]
    put: dict[str, Any] = {"va": "center", "ha": "left"}
    figure.text(MARGIN / WIDTH, 1 - 24 / HEIGHT, task[:80], fontsize=15, color=INK, weight="bold", **put)
    line = " · ".join(part for part in told if part)
    figure.text(MARGIN / WIDTH, 1 - 48 / HEIGHT, line, fontsize=8.5, color=QUIET, **put)
    put["ha"] = "right"
    figure.text(1 - MARGIN / WIDTH, 1 - 48 / HEIGHT, "commanded", fontsize=8.5, color=COMMANDED, **put)
    figure.text(1 - (MARGIN + 82) / WIDTH, 1 - 48 / HEIGHT, "measured", fontsize=8.5, color=MEASURED, **put)


def _axes(figure: Figure, place: int, count: int, cameras: bool) -> Axes:
    """The chart at a place, column by column, right of the cameras."""
    left = MARGIN + (CAMERAS_WIDTH + MARGIN if cameras else 0)
    columns = 1 if count <= 4 else 2 if count <= 10 else 3 if count <= 15 else 4
    rows = -(-count // columns)
    wide, high = (WIDTH - left - MARGIN) / columns, (HEIGHT - HEAD - FOOT) / rows
    column, row = place // rows, place % rows
    right_room = 6 if column + 1 < columns else 0
    box = (left + column * wide + 28, FOOT + (rows - 1 - row) * high + 6, wide - 28 - right_room, high - 22)
    return figure.add_axes((box[0] / WIDTH, box[1] / HEIGHT, box[2] / WIDTH, box[3] / HEIGHT))


def _draw_charts(axes: list[Axes], episode: Episode, chosen: list[int], time_s: Array) -> list[Array]:
    """Draw the curves; returns what was measured, in each chart's unit."""
    scale, units = joint_units(episode)
    requested = episode["/actions/requested"] * scale
    measured = episode["/observations/qpos"].astype(np.float64) * scale
    engaged = episode["/operator/engaged"].astype(np.bool_)
    for axis, joint in zip(axes, chosen, strict=True):
        shade(axis, time_s, engaged)
        axis.plot(time_s, requested[:, joint], color=COMMANDED, lw=1.3)
        axis.plot(time_s, measured[:, joint], color=MEASURED, lw=1.0)
        unit = "" if units[joint] == "°" else f" [{units[joint]}]"
        axis.set_title(episode.joint_names[joint] + unit, fontsize=7.5, loc="left", color=INK, pad=2)
        axis.set_xlim(0.0, max(float(time_s[-1]), 1e-9))
        low, high = axis.get_ylim()
        room = max(0.0, LEAST_RANGE - (high - low)) / 2
        axis.set_ylim(low - room, high + room)
        axis.set_xticks([])
        axis.locator_params(axis="y", nbins=3)
        axis.tick_params(labelsize=6.5, length=2, colors=QUIET, pad=1)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color("#c4cad0")
    return [measured[:, joint] for joint in chosen]


def _draw_timeline(figure: Figure, episode: Episode, time_s: Array, held: NDArray[np.bool_]) -> Axes:
    axis = figure.add_axes((MARGIN / WIDTH, 34 / HEIGHT, 1 - 2 * MARGIN / WIDTH, 22 / HEIGHT))
    axis.set_facecolor("#eef1f4")
    shade(axis, time_s, episode["/operator/engaged"].astype(np.bool_), "#a9d5b0")
    shade(axis, time_s, held, HELD)
    if "/operator/paused" in episode.file:
        shade(axis, time_s, episode["/operator/paused"].astype(np.bool_), PAUSED)
    first_ns = int(episode["/time/tick_ns"][0])
    for stamp, stream, _ in episode.events():
        if stream in ("marker", "teleop_event", "recorder_event") and stamp > first_ns:
            axis.axvline((stamp - first_ns) * 1e-9, color=EVENT, lw=1.2)
    axis.set_xlim(0.0, max(float(time_s[-1]), 1e-9))
    axis.set_yticks([])
    axis.tick_params(labelsize=7, length=2, colors=QUIET)
    axis.spines[:].set_visible(False)
    return axis


def state_words(episode: Episode) -> list[str]:
    """Of every row what the driver said last, such as ``HOLD: hand lost``; where nothing was said, whether the robot
    followed."""
    source = "driver_state" if str(episode.attribute("engaged_source")) != "teleop_state" else "teleop_state"
    said = [(stamp, text) for stamp, stream, text in episode.events() if stream == source]
    newest = np.searchsorted([stamp for stamp, _ in said], episode["/time/tick_ns"], side="right") - 1
    engaged = episode["/operator/engaged"]
    return [
        said[index][1] if index >= 0 else ("ENGAGED" if follows else "not engaged")
        for index, follows in zip(newest.tolist(), engaged.tolist(), strict=True)
    ]


def _held(episode: Episode) -> NDArray[np.bool_]:
    return np.array([text.startswith(("HOLD", "STOPPED")) for text in state_words(episode)], np.bool_)


def _box(axis: Axes) -> Box:
    extent = axis.get_window_extent()
    left, right = round(extent.x0), round(extent.x1)
    return Box(left, round(HEIGHT - extent.y1), right, round(HEIGHT - extent.y0))


def _pixel_rows(axis: Axes, values: Array, box: Box) -> NDArray[np.int_]:
    low, high = axis.get_ylim()
    share = (np.nan_to_num(values) - low) / (high - low)
    rows = np.round(box.bottom - 1 - share * (box.bottom - box.top - 1)).astype(np.int_)
    return np.where(np.isfinite(values) & (rows >= box.top) & (rows < box.bottom), rows, -1)
