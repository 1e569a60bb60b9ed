# SPDX-License-Identifier: Apache-2.0
"""Neighbouring fingers kept apart: none is commanded into or through the one beside it.

Fingers are rows of balls from the knuckle to the tip. Where balls of two neighbours are level with each other, the
outer finger has to be farther out by their width. What is missing is made up by leaning both apart; one that meets the
thumb stays, and its neighbour yields. A finger that stands in front of its neighbour is free to cross it.
"""

from itertools import pairwise

import numpy as np

from robots.frames import Array
from teleop.hand_model import HandModel, HandPose

WIDTH_SHARE = 0.7
"""A finger's width over the distance of neighbouring knuckles; a URDF tells no width."""
SHORTEST_LEVER_M = 0.015
"""Leaning a finger moves nothing that is nearer to its root."""
PASSES = 4
CLOSE_ENOUGH_M = 0.0005
"""What is missing less than this is not worth another pass."""


class Neighbours:
    """Keeps the fingers of one hand apart by their spread joints; does nothing for fingers without."""

    def __init__(self, model: HandModel) -> None:
        self._model = model
        spread = [i for i in range(model.count) if model.spread[i] >= 0]
        pairs = [(i, j) for i, j in pairwise(spread) if model.digits[j] == model.digits[i] + 1]
        self._inner, self._outer = np.array([i for i, _ in pairs], int), np.array([j for _, j in pairs], int)
        apart = model.root_m[self._inner, 1] - model.root_m[self._outer, 1]
        self._towards = np.sign(apart)
        self._width = WIDTH_SHARE * np.abs(apart)

    def missing_m(self, pose: HandPose) -> tuple[Array, Array, Array]:
        """What every pair lacks at its worst place, and how far from their roots that is for inner and outer finger.

        Returns:
            (p,) [m], positive where they overlap or have crossed; (p,) and (p,) [m] along z.
        """
        balls = self._balls(pose)
        inner, outer = balls[self._inner], balls[self._outer]
        offset = inner[:, :, None] - outer[:, None]
        level = self._width[:, None, None] ** 2 - offset[..., 0] ** 2 - offset[..., 2] ** 2
        sideways = offset[..., 1] * self._towards[:, None, None]
        missing = np.where(level > 0.0, np.sqrt(np.maximum(level, 0.0)) - sideways, -1.0).reshape(len(inner), -1)
        worst = missing.argmax(axis=1)
        row, count = np.arange(len(inner)), balls.shape[1]
        root = self._model.root_m[:, 2]
        return (
            missing[row, worst],
            inner[row, worst // count, 2] - root[self._inner],
            outer[row, worst % count, 2] - root[self._outer],
        )

    def keep_apart(self, position_rad: Array, pose: HandPose, yielding: Array) -> Array:
        """Joint positions (k,) with neighbours apart, as far as the limits of their spread joints allow.

        Args:
            yielding: (d,) more than 0: which of two fingers leans farther away.
        """
        if not len(self._inner):
            return position_rad
        model = self._model
        for _ in range(PASSES):
            missing, inner_lever, outer_lever = self.missing_m(pose)
            if float(missing.max()) <= CLOSE_ENOUGH_M:
                break
            position_rad = position_rad.copy()
            for p in np.flatnonzero(missing > CLOSE_ENOUGH_M):
                levers = np.array([inner_lever[p], outer_lever[p]])
                levers[np.abs(levers) < SHORTEST_LEVER_M] = 0.0
                shares = levers * yielding[[self._inner[p], self._outer[p]]]
                if not shares.any():
                    continue
                lean = missing[p] * shares / float(shares @ levers) * self._towards[p]
                for finger, angle in ((self._inner[p], -lean[0]), (self._outer[p], lean[1])):
                    joint = model.spread[finger]
                    moved = position_rad[joint] + angle * model.spread_sign[finger]
                    position_rad[joint] = min(max(moved, model.lower_rad[joint]), model.upper_rad[joint])
            pose = model.place(position_rad)
        return position_rad

    def _balls(self, pose: HandPose) -> Array:
        """Centres of the balls, (d, b, 3): joints from the knuckle on, the tip, and the middles between."""
        model = self._model
        points = np.concatenate([pose.origin_m, pose.tip_m[:, None]], axis=1)
        places = np.minimum(np.maximum(np.arange(model.depth + 1), model.knuckle[:, None]), model.depth)
        points = points[np.arange(model.count)[:, None], places]
        return np.concatenate([points, 0.5 * (points[:, 1:] + points[:, :-1])], axis=1)
