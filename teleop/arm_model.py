# SPDX-License-Identifier: Apache-2.0
"""One arm of a robot as the retargeter sees it: chain, limb axes, lengths and the capsules around it.

A ROBOTIS arm is straight when its joints stand at 0, with the elbow's hinge beside the line from shoulder to wrist. The
limbs' axes are that line, fixed to the links before and behind the elbow: so an arm that looks straight is straight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robots.frames import rotation_rpy
from robots.hand_reach import HAND_M, SHORTEST_FINGERS_M, finger_reach_m
from robots.kinematics import KinematicTree
from robots.schema import ArmCopy, Robot
from teleop.arm_collision import Capsules
from teleop.arm_fence import ArmFence
from teleop.arm_solver import Chain, Directions, Points
from teleop.hand_geometry import Side

Array = NDArray[np.float64]

LARGEST_ELBOW_OFFSET = 0.25
"""Of the arm's length; an elbow farther from the line is no hinge beside a straight arm."""

ARM_RADIUS, PALM_RADIUS, FINGER_RADIUS = 0.13, 0.08, 0.04
"""Radii over the arm's length from shoulder to wrist, from ROBOTIS's meshes of the AI Worker (ai_worker f0f1dce,
arm_r_link3 … 7.stl: within 75 mm of the axis, elbow motors 108 mm); the other robots have the same proportions."""
CHEST_RADIUS, BELLY_RADIUS, HEAD_RADIUS = 0.40, 0.45, 0.45
CHEST_WIDTH, CHEST_BELOW, BELLY_BELOW = 0.30, 0.22, 0.88
"""Radii, half the chest's axis, and where chest and belly end below the shoulders, over the distance of a shoulder from
the middle (body_arm_assy.stl: 314 mm wide, 180 mm deep, 290 mm down; head_link2.stl: within 107 mm)."""
HEAD_ABOVE = 0.3
"""A robot without a head has one so far above the shoulders, over the arm's length."""

ELBOW_ONE_WAY = 1.5
"""An elbow that bends this much farther one way than the other is not bent the other way."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is needed of an arm to guess where it is without solving: all in the base frame at position 0 [m]."""

    shoulder_m: Array
    upper_m: float
    forearm_m: float
    hand_m: float

    @property
    def reach_m(self) -> float:
        """Shoulder to wrist."""
        return self.upper_m + self.forearm_m


