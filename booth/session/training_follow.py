# SPDX-License-Identifier: Apache-2.0
"""Follow: the pale robot moves slowly through some poses, and the operator moves the robot along with it.

Error: root mean square distance of the robot's posture (`training_posture`; only what the pale robot moves) from where
the pale one was `DELAY_S` ago (the way from hand to servo takes so long; nobody is blamed for it), over the root mean
square of its own motion about its mean. 0 is perfect, 1 is no better than standing still in the middle. Score: 100 up
to `GOOD`, 0 from 1 on, straight between.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from booth.session.training_exercise import SECOND, Array, Sight, Target
from booth.session.training_posture import Postures, apart
from booth.session.training_score import DELAY_S, quality

LEG_S = 4.0
"""From pose to pose."""
GOOD = 0.25
NEAR_RAD = {"hand": 0.45, "arm": 0.35}
WAIT_S = 8.0
"""The pale robot moves when the robot is near it, or after this time."""
STILL_RAD = 0.4
"""What moves less than this is not judged: nobody sees it."""


class Course:
    """A slow way through poses: one leg after the other, each with a gentle start and stop (minimum jerk)."""

    def __init__(self, poses: Sequence[Array]) -> None:
        """Take two or more poses (n,)."""
        self._poses = np.array(poses)
        self.seconds = LEG_S * (len(poses) - 1)

    def at(self, time_s: float) -> Array:
        """(n,) at a time; before and after it stands still."""
        leg = min(max(time_s, 0.0) / LEG_S, len(self._poses) - 1 - 1e-9)
        k, x = int(leg), leg - int(leg)
        share = x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
        return np.asarray(self._poses[k] + share * (self._poses[k + 1] - self._poses[k]))


class Follow:
    """See the module."""

    name = "follow"
    targets: tuple[Target, ...] = ()

    def __init__(self, course: Course, postures: Postures) -> None:
        """Take the way, and how the robot's postures are read."""
        self._course, self._postures, self._part = course, postures, postures.part
        way = np.array([postures.of(course.at(t)) for t in np.linspace(0.0, course.seconds, 61)])
        ranges_rad = np.linalg.norm(np.ptp(way, axis=0), axis=-1)
        self._moved = ranges_rad >= min(STILL_RAD, float(ranges_rad.max()))
        self.motion_rad = max(apart(way, way.mean(axis=0), self._moved), 1e-6)
        self.limit_ns = round((WAIT_S + course.seconds + DELAY_S[self._part]) * SECOND)
        self._first_ns: int | None = None
        self._begun_ns: int | None = None
        self._now_ns = 0
        self._squares: list[float] = []

    def see(self, sight: Sight) -> None:
        if self.done:
            return
        self._now_ns = sight.at_ns
        self._first_ns = sight.at_ns if self._first_ns is None else self._first_ns
        if self._begun_ns is None:
            near = self._away(sight.measured_rad, 0.0) <= NEAR_RAD[self._part]
            if near or sight.at_ns - self._first_ns >= WAIT_S * SECOND:
                self._begun_ns = sight.at_ns
            return
        self._squares.append(self._away(sight.measured_rad, self._time_s - DELAY_S[self._part]) ** 2)

    def _away(self, measured_rad: Array, time_s: float) -> float:
        shown = self._postures.of(self._course.at(time_s))
        return apart(self._postures.of(measured_rad), shown, self._moved)

    @property
    def _time_s(self) -> float:
        """Since the pale robot began to move."""
        return 0.0 if self._begun_ns is None else (self._now_ns - self._begun_ns) / SECOND

    @property
    def error(self) -> float:
        """Until now, as a share of the motion."""
        return float(np.sqrt(np.mean(self._squares))) / self.motion_rad if self._squares else 1.0

    @property
    def done(self) -> bool:
        return self._time_s >= self._course.seconds + DELAY_S[self._part]

    @property
    def score(self) -> float:
        return 100.0 * quality(self.error, GOOD, 1.0)

    @property
    def details(self) -> Mapping[str, object]:
        return {
            "error_rad": round(self.error * self.motion_rad, 3),
            "motion_rad": round(self.motion_rad, 3),
            "delay_s": DELAY_S[self._part],
        }

    @property
    def progress(self) -> float:
        return min(1.0, self._time_s / (self._course.seconds + DELAY_S[self._part]))

    @property
    def asks(self) -> str:
        return "training.follow_begin" if self._begun_ns is None else "training.follow"

    @property
    def ghost_rad(self) -> Array | None:
        return self._course.at(self._time_s)
