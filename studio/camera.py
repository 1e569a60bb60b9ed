# SPDX-License-Identifier: Apache-2.0
"""The camera in front of the operator: where it stands, what its lens sees.

Camera axes are optical: x right, y down, z away. Images are not mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clips.hand_model import rotation

Array = NDArray[np.float64]

_OPTICAL_FROM_FACING: Array = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""Operator axes (forward, left, up) in the axes of a level camera that looks the operator in the face."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera; pixel centres have integer coordinates.

    Attributes:
        rotation_camera_from_operator: (3, 3).
        operator_in_camera_m: (3,) the middle of the operator's hips.
        matrix: (3, 3) intrinsics in pixels.
        width, height: of the image in pixels.
    """

    rotation_camera_from_operator: Array
    operator_in_camera_m: Array
    matrix: Array
    width: int
    height: int

    def place(self, points_m: Array) -> Array:
        """Points (..., 3) of the operator frame in camera axes, metres."""
        return np.asarray(points_m @ self.rotation_camera_from_operator.T + self.operator_in_camera_m)

    def turn(self, rotations: Array) -> Array:
        """Rotations (..., 3, 3) of the operator frame as rotations of the camera."""
        return np.asarray(self.rotation_camera_from_operator @ rotations)

    def pixels(self, points_m: Array) -> Array:
        """Image points (..., 2) [px] of points (..., 3) in camera axes; NaN for points behind the camera."""
        depth = np.where(points_m[..., 2] > 0.01, points_m[..., 2], np.nan)
        homogeneous = points_m @ self.matrix.T
        return np.asarray(homogeneous[..., :2] / depth[..., None])

    def inside(self, pixels: Array) -> NDArray[np.bool_]:
        """Which image points (..., 2) lie in the image."""
        with np.errstate(invalid="ignore"):
            return np.asarray((pixels >= 0).all(-1) & (pixels <= [self.width - 1, self.height - 1]).all(-1))


def aimed_camera(
    *, position_m: Array, target_m: Array, fov_deg: float, size: tuple[int, int], roll_deg: float = 0.0
) -> Camera:
    """A camera at a place of the operator frame that looks at another.

    Args:
        position_m: (3,) the camera.
        target_m: (3,) what is shown in the middle of the image.
        fov_deg: horizontal angle of view.
        size: image width and height.
        roll_deg: turn about the optical axis, positive tilts the image to the left.
    """
    width, height = size
    away = target_m - position_m
    heading = np.arctan2(away[1], away[0]) - np.pi
    dip = np.arctan2(-away[2], np.hypot(away[0], away[1]))
    turn = rotation(2, np.radians(roll_deg)) @ rotation(0, dip) @ _OPTICAL_FROM_FACING @ rotation(2, -heading)
    focal = width / 2 / np.tan(np.radians(fov_deg) / 2)
    matrix = np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])
    return Camera(turn, -turn @ position_m, matrix, width, height)
