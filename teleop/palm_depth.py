# SPDX-License-Identifier: Apache-2.0
"""The turn of a palm from one camera: what image, network and wrist each say about it.

The network's landmarks are good in the image and poor in depth: all knuckles together are off by a quarter of the
palm's length, and where the palm is seen at a slant it sometimes takes near for far. But a palm of known shape looks
shorter or narrower at every tilt, and a hand sits on a wrist. As in `teleop.limb_depth` nothing is chosen: tilts all
around get their probability from the image (turn and size in it are then given), from the network's depths and from
the wrist that each would need, and the mean of the palm's axes is taken. It never jumps.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from robots.frames import Array
from teleop.hand_geometry import (
    INDEX_MCP,
    LITTLE_MCP,
    MIDDLE_MCP,
    RING_MCP,
    WRIST,
    HandGeometryError,
    Side,
    check_landmarks,
)
from teleop.limb_depth import FOCAL
from teleop.operator_view import HandView

Complex = NDArray[np.complex128]

SHAPE_M = np.array(
    [
        [0.0, 0.0, 0.0],
        [0.0027, 0.0241, 0.0934],
        [0.0, 0.0, 0.0934],
        [0.0067, -0.0204, 0.0905],
        [0.0145, -0.0340, 0.0750],
    ]
)
"""Wrist and knuckles of index to little finger of an average right hand as the network draws it, in the frame of index
and middle finger (`teleop.hand_palm.arched`); only proportions count, and the size for the perspective."""
PALM_M = float(SHAPE_M[2, 2])
MARKS = np.array([WRIST, INDEX_MCP, MIDDLE_MCP, RING_MCP, LITTLE_MCP])

IMAGE_NOISE = 0.04
"""Spread of a landmark in the image and of a hand's shape, over the palm's length."""
DEPTH_NOISE, SLOPE_NOISE = 0.25, 0.3
"""Spread of the network's depth of all knuckles before the wrist, and of the index finger's before the little one's,
over the palm's length: measured on twenty films, 0.23 and 0.14; hands differ in their arch."""
WRONG = 0.1
"""How little the network's depths can count for: it may be all wrong."""
EXTENSION_RAD, EXTENSION_SPREAD_RAD = 0.22, 0.6
ULNAR_RAD, ULNAR_SPREAD_RAD = 0.1, 0.35
"""The wrist's usual bend to the back of the hand and to the little finger, and their spread. In daily work it stays
between 40 degrees flexion and 40 extension, 10 radial and 30 ulnar deviation (Ryu et al., J. Hand Surg. 1991), mostly
extended (10 to 15 degrees, Brumfield and Champoux 1984); ten degrees are for the forearm, which is an estimate too."""
TILTS = 300
"""Tilts that are tried: 12 degrees apart, closer than they can be told apart."""
LIKELY = 80
"""Of these, as many as look most alike are looked at closely."""
SMALLEST = 0.003
"""A palm that looks smaller, over its distance, is none: 2 cm across at 7 m."""
NEAREST = 0.3
"""No landmark comes nearer to the camera than this share of the palm's distance."""


LEAST_AGREEMENT = 0.3
"""Length of the mean axes below which the tilts contradict each other."""


def palm_with_depth(hand: HandView, side: Side, aspect: float, forearm: Array | None = None) -> Array:
    """Rotation whose columns are the palm's x, y, z axes in camera axes, (3, 3): the frame of index and middle finger.

    Args:
        hand: what the tracker saw. side: of the hand.
        aspect: width over height of the image.
        forearm: (3,) unit vector from elbow to wrist in camera axes, or None: then the wrist may stand anyhow.

    Raises:
        HandGeometryError: the landmarks are no hand, their places in the image are no palm, or they allow any turn.
    """
    check_landmarks(hand.world_m)
    tilts = TILTED[side]
    camera_from_ray, seen = _along_ray(hand.image[MARKS], aspect)
    size, unlike = _fit(tilts.flat_m, seen)
    near = np.argpartition(unlike, LIKELY)[:LIKELY]
    distance_m = 1.0 / float(np.abs(size[near[np.argmin(unlike[near])]]))
    size, unlike = _fit(tilts.at_distance(near, distance_m), seen)
    axes = camera_from_ray @ tilts.turned(near, size / np.maximum(np.abs(size), 1e-12))
    noise = IMAGE_NOISE * PALM_M / distance_m
    likely = -0.5 * unlike / noise**2 + _depth_says(hand.world_m @ camera_from_ray, tilts.depths[near])
    if forearm is not None:
        likely += _wrist_says(forearm @ axes, side)
    chance = np.exp(likely - likely.max())
    mean: Array = np.tensordot(chance / chance.sum(), axes, 1)
    z = mean[:, 2]
    x = mean[:, 0] - (mean[:, 0] @ z) / max(float(z @ z), 1e-9) * z
    if min(float(z @ z), float(x @ x)) < LEAST_AGREEMENT**2:
        raise HandGeometryError(f"the {side} palm's turn can't be told from this view")
    x, z = x / sqrt(float(x @ x)), z / sqrt(float(z @ z))
    return np.column_stack([x, np.cross(z, x), z])


