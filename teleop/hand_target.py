# SPDX-License-Identifier: Apache-2.0
"""What a robot hand shall look like, from the operator's landmarks in the palm frame.

Directions and shares instead of positions: a tip lies in the operator's direction from the wrist, its last segment
points where the operator's does, and the digit is as far stretched as the operator's. So every digit has its own scale,
robot length over human length, whatever the proportions are. Distances count only between thumb and fingers.
"""

import numpy as np
from numpy.typing import NDArray

from robots.frames import Array
from teleop.hand_model import HUMAN_BONES, HandModel
from teleop.hand_pinch import Pinch
from teleop.hand_posture import finger_posture, straighten, thumb_bends
from teleop.hand_solver import HandTarget

TIPS, KNUCKLES = np.array([4, 8, 12, 16, 20]), np.array([2, 5, 9, 13, 17])

SPREAD_WEIGHT, BEND_WEIGHT, REST_WEIGHT = 0.1, 0.03, 0.005
"""How strongly the solver leans on the operator's own abduction and flexion, and a thumb on its resting pose: squared,
against 1 for a radian of the tip's direction. Little: they decide between shapes that are equally good."""

KNOWN_SPREAD, KNOWN_BEND, KNOWN_THUMB = 0.4, 0.4, 0.2
"""So much more on a calibrated hand: its angles are read without the tracker's own offsets."""

FOLDED, STRETCHED = 0.45, 0.75
"""Knuckle to tip over the finger's length: below it is folded, above it is not at all."""
FOLDED_SPREAD, FOLDED_BEND, FOLDED_SHED = 0.5, 0.3, 0.5
"""How much more a folded finger leans on its posture, and the share of its direction that it gives up. Its tip lies
near the palm, so the direction from the wrist says less of the finger than of the palm's length, which robots have
other; and at a bent knuckle a hand's finger can't lean sideways, as a robot's could to meet that direction."""

_COUNTED = np.array([[0.0, 1.0, 1.0]] + 4 * [[1.0, 1.0, 1.0]])
"""Bones beyond the knuckle; the thumb's first one is its metacarpal."""

SHED = 0.8
"""Share of its own shape that a digit gives up to meet the thumb."""
MEETING_BEND = 0.1
"""How much more a finger that meets the thumb leans on its posture: of all shapes that meet, the nearest one is the
shortest way, and looks like the operator's."""


class TargetMaker:
    """Builds targets for one hand model."""

    def __init__(self, model: HandModel, rest_rad: Array) -> None:
        self._model = model
        digits = model.digits
        self._digits = digits
        self._tips, self._knuckles = TIPS[digits], KNUCKLES[digits]
        self._segment = self._tips - np.maximum(1, 1 + HUMAN_BONES[digits] - model.bones)
        self._has_thumb = bool(digits[0] == 0)
        self._from_angles, self._weight = _posture_map(model)
        self._shown: NDArray[np.bool_] = np.asarray(self._from_angles.any(axis=1))
        self._known, self._folded, self._meeting = _more_weight(model, self._shown)
        self._rest = rest_rad * ~self._shown
        self._pinch = Pinch(model.count - 1 if self._has_thumb else 0)

    def reset(self) -> None:
        """Forget what was pinched."""
        self._pinch.reset()

    @property
    def closed(self) -> Array:
        """(f,) whether each finger is closed on the thumb."""
        return self._pinch.closed

    def make(self, palm_points_m: Array, flat_rad: Array | None, elapsed_s: float) -> HandTarget:
        """The target for landmarks in the palm frame (21, 3) [m].

        Args:
            flat_rad: (4, 3) flexion read on a flat hand; None: nothing to correct.
            elapsed_s: since the last call.
        """
        points = palm_points_m
        bones, lengths = _bones(points)
        directions = bones / lengths
        posture = finger_posture(directions[1:])
        touching = points[self._tips]
        if flat_rad is not None:
            points = points.copy()
            directions[1:] = straighten(directions[1:], posture, flat_rad)
            fingers = points[5:].reshape(4, 4, 3)
            fingers[:, 1:] = fingers[:, :1] + np.cumsum(directions[1:] * lengths[1:], axis=1)
            posture = finger_posture(directions[1:])
        tips = points[self._tips]
        chord, last = tips - points[self._knuckles], tips - points[self._segment]
        length = np.einsum("ijk,ij->i", lengths, _COUNTED)[self._digits]
        extension = np.minimum(_norms(chord) / length, 1.0)
        folded = _folded(extension) * (self._digits > 0)
        weight, pair, pair_weight = np.ones(self._model.count), np.zeros((0, 3)), np.zeros(0)
        if self._has_thumb:
            gap = touching[0] - touching[1:]
            pair_weight, left = self._pinch.see(_norms(gap), extension[1:], elapsed_s)
            scale = self._model.length_m / length
            pair = gap * (left * 0.5 * (scale[0] + scale[1:]))[:, None]
            weight[1:] -= SHED * np.minimum(pair_weight, 1.0)
            weight[0] -= SHED * min(float(pair_weight.max(initial=0.0)), 1.0)
        lean = self._folded @ (folded * weight) + self._meeting @ np.minimum(pair_weight, 1.0)
        if flat_rad is not None:
            lean += self._known @ weight
        return HandTarget(
            tip=tips / _norms(tips)[:, None],
            distal=last / _norms(last)[:, None],
            extension=extension,
            pair_m=pair,
            pair_weight=pair_weight,
            weight=weight * (1.0 - FOLDED_SHED * folded),
            posture_rad=self._from_angles @ np.concatenate([thumb_bends(directions[0]), posture.ravel()]) + self._rest,
            posture_weight=self._weight + lean,
            shown=self._shown,
        )


