# SPDX-License-Identifier: Apache-2.0
"""A drawn person in front of the camera, without images: what a perfect tracker would say of their pose.

The training asks for nothing that this person could not show: the robot's pose for it is what its own retargeting makes
of them, so that limits and fences hold.
"""

from functools import cache

import numpy as np

from booth.session.training_exercise import Array
from studio.body_landmarks import body_landmarks_m
from studio.camera import Camera, aimed_camera
from studio.key_poses import key_poses
from studio.operator_model import SIDES, posture
from studio.script import LimbTarget, Reach, Script, Step
from studio.sizes import Sizes
from teleop.operator_view import BodyView, HandView, OperatorFrame

SIZES = Sizes(height_m=1.75)


def _palms(*at: float) -> LimbTarget:
    """A hand at a place, forward, outward and up from the middle between the shoulders [m]: open, fingers up."""
    return LimbTarget(reach=Reach(at=(at[0], at[1], at[2]), faces="forward", fingers="up"), hand="open")


HIGH, LOW = _palms(0.22, 0.40, 0.26), _palms(0.30, 0.26, -0.14)
ARMS = {"low": (LOW, LOW), "right up": (HIGH, LOW), "left up": (LOW, HIGH), "both up": (HIGH, HIGH)}
"""Right and left arm of the poses to copy: far from one another on every robot, inside the image, and such that even
OP3's short arms find back to the same posture on every way (stretched forward they don't)."""


def arms_pose(name: str) -> Array:
    """(60,) joint angles [rad] of a person who holds the arms so (one of `ARMS`), hands open."""
    right, left = ARMS[name]
    return _posed(Step(right=right, left=left))


VICTORY_DEG = {"middle_mcp": 2.0, "middle_pip": 4.0, "middle_dip": 2.0}
"""What makes a victory sign of a pointing hand."""


def hand_pose(name: str) -> Array:
    """(60,) joint angles [rad] of a person who shows this pose (a name of the studio's, or victory) with both hands."""
    if name == "victory":
        return _posed(Step(both=LimbTarget(arm="neutral", hand="point")), Step(both=LimbTarget(hand=VICTORY_DEG)))
    return _posed(Step(both=LimbTarget(arm="neutral", hand=name)))


def _posed(*steps: Step) -> Array:
    return key_poses(Script(title="a pose of the training", engage=False, steps=list(steps)), SIZES)[-1].angles_rad


@cache
def camera() -> Camera:
    """Before the person, at the height of the chest."""
    position, target = np.array([1.9, 0.0, 0.35]), np.array([0.0, 0.0, 0.35])
    return aimed_camera(position_m=position, target_m=target, fov_deg=62.0, size=(640, 480))


def frame(angles_rad: Array, stamp_ns: int) -> OperatorFrame:
    """What a tracker without errors says of the person with these joint angles (60,)."""
    seen = camera()
    size = np.array([seen.width, seen.height])
    body = posture(angles_rad, SIZES)
    skeleton = seen.place(body_landmarks_m(body, SIZES))
    hands = {}
    for side in SIDES:
        points = seen.place(body.limbs[side].hand_m)
        hands[side] = HandView(points - points[0], seen.pixels(points) / size, 1.0)
    hips = skeleton[23:25].mean(axis=0)
    view = BodyView(skeleton - hips, seen.pixels(skeleton) / size, np.ones(33), stamp_ns, seen.width / seen.height)
    return OperatorFrame(stamp_ns, hands, view)
