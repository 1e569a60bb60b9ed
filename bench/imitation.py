# SPDX-License-Identifier: Apache-2.0
"""From pixels to measured joints: how well a virtual FFW-SH5 copies rendered operators whose every angle is known.

Every film runs through tracker, teleop, driver and virtual servos in virtual time. The errors are between the servos'
measured positions and the operator's angles as they were shown: after the group's own delay, which tells how well the
operator was understood, and at the same instant, delay included.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.imitation_figures import AIMS_DEG, GROUPS, WORDS, ClipResult, figures
from bench.imitation_horizons import horizon_figures
from bench.imitation_run import START_NS, Watched, follow, watch
from bench.imitation_score import load_truth, quantities
from booth.films import standard_films
from booth.output import Progress, table
from booth.supervisor import StopRequest
from booth.verb_models import ensure_model
from graph.errors import InputError
from robots import load_robot
from teleop.prediction import checked_horizon_s

ROBOT, PARTS = "ffw_sh5", "hands+arms+head"
WATCHING = 0.7
"""Share of a film's time that tracking takes; the rest is the robot's, once for every horizon."""


def run_clip(clip: Path, each: Callable[[float], None] = lambda _: None) -> ClipResult:
    """Let the virtual robot copy one film."""
    return copy_watched(clip, watch(clip, each))


def copy_watched(
    clip: Path, watched: Watched, prediction_ms: float = 0.0, each: Callable[[float], None] = lambda _: None
) -> ClipResult:
    """Let the virtual robot copy what the tracker saw in a film.

    Args:
        prediction_ms: see `teleop.prediction`.
        each: told again and again how much is done, 0 … 1.
    """
    robot = load_robot(ROBOT)
    truth = load_truth(clip.with_suffix(".npz"))
    done = follow(robot, PARTS, watched.frames, prediction_ms, each)
    cycle_s = np.asarray((done.read_ns - START_NS) * 1e-9, dtype=np.float64)
    compared = done.following & (cycle_s <= truth.time_s[-1])
    return ClipResult(
        clip.stem,
        watched.both_hands_share,
        watched.body_share,
        float(done.following.sum()) / robot.rate_hz,
        done.reasons,
        truth.look,
        truth.time_s,
        cycle_s,
        tuple(quantities(robot, done.measured_rad, compared, truth)),
    )


def measure(
    films: Sequence[str] = (), picture: Path | None = None, prediction_ms: Sequence[float] = (0.0,)
) -> dict[str, object]:
    """Draw films where they are not there yet, and run every one.

    Args:
        films: names out of the standard set; none: all.
        picture: PNG to write.
        prediction_ms: horizons to compare; all figures but the comparison are the first one's.

    Raises:
        InputError: unknown films, a horizon that is not allowed, or no folder for the picture.
        BoothError: the robot followed in no film.
    """
    for horizon_ms in prediction_ms:
        checked_horizon_s(horizon_ms)
    if picture is not None and not picture.absolute().parent.is_dir():
        raise InputError(f"no folder {picture.absolute().parent} for the picture: make it, or choose another --out")
    ensure_model()
    with StopRequest() as stopping:
        clips = standard_films(films, stopping)
        by_horizon = _run_all(clips, list(dict.fromkeys(prediction_ms)), stopping)
    results = next(iter(by_horizon.values()))
    found = figures(results)
    if len(by_horizon) > 1:
        found["prediction"] = horizon_figures(by_horizon)
    if picture is not None:
        from bench.imitation_picture import draw_imitation  # only now: matplotlib takes a second to load

        draw_imitation(found, results, picture)
        found["picture"] = str(picture)
    return found


def _run_all(
    clips: Sequence[Path], horizons_ms: Sequence[float], stopping: Callable[[], bool]
) -> dict[float, list[ClipResult]]:
    """Every film with every horizon; tracked once."""
    by_horizon: dict[float, list[ClipResult]] = {horizon_ms: [] for horizon_ms in horizons_ms}
    progress = Progress("imitation")
    for number, clip in enumerate(clips):

        def show(share: float, number: int = number, clip: Path = clip) -> None:
            if stopping():
                raise KeyboardInterrupt
            progress.show((number + share) / len(clips), f"{number + 1}/{len(clips)} {clip.stem}")

        watched = watch(clip, lambda share, show=show: show(WATCHING * share))  # type: ignore[misc]
        for count, horizon_ms in enumerate(horizons_ms):

            def copied(share: float, count: int = count, show: Callable[[float], None] = show) -> None:
                show(WATCHING + (1.0 - WATCHING) * (count + share) / len(horizons_ms))

            by_horizon[horizon_ms].append(copy_watched(clip, watched, horizon_ms, copied))
    progress.show(1.0, "done")
    progress.done()
    return by_horizon


def describe(found: Mapping[str, Any]) -> str:
    """The figures for people: every table of docs/performance.md, then film by film."""
    rows = [
        (
            WORDS[name],
            f"{found[f'{name}_mae_deg']:.1f}°",
            f"{AIMS_DEG[name]:.0f}°",
            f"{found[f'{name}_delay_ms']:.0f} ms",
            f"{found[f'{name}_instant_mae_deg']:.1f}°",
        )
        for name in GROUPS.values()
    ]
    lines = [table(rows, ("", "error", "aim", "delay", "at the same instant")), ""]
    lines.append(f"flexion's correlation {found['flexion_r']:.2f}")
    lines.append(
        f"both hands found in {found['hand_found_share']:.1%} of the frames, the body in "
        f"{found['body_found_share']:.1%}; the robot followed for {found['followed_share']:.0%} of "
        f"{found['clips']} films' time"
    )
    if "prediction" in found:
        lines += ["", _horizons(found["prediction"])]
    lines += ["", _errors_table("film", found["per_clip"], "followed_s", "followed s")]
    for factor, by_value in found["per_variation"].items():
        lines += ["", _errors_table(factor, by_value, "clips", "films")]
    return "\n".join(lines)


def _errors_table(what: str, by_name: Mapping[str, Mapping[str, Any]], key: str, title: str) -> str:
    rows = [
        (name, f"{one[key]:.3g}", *(f"{one[f'{group}_mae_deg']:.1f}" for group in GROUPS.values()))
        for name, one in by_name.items()
    ]
    return table(rows, (what, title, *GROUPS.values()))


def _horizons(found: Sequence[Mapping[str, float]]) -> str:
    rows = []
    for one in found:
        for name in GROUPS.values():
            beyond = one.get(f"{name}_overshoot_p95_deg")
            rows.append(
                (
                    f"{one['prediction_ms']:.0f} ms",
                    WORDS[name],
                    f"{one[f'{name}_mae_deg']:.1f}°",
                    f"{one[f'{name}_delay_ms']:.0f} ms",
                    f"{one[f'{name}_instant_mae_deg']:.1f}°",
                    "" if beyond is None else f"{beyond:.1f}°",
                )
            )
    return table(rows, ("prediction", "", "error", "delay", "at the same instant", "overshoot p95"))
