# SPDX-License-Identifier: Apache-2.0
"""The head: skull, face, ears and hair around the head's pivot; x forward, y left, z up, metres at reference size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.solid import Frame, Part, Solids

Array = NDArray[np.float64]

EYE_M: Array = np.array([0.085, 0.032, 0.072])
"""The left eye; the right one is its mirror image."""

FACE_LANDMARKS_M: dict[str, Array] = {
    "nose": np.array([0.119, 0.0, 0.036]),
    "eye_inner": np.array([0.087, 0.018, 0.070]),
    "eye": np.array([0.089, 0.032, 0.072]),
    "eye_outer": np.array([0.079, 0.047, 0.071]),
    "ear": np.array([0.008, 0.077, 0.052]),
    "mouth": np.array([0.092, 0.025, 0.000]),
}
"""Landmarks of MediaPipe's pose on the face; those beside the nose are the left ones."""

_SKULL = (
    ((-0.030, 0.0, 0.105), (0.018, 0.0, 0.108), 0.074, 0.072),
    ((-0.040, 0.0, 0.075), (0.010, 0.0, 0.080), 0.068, 0.070),
    ((0.030, 0.0, 0.105), (0.034, 0.0, 0.070), 0.059, 0.058),
    ((0.034, 0.0, 0.070), (0.046, 0.0, 0.010), 0.054, 0.043),
    ((0.046, 0.0, 0.010), (0.064, 0.0, -0.022), 0.040, 0.026),
    ((-0.020, 0.0, 0.060), (-0.012, 0.0, 0.020), 0.064, 0.052),
    ((-0.012, 0.0, 0.020), (-0.022, 0.0, -0.060), 0.052, 0.050),
)
_MIDLINE_FACE = (
    ((0.092, 0.0, 0.068), (0.103, 0.0, 0.040), 0.0075, 0.0095),
    ((0.101, 0.0, 0.042), (0.1075, 0.0, 0.036), 0.0105, 0.0110),
    ((0.074, 0.0, -0.020), (0.079, 0.0, -0.030), 0.016, 0.014),
)
_LEFT_FACE = (
    ((0.012, 0.056, 0.012), (0.060, 0.018, -0.028), 0.017, 0.018),
    ((0.006, 0.057, 0.050), (0.012, 0.056, 0.012), 0.017, 0.016),
    ((0.054, 0.038, 0.044), (0.064, 0.026, 0.012), 0.024, 0.024),
    ((0.064, 0.022, 0.012), (0.066, 0.014, -0.020), 0.024, 0.020),
    ((0.082, 0.012, 0.090), (0.070, 0.042, 0.086), 0.0125, 0.0115),
    ((0.098, 0.010, 0.033), (0.0945, 0.014, 0.032), 0.0080, 0.0070),
    ((0.0745, 0.032, 0.071), (0.0740, 0.033, 0.071), 0.0130, 0.0130),
)
_MOUTH = (
    ((0.0900, -0.016, 0.0035), (0.0900, 0.016, 0.0035), 0.0062, 0.0062),
    ((0.0890, -0.013, -0.0060), (0.0890, 0.013, -0.0060), 0.0072, 0.0072),
)
_LEFT_EAR = (
    ((0.004, 0.074, 0.070), (-0.012, 0.082, 0.074), 0.0080, 0.0075),
    ((-0.012, 0.082, 0.074), (-0.013, 0.082, 0.054), 0.0075, 0.0070),
    ((-0.013, 0.082, 0.054), (0.002, 0.073, 0.034), 0.0070, 0.0065),
    ((0.004, 0.071, 0.060), (0.004, 0.071, 0.044), 0.0075, 0.0065),
)
_HAIR = (
    ((-0.034, 0.0, 0.114), (0.012, 0.0, 0.120), 0.078, 0.074),
    ((-0.046, 0.0, 0.080), (-0.040, 0.0, 0.040), 0.071, 0.060),
    ((0.012, 0.0, 0.128), (0.046, 0.0, 0.136), 0.066, 0.046),
)
_LEFT_HAIR = (
    ((0.020, 0.040, 0.118), (0.004, 0.052, 0.086), 0.036, 0.029),
    ((-0.020, 0.046, 0.100), (-0.030, 0.044, 0.044), 0.036, 0.030),
)
_LONG_HAIR = (
    ((-0.030, 0.050, 0.090), (-0.028, 0.066, -0.060), 0.036, 0.028),
    ((-0.050, 0.020, 0.060), (-0.052, 0.030, -0.080), 0.048, 0.036),
)
_MIRROR: Array = np.array([1.0, -1.0, 1.0])


def add_head(solids: Solids, frame: Frame, long_hair: bool) -> None:
    """The head's groups: face, two ears, hair."""
    solids.group(0.010)
    for start, end, near, far in _SKULL + _MIDLINE_FACE + _MOUTH:
        solids.add(Part.FACE, frame, np.array(start), np.array(end), near, far)
    _both_sides(solids, frame, Part.FACE, _LEFT_FACE)
    solids.group(0.004)
    _both_sides(solids, frame, Part.EAR, _LEFT_EAR)
    solids.group(0.014)
    for start, end, near, far in _HAIR:
        solids.add(Part.HAIR, frame, np.array(start), np.array(end), near, far)
    _both_sides(solids, frame, Part.HAIR, _LEFT_HAIR + (_LONG_HAIR if long_hair else ()))


def _both_sides(solids: Solids, frame: Frame, part: Part, left: tuple[tuple[object, ...], ...]) -> None:
    """Capsules of the left side and their mirror images."""
    for start, end, near, far in left:
        for side in (1.0, _MIRROR):
            solids.add(part, frame, np.asarray(start) * side, np.asarray(end) * side, float(near), float(far))  # type: ignore[arg-type]
