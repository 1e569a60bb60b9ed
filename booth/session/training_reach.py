# SPDX-License-Identifier: Apache-2.0
"""Reach: circles appear one after the other, and the operator brings the hand into each.

Score: every circle gives 100 when the hand is in it within `GOOD_S`, less the longer it takes, 0 from `LIMIT_S` on;
then the next one comes. The exercise has the circles' mean. Circles lie around where the hand was at the beginning and
are measured in palms, so that a tall, a small, a near and a distant operator have the same way to go.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from booth.session.training_exercise import SECOND, Array, Sight, Target
from booth.session.training_score import quality

CIRCLES = 8
GOOD_S, LIMIT_S = 1.5, 6.0
STAY_NS = 250_000_000
"""A hand that only flies through has not arrived."""

RADIUS, LEAST_RADIUS = 0.7, 0.03
"""Of the circle: in palms (wrist to middle knuckle), and as a share of the image's width."""
NEAREST, FARTHEST = 1.2, 2.2
"""How far a circle lies from the beginning, in palms. `APART`: from the one before, so that there is a way to go."""
APART = 1.0
EDGE_U, EDGE_V = 0.12, 0.15
"""The centre stays so far inside the image."""
TRIES = 40

WRIST, MIDDLE_MCP = 0, 9
PALM = [0, 5, 9, 13, 17]


class Reach:
    """See the module."""

    name = "reach"
    ghost_rad: Array | None = None
    limit_ns = round(CIRCLES * LIMIT_S * SECOND)

    def __init__(self, sides: Sequence[str], random: np.random.Generator, aspect: float) -> None:
        """Take the hands that drive, in turn, and the image's width over its height."""
        self._sides = [sides[k % len(sides)] for k in range(CIRCLES)]
        self._random, self._aspect = random, aspect
        self._homes: dict[str, Array] = {}
        self._circle: Target | None = None
        self._begun_ns = 0
        self._inside_ns: int | None = None
        self._now_ns = 0
        self._hit: list[Target] = []
        self._times_s: list[float] = []

    def see(self, sight: Sight) -> None:
        self._now_ns = sight.at_ns
        if self.done:
            return
        side = self._sides[len(self._times_s)]
        hand = sight.hands.get(side)
        if hand is not None and np.isfinite(hand).all():
            self._hand_at(side, hand, sight.at_ns)
        if sight.at_ns - self._begun_ns > LIMIT_S * SECOND:
            self._next(LIMIT_S)

    def _hand_at(self, side: str, hand: Array, at_ns: int) -> None:
        centre = hand[PALM].mean(axis=0)
        if self._circle is None:
            palm = float(np.hypot(*((hand[MIDDLE_MCP] - hand[WRIST]) * self._square)))
            self._circle = self._draw(self._homes.setdefault(side, centre), centre, palm)
            self._begun_ns = at_ns
        away = (centre - [self._circle.u, self._circle.v]) * self._square
        if float(np.hypot(*away)) > self._circle.r:
            self._inside_ns = None
            return
        self._inside_ns = at_ns if self._inside_ns is None else self._inside_ns
        if at_ns - self._inside_ns >= STAY_NS:
            self._hit.append(Target(self._circle.u, self._circle.v, self._circle.r, True))
            self._next((self._inside_ns - self._begun_ns) / SECOND)

    def _next(self, took_s: float) -> None:
        self._times_s.append(took_s)
        self._circle, self._inside_ns, self._begun_ns = None, None, self._now_ns

    @property
    def _square(self) -> Array:
        """From shares of the image to shares of its width."""
        return np.array([1.0, 1.0 / self._aspect])

    def _draw(self, home: Array, now: Array, palm: float) -> Target:
        """A circle near where the hand began, away from where it is; ``palm`` is a share of the image's width."""
        lower, upper = np.array([EDGE_U, EDGE_V]), np.array([1.0 - EDGE_U, 1.0 - EDGE_V])
        best, farthest = home, -1.0
        for _ in range(TRIES):
            angle, far = self._random.uniform(0.0, 2 * np.pi), self._random.uniform(NEAREST, FARTHEST) * palm
            place = np.clip(home + far * np.array([np.cos(angle), np.sin(angle)]) / self._square, lower, upper)
            away = float(np.hypot(*((place - now) * self._square)))
            if away > farthest:
                best, farthest = place, away
            if away >= APART * palm + RADIUS * palm:
                best = place
                break
        return Target(float(best[0]), float(best[1]), max(LEAST_RADIUS, RADIUS * palm))

    @property
    def done(self) -> bool:
        return len(self._times_s) == CIRCLES

    @property
    def score(self) -> float:
        return 100.0 * sum(quality(each, GOOD_S, LIMIT_S) for each in self._times_s) / CIRCLES

    @property
    def details(self) -> Mapping[str, object]:
        return {"times_s": [round(each, 2) for each in self._times_s], "reached": len(self._hit), "of": CIRCLES}

    @property
    def progress(self) -> float:
        return len(self._times_s) / CIRCLES

    @property
    def asks(self) -> str:
        return f"training.reach_{self._sides[min(len(self._times_s), CIRCLES - 1)]}"

    @property
    def targets(self) -> tuple[Target, ...]:
        return (*self._hit, *([] if self._circle is None else [self._circle]))
