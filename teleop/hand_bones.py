# SPDX-License-Identifier: Apache-2.0
"""The bones between the 21 landmarks of a hand, and how long they are."""

import numpy as np

from robots.frames import Array, read_only

_PALM = ((5, 9), (9, 13), (13, 17))

BONES = np.array([*((0 if k % 4 == 1 else k - 1, k) for k in range(1, 21)), *_PALM])
"""(23, 2) landmarks at the ends of every bone, digit by digit, then the three spans between neighbouring knuckles."""

PALM_BONE = 8
"""Wrist to middle knuckle."""

INCIDENCE = np.zeros((len(BONES), 21))
INCIDENCE[np.arange(len(BONES)), BONES[:, 1]] = 1.0
INCIDENCE[np.arange(len(BONES)), BONES[:, 0]] = -1.0
read_only(INCIDENCE)

_THUMB, _INDEX, _MIDDLE = (0.40, 0.40, 0.36, 0.31), (1.00, 0.38, 0.24, 0.27), (1.00, 0.45, 0.30, 0.26)
_RING, _LITTLE, _SPANS = (0.96, 0.40, 0.27, 0.25), (0.89, 0.30, 0.23, 0.21), (0.26, 0.23, 0.23)

ADULT_SHARE = read_only(np.array([*_THUMB, *_INDEX, *_MIDDLE, *_RING, *_LITTLE, *_SPANS]))
"""(23,) bone lengths of an adult hand over wrist to middle knuckle, believed before the operator is known: the middle
between what MediaPipe reads on a real hand and the anatomical hand of `clips.hand_model`."""


def bone_vectors(points_m: Array) -> Array:
    """(23, 3) from one end to the other [m]."""
    return np.asarray(INCIDENCE @ points_m)


def bone_lengths(points_m: Array) -> Array:
    """(23,) [m]."""
    vectors = INCIDENCE @ points_m
    return np.asarray(np.sqrt((vectors * vectors).sum(1)))
