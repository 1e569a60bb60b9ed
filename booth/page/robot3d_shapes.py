# SPDX-License-Identifier: Apache-2.0
"""The two bodies that every robot is drawn with: a box with round edges and a drum; scaled, they make any part."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from robots.frames import Array

AROUND, ALONG = 20, 10
"""Vertices around a body and rings along it: 200 in all, few enough for a tablet, enough to look round."""


class Mesh(NamedTuple):
    """A closed surface: (v, 3) vertices and (f, 3) their indices, counter-clockwise seen from outside."""

    vertices: Array
    faces: NDArray[np.uint32]


def box() -> Mesh:
    """A cube of edge 1 about the origin with round edges and corners."""
    return superellipsoid(0.35, 0.45)


def drum() -> Mesh:
    """A cylinder of diameter 1 and length 1 along z about the origin with a round rim."""
    return superellipsoid(0.22, 1.0)


def superellipsoid(along: float, around: float) -> Mesh:
    """|x|^(2/around) + |y|^(2/around) round the middle, squared off along z likewise (Barr 1981); size 1 in x, y and z.

    Args:
        along: shape of the outline that z is in: 1 is a circle, towards 0 a square.
        around: shape of the cross-section.
    """
    up = np.linspace(-np.pi / 2, np.pi / 2, ALONG + 2)[1:-1]
    turn = np.linspace(-np.pi, np.pi, AROUND, endpoint=False)
    ring = np.stack([_power(np.cos(turn), around), _power(np.sin(turn), around)], axis=-1)
    sides = np.empty((ALONG, AROUND, 3))
    sides[..., :2] = _power(np.cos(up), along)[:, None, None] * ring
    sides[..., 2] = _power(np.sin(up), along)[:, None]
    vertices = 0.5 * np.concatenate([sides.reshape(-1, 3), [[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]])
    return Mesh(vertices, _faces())


def _power(value: Array, exponent: float) -> Array:
    return np.asarray(np.sign(value) * np.abs(value) ** exponent)


def _faces() -> NDArray[np.uint32]:
    """Two triangles for every quad between two rings, and a fan at either end."""
    here = np.arange(AROUND)
    after = (here + 1) % AROUND
    faces = []
    for ring in range(ALONG - 1):
        low, high = ring * AROUND, (ring + 1) * AROUND
        faces += [np.stack([low + here, low + after, high + after], axis=-1)]
        faces += [np.stack([low + here, high + after, high + here], axis=-1)]
    bottom, top, last = ALONG * AROUND, ALONG * AROUND + 1, (ALONG - 1) * AROUND
    faces += [np.stack([np.full(AROUND, bottom), after, here], axis=-1)]
    faces += [np.stack([np.full(AROUND, top), last + here, last + after], axis=-1)]
    return np.concatenate(faces).astype(np.uint32)
