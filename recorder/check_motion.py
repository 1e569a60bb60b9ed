# SPDX-License-Identifier: Apache-2.0
"""The joints of an episode in one unit, and how the measured ones follow the commanded ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recorder.episode import Episode
from recorder.metadata import recorded_robot
from robots.robot import Robot, RobotFileError

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

MM_PER_DEGREE = 5.0
"""At a forearm's length of 0.3 m one degree moves the hand by 5 mm: so much travel of a joint that slides counts as
one degree."""

MOVES_DEG = 5.0
"""Joints whose command moves by less do not tell how well they follow."""

EARLIEST_S, LATEST_S = -0.25, 0.4
"""Shifts that are tried between command and measured motion."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Joint angles of an episode without its pauses, in which nobody shows anything; (T, J) arrays in degrees (5 mm of
    a sliding joint count as one), NaN: unknown.

    Attributes:
        kept: rows of the episode that these are.
        commanded: what went to the servos, or where no driver told, what was requested while engaged.
        engaged: (T,).
        sent_known: whether ``commanded`` is what went to the servos.
    """

    robot: Robot
    rate_hz: float
    commanded: Array
    requested: Array
    measured: Array
    engaged: Bool
    sent_known: bool
    kept: NDArray[np.int64]

    @property
    def names(self) -> tuple[str, ...]:
        """(J,) joint names."""
        return self.robot.joint_names

    def rows(self, seconds: float) -> int:
        """Rows in so many seconds, at least one."""
        return max(1, round(seconds * self.rate_hz))


def described_robot(episode: Episode) -> Robot:
    """The robot as it was when the episode was recorded.

    Raises:
        RobotFileError: its description is unusable.
    """
    return recorded_robot(str(episode.attribute("robot_yaml")))


def unit_scale(robot: Robot) -> Array:
    """(J,) degrees for one rad, or for one metre of a joint that slides."""
    return np.array([1e3 / MM_PER_DEGREE if joint.prismatic else np.degrees(1.0) for joint in robot.joints])


def motion(episode: Episode) -> Motion | None:
    """The episode's joints; None if its robot is unknown or another one, which the finding ``limits`` tells."""
    try:
        robot = described_robot(episode)
    except RobotFileError:
        return None
    if robot.joint_names != episode.joint_names:
        return None
    scale = unit_scale(robot)
    kept = unpaused_rows(episode)
    engaged = episode["/operator/engaged"].astype(bool)[kept]
    sent = episode["/actions/sent"][kept]
    sent_known = bool(np.isfinite(sent).any())
    requested = episode["/actions/requested"][kept] * scale
    return Motion(
        robot,
        float(episode.attribute("rate_hz")),
        sent * scale if sent_known else np.where(engaged[:, None], requested, np.nan),
        requested,
        episode["/observations/qpos"][kept].astype(np.float64) * scale,
        engaged,
        sent_known,
        kept,
    )


def unpaused_rows(episode: Episode) -> NDArray[np.int64]:
    """Rows in which the recording was not paused; all of them if it was paused from the first to the last."""
    if "/operator/paused" not in episode.file:
        return np.arange(episode.rows)
    rows = np.flatnonzero(~episode["/operator/paused"].astype(bool))
    return rows if len(rows) else np.arange(episode.rows)


def span(values: Array) -> Array:
    """(J,) largest minus smallest of (T, J); 0 where nothing is known."""
    known = np.isfinite(values)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    return np.where(known.any(axis=0), high - low, 0.0)


def residual(moving: Motion, shift: int) -> Array:
    """(T - |shift|, J) measured minus commanded, ``shift`` rows earlier; NaN where either is unknown."""
    rows = len(moving.engaged)
    first, last = max(0, shift), rows + min(0, shift)
    result: Array = moving.measured[first:last] - moving.commanded[first - shift : last - shift]
    return result


def follow_lag_s(moving: Motion) -> float | None:
    """By how much the measured motion follows the command at the best match [s]; None when there is too little motion.

    The mean square difference over rows is smallest there; a parabola through its neighbours finds it between rows.
    """
    joints = np.flatnonzero((span(moving.commanded) > MOVES_DEG) & (span(moving.measured) > MOVES_DEG))
    shifts = np.arange(round(EARLIEST_S * moving.rate_hz), round(LATEST_S * moving.rate_hz) + 1)
    if not len(joints) or len(moving.engaged) < 3 * len(shifts):
        return None
    parts = Motion(
        moving.robot,
        moving.rate_hz,
        moving.commanded[:, joints],
        moving.requested[:, joints],
        moving.measured[:, joints],
        moving.engaged,
        moving.sent_known,
        moving.kept,
    )
    error = np.array([_mean_square(residual(parts, int(shift))) for shift in shifts])
    best = int(error.argmin())
    if not error[best] < 0.5 * error.max() or best in (0, len(shifts) - 1):
        return None
    before, at, after = error[best - 1 : best + 2]
    return float(shifts[best] + 0.5 * (before - after) / (before - 2 * at + after)) / moving.rate_hz


def _mean_square(values: Array) -> float:
    known = np.isfinite(values)
    return float(np.square(values[known]).mean()) if known.any() else np.inf


def rms_by_joint(values: Array) -> Array:
    """(J,) root mean square over rows of (T, J); 0 where nothing is known."""
    known = np.isfinite(values)
    squares = np.where(known, values, 0.0) ** 2
    result: Array = np.sqrt(squares.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    return result
