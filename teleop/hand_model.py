# SPDX-License-Identifier: Apache-2.0
"""A robot hand as the retargeter sees it: one chain of joints from the palm to the tip of every digit.

Chains are padded to the same number of joints, so that all digits are computed at once. Frame: the palm link of the
URDF; it follows `teleop.hand_geometry`: x out of the palm, z to the fingertips. Lengths are metres, angles radians.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from robots.frames import Array, read_only
from robots.kinematics import KinematicJoint, KinematicTree

DIGITS = ("thumb", "index", "middle", "ring", "little")
HUMAN_BONES = np.array([2, 3, 3, 3, 3])
"""Phalanges of a human digit beyond its knuckle (the thumb's is its MP joint)."""

PARALLEL = 0.95
"""Cosine above which two joint axes count as parallel: 18 degrees."""


@dataclass(frozen=True, slots=True)
class HandPose:
    """Where the digits are, in the palm frame; d digits, n joints each.

    Attributes:
        tip_m: (d, 3). distal: (d, 3) unit direction of the last segment. knuckle_m: (d, 3).
        origin_m: (d, n, 3) of the joints.
        tip_jacobian: (d, n, 3) [m/rad], tip by joint; distal_jacobian: (d, n, 3) [1/rad].
    """

    tip_m: Array
    distal: Array
    knuckle_m: Array
    origin_m: Array
    tip_jacobian: Array
    distal_jacobian: Array


class HandModel:
    """Kinematics of the digits of one robot hand, with analytic Jacobians.

    Attributes:
        digits: (d,) index into `DIGITS` of every digit that the hand has.
        joint_names: (k,) joints that move the digits; ``lower_rad``, ``upper_rad``: (k,).
        select: (d * n, k) joint angles of all chains by joint position (mimic joints follow their master).
        count, depth: d digits, n joints each. bones: (d,) how many segments a digit has beyond its knuckle.
        length_m: (d,) from the knuckle to the tip along the bones.
        knuckle: (d,) place of the knuckle's joint in its chain. bends: (d, n) 1 for joints at or beyond the knuckle.
        spread: (d,) index into ``joint_names`` of the joint that leans a finger sideways, -1 where there is none.
        spread_sign: (d,) +1 where a positive angle leans it towards -y. root_m: (d, 3) point that it turns about.
    """

    def __init__(
        self,
        tree: KinematicTree,
        palm: str,
        tips: Mapping[str, str],
        joint_names: Sequence[str],
        lower_rad: Array,
        upper_rad: Array,
    ) -> None:
        """Read the chains.

        Args:
            tree: of the whole robot.
            palm: link whose frame is the palm's.
            tips: link of the tip of every digit that the hand has.
            joint_names: the robot's joints; limits are in the same order.
            lower_rad, upper_rad: (len(joint_names),).

        Raises:
            ValueError: lists the digits that don't hang on the palm or hold a joint that does not turn.
        """
        self.digits = np.array([k for k, digit in enumerate(DIGITS) if digit in tips])
        chains = [_chain(tree, palm, tips[DIGITS[k]]) for k in self.digits]
        moving = [[joint for joint in chain if joint.kind != "fixed"] for chain in chains]
        problems = _problems([DIGITS[k] for k in self.digits], moving)
        if problems:
            raise ValueError("; ".join(problems))
        masters = [_master(joint) for joints in moving for joint in joints]
        self.joint_names = tuple(name for name in joint_names if name in masters)
        missing = sorted(set(masters) - set(joint_names))
        if missing:
            raise ValueError(f"joints of the hand that the robot has not: {', '.join(missing)}")
        order = [list(joint_names).index(name) for name in self.joint_names]
        self.lower_rad, self.upper_rad = read_only(lower_rad[order]), read_only(upper_rad[order])
        self._lay_out(chains, moving)
        self._find_knuckles(moving)
        self._find_spreads(moving)

    def _lay_out(self, chains: list[list[KinematicJoint]], moving: list[list[KinematicJoint]]) -> None:
        d, n = len(chains), max(len(joints) for joints in moving)
        self.count, self.depth = d, n
        self._fixed = np.tile(np.eye(4), (d, n, 1, 1))
        self._sine, self._cosine = np.zeros((d, n, 4, 4)), np.zeros((d, n, 4, 4))
        self._axes, self._tips = np.zeros((d, n, 3, 1)), np.zeros((d, 4, 1))
        self.select, self._offset = np.zeros((d * n, len(self.joint_names))), np.zeros(d * n)
        for i, chain in enumerate(chains):
            before, k = np.eye(4), 0
            for joint in chain:
                before = before @ joint.origin
                if joint.kind == "fixed":
                    continue
                x, y, z = joint.axis
                cross = np.zeros((4, 4))
                cross[:3, :3] = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]
                self._fixed[i, k], self._axes[i, k, :, 0] = before, joint.axis
                self._sine[i, k], self._cosine[i, k] = before @ cross, before @ cross @ cross
                multiplier, offset = (1.0, 0.0) if joint.mimic is None else (joint.mimic.multiplier, joint.mimic.offset)
                self.select[i * n + k, self.joint_names.index(_master(joint))] = multiplier
                self._offset[i * n + k] = offset
                before, k = np.eye(4), k + 1
            self._tips[i, :, 0] = before[:, 3]
        self._last = np.array([len(joints) - 1 for joints in moving])
        self._rows = np.arange(d)

    def _find_knuckles(self, moving: list[list[KinematicJoint]]) -> None:
        """The knuckle is where a digit's run of parallel flexion axes begins."""
        axes = self.joint_axes(np.zeros(len(self.joint_names)))
        self.knuckle = np.zeros(self.count, dtype=int)
        for i, joints in enumerate(moving):
            k = len(joints) - 1
            while k > 0 and abs(float(axes[i, k - 1] @ axes[i, len(joints) - 1])) > PARALLEL:
                k -= 1
            self.knuckle[i] = k
        self.bends = read_only((np.arange(self.depth) >= self.knuckle[:, None]).astype(np.float64))
        origins, tips = self._frames(np.zeros(len(self.joint_names)))[1:]
        self.length_m = np.zeros(self.count)
        for i, joints in enumerate(moving):
            points = [*origins[i, self.knuckle[i] : len(joints)], tips[i]]
            self.length_m[i] = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
        self.bones = self._last - self.knuckle + 1

    def _find_spreads(self, moving: list[list[KinematicJoint]]) -> None:
        """A finger's spread joint lies before its knuckle and turns about the palm's x axis."""
        axes = self.joint_axes(np.zeros(len(self.joint_names)))
        self.root_m = self._frames(np.zeros(len(self.joint_names)))[1][:, 0].copy()
        self.spread, self.spread_sign = np.full(self.count, -1), np.zeros(self.count)
        for i, joints in enumerate(moving):
            if self.digits[i] == 0 or self.knuckle[i] != 1 or abs(axes[i, 0, 0]) < PARALLEL:
                continue
            if joints[0].mimic is None:
                self.spread[i] = self.joint_names.index(joints[0].name)
                self.spread_sign[i] = np.sign(axes[i, 0, 0])
                self.root_m[i] = self._frames(np.zeros(len(self.joint_names)))[1][i, 0]

    def _frames(self, position_rad: Array) -> tuple[Array, Array, Array]:
        """Joint axes (d, n, 3), joint origins (d, n, 3) and tips (d, 3) in the palm frame."""
        d, n = self.count, self.depth
        angle = (self.select @ position_rad + self._offset).reshape(d, n, 1, 1)
        local = self._fixed + np.sin(angle) * self._sine + (1.0 - np.cos(angle)) * self._cosine
        poses = np.empty((d, n, 4, 4))
        poses[:, 0] = pose = local[:, 0]
        for k in range(1, n):
            pose = np.matmul(pose, local[:, k], out=poses[:, k])
        tips = (pose @ self._tips)[:, :3, 0]
        return (poses[:, :, :3, :3] @ self._axes)[..., 0], poses[:, :, :3, 3], tips

    def joint_axes(self, position_rad: Array) -> Array:
        """Unit axes of the joints in the palm frame, (d, n, 3); zero where a digit has fewer joints."""
        return self._frames(position_rad)[0]

    def place(self, position_rad: Array) -> HandPose:
        """Digits and their Jacobians for joint positions (k,) [rad]."""
        axes, origins, tips = self._frames(position_rad)
        distal = tips - origins[self._rows, self._last]
        distal /= np.sqrt(np.einsum("ij,ij->i", distal, distal))[:, None]
        turn, arm = np.empty((self.count, self.depth, 1, 5)), np.empty((self.count, self.depth, 2, 5))
        turn[:, :, 0, :3], turn[:, :, 0, 3:] = axes, axes[:, :, :2]
        arm[:, :, 0, :3], arm[:, :, 1, :3] = tips[:, None] - origins, distal[:, None]
        arm[..., 3:] = arm[..., :2]
        jacobian = turn[..., 1:4] * arm[..., 2:] - turn[..., 2:] * arm[..., 1:4]
        return HandPose(
            tips,
            distal,
            origins[self._rows, self.knuckle],
            origins,
            jacobian[:, :, 0],
            jacobian[:, :, 1],
        )


def _chain(tree: KinematicTree, palm: str, tip: str) -> list[KinematicJoint]:
    """Joints between the palm and a tip; empty where the tip does not hang on the palm."""
    chain = list(tree.chain(tip))
    links = [tree.root, *(joint.child for joint in chain)]
    return chain[links.index(palm) :] if palm in links else []


def _problems(digits: list[str], moving: list[list[KinematicJoint]]) -> list[str]:
    problems = [
        f"{digit} has no joint between palm and tip" for digit, joints in zip(digits, moving, strict=True) if not joints
    ]
    if not digits:
        problems.append(f"a hand needs a digit: expected some of {', '.join(DIGITS)}")
    for digit, joints in zip(digits, moving, strict=True):
        problems += [f"{digit}: {joint.name} slides, it must turn" for joint in joints if joint.kind == "prismatic"]
    return problems


def _master(joint: KinematicJoint) -> str:
    return joint.name if joint.mimic is None else joint.mimic.joint
