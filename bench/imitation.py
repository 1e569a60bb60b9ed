# SPDX-License-Identifier: Apache-2.0
"""From pixels to measured joints: how well a virtual FFW-SH5 copies rendered operators whose every angle is known.

Every clip runs through tracker, teleop, driver and virtual servos in virtual time. The errors are between the servos'
measured positions and the operator's angles as they were shown: after the group's own delay, which tells how well the
operator was understood, and at the same instant, delay included.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.imitation_run import START_NS, follow, watch
from bench.imitation_score import LAGS_S, Quantity, load_truth, quantities
from booth.films import standard_films
from booth.output import Progress
from booth.verb_models import ensure_model
from graph.errors import BoothError
from robots import load_robot

Array = NDArray[np.float64]

ROBOT, PARTS = "ffw_sh5", "hands+arms+head"
GROUPS = {"fingers": "flexion", "arms": "arm", "wrists": "wrist", "head": "head"}
"""Groups of quantities, and what their figures are called."""


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One clip: what was found in it, for how long the robot followed, what the operator was told."""

    name: str
    hand_found_share: float
    body_found_share: float
    followed_s: float
    reasons: tuple[str, ...]
    frame_s: Array
    cycle_s: Array
    quantities: tuple[Quantity, ...]


def run_clip(clip: Path, progress: Progress | None = None) -> ClipResult:
    """Let the virtual robot copy one clip."""
    robot = load_robot(ROBOT)
    watched = watch(clip, (lambda share: None) if progress is None else progress.show)
    truth = load_truth(clip.with_suffix(".npz"))
    done = follow(robot, PARTS, watched.frames)
    cycle_s = (done.read_ns - START_NS) * 1e-9
    compared = done.following & (cycle_s <= truth.time_s[-1])
    return ClipResult(
        clip.stem,
        watched.both_hands_share,
        watched.body_share,
        float(done.following.sum()) / robot.rate_hz,
        done.reasons,
        truth.time_s,
        cycle_s,
        tuple(quantities(robot, done.measured_rad, compared, truth)),
    )


def figures(results: Sequence[ClipResult]) -> dict[str, object]:
    """The machine-readable figures of several clips.

    Raises:
        BoothError: the robot followed in no clip.
    """
    engaged = [result for result in results if result.followed_s > 0]
    if not engaged:
        told = "; ".join(f"{result.name}: {result.reasons[-1] if result.reasons else '?'}" for result in results)
        raise BoothError(f"the robot followed in none of {len(results)} clips: {told}")
    found: dict[str, object] = {}
    for group, name in GROUPS.items():
        by_lag = [_error_deg(engaged, group, lag_s) for lag_s in LAGS_S]
        best = int(np.argmin(by_lag))
        found[f"{name}_mae_deg"] = by_lag[best]
        found[f"{name}_delay_ms"] = float(LAGS_S[best]) * 1e3
        found[f"{name}_instant_mae_deg"] = by_lag[0]
        found[f"{name}_per_joint_deg"] = _per_joint(engaged, group, float(LAGS_S[best]))
    found["flexion_r"] = _correlation(engaged, float(found["flexion_delay_ms"]) * 1e-3)  # type: ignore[arg-type]
    found["hand_found_share"] = float(np.mean([result.hand_found_share for result in results]))
    found["body_found_share"] = float(np.mean([result.body_found_share for result in results]))
    found["followed_share"] = sum(result.followed_s for result in results) / sum(
        float(result.frame_s[-1]) for result in results
    )
    found["clips"] = len(results)
    found["per_clip"] = {result.name: _clip_figures(result, found) for result in results}
    return found


def _clip_figures(result: ClipResult, found: dict[str, object]) -> dict[str, object]:
    told: dict[str, object] = {"followed_s": result.followed_s, "both_hands_share": result.hand_found_share}
    for group, name in GROUPS.items():
        lag_s = float(found[f"{name}_delay_ms"]) * 1e-3  # type: ignore[arg-type]
        told[f"{name}_mae_deg"] = _error_deg([result], group, lag_s)
    told["told"] = list(result.reasons[-3:])
    return told


def _error_deg(results: Sequence[ClipResult], group: str, lag_s: float) -> float:
    """Mean over all samples of all joints of a group [deg]; NaN where there are none."""
    errors = [
        quantity.error_deg(result.frame_s, result.cycle_s, lag_s)
        for result in results
        for quantity in result.quantities
        if quantity.group == group
    ]
    together = np.concatenate(errors) if errors else np.empty(0)
    return float(together.mean()) if len(together) else float("nan")


def _per_joint(results: Sequence[ClipResult], group: str, lag_s: float) -> dict[str, float]:
    names = dict.fromkeys(q.name for result in results for q in result.quantities if q.group == group)
    told = {}
    for name in names:
        errors = [
            quantity.error_deg(result.frame_s, result.cycle_s, lag_s)
            for result in results
            for quantity in result.quantities
            if quantity.name == name
        ]
        together = np.concatenate(errors)
        told[name] = float(together.mean()) if len(together) else float("nan")
    return told


def _correlation(results: Sequence[ClipResult], lag_s: float) -> float:
    """Pearson's r between operator and robot over all samples of all finger flexions."""
    shown, done = [], []
    for result in results:
        for quantity in result.quantities:
            if quantity.group == "fingers":
                shown.append(quantity.shown(result.frame_s, result.cycle_s, lag_s))
                done.append(quantity.robot[quantity.compared])
    return float(np.corrcoef(np.concatenate(shown), np.concatenate(done))[0, 1])


def measure(seconds: float) -> dict[str, object]:
    """Render the standard set where it is not there yet, and run every clip.

    Args:
        seconds: not used; the set has its own length.
    """
    ensure_model()
    clips = standard_films()
    results = []
    for number, clip in enumerate(clips, 1):
        progress = Progress(f"{number}/{len(clips)} {clip.stem}")
        results.append(run_clip(clip, progress))
        progress.done()
    return figures(results)


def describe(found: dict[str, object]) -> str:
    """The figures for people."""
    lines = [f"{'':10} {'error':>8} {'delay':>8} {'at the same instant':>20}"]
    for name in GROUPS.values():
        lines.append(
            f"{name:10} {found[f'{name}_mae_deg']:6.1f} deg {found[f'{name}_delay_ms']:5.0f} ms "
            f"{found[f'{name}_instant_mae_deg']:16.1f} deg"
        )
    lines.append(f"flexion r  {found['flexion_r']:.3f}")
    lines.append(f"hands found {found['hand_found_share']:.1%}, body found {found['body_found_share']:.1%}")
    lines.append(f"the robot followed {found['followed_share']:.0%} of {found['clips']} clips")
    for name, clip in json.loads(json.dumps(found["per_clip"])).items():
        errors = ", ".join(f"{one} {clip[f'{one}_mae_deg']:.1f}" for one in GROUPS.values())
        lines.append(f"  {name:28} followed {clip['followed_s']:4.1f} s  {errors}  {'; '.join(clip['told'][-1:])}")
    return "\n".join(lines)
