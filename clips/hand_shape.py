# SPDX-License-Identifier: Apache-2.0
"""The skin of the hand as a signed distance: tapered capsules around bones and pads, joined smoothly.

Capsules belong to groups. Inside a group they melt together (log-sum-exp union), between groups they only
touch, which keeps a dark line between neighbouring fingers and between a folded finger and the palm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clips.hand_model import bone_frames, landmarks_m

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

PALM, SLEEVE = 0, 6
"""Group numbers; groups 1 to 5 are the thumb to the little finger."""

_BLEND_M = (0.0034, 0.0010, 0.0010, 0.0010, 0.0010, 0.0010, 0.0020)
JOINT_RADIUS_M: Array = np.array(
    [
        [0.0135, 0.0118, 0.0100, 0.0080],
        [0.0112, 0.0096, 0.0084, 0.0068],
        [0.0114, 0.0099, 0.0087, 0.0070],
        [0.0109, 0.0094, 0.0082, 0.0066],
        [0.0096, 0.0083, 0.0072, 0.0058],
    ]
)
"""(5, 4) radius of each digit at its four landmarks, metres."""

Capsule = tuple[Array, Array, float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """Capsules from `start` to `end` (M, 3) metres with radii `near` and `far` (M,), sorted by `group` (M,)."""

    start: Array32
    end: Array32
    near: Array32
    far: Array32
    group: NDArray[np.int64]

    def part(self, keep: NDArray[np.bool_]) -> Shape:
        """Only the capsules where `keep` (M,) is true."""
        return Shape(self.start[keep], self.end[keep], self.near[keep], self.far[keep], self.group[keep])


def hand_shape(angles_rad: Array, elbow_in_palm_m: Array) -> Shape:
    """Hand, wrist and sleeved forearm in the palm frame, for (20,) joint angles and the elbow's position."""
    points = landmarks_m(angles_rad)
    frames = bone_frames(angles_rad)
    groups: list[list[Capsule]] = [_palm(points) + _wrist(elbow_in_palm_m)]
    groups += [_digit(digit, points, frames) for digit in range(5)]
    groups.append(_sleeve(elbow_in_palm_m))
    flat = [capsule for group in groups for capsule in group]
    return Shape(
        start=np.array([c[0] for c in flat], dtype=np.float32),
        end=np.array([c[1] for c in flat], dtype=np.float32),
        near=np.array([c[2] for c in flat], dtype=np.float32),
        far=np.array([c[3] for c in flat], dtype=np.float32),
        group=np.repeat(np.arange(len(groups)), [len(group) for group in groups]),
    )


def _digit(digit: int, points: Array, frames: Array) -> list[Capsule]:
    """Three phalanges (metacarpal included for the thumb) and a soft pad under the last one."""
    joints, radii = points[1 + 4 * digit : 5 + 4 * digit], JOINT_RADIUS_M[digit]
    capsules: list[Capsule] = [
        (joints[bone], joints[bone + 1], float(radii[bone]) * 0.97, float(radii[bone + 1])) for bone in range(3)
    ]
    pad_side, bone_length = frames[digit, 2, :, 0], joints[3] - joints[2]
    for bone, (low, high), lift in ((1, (0.3, 0.7), 0.0012), (2, (0.35, 0.85), 0.0014)):
        bottom, along = joints[bone], joints[bone + 1] - joints[bone]
        offset = frames[digit, bone, :, 0] * lift
        radius = float(radii[bone] + radii[bone + 1]) / 2
        capsules.append((bottom + low * along + offset, bottom + high * along + offset, radius, radius * 0.93))
    tip = joints[3] - 0.12 * bone_length + pad_side * 0.0006
    return [*capsules, (joints[2] + 0.5 * bone_length, tip, float(radii[3]) * 1.06, float(radii[3]) * 1.04)]


def _palm(points: Array) -> list[Capsule]:
    """A solid palm: metacarpals, the web and knuckle row, the ball of the thumb and the heel of the hand."""
    wrist, cmc, thumb_mp = points[0], points[1], points[2]
    knuckles = points[[5, 9, 13, 17]]
    capsules: list[Capsule] = []
    for knuckle, carpal_y, radius in zip(knuckles, (0.012, 0.004, -0.006, -0.014), (9.6, 9.9, 9.4, 8.4), strict=True):
        carpal = np.array([-0.001, carpal_y, 0.014])
        capsules.append((carpal, knuckle, 0.0125, radius * 1e-3))
    for left, right in pairwise(knuckles):
        capsules.append((left - [0, 0, 0.006], right - [0, 0, 0.006], 0.0088, 0.0084))
    for digit in range(1, 5):
        joints, radius = points[1 + 4 * digit : 3 + 4 * digit], float(JOINT_RADIUS_M[digit, 0])
        capsules.append((joints[0], joints[0] + 0.36 * (joints[1] - joints[0]), radius * 0.84, radius * 0.80))
    ball = np.array([0.012, 0.012, 0.020])
    capsules += [
        (cmc, thumb_mp, 0.0115, 0.0095),
        (ball, 0.25 * ball + 0.75 * thumb_mp + [0.001, -0.002, 0.0], 0.0115, 0.0085),
        (np.array([0.004, 0.008, 0.04]), 0.4 * cmc + 0.6 * thumb_mp, 0.010, 0.0075),
        (0.35 * cmc + 0.65 * thumb_mp, 0.28 * wrist + 0.72 * knuckles[0], 0.0065, 0.0070),
        (np.array([0.009, -0.018, 0.018]), np.array([0.0055, -0.0300, 0.052]), 0.0112, 0.0095),
        (np.array([0.0055, -0.029, 0.050]), knuckles[3] + [0.003, 0.0, -0.004], 0.0085, 0.0075),
        (np.array([0.0045, 0.020, 0.080]), np.array([0.0045, -0.030, 0.070]), 0.0080, 0.0075),
    ]
    return capsules


