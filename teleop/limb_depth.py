# SPDX-License-Identifier: Apache-2.0
"""The depth of elbow and wrist from one camera: what image, known limb lengths and the network each say about it.

The network's places in the image are good, its depths are not: it shrinks them. Along the ray of every joint the limb's
known length leaves two places, one nearer than the joint before it and one farther (Taylor 2000, "Reconstruction of
articulated objects from point correspondences in a single uncalibrated image", here with perspective); near the image
plane the two meet and noise decides. So nothing is chosen: every pair of depths of elbow and wrist gets its probability
from lengths, network and habit, and the mean of the limb's directions is taken. Where two places are as likely, that
mean lies between them, and it never jumps.
"""

import numpy as np
from numpy.typing import NDArray

from teleop.body_geometry import ELBOW, SHOULDER, WRIST, BodyGeometryError
from teleop.hand_geometry import Side
from teleop.operator_view import BodyView

Array = NDArray[np.float64]

FOCAL = 0.87
"""Focal length of the camera in image widths: 60 degrees, as most webcams. 50 or 70 degrees change little."""

GRID = np.linspace(-1.05, 1.05, 17)
"""Depths that are tried, over the limb's length."""
LENGTH_NOISE, SEEN_NOISE, SEEN_SHRINKS = 0.06, 0.2, 0.5
"""Spread of lengths (image noise in it) and of the network's depth, over the limb's length; how it shrinks that one."""
USUAL: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.8), (-0.3, 0.8))
"""Usual depth of upper arm and forearm over their length, and its spread: forearms mostly point at the camera."""
SEEN_OFFSET = (0.0, -0.1)
"""What the network adds to the depth of upper arm and forearm, over their length."""
PALM_SPREAD = 0.7
"""Spread of the palm's direction about the forearm's, as a chord."""
NEAREST_M = 0.2


def rays(body: BodyView) -> Array:
    """(33, 2) landmarks as x/z and y/z of the camera."""
    return np.asarray((body.image - 0.5) * np.array([1.0, 1.0 / body.aspect]) / FOCAL)


def limbs_with_depth(
    body: BodyView,
    side: Side,
    shoulders_m: float,
    lengths_m: tuple[float, float],
    palm_z: Array | None = None,
) -> Array:
    """(2, 3) upper arm and forearm [m] in camera axes.

    Args:
        body: landmarks that `teleop.body_geometry.limbs_in_camera` accepts.
        side: of the arm.
        shoulders_m: distance of the shoulders [m], by which the operator's own distance is known.
        lengths_m: upper arm and forearm.
        palm_z: (3,) wrist to middle knuckle as the hand tracker sees it, in camera axes.

    Raises:
        BodyGeometryError: places in the image are not finite, or so near or far that they are nobody's.
    """
    at = rays(body)[[SHOULDER["left"], SHOULDER["right"], SHOULDER[side], ELBOW[side], WRIST[side]]]
    world = body.world_m
    across = world[SHOULDER["left"]] - world[SHOULDER["right"]]
    scale = shoulders_m / float(np.linalg.norm(across))
    width = float(np.hypot(*(at[0] - at[1])))
    distance_m = scale * float(np.hypot(across[0], across[1])) / max(width, 1e-6)
    if not (np.isfinite(at).all() and 2 * NEAREST_M < distance_m < 20.0):
        raise BodyGeometryError(f"the shoulders are {distance_m:.2g} m from the camera, expected 0.4 … 20 m")
    middle = (world[SHOULDER["left"]] + world[SHOULDER["right"]]) / 2
    shoulder_z = max(distance_m + scale * float(world[SHOULDER[side], 2] - middle[2]), NEAREST_M)
    shoulder, elbow, wrist = np.column_stack([at[2:], np.ones(3)])
    seen = scale * np.stack([world[ELBOW[side]] - world[SHOULDER[side]], world[WRIST[side]] - world[ELBOW[side]]])

    elbow_z = shoulder_z + lengths_m[0] * GRID
    wrist_z = elbow_z[:, None] + lengths_m[1] * GRID
    elbows = np.maximum(elbow_z, NEAREST_M)[:, None] * elbow
    uppers = elbows - shoulder_z * shoulder
    fores = np.maximum(wrist_z, NEAREST_M)[..., None] * wrist - elbows[:, None]
    cost, upper = _cost(uppers, lengths_m[0], float(seen[0, 2]), 0)
    more, fore = _cost(fores, lengths_m[1], float(seen[1, 2]), 1)
    cost = cost[:, None] + more
    if palm_z is not None:
        cost = cost + (2.0 - 2.0 * fore @ palm_z) / PALM_SPREAD**2
    chance = np.exp(-0.5 * (cost - cost.min()))
    chance /= chance.sum()
    mean = np.stack([chance.sum(axis=1) @ upper, np.tensordot(chance, fore, 2)])
    lengths = np.array(lengths_m)[:, None]
    return np.asarray(lengths * mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-6))


def _cost(limbs_m: Array, length_m: float, seen_z_m: float, which: int) -> tuple[Array, Array]:
    """Twice the negative log-likelihood of limbs (..., 3), and their directions."""
    lengths = np.sqrt((limbs_m * limbs_m).sum(axis=-1))
    depth = limbs_m[..., 2] / length_m
    usual, spread = USUAL[which]
    off = (lengths / length_m - 1.0) / LENGTH_NOISE
    unlike = (seen_z_m / length_m - SEEN_OFFSET[which] - SEEN_SHRINKS * depth) / SEEN_NOISE
    odd = (depth - usual) / spread
    return off * off + unlike * unlike + odd * odd, limbs_m / np.maximum(lengths, 1e-6)[..., None]
