# SPDX-License-Identifier: Apache-2.0
"""The HX5-D20 thumb: four joint angles that give its three segments the directions of the operator's thumb bones.

Right hand, palm frame: with q = (CMC roll, CMC yaw, MP, IP) the segments point along
``R = Rx(q0) Rz(q1)``, ``R y``, ``R Rx(q2) y``, ``R Rx(q2 + q3) y`` (axes of robotis_hand urdf/hx5_d20_rev2).
"""

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEGMENT_WEIGHTS = np.array([1.0, 1.0, 1.5])
"""The distal segment counts most: it is what touches."""

CONTINUITY = 0.02
ITERATIONS = 6


def thumb_directions(angles_rad: Array) -> Array:
    """Unit directions of the three segments for four joint angles, (3, 3)."""
    q0, q1, q2, q3 = (float(angle) for angle in angles_rad)
    c0, s0, c1, s1 = cos(q0), sin(q0), cos(q1), sin(q1)
    base_y = np.array([-s1, c0 * c1, s0 * c1])
    base_z = np.array([0.0, -s0, c0])
    return np.stack([cos(bend) * base_y + sin(bend) * base_z for bend in (0.0, q2, q2 + q3)])


def _jacobian(angles_rad: Array, directions: Array) -> Array:
    """Derivatives of the directions, (3 segments, 3 axes, 4 joints): each is (joint axis) × (direction)."""
    q0, q1 = float(angles_rad[0]), float(angles_rad[1])
    c0, s0, c1, s1 = cos(q0), sin(q0), cos(q1), sin(q1)
    axes = np.array([[1.0, 0.0, 0.0], [0.0, -s0, c0], [c1, c0 * s1, s0 * s1]])
    jacobian = np.zeros((3, 3, 4))
    for joint, axis in enumerate((axes[0], axes[1], axes[2], axes[2])):
        first = max(0, joint - 1)
        jacobian[first:, :, joint] = np.cross(axis, directions[first:])
    return jacobian


def solve_thumb(directions: Array, start_rad: Array, lower_rad: Array, upper_rad: Array) -> Array:
    """Joint angles inside the limits whose segments point as nearly as possible along ``directions``.

    Damped Gauss-Newton with a fixed number of steps, so that its time is bounded; it stays near ``start_rad`` where the
    directions leave freedom (a straight thumb does not show its roll).

    Args:
        directions: (3, 3) unit vectors of metacarpal, proximal and distal bone in the palm frame.
        start_rad: (4,) angles of the frame before.
        lower_rad: (4,) limits.
        upper_rad: (4,) limits.

    Returns:
        (4,) angles [rad].
    """
    angles = np.clip(start_rad, lower_rad, upper_rad)
    weights = np.repeat(SEGMENT_WEIGHTS, 3)
    for _ in range(ITERATIONS):
        now = thumb_directions(angles)
        jacobian = _jacobian(angles, now).reshape(9, 4)
        residual = (directions - now).reshape(9)
        normal = jacobian.T @ (weights[:, None] * jacobian) + CONTINUITY * np.eye(4)
        gradient = jacobian.T @ (weights * residual) - CONTINUITY * (angles - start_rad)
        free = ~(((angles <= lower_rad) & (gradient < 0)) | ((angles >= upper_rad) & (gradient > 0)))
        step = np.zeros(4)
        if free.any():
            step[free] = np.linalg.solve(normal[np.ix_(free, free)], gradient[free])
        angles = np.clip(angles + np.clip(step, -0.6, 0.6), lower_rad, upper_rad)
        if float(np.abs(step).max()) < 1e-4:
            break
    return angles
