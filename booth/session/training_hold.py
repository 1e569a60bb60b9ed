# SPDX-License-Identifier: Apache-2.0
"""Hold: the robot is to stand as the pale one does, and to stand still.

Error: root mean square distance of the robot's posture (`training_posture`) from the shown one [rad], while it is held
and after it has settled for `SETTLE_S`. Unsteadiness: root mean square distance from its own mean meanwhile [rad].
Score of a pose: 0 when it was not held in time; else 40, and up to 40 more for a small error and 20 for a steady hand.
The exercise has the poses' mean.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from booth.session.training_exercise import SECOND, Array, Sight, Target
from booth.session.training_posture import Postures, apart
from booth.session.training_score import quality

POSES = 3
HOLD_S, SETTLE_S, LIMIT_S = 3.0, 1.0, 15.0
SLIP_NS = 300_000_000
"""Out of the tolerance for longer than this, and holding begins anew."""
TOLERANCE_RAD = {"hand": 0.45, "arm": 0.35}
"""What a tracker makes of a filmed hand that does it right is 0.24 rad away for a pointing hand and 0.36 for a fist
(measured on the bundled clip); of arms 0.2 (docs/performance.md)."""
GOOD_RAD = {"hand": 0.20, "arm": 0.15}
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

    def __init__(self, poses: Sequence[Array], postures: Postures) -> None:
        """Take poses (n,) to hold one after the other, and how the robot's postures are read."""
        self._poses, self._postures, self._part = list(poses), postures, postures.part
        self._shown = [postures.of(pose) for pose in poses]
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
        posture = self._postures.of(sight.measured_rad)
        if apart(posture, self._shown[len(self._scores)]) <= TOLERANCE_RAD[self._part]:
            self._inside_ns = now_ns if self._inside_ns is None else self._inside_ns
            self._last_inside_ns = now_ns
        elif now_ns - self._last_inside_ns > SLIP_NS:
            self._inside_ns = None
            self._held.clear()
        if self._inside_ns is not None:
            if now_ns - self._inside_ns >= SETTLE_S * SECOND:
                self._held.append(posture)
            if now_ns - self._inside_ns >= HOLD_S * SECOND and self._last_inside_ns == now_ns:
                self._judge()
                return
        if now_ns - self._begun_ns > LIMIT_S * SECOND:
            self._next(0.0, None, None)

    def _judge(self) -> None:
        held = np.array(self._held)
        error, unsteady = apart(held, self._shown[len(self._scores)]), apart(held, held.mean(axis=0))
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
