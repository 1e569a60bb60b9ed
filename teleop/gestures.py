# SPDX-License-Identifier: Apache-2.0
"""Hand signs from the shape of the hand in its own palm frame, which no camera angle changes.

Only an open palm (it faces the camera) and a thumb (it points up or down) depend on how the hand is held.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from teleop.hand_geometry import (
    FINGER_MCPS,
    INDEX_MCP,
    MIDDLE_MCP,
    THUMB_CMC,
    WRIST,
    Side,
    rotation_palm_to_camera,
)

Array = NDArray[np.float64]

STRETCHED, BENT = 0.82, 0.66
"""Tip to base distance over the bones' length: a straight finger has 1, a fist about 0.45 (measured on a real hand)."""
FLAT_RAD = 0.95
"""Mean angle between fingers and palm of an open hand, at most: trackers see 0.3 to 0.85 rad on hands that are flat
(measured on two); a relaxed hand has 1.1."""
THUMB_STRAIGHT = 0.88
THUMB_OUT = 0.12
"""How far the thumb's tip stands out beside the index knuckle, over the palm's length: 0.3 to 0.7 on an open hand that
is turned by up to 35 degrees, -0.3 where the thumb lies across the palm (measured)."""
THUMB_FREE = 0.5
"""Distance from the thumb's tip to the nearest finger bone over the palm's length, where a thumb is shown."""

THUMB_MP, THUMB_TIP, FINGER_TIPS = 2, 4, np.array([8, 12, 16, 20])

FACING = 0.5
"""Cosine between palm normal and the direction to the camera: within 60 degrees."""
UPRIGHT = 0.75
"""Cosine between a thumb and the vertical: within 41 degrees."""

TOUCHING = 0.42
"""Distance of the tips of thumb and index over the palm's length: 0.35 where skin meets skin, 0.8 on an open hand."""
APART = 0.55
"""An open palm keeps them farther apart."""
LIFTED = 0.55
"""A pinching index is stretched at least this far; in a fist the thumb is near its tip as well."""


class Gesture(Enum):
    """Signs that mean something to the booth."""

    NONE = "none"
    OPEN_PALM = "open palm"
    FIST = "fist"
    POINTING = "pointing"
    PINCH = "pinch"
    VICTORY = "victory"
    THUMB_UP = "thumb up"
    THUMB_DOWN = "thumb down"


@dataclass(frozen=True, slots=True)
class HandShape:
    """What a sign is read from; lengths are shares of the palm's, wrist to middle knuckle.

    Attributes:
        stretch: (5,) of every digit, 0 … 1.
        lean_rad: mean angle from the palm's plane to the lines from knuckles to fingertips, positive to its front.
        facing: cosine between the palm's normal and the direction to the camera.
        thumb_out: how far the thumb's tip stands out beside the index knuckle, negative across the palm.
        thumb_free: from the thumb's tip to the nearest finger bone.
        thumb_up: cosine between the thumb and up in the image.
        pinch: from the thumb's tip to the index finger's.
    """

    stretch: Array
    lean_rad: float
    facing: float
    thumb_out: float
    thumb_free: float
    thumb_up: float
    pinch: float


def stretch(points_m: Array) -> Array:
    """How far each digit is stretched, (5,): straight distance base to tip over the sum of its bones, 0 … 1."""
    bases = np.array([THUMB_CMC, *FINGER_MCPS])
    chain = points_m[bases[:, None] + np.arange(4)]
    bones = np.linalg.norm(np.diff(chain, axis=1), axis=2).sum(axis=1)
    return np.asarray(np.linalg.norm(chain[:, 3] - chain[:, 0], axis=1) / np.maximum(bones, 1e-6))


def shape_of(points_m: Array, side: Side) -> HandShape:
    """Measure a hand.

    Args:
        points_m: (21, 3) landmarks [m] in the axes of the camera's optical frame (x right, y down, z away).
        side: which hand it is.

    Raises:
        HandGeometryError: the landmarks are no hand.
    """
    rotation = rotation_palm_to_camera(points_m, side)
    palm_m = float(np.linalg.norm(points_m[MIDDLE_MCP] - points_m[WRIST]))
    thumb_side = rotation[:, 1] if side == "right" else -rotation[:, 1]
    tip = points_m[THUMB_TIP]
    thumb = tip - points_m[THUMB_MP]
    fingers = points_m[FINGER_TIPS] - points_m[FINGER_MCPS]
    return HandShape(
        stretch=stretch(points_m),
        lean_rad=float(np.arctan2(fingers @ rotation[:, 0], fingers @ rotation[:, 2]).mean()),
        facing=float(-rotation[2, 0]),
        thumb_out=float((tip - points_m[INDEX_MCP]) @ thumb_side) / palm_m,
        thumb_free=_to_finger_bones_m(tip, points_m) / palm_m,
        thumb_up=float(-thumb[1] / max(float(np.linalg.norm(thumb)), 1e-6)),
        pinch=float(np.linalg.norm(tip - points_m[FINGER_TIPS[0]])) / palm_m,
    )


def classify(points_m: Array, side: Side) -> Gesture:
    """The sign a hand shows.

    Args:
        points_m: (21, 3) landmarks [m] in the axes of the camera's optical frame (x right, y down, z away).
        side: which hand it is.

    Raises:
        HandGeometryError: the landmarks are no hand.
    """
    shape = shape_of(points_m, side)
    straight = shape.stretch[1:] > STRETCHED
    bent = shape.stretch[1:] < BENT
    if shape.pinch < TOUCHING and shape.stretch[1] > LIFTED and not bent[1:].all():
        return Gesture.PINCH
    if straight.all():
        return _open(shape)
    if bent.all():
        return _closed(shape)
    if straight[0] and bent[1:].all():
        return Gesture.POINTING
    if straight[:2].all() and bent[2:].all():
        return Gesture.VICTORY
    return Gesture.NONE


def _open(shape: HandShape) -> Gesture:
    """Four straight fingers: an open palm where the thumb is out too and the palm faces the camera."""
    thumb_out = shape.stretch[0] > THUMB_STRAIGHT and shape.thumb_out > THUMB_OUT and shape.pinch > APART
    flat = shape.lean_rad < FLAT_RAD
    return Gesture.OPEN_PALM if thumb_out and flat and shape.facing > FACING else Gesture.NONE


def _closed(shape: HandShape) -> Gesture:
    """Four bent fingers: a fist, or a thumb that is shown."""
    if shape.stretch[0] > THUMB_STRAIGHT and shape.thumb_free > THUMB_FREE:
        if shape.thumb_up > UPRIGHT:
            return Gesture.THUMB_UP
        if shape.thumb_up < -UPRIGHT:
            return Gesture.THUMB_DOWN
    return Gesture.FIST


def _to_finger_bones_m(point: Array, points_m: Array) -> float:
    """Distance from a point to the nearest bone of the four fingers [m]."""
    chain = points_m[FINGER_MCPS[:, None] + np.arange(4)]
    starts, bones = chain[:, :-1].reshape(-1, 3), np.diff(chain, axis=1).reshape(-1, 3)
    along = np.einsum("ij,ij->i", point - starts, bones) / np.maximum(np.einsum("ij,ij->i", bones, bones), 1e-12)
    nearest = starts + np.clip(along, 0.0, 1.0)[:, None] * bones
    return float(np.linalg.norm(nearest - point, axis=1).min())