def _wrist(elbow: Array) -> list[Capsule]:
    """Two parallel forearm capsules: a wrist is wider than it is thick."""
    along, side = _forearm_axes(elbow)
    below = along * 0.09
    return [(sign * side * 0.0115 + along * 0.004, sign * side * 0.0145 + below, 0.0145, 0.0215) for sign in (-1, 1)]


def _sleeve(elbow: Array) -> list[Capsule]:
    """A cuff five centimetres below the wrist, then loose cloth to the elbow."""
    along, side = _forearm_axes(elbow)
    capsules: list[Capsule] = []
    for sign in (-1, 1):
        edge = sign * side * 0.013 + along * 0.062
        capsules.append((edge, edge + along * 0.022, 0.0252, 0.0262))
        capsules.append((edge + along * 0.03, elbow + sign * side * 0.018, 0.0275, 0.0400))
    return capsules


def _forearm_axes(elbow: Array) -> tuple[Array, Array]:
    """Unit vectors along the forearm (wrist to elbow) and across its flat side, palm frame."""
    along = elbow / np.linalg.norm(elbow)
    side = np.array([0.0, 1.0, 0.0]) - along[1] * along
    return along, side / np.linalg.norm(side)


class Distance:
    """Signed distance of a shape, evaluated for many points at once in single precision.

    The expansion |p - q|^2 = |p - a|^2 - h(2t - h) |b - a|^2 turns the work into two small matrix products;
    keep the points within a metre of the origin so that single precision stays below a micrometre or two.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._axis = shape.end - shape.start
        self._length2 = np.einsum("mi,mi->m", self._axis, self._axis).astype(np.float32)
        self._per_length = self._axis / self._length2[:, None]
        self._offset = -np.einsum("mi,mi->m", shape.start, self._per_length).astype(np.float32)
        self._start2 = np.einsum("mi,mi->m", shape.start, shape.start).astype(np.float32)
        self._taper = shape.far - shape.near
        edges = np.searchsorted(shape.group, np.arange(SLEEVE + 2))
        self._slices = [(group, int(low), int(high)) for group, (low, high) in enumerate(pairwise(edges)) if high > low]

    def near(self, points: Array32, reach_m: float) -> Distance:
        """The part of the shape that matters within `reach_m` of any of the points (N, 3), N > 0."""
        centre = (points.min(axis=0) + points.max(axis=0)) / 2
        radius = float(np.linalg.norm(points - centre, axis=1).max()) + reach_m
        return Distance(self._shape.part(self._capsules(centre[None])[0][:, 0] < radius))

    def __call__(self, points: Array32) -> Array32:
        """Signed distance in metres at (N, 3) points: (N,)."""
        distance = self._capsules(points)[0]
        result = np.full(len(points), np.inf, dtype=np.float32)
        for group, low, high in self._slices:
            np.minimum(result, _union(distance[low:high], group)[0], out=result)
        return result

    def surface(self, points: Array32) -> tuple[Array32, NDArray[np.int64]]:
        """Unit outward normals (N, 3) and the number of the nearest group (N,) at points near the surface."""
        distance, along, raw, core = self._capsules(points)
        weights = np.zeros_like(distance)
        best = np.full(len(points), np.inf, dtype=np.float32)
        owner = np.zeros(len(points), dtype=np.int64)
        for group, low, high in self._slices:
            union, share = _union(distance[low:high], group)
            nearer = union < best
            best[nearer], owner[nearer] = union[nearer], group
            weights[:, nearer] = 0.0
            weights[low:high, nearer] = (share / share.sum(axis=0))[:, nearer]
        pull = weights / np.maximum(core, 1e-6)
        inside = weights * ((raw > 0) & (raw < 1)) * (self._taper / self._length2)[:, None]
        normal = pull.sum(axis=0)[:, None] * points - pull.T @ self._shape.start
        normal -= (pull * along + inside).T @ self._axis
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
        return normal.astype(np.float32), owner

    def _capsules(self, points: Array32) -> tuple[Array32, Array32, Array32, Array32]:
        """Per capsule (M, N): signed distance, clamped and raw position along it, distance to its axis."""
        raw = self._per_length @ points.T
        raw += self._offset[:, None]
        along = np.clip(raw, 0.0, 1.0)
        square = (-2.0 * self._shape.start) @ points.T
        square += self._start2[:, None]
        square += np.einsum("ni,ni->n", points, points)
        square -= along * (2.0 * raw - along) * self._length2[:, None]
        core = np.sqrt(np.maximum(square, 0.0))
        distance = core - (self._shape.near[:, None] + self._taper[:, None] * along)
        return distance, along, raw, core


def _union(distance: Array32, group: int) -> tuple[Array32, Array32]:
    """Smooth union (N,) of one group's capsule distances (m, N), and each capsule's unscaled share (m, N)."""
    least = distance.min(axis=0)
    blend = np.float32(_BLEND_M[group])
    share = np.exp((least - distance) / blend)
    return least - blend * np.log(share.sum(axis=0)), share
