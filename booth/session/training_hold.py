# SPDX-License-Identifier: Apache-2.0
"""Hold: the robot is to stand as the pale one does, and to stand still.

Error: root mean square of the practised joints' distance from the shown pose [rad], while it is held. Unsteadiness:
root mean square of their standard deviations meanwhile [rad]. Score of a pose: 0 when it was not held in time; else 40,
and up to 40 more for a small error and 20 for a steady hand. The exercise has the poses' mean.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from booth.session.training_exercise import SECOND, Array, Sight, Target
from booth.session.training_score import quality

POSES = 3
HOLD_S, LIMIT_S = 3.0, 15.0
SLIP_NS = 300_000_000
"""Out of the tolerance for longer than this, and holding begins anew."""
TOLERANCE_RAD = {"hand": 0.40, "arm": 0.28}
"""Two to three times what tracker and robot make of an operator who does it right (docs/performance.md)."""
GOOD_RAD = {"hand": 0.15, "arm": 0.12}
STEADY_RAD, SHAKY_RAD = 0.02, 0.12
HELD, CLOSE, STEADY = 40.0, 40.0, 20.0


def pose_score(error_rad: float, unsteady_rad: float, part: str) -> float:
    """Of a pose that was held, 40 … 100."""
    close = quality(error_rad, GOOD_RAD[part], TOLERANCE_RAD[part])
    return HELD + CLOSE * close + STEADY * quality(unsteady_rad, STEADY_RAD, SHAKY_RAD)


class Hold:
    """See the module."""

    name = "hold"
    targets: tuple[Target, ...] = ()

    def __init__(self, poses: Sequence[Array], joints: NDArray[np.int_], part: str) -> None:
        """Take poses (n,) to hold one after the other, the practised joints, and whether they are a hand's or arms'."""
        self._poses, self._joints, self._part = list(poses), joints, part
        self.limit_ns = round(len(self._poses) * LIMIT_S * SECOND)
        self._begun_ns: int | None = None
        self._inside_ns: int | None = None
        self._last_inside_ns = 0
        self._now_ns = 0
        self._held: list[Array] = []
        self._scores: list[float] = []
        self._errors_rad: list[float | None] = []
        self._unsteady_rad: list[float | None] = []

    def see(self, sight: Sight) -> None:
        if self.done:
            return
        now_ns = self._now_ns = sight.at_ns
        self._begun_ns = now_ns if self._begun_ns is None else self._begun_ns
        away = (sight.measured_rad - self._poses[len(self._scores)])[self._joints]
        if _rms(away) <= TOLERANCE_RAD[self._part]:
            self._inside_ns = now_ns if self._inside_ns is None else self._inside_ns
            self._last_inside_ns = now_ns
        elif now_ns - self._last_inside_ns > SLIP_NS:
            self._inside_ns = None
            self._held.clear()
        if self._inside_ns is not None:
            self._held.append(away)
            if now_ns - self._inside_ns >= HOLD_S * SECOND and self._last_inside_ns == now_ns:
                self._judge()
                return
        if now_ns - self._begun_ns > LIMIT_S * SECOND:
            self._next(0.0, None, None)

    def _judge(self) -> None:
        held = np.array(self._held)
        error, unsteady = _rms(held), _rms(held.std(axis=0))
        self._next(pose_score(error, unsteady, self._part), error, unsteady)

    def _next(self, score: float, error_rad: float | None, unsteady_rad: float | None) -> None:
        self._scores.append(score)
        self._errors_rad.append(error_rad)
        self._unsteady_rad.append(unsteady_rad)
        self._begun_ns = self._inside_ns = None
        self._held.clear()

    @property
    def done(self) -> bool:
        return len(self._scores) == len(self._poses)

    @property
    def score(self) -> float:
        return sum(self._scores) / len(self._poses)

    @property
    def details(self) -> Mapping[str, object]:
        told = {"errors_rad": self._errors_rad, "unsteady_rad": self._unsteady_rad}
        rounded = {name: [None if each is None else round(each, 3) for each in all_] for name, all_ in told.items()}
        return {**rounded, "held": sum(each is not None for each in self._errors_rad), "of": len(self._poses)}

    @property
    def progress(self) -> float:
        held_s = 0.0 if self._inside_ns is None else (self._now_ns - self._inside_ns) / SECOND
        return (len(self._scores) + min(held_s / HOLD_S, 1.0)) / len(self._poses)

    @property
    def asks(self) -> str:
        return "training.hold" if self._inside_ns is None else "training.keep"

    @property
    def ghost_rad(self) -> Array | None:
        return self._poses[min(len(self._scores), len(self._poses) - 1)]


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
