# SPDX-License-Identifier: Apache-2.0
"""The picture of a replay's fidelity: error and time shift of every joint, and the worst joints over time."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from booth.plot import COMMANDED, MEASURED, decorate
from recorder.replay_report import load_trace

matplotlib.use("Agg")

WORST = 8
COLUMNS = 2
SHIFT = "#e0a030"


def draw_replay(report_path: Path, report: dict[str, Any], out: Path) -> None:
    """Write a PNG of a replay.

    Args:
        report_path: the JSON file; its trace lies beside it.
        report: what stands in it.
    """
    trace = load_trace(report_path)
    joints = report["comparison"]["joints"]
    height = max(7.0, 0.21 * len(joints) + 1.5)
    figure = Figure(figsize=(16, height), layout="constrained")
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(1, 2))).ravel()
    bars = left.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _draw_bars((bars[0], bars[1]), joints)
    rows = -(-min(WORST, len(joints)) // COLUMNS)
    axes = right.subplots(rows, COLUMNS, sharex=True, squeeze=False)
    names = [str(name) for name in trace["joint_names"]]
    for axis, joint in zip(axes.flat, joints, strict=False):
        index = names.index(joint["joint"])
        scale = 1e3 if joint["unit"] == "mm" else np.degrees(1.0)
        axis.plot(trace["recorded_t_s"], trace["recorded"][:, index] * scale, color=COMMANDED, lw=1.4, label="recorded")
        axis.plot(trace["measured_t_s"], trace["measured"][:, index] * scale, color=MEASURED, lw=1.0, label="replayed")
        decorate(axis, joint["joint"], "°" if joint["unit"] == "deg" else joint["unit"])
    for axis in list(axes.flat)[len(joints) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("time after the first action [s]")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    right.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    overall = report["comparison"]
    figure.suptitle(
        f"replay of {report['episode']} · {overall['rmse_deg']:.2f}° RMS over all joints, time shift "
        f"{overall['shift_s'] * 1e3:+.0f} ms, without it {overall['rmse_shifted_deg']:.2f}° · worst joints first"
    )
    figure.savefig(out, dpi=80)


def _draw_bars(axes: tuple[Axes, Axes], joints: list[dict[str, Any]]) -> None:
    places = np.arange(len(joints))
    error, shift = axes
    error.barh(places, [joint["rmse"] for joint in joints], color=MEASURED, height=0.7)
    error.set_yticks(places, [joint["joint"] for joint in joints], fontsize=7)
    error.set_title("RMS error [°; mm]", fontsize=9, loc="left")
    known = [(place, joint["shift_ms"]) for place, joint in enumerate(joints) if joint["shift_ms"] is not None]
    shift.barh([place for place, _ in known], [ms for _, ms in known], color=SHIFT, height=0.7)
    shift.axvline(0.0, color="black", lw=0.8)
    shift.set_title("time shift [ms]", fontsize=9, loc="left")
    for axis in axes:
        axis.set_ylim(len(joints) - 0.4, -0.6)
        axis.grid(alpha=0.3, axis="x")
        axis.tick_params(labelsize=7)
