# SPDX-License-Identifier: Apache-2.0
"""The palm frame that fingers are copied in: that of `teleop.hand_geometry`, turned about z by the palm's arch.

A relaxed palm is hollow: the knuckles of ring and little finger stand about 15 degrees out of the plane through wrist,
index and middle knuckle. Robot palms are flat. The frame follows the plane of index and middle finger, which work with
the thumb, but takes its direction from the whole width of the palm, which is known three times better.
"""

from math import atan2, cos, sin, sqrt

import numpy as np

from robots.frames import Array
from teleop.hand_geometry import INDEX_MCP, LITTLE_MCP, MIDDLE_MCP, HandGeometryError, Side

USUAL_ARCH_RAD = 0.2
LARGEST_ARCH_RAD = 0.6
NARROWEST_PALM_M = 0.01


def palm_axes(points_m: Array, side: Side) -> Array:
    """Columns are the x, y, z axes of the palm through its knuckles' ends, (3, 3), for landmarks with the wrist at 0.

    The same frame as `teleop.hand_geometry.rotation_palm_to_camera`, for landmarks that are checked already.

    Raises:
        HandGeometryError: wrist and knuckles lie on a line.
    """
    z = points_m[MIDDLE_MCP] / sqrt(float(points_m[MIDDLE_MCP] @ points_m[MIDDLE_MCP]))
    across = points_m[INDEX_MCP] - points_m[LITTLE_MCP]
    y = across - (across @ z) * z
    width = sqrt(float(y @ y))
    if width < NARROWEST_PALM_M:
        raise HandGeometryError(
            f"the knuckles span {width * 1e3:.0f} mm, expected at least {NARROWEST_PALM_M * 1e3:.0f} mm: "
            "palm plane collapsed"
        )
    y = y / (width if side == "right" else -width)
    (yx, yy, yz), (zx, zy, zz) = y.tolist(), z.tolist()
    return np.array([[yy * zz - yz * zy, yx, zx], [yz * zx - yx * zz, yy, zy], [yx * zy - yy * zx, yz, zz]])


def arch_rad(points_m: Array, axes: Array, side: Side) -> float:
    """Angle about z from the line between index and middle knuckle to that of the knuckles' ends [rad].

    Positive where the little finger's knuckle stands to the palm's side.

    Args:
        points_m: (21, 3), wrist at 0. axes: of `palm_axes`.
    """
    x, y, _ = ((points_m[INDEX_MCP] - points_m[MIDDLE_MCP]) @ axes).tolist()
    angle = atan2(x, max(y if side == "right" else -y, 1e-3))
    return min(LARGEST_ARCH_RAD, max(-LARGEST_ARCH_RAD, angle))


def arched(axes: Array, side: Side, arch: float = USUAL_ARCH_RAD) -> Array:
    """Columns are the axes of the frame of index and middle finger, (3, 3)."""
    c, s = cos(arch), -sin(arch) if side == "right" else sin(arch)
    return np.asarray(axes @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]))


def points_in_arched_palm(points_m: Array, axes: Array, side: Side, arch: float) -> Array:
    """Landmarks (21, 3) [m], wrist at 0, in the frame of index and middle finger."""
    return np.asarray(points_m @ arched(axes, side, arch))


class PalmArch:
    """Learns the arch: a mean that becomes slow within a second."""

    FIRST_WEIGHT, LONGEST = 5.0, 150.0

    def __init__(self) -> None:
        self.arch_rad, self._weight = USUAL_ARCH_RAD, self.FIRST_WEIGHT

    def see(self, arch: float) -> float:
        """Take one frame in; the mean [rad]."""
        self._weight = min(self._weight + 1.0, self.LONGEST)
        self.arch_rad += (arch - self.arch_rad) / self._weight
        return self.arch_rad
