# SPDX-License-Identifier: Apache-2.0
"""Eyes, brows, lips and the rest of a face, painted onto the head's front."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.head_shape import EYE_M

Array = NDArray[np.float64]

_SCLERA = np.array([0.66, 0.62, 0.58])
_IRIS = np.array([0.11, 0.065, 0.035])


def paint_face(points: Array, normals: Array, skin: Array, hair: Array) -> tuple[Array, Array]:
    """Linear RGB (N, 3) and gloss (N,) at points (N, 3) of the head's frame, metres at reference size."""
    x, y, z = points[:, 0], np.abs(points[:, 1]), points[:, 2]
    front = _smooth(0.045, 0.070, x)
    colour = np.repeat(skin[None], len(points), axis=0)
    gloss = np.full(len(points), 0.16)
    flush = np.exp(-(((y - 0.042) / 0.016) ** 2) - ((z - 0.026) / 0.016) ** 2) + 0.8 * np.exp(
        -((y / 0.012) ** 2) - ((z - 0.034) / 0.012) ** 2
    )
    colour *= 1.0 - np.clip(flush * front, 0, 1)[:, None] * np.array([0.02, 0.16, 0.14])
    jaw = _smooth(0.016, -0.024, z) * _smooth(0.005, 0.03, x)
    colour *= 1.0 - 0.10 * jaw[:, None] * np.array([1.0, 0.9, 0.8])
    socket = np.exp(-(((y - EYE_M[1]) / 0.021) ** 2) - ((z - EYE_M[2] - 0.002) / 0.013) ** 2) * front
    colour *= 1.0 - 0.28 * socket[:, None]
    colour = _mix(colour, np.array([0.42, 0.13, 0.11]) * (skin / 0.45) ** 0.6, 0.85 * _lips(y, z) * front)
    line = np.exp(-(((z + 0.0005 + 0.002 * (y / 0.02) ** 2) / 0.0014) ** 2)) * _smooth(0.027, 0.020, y) * front
    colour *= 1.0 - 0.75 * line[:, None]
    nostril = np.exp(-(((y - 0.0075) / 0.0036) ** 2) - ((z - 0.0255) / 0.0030) ** 2) * _smooth(0.085, 0.095, x)
    colour *= 1.0 - 0.72 * nostril[:, None]
    arch = 0.0895 + 0.006 * np.sin(np.clip((y - 0.012) / 0.042, 0, 1) * 2.4) - 0.0012
    brow = np.exp(-(((z - arch) / 0.0036) ** 4)) * _smooth(0.009, 0.017, y) * _smooth(0.054, 0.044, y) * front
    colour = _mix(colour, hair * 1.3, 0.85 * brow)
    return _eyes(colour, gloss, y - EYE_M[1], z - EYE_M[2], front, normals)


def _lips(y: Array, z: Array) -> Array:
    """Cover (N,) of upper and lower lip."""
    width = np.clip(1.0 - (y / 0.0255) ** 2, 0.0, 1.0)
    top = 0.0085 * width**0.6 - 0.0022 * np.exp(-((y / 0.004) ** 2))
    bottom = -0.0125 * width**0.5
    return _smooth(-0.0008, 0.0008, np.minimum(top - z, z - bottom)) * (width > 0)


def _eyes(colour: Array, gloss: Array, across: Array, up: Array, front: Array, normals: Array) -> tuple[Array, Array]:
    """White, iris, pupil and the dark lid line, over the colours so far."""
    open_up = 0.0062 * np.clip(1.0 - (across / 0.0150) ** 2, 0.0, 1.0) ** 0.7
    open_down = 0.0050 * np.clip(1.0 - (across / 0.0150) ** 2, 0.0, 1.0) ** 0.7
    edge = np.minimum(open_up - up, up + open_down)
    inside = _smooth(-0.0004, 0.0004, edge) * (np.abs(across) < 0.015) * front
    lid = np.exp(-(((up - open_up) / 0.0016) ** 2)) * _smooth(0.0175, 0.0140, np.abs(across)) * front
    radius = np.hypot(across, up - 0.0006)
    ball = _mix(np.repeat(_SCLERA[None], len(across), axis=0), _IRIS, _smooth(0.0066, 0.0058, radius))
    ball = _mix(ball, np.array([0.01, 0.01, 0.01]), _smooth(0.0031, 0.0025, radius))
    glint = _smooth(0.0014, 0.0008, np.hypot(across + 0.002, up - 0.0028))
    ball = _mix(ball, np.array([1.2, 1.2, 1.2]), glint)
    colour = _mix(colour, ball, inside)
    colour = colour * (1.0 - 0.85 * lid[:, None])
    facing = np.clip(normals[:, 0], 0.0, 1.0)
    return colour, gloss * (0.6 + 0.4 * facing) + 0.25 * inside


def _mix(first: Array, second: Array, share: Array) -> Array:
    """Blend colours by `share` (N,) of the second."""
    return np.asarray(first + (second - first) * share[:, None])


def _smooth(low: float, high: float, value: Array) -> Array:
    """Smooth step from 0 at `low` to 1 at `high` (which may be the smaller)."""
    x = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))
