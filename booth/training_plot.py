# SPDX-License-Identifier: Apache-2.0
"""The picture of `booth training`: how the scores of every operator went, training by training."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from booth.session.training_ready import MEAN, Round
from booth.session.training_score import EXERCISES, PASS
from graph.errors import InputError

matplotlib.use("Agg")

COLOURS = dict(zip(EXERCISES, ("#2a6fbb", "#d1495b", "#3a8f4d", "#c98a1b"), strict=True))
COLUMNS = 3


def plot_standings(standings: Sequence[tuple[str, Sequence[str], Sequence[Round]]], out: Path) -> None:
    """Write a PNG with one chart for each title, exercises and trainings.

    Raises:
        InputError: it can't be written.
    """
    if out.suffix != ".png":
        raise InputError(f"a picture's name ends in .png, found {out.name}")
    columns = min(COLUMNS, len(standings))
    rows = -(-len(standings) // columns)
    figure = Figure(figsize=(1.0 + 4.2 * columns, 0.8 + 2.8 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, (title, exercises, rounds) in zip(axes, standings, strict=False):
        _course(axis, exercises, rounds)
        axis.set_title(title, fontsize=10, loc="left")
    for axis in axes[len(standings) :]:
        axis.set_visible(False)
    axes[0].legend(fontsize=7, loc="lower right")
    try:
        figure.savefig(out, dpi=90)
    except OSError as error:
        raise InputError(f"can't write {out}: {error.strerror}") from error


def _course(axis: Axes, exercises: Sequence[str], rounds: Sequence[Round]) -> None:
    """One operator on one robot."""
    for name in exercises:
        done = [(k, each.scores[name]) for k, each in enumerate(rounds, 1) if name in each.scores]
        axis.plot([k for k, _ in done], [score for _, score in done], "o-", ms=4, lw=1, color=COLOURS[name], label=name)
    means = [(k, mean) for k, each in enumerate(rounds, 1) if (mean := each.mean(exercises)) is not None]
    axis.plot([k for k, _ in means], [mean for _, mean in means], color="black", lw=2, label="mean")
    axis.axhline(PASS, color="grey", lw=0.8, ls=":")
    axis.axhline(MEAN, color="black", lw=0.8, ls="--")
    axis.set(ylim=(0, 104), xlim=(0.5, max(len(rounds), 3) + 0.5), xlabel="training", ylabel="score")
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.3)
