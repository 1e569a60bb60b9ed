# SPDX-License-Identifier: Apache-2.0
"""Findings about joints: finite numbers, limits, tracking error, and the links that other loaders use."""

import numpy as np
from numpy.typing import NDArray

from recorder.check_motion import described_robot
from recorder.episode import Episode
from recorder.finding import Finding, fail, graded, ok, warn
from recorder.schema import HARD_LINKS
from robots.robot import Robot, RobotFileError

LIMIT_TOLERANCE_RAD = 1e-4
"""float32 and the robot file's rounding."""

TRACKING_WARN_DEG = 15.0


def findings(episode: Episode) -> list[Finding]:
    """All findings of this file."""
    return [_finite(episode), _velocity(episode), _limits(episode), _tracking(episode), _links(episode)]


def _finite(episode: Episode) -> Finding:
    problems = []
    for name in ("/observations/qpos", "/action"):
        bad = ~np.isfinite(episode[name])
        if bad.any():
            joints = ", ".join(episode.joint_names[joint] for joint in np.flatnonzero(bad.any(axis=0)))
            problems.append(f"{name} in {int(bad.any(axis=1).sum())} rows ({joints})")
    text = f"not finite: {'; '.join(problems)}" if problems else "positions and actions are finite"
    return graded("finite", text, failed=bool(problems))


def _velocity(episode: Episode) -> Finding:
    absent = [name for name in ("/observations/qvel", "/observations/effort") if not np.isfinite(episode[name]).all()]
    return graded(
        "rates",
        f"not measured in every row: {', '.join(absent)}" if absent else "velocity and effort are measured",
        warned=bool(absent),
    )


def _limits(episode: Episode) -> Finding:
    try:
        robot = described_robot(episode)
    except RobotFileError as error:
        problems = " ".join(str(error).split())
        return fail("limits", f"the robot's description in the episode is unusable: {problems}")
    if robot.joint_names != episode.joint_names:
        return fail("limits", "the episode's joint names are not those of its robot")
    outside = outside_limits(robot, episode["/actions/requested"])
    if outside:
        return fail("limits", f"requested actions leave the limits of {', '.join(outside)}")
    return ok("limits", f"every requested action lies within the limits of {robot.name}")


def outside_limits(robot: Robot, positions: NDArray[np.float64]) -> list[str]:
    """Joints whose ``positions`` (T, J) [rad] leave the robot's limits somewhere; NaN does not count."""
    low = np.array([joint.min_rad for joint in robot.joints]) - LIMIT_TOLERANCE_RAD
    high = np.array([joint.max_rad for joint in robot.joints]) + LIMIT_TOLERANCE_RAD
    wrong = np.flatnonzero(((positions < low) | (positions > high)).any(axis=0))
    return [robot.joint_names[joint] for joint in wrong]


def _tracking(episode: Episode) -> Finding:
    told = np.isfinite(episode["/actions/requested"])
    asked = told.any(axis=0)  # a robot with several command topics need not be driven on all of them
    rows = episode["/operator/engaged"] & told[:, asked].all(axis=1)
    if not asked.any() or not rows.any():
        return warn("tracking", "no row has both an engaged operator and a requested action: nothing to compare")
    error = (episode["/observations/qpos"][rows] - episode["/actions/requested"][rows])[:, asked]
    rmse = float(np.degrees(np.sqrt(np.nanmean(error**2)))) if np.isfinite(error).any() else np.inf
    return graded(
        "tracking", f"measured and requested differ by {rmse:.2f} degrees RMS", warned=not rmse < TRACKING_WARN_DEG
    )


def _links(episode: Episode) -> Finding:
    links = {**HARD_LINKS, **{f"/data/demo_0/obs/{c}": f"/observations/images/{c}" for c in episode.cameras}}
    broken = [
        name for name, origin in links.items() if name not in episode.file or episode.file[name] != episode.file[origin]
    ]
    return graded(
        "links",
        f"not linked: {', '.join(broken)}" if broken else "robomimic's names share our bytes",
        failed=bool(broken),
    )