class _Tilts:
    """A palm in all tilts about its place, as seen along the ray to it.

    Attributes:
        flat_m: (n, 5) landmarks about their middle as complex numbers: x to the right, y down, without perspective.
        depths: (n, 2) what the network is asked for, see `_depths`.
    """

    def __init__(self, side: Side) -> None:
        shape_m = SHAPE_M * np.array([1.0, 1.0 if side == "right" else -1.0, 1.0])
        normals = _all_around(TILTS) * np.array([1.0 if side == "right" else -1.0, 1.0, 1.0])
        self._axes = np.array([_tilted(normal) for normal in normals])
        points_m = shape_m @ self._axes.transpose(0, 2, 1)
        self.depths = _depths(points_m[:, :, 2])
        points_m = points_m - points_m.mean(axis=1, keepdims=True)
        self.flat_m, self._away_m = points_m[:, :, 0] + 1j * points_m[:, :, 1], points_m[:, :, 2]

    def at_distance(self, which: NDArray[np.intp], distance_m: float) -> Complex:
        """(m, 5) some of ``flat_m``, with perspective."""
        away_m = self._away_m[which]
        seen = self.flat_m[which] * (distance_m / np.maximum(distance_m + away_m, NEAREST * distance_m))
        return np.asarray(seen - seen.mean(axis=1, keepdims=True))

    def turned(self, which: NDArray[np.intp], turn: Complex) -> Array:
        """(m, 3, 3) axes of some palms, each turned about the ray by a complex number of length 1 (m,)."""
        axes = self._axes[which]
        across = (axes[:, 0] + 1j * axes[:, 1]) * turn[:, None]
        axes[:, 0], axes[:, 1] = across.real, across.imag
        return axes


def _all_around(count: int) -> Array:
    """(n, 3) unit vectors all around, evenly: a Fibonacci lattice."""
    k = np.arange(count) + 0.5
    height, turn = 1.0 - 2.0 * k / count, np.pi * (1.0 + sqrt(5.0)) * k
    across = np.sqrt(1.0 - height**2)
    return np.stack([across * np.cos(turn), across * np.sin(turn), height], axis=1)


def _tilted(normal: Array) -> Array:
    """(3, 3) axes of a palm with this x axis, tilted the shortest way from one that faces the camera upright."""
    facing = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
    return np.asarray(_shortest_turn(-normal) @ facing)


def _shortest_turn(ahead: Array) -> Array:
    """(3, 3) rotation that takes the z axis to a unit vector, which is not its opposite."""
    x, y, z = ahead.tolist()
    tilt = np.array([[0.0, 0.0, x], [0.0, 0.0, y], [-x, -y, 0.0]])
    return np.asarray(np.eye(3) + tilt + tilt @ tilt / (1.0 + z))


def _along_ray(image: Array, aspect: float) -> tuple[Array, Complex]:
    """Turn from the ray to the middle of the landmarks (k, 2) to the camera (3, 3), and where they are seen along that
    ray, about their middle (k,), as complex numbers of one unit per distance."""
    flat = (image - 0.5) * np.array([1.0, 1.0 / aspect]) / FOCAL
    if not np.isfinite(flat).all():
        raise HandGeometryError("places in the image hold NaN or infinity")
    ahead = np.array([*flat.mean(axis=0), 1.0])
    camera_from_ray = _shortest_turn(ahead / sqrt(float(ahead @ ahead)))
    points = np.column_stack([flat, np.ones(len(flat))]) @ camera_from_ray
    if points[:, 2].min() < 0.1:
        raise HandGeometryError("places in the image are far apart: no palm")
    seen = (points[:, 0] + 1j * points[:, 1]) / points[:, 2]
    seen = seen - seen.mean()
    if float((np.abs(seen) ** 2).sum()) < SMALLEST**2:
        raise HandGeometryError("the palm is a point in the image")
    return camera_from_ray, seen


def _fit(tilts_m: Complex, seen: Complex) -> tuple[Complex, Array]:
    """Turn and size (n,) that bring every tilt (n, k) nearest to what is seen (k,), and the squares left (n,)."""
    squares = np.maximum((np.abs(tilts_m) ** 2).sum(axis=1), 1e-9)
    size = tilts_m.conj() @ seen / squares
    left = float((np.abs(seen) ** 2).sum()) - np.abs(size) ** 2 * squares
    return size, np.maximum(left, 0.0)


def _depths(away_m: Array) -> Array:
    """(..., 2) how far the knuckles are behind the wrist, and the index finger's behind the little finger's, over the
    palm's length, for depths (..., 5) of wrist and knuckles [m]."""
    behind = away_m[..., 1:].mean(axis=-1) - away_m[..., 0]
    return np.stack([behind, away_m[..., 1] - away_m[..., 4]], axis=-1) / PALM_M


def _depth_says(world_m: Array, depths: Array) -> Array:
    """(n,) log-likelihood of depths (n, 2), by landmarks (21, 3) with z along the ray."""
    palm_m = world_m[MARKS] - world_m[WRIST]
    off = _depths(palm_m[:, 2] * (PALM_M / sqrt(float(palm_m[2] @ palm_m[2])))) - depths
    off = off / np.array([DEPTH_NOISE, SLOPE_NOISE])
    return np.asarray(np.log(np.exp(-0.5 * (off * off).sum(axis=1)) + WRONG))


def _wrist_says(forearms: Array, side: Side) -> Array:
    """(n,) log-likelihood of wrists, by the forearm's direction (n, 3) in the palm."""
    x, y, z = forearms.T
    extension, ulnar = np.arctan2(x, z), np.arcsin(np.clip(y if side == "right" else -y, -1.0, 1.0))
    bent, aside = (extension - EXTENSION_RAD) / EXTENSION_SPREAD_RAD, (ulnar - ULNAR_RAD) / ULNAR_SPREAD_RAD
    return np.asarray(-0.5 * (bent * bent + aside * aside))


TILTED: dict[Side, _Tilts] = {"right": _Tilts("right"), "left": _Tilts("left")}
