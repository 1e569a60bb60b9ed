# SPDX-License-Identifier: Apache-2.0
"""Where an arm's joints are in space, from where they are in the image and how long its limbs are.

The network's image points are good to a few pixels; its depths are guesses that shorten a limb pointing at the camera
by a third. But a limb of known length between two lines of sight leaves two places only, one nearer and one farther
(Taylor: "Reconstruction of articulated objects from point correspondences in a single uncalibrated image", CVIU 2000).
Which of the two, the network's guess says; near the image plane both are one, and there the choice stays as it was.

Everything is a share of the shoulders' width, so neither the camera's distance nor the operator's height matters; the
assumed field of view hardly does: ten degrees of it turn a limb by about two.
"""

from dataclasses import dataclass
from math import radians, sqrt, tan

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FIELD_OF_VIEW_DEG = 60.0
"""Across the image; webcams have 55 to 78."""
NARROWEST_SHARE = 0.3
"""Of the shoulders' width that must be seen across the line of sight; a body turned farther gives no scale."""
UNDECIDED = 0.25
"""Depth over length of a limb below which its sign stays what it was before."""


@dataclass(frozen=True, slots=True)
class ArmShares:
    """Limb lengths over the distance between the shoulder joints; the default is an average adult's (Winter,
    "Biomechanics and Motor Control of Human Movement": 0.186 and 0.146 of 0.259 of the body's height, the joints lying
    inside the shoulders)."""

    upper_arm: float = 0.80
    forearm: float = 0.68


def lines_of_sight(image: Array, aspect: float, field_of_view_deg: float = FIELD_OF_VIEW_DEG) -> Array:
    """Directions (n, 3) in camera axes, with z = 1, of image points.

    Args:
        image: (n, 2) shares of width and height.
        aspect: width over height of the image.
    """
    half = tan(radians(field_of_view_deg) / 2.0)
    rays = np.ones((len(image), 3))
    rays[:, 0] = (image[:, 0] - 0.5) * 2.0 * half
    rays[:, 1] = (image[:, 1] - 0.5) * 2.0 * half / aspect
    return rays


def shoulders(rays: Array, guess: Array) -> Array | None:
    """Both shoulder joints (2, 3) in shoulder widths, camera axes; None where they are turned too far to measure.

    Args:
        rays: (2, 3) lines of sight of the two shoulders.
        guess: (3,) the network's vector from the first to the second; only its direction counts.
    """
    length = float(np.linalg.norm(guess))
    if not length > 0.0:
        return None  # nor with a NaN
    depth = float(guess[2]) / length
    apart, between = rays[1, :2] - rays[0, :2], depth * (rays[0, :2] + rays[1, :2]) / 2.0
    across = 1.0 - depth * depth
    a, b = float(apart @ apart), float(apart @ between)
    square = b * b - a * (float(between @ between) - across)
    if across < NARROWEST_SHARE**2 or a < 1e-6 or square < 0.0:
        return None
    middle = (sqrt(square) - b) / a
    return np.stack([rays[0] * (middle - depth / 2.0), rays[1] * (middle + depth / 2.0)])


def limb(start: Array, length: float, ray: Array, guess: Array, before: Array | None) -> Array:
    """Vector (3,) of one limb from its start to the line of sight of its end.

    Args:
        start: (3,) where it begins.
        length: of the limb, in the unit of ``start``.
        ray: (3,) line of sight of its end.
        guess: (3,) the network's vector of this limb; only the sign of its depth counts.
        before: (3,) this limb in the frame before, or None.
    """
    a, b = float(ray @ ray), float(ray @ start)
    reach = b * b - a * (float(start @ start) - length * length)
    nearest = ray * (b / a)
    if reach <= 0.0:  # seen longer than it is: it lies across the line of sight
        across = nearest - start
        return across * (length / max(float(np.linalg.norm(across)), 1e-9))
    root = sqrt(reach) / a
    size = float(np.linalg.norm(guess))
    depth = float(guess[2]) / size if size > 0.0 else 0.0
    if before is not None and abs(depth) < UNDECIDED:
        depth = float(before[2])
    return nearest + ray * (root if depth > 0.0 else -root) - start


def arm_limbs(rays: Array, guess: Array, start: Array, shares: ArmShares, before: Array | None) -> Array:
    """Upper arm and forearm (2, 3) in shoulder widths, camera axes.

    Args:
        rays: (2, 3) lines of sight of elbow and wrist.
        guess: (2, 3) the network's vectors of both limbs.
        start: (3,) the shoulder.
        shares: lengths of both limbs.
        before: (2, 3) the frame before's answer, or None.
    """
    upper = limb(start, shares.upper_arm, rays[0], guess[0], None if before is None else before[0])
    fore = limb(start + upper, shares.forearm, rays[1], guess[1], None if before is None else before[1])
    return np.stack([upper, fore])