def _norms(vectors: Array) -> Array:
    return np.asarray(np.maximum(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)), 1e-6))


def _folded(extension: Array) -> Array:
    """1 for a folded digit, 0 for a stretched one, and smoothly between."""
    share = np.minimum(np.maximum((STRETCHED - extension) / (STRETCHED - FOLDED), 0.0), 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def _more_weight(model: HandModel, shown: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """How much more joints lean on the posture by digit: on a known hand and of a folded finger, (k, d) each; and of
    one that meets the thumb, (k, d - 1), or (k, 0) without a thumb."""
    moved = np.abs(model.select).reshape(model.count, model.depth, -1).max(axis=1).T > 0.0
    spread = np.isin(np.arange(len(shown)), model.spread)
    finger = model.digits > 0
    known = np.where(spread, KNOWN_SPREAD, KNOWN_BEND)[:, None] * finger + KNOWN_THUMB * ~finger
    folded = np.where(spread, FOLDED_SPREAD, FOLDED_BEND)[:, None] * finger
    own = moved & shown[:, None]
    met = np.arange(1, model.count) if model.digits[0] == 0 else np.zeros(0, int)
    return known * own, folded * own, MEETING_BEND * own[:, met]


def _bones(points: Array) -> tuple[Array, Array]:
    """The three outer bones of every digit, (5, 3, 3), and their lengths, (5, 3, 1), never 0."""
    digits = points[1:].reshape(5, 4, 3)
    bones = digits[:, 1:] - digits[:, :-1]
    return bones, np.maximum(np.sqrt(np.einsum("ijk,ijk->ij", bones, bones)), 1e-4)[:, :, None]


def _posture_map(model: HandModel) -> tuple[Array, Array]:
    """Matrix from the operator's 2 + 16 angles to joint positions (k, 18), and how strongly each is leant on (k,)."""
    k, d, n = len(model.joint_names), model.count, model.depth
    matrix, weight = np.zeros((k, 18)), np.full(k, REST_WEIGHT)
    axes = model.joint_axes(np.zeros(k))
    select = model.select.reshape(d, n, k)
    for i, digit in enumerate(model.digits):
        first = 4 * digit - 2
        human = 2 if digit == 0 else 3
        start = 0 if digit == 0 else first + 1
        if model.spread[i] >= 0:
            matrix[model.spread[i], first], weight[model.spread[i]] = model.spread_sign[i], SPREAD_WEIGHT
        bends = [j for j in range(n) if model.bends[i, j] and select[i, j].any()]
        for place, j in enumerate(bends):
            joint = int(np.argmax(np.abs(select[i, j])))
            if matrix[joint].any():
                continue  # driven by a joint that is leant on already
            towards_palm = axes[i, j, 1] * select[i, j, joint]
            sign = np.sign(towards_palm if digit else model.lower_rad[joint] + model.upper_rad[joint])
            if place >= human or sign == 0.0:
                continue
            matrix[joint, start + place], weight[joint] = sign, BEND_WEIGHT
            if place == len(bends) - 1:  # a hand with fewer joints bends its last one for those that it has not
                matrix[joint, start + place + 1 : start + human] = 0.5 * sign
    return matrix, weight
