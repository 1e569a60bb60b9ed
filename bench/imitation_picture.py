# SPDX-License-Identifier: Apache-2.0
"""The picture of `booth bench imitation`: every joint's error, error against delay, one film over time, variations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.imitation_figures import AIMS_DEG, GROUPS, ClipResult
from booth.films import TWO_HANDS
from booth.plot import MEASURED, TRUE
from graph.errors import InputError

matplotlib.use("Agg")

COLOURS = {"flexion": "#d1495b", "arm": "#2a6fbb", "wrist": "#e0a030", "head": "#5b8c5a"}
SHORT = {"flexion": "finger flexion", "arm": "arms", "wrist": "palms", "head": "head"}
IN_TIME = ("right_index_pip", "left_index_mcp", "right_thumb_ip", "right_elbow", "left_elbow", "head_yaw")
"""Angles that are drawn over time, where a robot has them."""


def draw_imitation(found: Mapping[str, Any], results: Sequence[ClipResult], out: Path) -> None:
    """Write a PNG.

    Args:
        found: as `bench.imitation_figures.figures` gives it. results: of the same films.
        out: file to write.

    Raises:
        InputError: it can't be written.
    """
    rows = [(factor, value, one) for factor, by in found["per_variation"].items() for value, one in by.items()]
    figure = Figure(figsize=(18, max(15.0, 6.5 + 0.22 * len(rows))), layout="constrained")
    top, below = figure.subfigures(2, 1, height_ratios=(1.0, 2.8))
    left, right = below.subfigures(1, 2, width_ratios=(2.0, 1.3))
    _draw_joints(top.subplots(), found)
    _draw_variations(right.subplots(), rows)
    grid = left.add_gridspec(4, 2, height_ratios=(1.3, 1, 1, 1))
    _draw_delays(left.add_subplot(grid[0, :]), found)
    film = shown_film(results)
    for k, name in enumerate(IN_TIME):
        _draw_in_time(left.add_subplot(grid[1 + k // 2, k % 2]), film, name, legend=k == 0)
    figure.suptitle(
        f"A virtual robot's measured joints against {found['clips']} films of a drawn operator", fontsize=13
    )
    try:
        figure.savefig(out, dpi=80, format="png")
    except OSError as error:
        raise InputError(f"{out} can't be written: {error.strerror or error}; choose another --out") from error


def shown_film(results: Sequence[ClipResult]) -> ClipResult:
    """The film with both hands, arms and head where the robot followed it, else the one it followed for longest."""
    return max(results, key=lambda result: (result.name == TWO_HANDS and result.followed_s > 0, result.followed_s))


def _draw_joints(axis: Axes, found: Mapping[str, Any]) -> None:
    """Every joint's error as a bar, each group's mean and aim as lines across its bars."""
    begin, names = 0, list[str]()
    for name in GROUPS.values():
        by_joint = found[f"{name}_per_joint_deg"]
        places = np.arange(begin, begin + len(by_joint))
        axis.bar(places, list(by_joint.values()), color=COLOURS[name], width=0.75, alpha=0.75)
        if len(places):
            ends = (places[0] - 0.5, places[-1] + 0.5)
            axis.hlines(found[f"{name}_mae_deg"], *ends, color=COLOURS[name], lw=2)
            axis.hlines(AIMS_DEG[name], *ends, color="#222222", lw=1, ls="--")
            words = f"{SHORT[name]}\n{found[f'{name}_mae_deg']:.1f}° (aim {AIMS_DEG[name]:.0f}°)"
            axis.annotate(words, (places[0] - 0.4, 1.01), xycoords=("data", "axes fraction"), va="bottom", fontsize=9)
        names += list(by_joint)
        begin += len(by_joint) + 1
        names.append("")
    axis.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=60, ha="right", fontsize=8)
    axis.tick_params(axis="x", length=0)
    axis.set_ylabel("mean error after the delay [°]\n(lines: mean; dashed: aim)")
    axis.grid(axis="y", alpha=0.3)
    axis.margins(x=0.01)


def _draw_delays(axis: Axes, found: Mapping[str, Any]) -> None:
    curves = found["error_by_delay"]
    for name in GROUPS.values():
        axis.plot(curves["delay_ms"], curves[name], color=COLOURS[name], label=SHORT[name])
        axis.plot(found[f"{name}_delay_ms"], found[f"{name}_mae_deg"], "o", color=COLOURS[name])
    axis.set_ylim(bottom=0.0)
    axis.set_xlabel("delay that is taken out [ms] (dot: the group's own)")
    axis.set_ylabel("mean error [°]")
    axis.set_title("error against delay", fontsize=10, loc="left")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, ncols=4, frameon=False)


def _draw_variations(axis: Axes, rows: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
    """One row for each value of each factor, one dot for each group."""
    places, labels, now, last = [], [], 0.0, ""
    for factor, value, one in rows:
        now += 1.8 if factor != last and last else 1.0
        last = factor
        places.append(now)
        labels.append(f"{factor.replace('_', ' ')}: {value} ({one['clips']})")
    for name in GROUPS.values():
        errors = [one[f"{name}_mae_deg"] for _, _, one in rows]
        axis.plot(errors, places, "o", color=COLOURS[name], ms=5, label=SHORT[name])
    axis.set_yticks(places, labels, fontsize=8)
    axis.set_ylim(now + 1.0, 0.0)
    axis.set_xlim(left=0.0)
    axis.set_xlabel("mean error after the delay [°]")
    title = "error by what varies (films; what is done in them differs, too)"
    axis.set_title(title if rows else "nothing varies among these films", fontsize=10, loc="left")
    axis.grid(alpha=0.3)


def _draw_in_time(axis: Axes, film: ClipResult, name: str, legend: bool) -> None:
    """An operator's angle and the robot's, where the robot follows on green."""
    found = [quantity for quantity in film.quantities if quantity.name == name]
    axis.set_title(f"{film.name}: {name.replace('_', ' ')} [°]", fontsize=9, loc="left")
    axis.grid(alpha=0.3)
    axis.tick_params(labelsize=8)
    if not found:
        return
    (quantity,) = found
    axis.fill_between(
        film.cycle_s, 0, 1, where=quantity.compared, transform=axis.get_xaxis_transform(), color="#e8f4ea", lw=0
    )
    axis.plot(film.frame_s, np.degrees(quantity.operator), color=TRUE, lw=1.0, ls="--", label="operator")
    axis.plot(film.cycle_s, np.degrees(quantity.robot), color=MEASURED, lw=1.2, label="robot, measured")
    axis.set_xlim(0.0, float(film.frame_s[-1]))
    if legend:
        axis.legend(fontsize=8, frameon=False)
