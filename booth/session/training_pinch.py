# SPDX-License-Identifier: Apache-2.0
"""Pinch: tips of thumb and index together and apart again, and the robot's hand with them.

Score: every pinch gives 100 when hand and robot have closed and opened within `GOOD_S`, less the longer it takes, 0
from `LIMIT_S` on; then the next one counts. The exercise has the mean of all. A pinch that the robot's measured joints
did not follow is none: whoever pinches faster than the robot can waits for it. Each begins with an open hand.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from booth.session.training_exercise import SECOND, Array, Sight, Target
from booth.session.training_grip import RobotGrip, grip_sides, operator_pinch
from booth.session.training_score import quality
from robots import Robot

PINCHES = 6
GOOD_S, LIMIT_S = 2.5, 8.0
HAND_CLOSED, HAND_OPEN = 0.75, 0.4
"""How far the operator's hand is closed, 0 … 1, where it counts as closed, and as open; see `training_grip`."""
STROKE = 0.25
"""How far the robot's must have closed since it was open, and opened since it was closed: of a filmed pinch, skin to
skin, tracker and robot make 0.4 of the whole way (measured on the bundled clip)."""
STAY_NS = 100_000_000
"""Both for so long: a landmark that jumps is no pinch."""


class Pinch:
    """See the module."""

    name = "pinch"
    ghost_rad: Array | None = None
    targets: tuple[Target, ...] = ()
    limit_ns = round(PINCHES * LIMIT_S * SECOND)

    def __init__(self, robot: Robot, sides: Sequence[str], aspect: float) -> None:
        """Take the robot's hands, in turn, and the image's width over its height."""
        used = [side for side in grip_sides(robot) if side in sides]
        self._sides = [used[k % len(used)] for k in range(PINCHES)]
        self._grips = {side: RobotGrip(robot, side) for side in used}
        self._aspect = aspect
        self._begun_ns: int | None = None
        self._opened = self._closed = False
        self._widest, self._tightest = 1.0, 0.0
        self._since_ns: int | None = None
        self._times_s: list[float] = []
        self._missed = 0

    def see(self, sight: Sight) -> None:
        if self.done:
            return
        self._begun_ns = sight.at_ns if self._begun_ns is None else self._begun_ns
        side = self._sides[len(self._times_s)]
        hand = sight.hands.get(side)
        if hand is not None and np.isfinite(hand).all():
            shown, followed = operator_pinch(hand, self._aspect), self._grips[side].closed(sight.measured_rad)
            self._look(shown, followed, sight.at_ns)
        if not self.done and sight.at_ns - self._begun_ns > LIMIT_S * SECOND:
            self._missed += 1
            self._next(LIMIT_S, sight.at_ns)
            self._opened = False

    def _look(self, shown: float, followed: float, at_ns: int) -> None:
        """How far hand and robot are closed now."""
        self._widest, self._tightest = min(self._widest, followed), max(self._tightest, followed)
        self._opened = self._opened or shown < HAND_OPEN
        closed = self._opened and shown > HAND_CLOSED and followed >= self._widest + STROKE
        opened = shown < HAND_OPEN and followed <= self._tightest - STROKE
        if not (opened if self._closed else closed):
            self._since_ns = None
            return
        self._since_ns = at_ns if self._since_ns is None else self._since_ns
        if at_ns - self._since_ns < STAY_NS:
            return
        if self._closed:
            self._next((at_ns - (self._begun_ns or 0)) / SECOND, at_ns)
        else:
            self._closed, self._since_ns, self._tightest = True, None, followed

    def _next(self, took_s: float, at_ns: int) -> None:
        self._times_s.append(took_s)
        self._begun_ns, self._closed, self._since_ns, self._widest = at_ns, False, None, 1.0

    @property
    def done(self) -> bool:
        return len(self._times_s) == PINCHES

    @property
    def score(self) -> float:
        return 100.0 * sum(quality(each, GOOD_S, LIMIT_S) for each in self._times_s) / PINCHES

    @property
    def details(self) -> Mapping[str, object]:
        times = [round(each, 2) for each in self._times_s]
        return {"times_s": times, "followed": len(times) - self._missed, "of": PINCHES}

    @property
    def progress(self) -> float:
        return (len(self._times_s) + 0.5 * self._closed) / PINCHES

    @property
    def asks(self) -> str:
        side = self._sides[min(len(self._times_s), PINCHES - 1)]
        return f"training.{'open' if self._closed else 'pinch'}_{side}"
