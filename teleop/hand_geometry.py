# SPDX-License-Identifier: Apache-2.0
"""From 21 landmarks to the palm frame and anatomical joint angles.

Palm frame (the HX5-D20's base frame): origin at the wrist, x out of the palm, z from the wrist to the middle finger's
knuckle, y = z × x: on the thumb's side for a right hand, on the little finger's side for a left hand.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Side = Literal["right", "left"]
Array = NDArray[np.float64]

WRIST, THUMB_CMC, INDEX_MCP, MIDDLE_MCP, RING_MCP, LITTLE_MCP = 0, 1, 5, 9, 13, 17
FINGER_MCPS = np.array([INDEX_MCP, MIDDLE_MCP, RING_MCP, LITTLE_MCP])

SMALLEST_PALM_M, LARGEST_PALM_M = 0.04, 0.16
"""Plausible wrist to middle knuckle distances; adults have 0.08 to 0.11 m, MediaPipe's metric scale is only a prior."""

LARGEST_HAND_M = 0.5
"""No landmark is farther from the wrist."""


class HandGeometryError(ValueError):
    """Landmarks that are no hand. Scenarios: NaN, all points equal, a palm of 3 cm or 30 cm, a collapsed palm plane."""


def check_landmarks(points_m: Array) -> None:
    """Refuse landmarks from which no hand can be computed.

    Args:
        points_m: (21, 3) landmarks [m], any frame.

    Raises:
        HandGeometryError: with what is wrong.
    """
    if points_m.shape != (21, 3):
        raise HandGeometryError(f"expected landmarks of shape (21, 3), found {points_m.shape}")
    if not np.isfinite(points_m).all():
        raise HandGeometryError("landmarks hold NaN or infinity")
    palm_m = float(np.linalg.norm(points_m[MIDDLE_MCP] - points_m[WRIST]))
    if not SMALLEST_PALM_M <= palm_m <= LARGEST_PALM_M:
        raise HandGeometryError(
            f"wrist to middle knuckle is {palm_m * 1e3:.0f} mm, "
            f"expected {SMALLEST_PALM_M * 1e3:.0f} … {LARGEST_PALM_M * 1e3:.0f} mm"
        )
    reach_m = float(np.abs(points_m - points_m[WRIST]).max())
    if reach_m > LARGEST_HAND_M:
        raise HandGeometryError(
            f"a landmark is {reach_m:.2g} m from the wrist, expected at most {LARGEST_HAND_M:.1f} m"
        )


def rotation_palm_to_camera(points_m: Array, side: Side) -> Array:
    """Rotation whose columns are the palm's x, y, z axes in the landmarks' frame, shape (3, 3).

    Raises:
        HandGeometryError: the landmarks are no hand.
    """
    check_landmarks(points_m)
    from_wrist = points_m - points_m[WRIST]
    z = from_wrist[MIDDLE_MCP] / np.linalg.norm(from_wrist[MIDDLE_MCP])
    across = from_wrist[INDEX_MCP] - from_wrist[LITTLE_MCP]
    if side == "left":
        across = -across
    y = across - across.dot(z) * z
    width = float(np.linalg.norm(y))
    if width < 0.01:
        raise HandGeometryError(
            f"the knuckles span {width * 1e3:.0f} mm, expected at least 10 mm: palm plane collapsed"
        )
    y /= width
    return np.column_stack([np.cross(y, z), y, z])


def points_in_palm(points_m: Array, side: Side) -> Array:
    """Landmarks in the palm frame, (21, 3) [m], wrist at the origin."""
    rotation = rotation_palm_to_camera(points_m, side)
    return np.asarray((points_m - points_m[WRIST]) @ rotation)


def bone_directions(palm_points_m: Array) -> Array:
    """Unit directions of the three bones beyond the base joint of each digit, (5, 3, 3): digit, bone, xyz.

    Digits are thumb (metacarpal, proximal, distal), index, middle, ring, little (proximal, middle, distal phalanx).
    """
    bases = np.array([THUMB_CMC, *FINGER_MCPS])
    chain = palm_points_m[bases[:, None] + np.arange(4)]
    bones = np.diff(chain, axis=1)
    lengths = np.linalg.norm(bones, axis=2, keepdims=True)
    return np.asarray(bones / np.maximum(lengths, 1e-6))


def finger_angles(directions: Array) -> Array:
    """Abduction, MCP, PIP and DIP flexion of the four fingers from their bone directions.

    The first phalanx points along Rx(a) Ry(f) z; further flexion turns about the same axis. Abduction can't be
    seen on a finger that is bent to the palm: there it fades to zero, where a hand's fingers lie beside each other.

    Args:
        directions: (4, 3, 3) unit vectors in the palm frame: finger, phalanx, xyz.

    Returns:
        (4, 4) [rad]: finger; abduction, MCP, PIP, DIP.
    """
    first = directions[:, 0]
    in_plane = np.hypot(first[:, 1], first[:, 2])
    seen = np.clip((in_plane - 0.3) / 0.4, 0.0, 1.0) * (first[:, 2] > 0)
    abduction = seen * np.arctan2(-first[:, 1], np.maximum(first[:, 2], 1e-9))
    sine, cosine = np.sin(abduction), np.cos(abduction)
    mcp = np.arctan2(first[:, 0], -sine * first[:, 1] + cosine * first[:, 2])
    axis = np.stack([np.zeros(4), cosine, sine], axis=1)
    bends = [_signed_angle(directions[:, k], directions[:, k + 1], axis) for k in (0, 1)]
    return np.stack([abduction, mcp, *bends], axis=1)


def _signed_angle(before: Array, after: Array, axis: Array) -> Array:
    """Angle from one direction to the next about an axis, (n,) [rad]."""
    sine = np.einsum("ij,ij->i", np.cross(before, after), axis)
    cosine = np.einsum("ij,ij->i", before, after)
    return np.asarray(np.arctan2(sine, cosine))