class ArmModel:
    """Geometry of one arm.

    Attributes:
        side, chain: joints from the base to the palm, or to the wrist where there is none.
        lower, upper: (n,) limits [rad] of robot file and URDF together, elbow bent the natural way only.
        rest: (n,) [rad] where joints stand that nothing else determines; ``ready``: in front of the operator.
        mirrored: (n,) signs; of a pair of arms, joints times these are equal where the arms are mirror images.
        wrist: index of the first joint behind the forearm; n for an arm without one.
        limbs: directions of upper arm and forearm; palm: of the palm's z and x, or None.
        hand: the point between the fingers (the wrist where there is no palm).
        points: shoulder, elbow, wrist, hand and fingertips.
        fence: what wrist, hand and fingertips stay in, or None.
        measures: lengths; ``radii_m``: (4,) of upper arm, forearm, palm and fingers.
    """

    def __init__(self, robot: Robot, tree: KinematicTree, arm: ArmCopy) -> None:
        """Take the arm out of a robot.

        Raises:
            ValueError: the links don't make an arm.
        """
        self.side: Side = arm.side
        self.fence = None if arm.fence_m is None else ArmFence(arm.fence_m.lower, arm.fence_m.upper)
        self.chain = chain = Chain(tree, arm.base, arm.palm or arm.wrist)
        count = len(chain.joint_names)
        zero = chain.forward(np.zeros(count))
        places = {name: chain.place(getattr(arm, name)) for name in ("shoulder", "elbow", "wrist")}
        carriers = [carrier for carrier, _ in places.values()]
        if not 0 <= carriers[0] < carriers[1] <= carriers[2]:
            raise ValueError(f"{arm.shoulder}, {arm.elbow}, {arm.wrist} are no shoulder, elbow and wrist of a chain")
        elbow = carriers[1]
        joints = Points(carriers, np.array([pose[:3, 3] for _, pose in places.values()]))
        shoulder_m, elbow_m, wrist_m = joints.at(zero)
        axis = _unit(wrist_m - shoulder_m)
        beside_m = elbow_m - shoulder_m - (elbow_m - shoulder_m).dot(axis) * axis
        reach_m = float(np.linalg.norm(wrist_m - shoulder_m))
        if float(np.linalg.norm(beside_m)) > LARGEST_ELBOW_OFFSET * reach_m:
            raise ValueError(f"{arm.elbow} is not between {arm.shoulder} and {arm.wrist} when the joints stand at 0")
        self.limbs = Directions(
            [elbow - 1, elbow], np.stack([zero.rotations[elbow - 1].T @ axis, zero.rotations[elbow].T @ axis]), count
        )
        self.wrist = elbow + 1 if arm.palm is not None else count
        self.palm, hand_m, tips_m = None, wrist_m, wrist_m
        if arm.palm is not None:
            carrier, pose = chain.place(arm.palm)
            rotation = pose[:3, :3] @ rotation_rpy(*arm.palm_rpy)
            self.palm = Directions([carrier, carrier], np.stack([rotation[:, 2], rotation[:, 0]]), count)
            fingers_m = max(SHORTEST_FINGERS_M, finger_reach_m(tree, arm.palm, rotation_rpy(*arm.palm_rpy)[:, 2]))
            along = np.array([HAND_M, fingers_m])[:, None] * rotation[:, 2] + pose[:3, 3]
            hand_m, tips_m = Points([carrier, carrier], along).at(zero)
        last = count - 1
        self.points = Points(
            [*carriers, last, last],
            np.stack(
                [
                    zero.rotations[c].T @ (at - zero.origins_m[c])
                    for c, at in zip(
                        [*carriers, last, last], [shoulder_m, elbow_m, wrist_m, hand_m, tips_m], strict=True
                    )
                ]
            ),
        )
        upper_m = float((elbow_m - shoulder_m).dot(axis))
        self.measures = Measures(shoulder_m, upper_m, reach_m - upper_m, float(np.linalg.norm(hand_m - wrist_m)))
        self.radii_m = reach_m * np.array([ARM_RADIUS, ARM_RADIUS, PALM_RADIUS, FINGER_RADIUS])
        self.lower, self.upper = _limits(robot, chain, elbow)
        self.rest = np.clip(np.zeros(count), self.lower, self.upper)
        main = np.abs(zero.axes).argmax(axis=1)
        turns = np.sign(zero.axes[np.arange(count), main])
        self.mirrored = turns * np.where((main == 1) | (arm.side == "right"), 1.0, -1.0)
        ready = np.array([robot.ready_rad[robot.joint_names.index(name)] for name in chain.joint_names])
        self.ready = np.clip(ready, self.lower, self.upper)

    def capsules(self, points_m: Array) -> Capsules:
        """Upper arm, forearm, palm and fingers for the five ``points`` [m] of a pose."""
        return Capsules(np.stack([points_m[:-1], points_m[1:]], axis=1), self.radii_m)

    def points_along(self, limbs: Array, hand: Array) -> Array:
        """(5, 3) [m] points for limb directions (2, 3) and the hand's (3,) in the base frame, without solving."""
        measures = self.measures
        elbow_m = measures.shoulder_m + measures.upper_m * limbs[0]
        wrist_m = elbow_m + measures.forearm_m * limbs[1]
        hand_m = wrist_m + measures.hand_m * hand
        fingers_m = 0.0 if self.palm is None else SHORTEST_FINGERS_M - HAND_M
        return np.stack([measures.shoulder_m, elbow_m, wrist_m, hand_m, hand_m + fingers_m * hand])


def body_capsules(robot: Robot, tree: KinematicTree, arm: ArmModel) -> Capsules:
    """Chest, belly and head in the base frame of an arm, head at position 0."""
    measures = arm.measures
    beside_m, height_m = abs(float(measures.shoulder_m[1])), float(measures.shoulder_m[2])
    chest_m, belly_m = height_m - CHEST_BELOW * beside_m, height_m - BELLY_BELOW * beside_m
    width_m = CHEST_WIDTH * beside_m
    head_m = np.array([0.0, 0.0, height_m + HEAD_ABOVE * measures.reach_m])
    if robot.imitation.head is not None:
        base = next(copy.base for copy in robot.imitation.arms if copy.side == arm.side)
        poses = tree.forward({})
        head_m = (np.linalg.inv(poses[base]) @ poses[robot.imitation.head.link])[:3, 3]
    ends_m = np.array(
        [
            [[0.0, -width_m, chest_m], [0.0, width_m, chest_m]],
            [[0.0, 0.0, chest_m], [0.0, 0.0, belly_m]],
            [head_m, head_m + np.array([0.0, 0.0, 0.5 * HEAD_RADIUS * beside_m])],
        ]
    )
    return Capsules(ends_m, beside_m * np.array([CHEST_RADIUS, BELLY_RADIUS, HEAD_RADIUS]))


def _limits(robot: Robot, chain: Chain, elbow: int) -> tuple[Array, Array]:
    joints = [robot.joints[robot.joint_names.index(name)] for name in chain.joint_names]
    lower = np.maximum(chain.lower, [joint.min_rad for joint in joints])
    upper = np.minimum(chain.upper, [joint.max_rad for joint in joints])
    if -lower[elbow] > ELBOW_ONE_WAY * upper[elbow]:
        upper[elbow] = min(upper[elbow], max(0.0, lower[elbow]))
    elif upper[elbow] > -ELBOW_ONE_WAY * lower[elbow]:
        lower[elbow] = max(lower[elbow], min(0.0, upper[elbow]))
    return lower, upper


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))
