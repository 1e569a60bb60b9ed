# SPDX-License-Identifier: Apache-2.0
"""Kinematics of an adult right hand: 20 joint angles in, the 21 hand landmarks out.

Palm frame: origin at the wrist (landmark 0), +x out of the palm (palmar side), +y to the thumb side,
+z from the wrist through the middle finger's MCP (landmark 9). Landmarks 0, 5, 9, 13 and 17 lie in x = 0.

Fingers bend as Rx(abduction) Ry(flexion) from +z; positive flexion bends towards the palm, positive
abduction leans a finger away from the thumb. The thumb bends as Rx(roll) Rz(yaw) Rx(flexion) from +y.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

FINGERS: tuple[str, ...] = ("index", "middle", "ring", "little")
DIGITS: tuple[str, ...] = ("thumb", *FINGERS)
FINGER_JOINTS: tuple[str, ...] = ("abduction", "mcp", "pip", "dip")
THUMB_JOINTS: tuple[str, ...] = ("cmc_roll", "cmc_yaw", "mp", "ip")
JOINT_NAMES: tuple[str, ...] = (
    *(f"thumb_{joint}" for joint in THUMB_JOINTS),
    *(f"{finger}_{joint}" for finger in FINGERS for joint in FINGER_JOINTS),
)

_THUMB_LIMITS = [(-1.57, 1.57), (-3.14, 0.0), (0.0, 1.57), (0.0, 1.57)]
_FINGER_LIMITS = [(-0.5, 0.5), (0.0, 1.6), (0.0, 1.5), (0.0, 1.5)]
JOINT_LIMITS_RAD: Array = np.array(_THUMB_LIMITS + 4 * _FINGER_LIMITS)
"""(20, 2) lowest and highest angle of each joint, in the order of JOINT_NAMES."""

BASE_M: Array = np.array(
    [
        [0.010, 0.026, 0.022],  # thumb CMC, landmark 1
        [0.000, 0.023, 0.090],  # index MCP, landmark 5
        [0.000, 0.000, 0.092],  # middle MCP, landmark 9
        [0.000, -0.0195, 0.0855],  # ring MCP, landmark 13
        [0.000, -0.037, 0.0745],  # little MCP, landmark 17
    ]
)
"""(5, 3) first landmark of each digit in the palm frame, metres."""

BONE_M: Array = np.array(
    [
        [0.042, 0.033, 0.028],
        [0.042, 0.025, 0.021],
        [0.046, 0.029, 0.022],
        [0.042, 0.027, 0.022],
        [0.033, 0.020, 0.019],
    ]
)
"""(5, 3) bone lengths of each digit from its base to its tip, metres."""

_THUMB_TO_DIGIT: Array = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def rotation(axis: int, angle_rad: ArrayLike) -> Array:
    """Right-handed rotation(s) about coordinate axis 0, 1 or 2; (...) angles give (..., 3, 3) matrices."""
    angle = np.asarray(angle_rad, dtype=np.float64)
    cos, sin = np.cos(angle), np.sin(angle)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., axis, axis] = 1.0
    matrix[..., j, j] = matrix[..., k, k] = cos
    matrix[..., k, j] = sin
    matrix[..., j, k] = -sin
    return matrix


def bone_frames(angles_rad: ArrayLike) -> Array:
    """Orientation of every bone in the palm frame: (..., 20) angles give (..., 5, 3, 3, 3).

    Indexed [digit, bone]; the columns of each matrix are the side towards which the bone flexes (its pad),
    the flexion axis, and the bone's own direction.
    """
    angles = _checked(angles_rad)
    thumb = rotation(0, angles[..., 0]) @ rotation(2, angles[..., 1])
    thumb_bends = np.stack([np.zeros_like(angles[..., 2]), angles[..., 2], angles[..., 2] + angles[..., 3]], -1)
    frames = [thumb[..., None, :, :] @ rotation(0, thumb_bends) @ _THUMB_TO_DIGIT]
    for start in range(4, 20, 4):
        abduction = rotation(0, angles[..., start])
        bends = np.cumsum(angles[..., start + 1 : start + 4], axis=-1)
        frames.append(abduction[..., None, :, :] @ rotation(1, bends))
    return np.stack(frames, axis=-4)


def landmarks_m(angles_rad: ArrayLike) -> Array:
    """The 21 hand landmarks in the palm frame, metres: (..., 20) angles give (..., 21, 3)."""
    directions = bone_frames(angles_rad)[..., 2]
    joints = BASE_M[:, None, :] + np.cumsum(directions * BONE_M[..., None], axis=-2)
    points = np.zeros((*joints.shape[:-3], 21, 3))
    for digit in range(5):
        points[..., 1 + 4 * digit, :] = BASE_M[digit]
        points[..., 2 + 4 * digit : 5 + 4 * digit, :] = joints[..., digit, :, :]
    return points


def _checked(angles_rad: ArrayLike) -> Array:
    """The angles as float64, or ValueError naming the expected order."""
    angles = np.asarray(angles_rad, dtype=np.float64)
    if angles.shape[-1:] != (20,):
        raise ValueError(f"expected (..., 20) joint angles in the order {JOINT_NAMES}, found shape {angles.shape}")
    return angles
