# SPDX-License-Identifier: Apache-2.0
"""Replay maths: from where the robot is, smoothly to where the episode begins, then along what was requested."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recorder.check_actions import outside_limits
from recorder.episode import Episode
from recorder.errors import ReplayError
from recorder.replay_identity import refuse_other_joints
from robots.robot import Robot

Float64 = NDArray[np.float64]

MIN_RAMP_S = 1.0
MINIMUM_JERK_PEAK = 1.875
"""Peak speed of a minimum-jerk motion over its mean speed: 15/8 (Flash & Hogan 1985)."""

MAX_SPEED_FACTOR = 2.0


class Phase(StrEnum):
    """Where in the replay a target lies."""

    RAMP = "ramp"
    REPLAY = "replay"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """Positions against time. Build it with ``plan_replay``.

    Attributes:
        joint_names: (J,).
        start: (J,) measured pose at time 0 [rad].
        actions: (T, J) requested actions [rad], read-only.
        times_s: (T,) their times after the end of the ramp, the speed factor applied [s].
        ramp_s: duration of the ramp [s].
    """

    joint_names: tuple[str, ...]
    start: Float64
    actions: Float64
    times_s: Float64
    ramp_s: float

    @property
    def distance(self) -> Float64:
        """(J,) how far each joint is from the first action [rad; m where it slides]."""
        far: Float64 = np.abs(self.actions[0] - self.start)
        return far

    @property
    def duration_s(self) -> float:
        """Ramp and replay together [s]."""
        return self.ramp_s + float(self.times_s[-1])

    def target(self, t_s: float) -> tuple[Float64, Phase]:
        """Where the robot should be ``t_s`` after the start: (J,) rad, and the phase. Held after the end."""
        if t_s < self.ramp_s:
            share = minimum_jerk(max(0.0, t_s) / self.ramp_s)
            return self.start + share * (self.actions[0] - self.start), Phase.RAMP
        return self.along(t_s - self.ramp_s)

    def along(self, along_s: float) -> tuple[Float64, Phase]:
        """The same, ``along_s`` after the end of the ramp."""
        if along_s >= self.times_s[-1]:
            return self.actions[-1].copy(), Phase.DONE
        row = max(0, int(np.searchsorted(self.times_s, along_s, side="right")) - 1)
        share = (along_s - self.times_s[row]) / (self.times_s[row + 1] - self.times_s[row])
        return self.actions[row] + share * (self.actions[row + 1] - self.actions[row]), Phase.REPLAY


def minimum_jerk(share: float) -> float:
    """Position 0 … 1 of a minimum-jerk motion at a share 0 … 1 of its time: 10 s³ - 15 s⁴ + 6 s⁵."""
    return share**3 * (10.0 + share * (6.0 * share - 15.0))


def ramp_duration_s(distance_rad: float, speed_rad_s: float) -> float:
    """Shortest minimum-jerk motion over a distance whose peak stays within a speed; at least ``MIN_RAMP_S``."""
    return max(MIN_RAMP_S, MINIMUM_JERK_PEAK * distance_rad / speed_rad_s)


def plan_replay(
    episode: Episode, robot: Robot, measured: Float64, speed: float = 1.0, ramp_speed_rad_s: float = 0.5
) -> ReplayPlan:
    """Plan the replay of an episode on a robot that stands at ``measured``.

    Args:
        measured: (J,) measured positions in the robot's joint order [rad].
        speed: factor on the recorded speed, above 0 and at most 2.
        ramp_speed_rad_s: no joint is faster than this on the way to the first action.

    Raises:
        ReplayError: another robot, other joints, nothing requested, actions that are not finite or outside the limits.
    """
    if not 0.0 < speed <= MAX_SPEED_FACTOR:
        raise ReplayError(f"speed should lie above 0 and at most {MAX_SPEED_FACTOR:g}, found {speed:g}")
    if not ramp_speed_rad_s > 0.0:
        raise ReplayError(f"the ramp's speed should lie above 0 rad/s, found {ramp_speed_rad_s:g}")
    refuse_other_joints(episode, robot)
    if measured.shape != (len(robot.joints),) or not np.isfinite(measured).all():
        raise ReplayError(f"the measured pose should be {len(robot.joints)} finite numbers, found {measured}")
    actions, ticks = requested_actions(episode, robot)
    actions = np.where(np.isnan(actions), measured, actions)  # what nobody commanded stays where it is
    actions.setflags(write=False)
    ramp_s = ramp_duration_s(float(np.abs(actions[0] - measured).max()), ramp_speed_rad_s)
    return ReplayPlan(robot.joint_names, measured.copy(), actions, (ticks - ticks[0]) / 1e9 / speed, ramp_s)


def requested_actions(episode: Episode, robot: Robot) -> tuple[Float64, NDArray[np.int64]]:
    """(T', J) requested actions [rad] and (T',) their ticks [ns], from the first row that has one of every command
    topic to the last. A topic on which nothing was ever requested does not count: its joints are NaN.

    Raises:
        ReplayError: nothing was requested, or something unfit to be sent.
    """
    requested = episode["/actions/requested"]
    told = {group: np.isfinite(requested[:, group]).any(axis=1) for _, group in robot.groups}
    used = [group for group, rows in told.items() if rows.any()]
    if not used:
        raise ReplayError(f"{episode.path.name} holds no requested action: was teleop running when it was recorded?")
    first = max(int(told[group].argmax()) for group in used)
    actions = requested[first:]
    wrong = np.flatnonzero(~np.isfinite(actions[:, np.concatenate(used)]).all(axis=1))
    if len(wrong):
        raise ReplayError(f"{len(wrong)} requested actions are not finite, first in row {first + wrong[0]}: not sent")
    outside = outside_limits(robot, actions)
    if outside:
        raise ReplayError(f"requested actions leave the limits of {robot.name} in {', '.join(outside)}: not sent")
    return actions, episode["/time/tick_ns"][first:]


def farthest_joints(plan: ReplayPlan, robot: Robot, count: int = 3) -> str:
    """The joints that are farthest from the first pose, for people: ``elbow 34.2°, lift 12 mm``."""
    distance = plan.distance
    order = np.argsort(-distance, kind="stable")[:count]
    told = [(robot.joints[int(index)], float(distance[index])) for index in order]
    return ", ".join(
        f"{joint.name} {far * 1e3:.0f} mm" if joint.prismatic else f"{joint.name} {np.degrees(far):.1f}°"
        for joint, far in told
    )
