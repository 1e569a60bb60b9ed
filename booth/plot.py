# SPDX-License-Identifier: Apache-2.0
"""The picture of an episode: commanded, measured and, where known, true joint angles over time."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from recorder.episode import Episode
from recorder.report import joint_units

matplotlib.use("Agg")

Array = NDArray[np.float64]

COLUMNS = 4
TRUE, COMMANDED, MEASURED = "#222222", "#d1495b", "#2a6fbb"
ENGAGED = "#e8f4ea"
LEAST_RANGE = 20.0
"""Narrower axes would show noise as motion."""


def plot_episode(episode: Episode, out: Path, truth_rad: Array | None = None, title: str = "") -> None:
    """Write a PNG with one small chart for each joint.

    Args:
        episode: open episode.
        out: file to write.
        truth_rad: (T, J) true angles [rad], NaN where unknown.
        title: headline; default: file name and robot.
    """
    ticks = episode["/time/tick_ns"]
    time_s = (ticks - ticks[0]) * 1e-9
    scale, units = joint_units(episode)
    requested = episode["/actions/requested"] * scale
    measured = episode["/observations/qpos"] * scale
    engaged = episode["/operator/engaged"].astype(bool)
    rows = -(-len(episode.joint_names) // COLUMNS)
    figure = Figure(figsize=(16, 2.2 * rows + 1), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, sharex=True, squeeze=False)
    for index, axis in enumerate(axes.flat):
        if index >= len(episode.joint_names):
            axis.set_visible(False)
            continue
        shade(axis, time_s, engaged)
        if truth_rad is not None:
            axis.plot(time_s, truth_rad[:, index] * scale[index], color=TRUE, lw=1.0, ls="--", label="true (operator)")
        axis.plot(time_s, requested[:, index], color=COMMANDED, lw=1.3, label="commanded")
        axis.plot(time_s, measured[:, index], color=MEASURED, lw=1.0, label="measured")
        decorate(axis, episode.joint_names[index], units[index])
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(
        title or f"{episode.path.name} · {episode.attribute('robot')} · joint angles in degrees, engaged shaded"
    )
    for axis in axes[-1]:
        axis.set_xlabel("time [s]")
    figure.savefig(out, dpi=80)


def shade(axis: Axes, time_s: Array, chosen: NDArray[np.bool_], colour: str = ENGAGED) -> None:
    """Bands over the whole height of a chart where ``chosen`` (T,) is true."""
    axis.fill_between(time_s, 0, 1, where=chosen, transform=axis.get_xaxis_transform(), color=colour, lw=0, zorder=0)


def decorate(axis: Axes, name: str, unit: str = "°") -> None:
    """Title, grid, and a scale that does not blow up noise; what slides says its unit."""
    axis.set_title(name if unit == "°" else f"{name} [{unit}]", fontsize=9, loc="left")
    axis.grid(alpha=0.3)
    axis.tick_params(labelsize=8)
    low, high = axis.get_ylim()
    if high - low < LEAST_RANGE:
        middle = (low + high) / 2
        axis.set_ylim(middle - LEAST_RANGE / 2, middle + LEAST_RANGE / 2)
