# SPDX-License-Identifier: Apache-2.0
"""Poses as (4, 4) matrices [metres]: ``a_from_b @ point_in_b`` is the point in frame a."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def identity() -> Array:
    """The pose that changes nothing, (4, 4)."""
    return np.eye(4)


def read_only(array: Array) -> Array:
    """The same array; writing to it is an error from now on."""
    array.setflags(write=False)
    return array


def rotation_rpy(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Array:
    """(3, 3) fixed-axis roll, pitch, yaw: R = Rz(yaw) Ry(pitch) Rx(roll) (URDF specification)."""
    about_x, about_y, about_z = np.eye(3)
    pose = turned(about_z, yaw_rad) @ turned(about_y, pitch_rad) @ turned(about_x, roll_rad)
    return np.asarray(pose[:3, :3])


def turned(axis: Array, angle_rad: float) -> Array:
    """Rotation about a unit ``axis`` (3,), right-handed, as a pose (4, 4) (Rodrigues 1840)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    pose = np.eye(4)
    pose[:3, :3] += np.sin(angle_rad) * cross + (1.0 - np.cos(angle_rad)) * (cross @ cross)
    return pose


def shifted(axis: Array, distance_m: float) -> Array:
    """Translation along a unit ``axis`` (3,), as a pose (4, 4)."""
    pose = np.eye(4)
    pose[:3, 3] = axis * distance_m
    return pose
