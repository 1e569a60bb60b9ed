# SPDX-License-Identifier: Apache-2.0
"""The report of a replay: what was played and how close the robot came to what it did when it was recorded."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.compare import compare
from recorder.episode import Episode
from recorder.replay import ReplayPlan

Float64 = NDArray[np.float64]

SETTLED_RAD = 0.1
"""The recorded robot has caught up with its operator when no joint is further away than this."""


def settled_row(qpos: Float64, actions: Float64) -> int:
    """First row in which the recorded robot had caught up; 0 if it never did.

    When a recording starts the driver glides from wherever the robot is; a replay has made that way in its ramp.
    """
    settled = np.flatnonzero(np.abs(qpos - actions).max(axis=1) < SETTLED_RAD)
    return int(settled[0]) if len(settled) else 0


def replay_report(
    episode: Episode, plan: ReplayPlan, speed: float, measured_qpos: Float64, measured_t_s: Float64
) -> dict[str, Any]:
    """JSON-able report.

    Args:
        speed: the plan's factor on the recorded speed.
        measured_qpos: (N, J) rad, at ``measured_t_s`` (N,) s after the plan's first action.

    Raises:
        ReplayError: too little was measured.
    """
    first = episode.rows - len(plan.actions)
    ticks = episode["/time/tick_ns"]
    recorded_t_s = (episode["/time/joint_states/stamp_ns"] - ticks[first]) / 1e9 / speed
    qpos = episode["/observations/qpos"].astype(np.float64)
    rows = slice(first + settled_row(qpos[first:], plan.actions), None)
    comparison = compare(qpos[rows], recorded_t_s[rows], measured_qpos, measured_t_s)
    return {
        "episode": episode.path.name,
        "episode_id": episode.attribute("episode_id"),
        "robot": episode.attribute("robot"),
        "speed": speed,
        "ramp_s": round(plan.ramp_s, 4),
        "duration_s": round(plan.duration_s, 4),
        "actions": len(plan.actions),
        "compared_from_s": round(float(recorded_t_s[rows][0]), 4),
        "measured_samples": len(measured_t_s),
        "comparison": comparison.to_json(plan.joint_names),
    }
