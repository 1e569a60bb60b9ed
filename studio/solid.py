# SPDX-License-Identifier: Apache-2.0
"""Solids that the film is made of: tapered capsules in groups, each a painted part with a frame of its own.

Inside a group capsules melt together over `blend` metres, between groups they only touch, which keeps a dark line
between fingers, or between an arm and the body before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Part(IntEnum):
    """What a surface is, and so how it is painted. Hands take seven numbers each: part + group of clips.hand_shape."""

    SHIRT = 0
    SLEEVE = 1
    COLLAR = 2
    NECK = 3
    FACE = 4
    HAIR = 5
    EAR = 6
    FOREARM = 7
    TROUSERS = 8
    RIGHT_HAND = 16
    LEFT_HAND = 24
    GUEST_HAND = 32
    GUEST_SLEEVE = 40


@dataclass(frozen=True, slots=True)
class Frame:
    """Camera from local coordinates: point_in_camera = rotation @ (local * scale) + origin."""

    rotation: Array
    origin_m: Array
    scale: float = 1.0

    def to_camera(self, points: Array) -> Array:
        """Local points (..., 3) in camera axes, metres."""
        return np.asarray(points @ (self.rotation.T * self.scale) + self.origin_m)

    def to_local(self, points_m: Array) -> Array:
        """Points (..., 3) of the camera in local coordinates."""
        return np.asarray((points_m - self.origin_m) @ (self.rotation / self.scale))

    def direction_to_local(self, directions: Array) -> Array:
        """Directions (..., 3) of the camera in local axes."""
        return np.asarray(directions @ self.rotation)


@dataclass(slots=True)
class Solids:
    """Capsules of one instant in camera axes, gathered group by group."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    blends_m: list[float] = field(default_factory=list)
    frames: dict[int, Frame] = field(default_factory=dict)

    def group(self, blend_m: float) -> None:
        """Begin a new group."""
        self.blends_m.append(blend_m)

    def add(self, part: int, frame: Frame, start: Array, end: Array, near: float, far: float) -> None:
        """A capsule of the current group between two local points with two local radii."""
        self.frames.setdefault(part, frame)
        a, b = frame.to_camera(np.asarray(start, dtype=float)), frame.to_camera(np.asarray(end, dtype=float))
        self.rows.append((*a, *b, near * frame.scale, far * frame.scale, len(self.blends_m) - 1, int(part)))

    def table(self) -> Array:
        """(M, 10): start, end [m], two radii [m], group, part; groups in ascending order."""
        return np.array(self.rows, dtype=np.float64).reshape(-1, 10)

    def blends(self) -> Array:
        """(G,) how far each group's capsules melt together [m]."""
        return np.array(self.blends_m, dtype=np.float64)
