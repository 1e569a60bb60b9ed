# SPDX-License-Identifier: Apache-2.0
"""A robot's parts as arrays of instances, where they are for given joints, and where to look at them from.

Everything is drawn mirrored, as the page's camera picture is: what is on the operator's right is on the right of both.
The parts are their own mirror images, so a mirrored place and orientation is all that it takes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from booth.page.robot3d_parts import Part, parts_of
from booth.page.robot3d_pose import LinkPoses, quaternions
from robots.frames import Array
from robots.kinematics import KinematicTree
from robots.schema import Robot

MIRROR_POINT = np.array([1.0, -1.0, 1.0])
MIRROR_TURN = np.array([1.0, -1.0, 1.0, -1.0])
"""Reflection in the robot's middle plane of a point (x, y, z) and of a quaternion (w, x, y, z)."""

FIELD_OF_VIEW_RAD = 0.6
ABOVE_RAD = 0.22
"""The camera looks at the robot's front, a little from above."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """All parts of one shape.

    Attributes:
        link: (k,) index of the link that carries each.
        local: (k, 4, 4) link_from_part [m].
        size_m: (k, 3).
        colour: (k, 3) red, green, blue, 0 … 255, `linear`.
    """

    link: NDArray[np.intp]
    local: Array
    size_m: Array
    colour: NDArray[np.uint8]


class Placed(NamedTuple):
    """Mirrored places of k parts in m poses: centres (m, k, 3) [m] and quaternions (m, k, 4) w, x, y, z."""

    centres_m: Array
    turns: Array


class Framing(NamedTuple):
    """Where the camera stands and looks (3,) [m], and the height of the floor [m]; None: it stands on nothing."""

    eye_m: Array
    target_m: Array
    floor_m: float | None


class RobotScene:
    """Everything to draw of a robot; ``boxes`` and ``drums`` are its parts by shape."""

    def __init__(self, robot: Robot, tree: KinematicTree) -> None:
        parts = parts_of(robot, tree)
        self._poses = LinkPoses(robot, tree)
        self.boxes = self._bodies([part for part in parts if part.shape == "box"])
        self.drums = self._bodies([part for part in parts if part.shape == "drum"])
        self._ready = np.array([robot.ready_rad])
        self._stands = tree.root not in {hand.palm for hand in robot.imitation.hands}
        self._root_parts = self.boxes.link == 0

    def _bodies(self, parts: list[Part]) -> Bodies:
        return Bodies(
            np.array([self._poses.links.index(part.link) for part in parts]),
            np.array([part.pose for part in parts]),
            np.array([part.size_m for part in parts]),
            linear(np.array([part.colour for part in parts])),
        )

    def place(self, positions_rad: Array) -> tuple[Placed, Placed]:
        """Boxes and drums for (m, n) positions of the robot's joints [rad, or m when prismatic]."""
        links = self._poses(positions_rad)
        return _placed(links, self.boxes), _placed(links, self.drums)

    def framing(self) -> Framing:
        """A camera in front of the ready robot that has all that moves in view."""
        boxes, _ = self.place(self._ready)
        reach = self.boxes.size_m.max(axis=1, keepdims=True) / 2
        low, high = boxes.centres_m[0] - reach, boxes.centres_m[0] + reach
        floor_m = float((boxes.centres_m[0] - self.boxes.size_m / 2)[:, 2].min()) if self._stands else None
        seen = ~self._root_parts if self._stands and self._root_parts.sum() > 1 else np.full(len(low), True)
        lowest, highest = low[seen].min(axis=0), high[seen].max(axis=0)
        target = (lowest + highest) / 2
        away_m = 0.5 * float(np.max((highest - lowest)[1:])) / np.tan(FIELD_OF_VIEW_RAD / 2) + (highest - target)[0]
        eye = target + away_m * np.array([np.cos(ABOVE_RAD), 0.0, np.sin(ABOVE_RAD)])
        return Framing(eye, target, floor_m)


def linear(colour: Array | NDArray[np.integer]) -> NDArray[np.uint8]:
    """sRGB as amounts of light, which is how viser's client takes colours of instances (IEC 61966-2-1), 0 … 255."""
    share = np.asarray(colour) / 255.0
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.round(255.0 * light), np.uint8)


def _placed(links: Array, bodies: Bodies) -> Placed:
    poses = links[:, bodies.link] @ bodies.local
    return Placed(poses[..., :3, 3] * MIRROR_POINT, quaternions(poses[..., :3, :3]) * MIRROR_TURN)
