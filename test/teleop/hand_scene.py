# SPDX-License-Identifier: Apache-2.0
"""Hands in front of a camera, without images: where they are, what a tracker would say of them, and whose they are."""

from dataclasses import dataclass, field, replace

import numpy as np
from synthetic_hands import FRAME_NS, NS_PER_S, OPEN, mirrored, seen

from clips.choreography import REST_ROTATION
from teleop.operator_view import BodyView

ASPECT = 16 / 9
START = 1_000 * NS_PER_S
FOCAL = 1.1
"""Focal length over the image's height."""


@dataclass(frozen=True)
class Seen:
    """A detection, and whose hand it truly is."""

    side: str
    score: float
    world_m: np.ndarray
    image: np.ndarray
    owner: str = ""


@dataclass
class Person:
    """Two hands whose palms are at these places, metres before the camera: x right, y down, z away."""

    name: str = "operator"
    right: tuple = (-0.25, 0.1, 0.8)
    left: tuple = (0.25, 0.1, 0.8)
    size: float = 1.0
    pose: dict = field(default_factory=dict)
    hidden: frozenset = frozenset()

    def hands(self, rng, noise=1.0):
        """What a tracker sees of both."""
        found = []
        for side, place in (("right", self.right), ("left", self.left)):
            if side in self.hidden:
                continue
            world = seen(self.pose.get(side, OPEN), REST_ROTATION) * self.size
            world = world if side == "right" else mirrored(world)
            camera = world + np.array(place)
            world = world + noise * rng.normal(0, 1, (21, 3)) * np.array([1.5, 1.5, 3.0]) * 1e-3
            world = world - world[0]
            found.append(Seen(side, float(rng.uniform(0.8, 0.99)), world, in_image(camera), f"{self.name} {side}"))
        return found

    def body(self, stamp_ns):
        """The body view that belongs to these hands."""
        image, visibility = np.full((33, 2), 0.5), np.ones(33)
        image[[23, 24], 1] = 0.98
        for index, place in ((16, self.right), (15, self.left)):
            image[index] = in_image(np.array(place)[None])[0]
        return BodyView(np.zeros((33, 3)), image, visibility, stamp_ns)


def in_image(points_m):
    """(n, 2) shares of the image's width and height."""
    plane = FOCAL * points_m[:, :2] / points_m[:, 2:]
    return plane / np.array([ASPECT, 1.0]) + 0.5


def flipped(hand):
    """The same hand under the other label."""
    return replace(hand, side="left" if hand.side == "right" else "right")


def through_a_mirror(hand):
    """As a camera that mirrors shows it to the tracker."""
    image = hand.image * np.array([-1.0, 1.0]) + np.array([1.0, 0.0])
    return replace(flipped(hand), world_m=mirrored(hand.world_m), image=image)


class Scene:
    """Feeds frames to an identity and keeps what it answers."""

    def __init__(self, identity, seed=0):
        self.identity, self.rng = identity, np.random.default_rng(seed)
        self.now_ns = START
        self.answers = []

    def show(self, hands, body=None, frame_ns=FRAME_NS):
        """One frame; returns whose hand counts as which."""
        self.now_ns += frame_ns
        order = self.rng.permutation(len(hands))
        views = self.identity.see([hands[k] for k in order], body, self.now_ns)
        owners = {id(hand.world_m): hand.owner for hand in hands}
        answer = {side: owners[id(view.world_m)] for side, view in views.items()}
        self.answers.append(answer)
        return answer
