# SPDX-License-Identifier: Apache-2.0
"""Distances between the parts of a robot's upper body, taken as capsules: a segment with a radius around it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

OWN = np.array([1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3])
AGAINST = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 4, 5, 6, 3, 4, 5, 6, 3, 4, 5, 6, 3, 4, 5, 6])
BODY_PAIRS = 9
"""Pairs that must stay apart: own part (upper arm, forearm, palm, fingers), chest, belly, head and the other arm.
Upper arms can't meet, and the shoulder's limits keep them off the torso."""


class Capsules(NamedTuple):
    """n capsules: both ends (n, 2, 3) [m] in the base frame and radii (n,) [m]."""

    ends_m: Array
    radii_m: Array


class Gaps(NamedTuple):
    """Between n pairs of capsules.

    Attributes:
        free_m: (n,) free distance, negative where they overlap.
        share: (n,) where the closest point of the first one is between its ends, 0 … 1.
        apart: (n, 3) unit vectors from the second to the first.
    """

    free_m: Array
    share: Array
    apart: Array


def surroundings(body: Capsules, other: Capsules | None) -> Capsules:
    """What the own parts OWN must keep clear of, one for each: the body, and the other arm where it is known."""
    if other is None:
        which = AGAINST[:BODY_PAIRS]
        return Capsules(body.ends_m[which], body.radii_m[which])
    ends_m, radii_m = np.concatenate([body.ends_m, other.ends_m]), np.concatenate([body.radii_m, other.radii_m])
    return Capsules(ends_m[AGAINST], radii_m[AGAINST])


def gaps_around(own: Capsules, around: Capsules) -> Gaps:
    """Gaps of an arm's four parts to its `surroundings`."""
    which = OWN[: len(around.radii_m)]
    return gaps(Capsules(own.ends_m[which], own.radii_m[which]), around)


def gaps(first: Capsules, second: Capsules) -> Gaps:
    """Free distance of every pair, first[k] to second[k].

    Closest points of two segments: Ericson, "Real-Time Collision Detection" (2005), 5.1.9.
    """
    p, q = first.ends_m[:, 0], second.ends_m[:, 0]
    d1, d2 = first.ends_m[:, 1] - p, second.ends_m[:, 1] - q
    r = p - q
    a, e = np.maximum(_dot(d1, d1), 1e-12), np.maximum(_dot(d2, d2), 1e-12)
    b, c, f = _dot(d1, d2), _dot(d1, r), _dot(d2, r)
    denominator = a * e - b * b
    s = _share(np.where(denominator > 1e-9 * a * e, b * f - c * e, 0.0) / np.maximum(denominator, 1e-18))
    t = _share((b * s + f) / e)
    s = _share((b * t - c) / a)
    between = r + s[:, None] * d1 - t[:, None] * d2
    distance = np.sqrt(_dot(between, between))
    return Gaps(distance - first.radii_m - second.radii_m, s, between / np.maximum(distance, 1e-9)[:, None])


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])


def _share(value: Array) -> Array:
    return np.minimum(np.maximum(value, 0.0), 1.0)
