# SPDX-License-Identifier: Apache-2.0
"""The report of a replay: what was played and how close the robot came to what it did when it was recorded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.compare import compare
from recorder.episode import Episode
from recorder.replay import ReplayPlan

Float64 = NDArray[np.float64]

SETTLED_RAD = 0.1
"""The recorded robot has caught up with its operator when no joint is further away than this."""

TRACE_SUFFIX = ".npz"


def settled_row(qpos: Float64, actions: Float64) -> int:
    """First row in which the recorded robot had caught up; 0 if it never did.

    When a recording starts the driver glides from wherever the robot is; a replay has made that way in its ramp.
    """
    settled = np.flatnonzero(np.abs(qpos - actions).max(axis=1) < SETTLED_RAD)
    return int(settled[0]) if len(settled) else 0


def replay_report(
    episode: Episode,
    plan: ReplayPlan,
    speed: float,
    measured_qpos: Float64,
    measured_t_s: Float64,
    notes: Sequence[str] = (),
    pauses: int = 0,
    completed: bool = True,
) -> dict[str, Any]:
    """JSON-able report.

    Args:
        speed: the plan's factor on the recorded speed.
        measured_qpos: (N, J) rad, at ``measured_t_s`` (N,) s after the plan's first action.
        notes: what people should know of this replay.
        pauses: how often it was paused.
        completed: whether it was played to its end.

    Raises:
        ReplayError: too little was measured.
    """
    qpos, recorded_t_s, slides = recorded_motion(episode, plan, speed)
    comparison = compare(qpos, recorded_t_s, measured_qpos, measured_t_s, slides)
    return {
        "episode": episode.path.name,
        "episode_id": episode.attribute("episode_id"),
        "robot": episode.attribute("robot"),
        "speed": speed,
        "ramp_s": round(plan.ramp_s, 4),
        "duration_s": round(plan.duration_s, 4),
        "actions": len(plan.actions),
        "distance_to_first_pose": {
            name: round(float(far), 5) for name, far in zip(plan.joint_names, plan.distance, strict=True)
        },
        "compared_from_s": round(float(recorded_t_s[0]), 4),
        "measured_samples": len(measured_t_s),
        "completed": completed,
        "pauses": pauses,
        "notes": list(notes),
        "comparison": comparison.to_json(plan.joint_names),
    }


def recorded_motion(episode: Episode, plan: ReplayPlan, speed: float) -> tuple[Float64, Float64, NDArray[np.bool_]]:
    """What a replay is compared with: (T', J) measured positions of the recording [rad], (T',) their times [s] after
    the plan's first action, the speed factor applied, and (J,) which joints slide."""
    first = episode.rows - len(plan.actions)
    ticks = episode["/time/tick_ns"]
    recorded_t_s = (episode["/time/joint_states/stamp_ns"] - ticks[first]) / 1e9 / speed
    qpos = episode["/observations/qpos"].astype(np.float64)
    rows = slice(first + settled_row(qpos[first:], plan.actions), None)
    _, _, sliding = str(episode.attribute("joint_units")).partition("m: ")
    slides = np.isin(np.array(episode.joint_names), [name for name in sliding.split(", ") if name])
    return qpos[rows], recorded_t_s[rows], slides


def save_trace(
    report: Path, episode: Episode, plan: ReplayPlan, speed: float, measured_qpos: Float64, measured_t_s: Float64
) -> None:
    """Both motions beside a report, for a picture of them: see `load_trace`."""
    recorded, recorded_t_s, _ = recorded_motion(episode, plan, speed)
    np.savez(
        report.with_suffix(TRACE_SUFFIX),
        joint_names=np.array(plan.joint_names),
        recorded=recorded,
        recorded_t_s=recorded_t_s,
        measured=measured_qpos,
        measured_t_s=measured_t_s,
    )


def load_trace(report: Path) -> dict[str, NDArray[Any]]:
    """``joint_names`` (J,), ``recorded`` (T, J) and ``measured`` (N, J) [rad; m where a joint slides] at
    ``recorded_t_s`` and ``measured_t_s`` [s] after the first action."""
    with np.load(report.with_suffix(TRACE_SUFFIX)) as file:
        return {name: file[name] for name in file.files}
