# SPDX-License-Identifier: Apache-2.0
"""Hand signs from the shape of the hand: by how far each digit is stretched, which no camera angle changes."""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from teleop.hand_geometry import FINGER_MCPS, MIDDLE_MCP, THUMB_CMC, WRIST, Side, rotation_palm_to_camera

Array = NDArray[np.float64]

STRETCHED, BENT = 0.82, 0.66
"""Tip to base distance over the bones' length: a straight finger has 1, a fist about 0.45 (measured on a real hand)."""

THUMB_TIP, FINGER_TIPS = 4, np.array([8, 12, 16, 20])

FACING = 0.5
"""Cosine between palm normal and the direction to the camera: within 60 degrees."""


class Gesture(Enum):
    """Signs that mean something to the booth."""

    NONE = "none"
    OPEN_PALM = "open palm"
    FIST = "fist"
    POINTING = "pointing"
    VICTORY = "victory"
    THUMB_UP = "thumb up"


def stretch(points_m: Array) -> Array:
    """How far each digit is stretched, (5,): straight distance base to tip over the sum of its bones, 0 … 1."""
    bases = np.array([THUMB_CMC, *FINGER_MCPS])
    chain = points_m[bases[:, None] + np.arange(4)]
    bones = np.linalg.norm(np.diff(chain, axis=1), axis=2).sum(axis=1)
    return np.asarray(np.linalg.norm(chain[:, 3] - chain[:, 0], axis=1) / np.maximum(bones, 1e-6))


def classify(points_m: Array, side: Side) -> Gesture:
    """The sign a hand shows.

    Args:
        points_m: (21, 3) landmarks [m] in the axes of the camera's optical frame (x right, y down, z away).
        side: which hand it is.

    Raises:
        HandGeometryError: the landmarks are no hand.
    """
    rotation = rotation_palm_to_camera(points_m, side)
    thumb, *fingers = stretch(points_m)
    straight = [bool(value > STRETCHED) for value in fingers]
    bent = [bool(value < BENT) for value in fingers]
    if all(straight) and thumb > STRETCHED and -rotation[2, 0] > FACING and not _pinched(points_m):
        return Gesture.OPEN_PALM
    if all(bent):
        return Gesture.THUMB_UP if _thumb_points_up(points_m, float(thumb)) else Gesture.FIST
    if straight[0] and all(bent[1:]):
        return Gesture.POINTING
    if straight[0] and straight[1] and all(bent[2:]):
        return Gesture.VICTORY
    return Gesture.NONE


def _pinched(points_m: Array) -> bool:
    """Whether the thumb's tip is near a finger's, within half a palm."""
    palm = np.linalg.norm(points_m[MIDDLE_MCP] - points_m[WRIST])
    return bool(np.linalg.norm(points_m[FINGER_TIPS] - points_m[THUMB_TIP], axis=1).min() < 0.5 * palm)


def _thumb_points_up(points_m: Array, thumb: float) -> bool:
    direction = points_m[4] - points_m[2]
    above_knuckles = points_m[4, 1] < points_m[FINGER_MCPS, 1].min()
    return bool(thumb > 0.9 and above_knuckles and -direction[1] > 0.8 * np.linalg.norm(direction))
