# SPDX-License-Identifier: Apache-2.0
"""One robot arm from the operator's: limb directions onto the robot's limb lengths, the palm's turn onto its wrist.

Every frame: plausible? -> torso frame -> limb directions, depth restored -> filters without lag -> where both hands
work together, where this hand must be -> `teleop.arm_follower`.
"""

from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from robots.load_kinematics import load_kinematics
from robots.schema import Robot
from teleop.arm_collision import Capsules, surroundings
from teleop.arm_follower import ArmFollower
from teleop.arm_lead import LeadingFilter
from teleop.arm_model import ArmModel, body_capsules
from teleop.arm_target import ArmTarget
from teleop.body_calibration import BodyCalibration
from teleop.body_geometry import (
    WRIST,
    BodyGeometryError,
    check_body,
    hand_point,
    limbs_in_camera,
    rotation_camera_from_torso,
    torso_axes,
)
from teleop.filters import OneEuroFilter, OneEuroSettings
from teleop.hand_geometry import Side
from teleop.limb_depth import limbs_with_depth
from teleop.operator_view import BodyView, HandView
from teleop.palm_depth import palm_with_depth

Array = NDArray[np.float64]

OTHER: dict[Side, Side] = {"right": "left", "left": "right"}

TORSO_FILTER = OneEuroSettings(0.5, 0.5, 1.0)
LIMB_FILTER = OneEuroSettings(1.5, 1.5, 2.0)
PALM_FILTER = OneEuroSettings(1.5, 1.0, 2.0)

TOGETHER_WEIGHT = 8.0
TOGETHER_M, APART_M = 0.30, 0.45
"""Distance of the operator's hands up to which they work together, and from which they don't."""
RAISED, HANGING = 0.65, 0.9
"""How far below the shoulder an arm reaches, over its length, up to which it works, and from which it only hangs."""

LARGEST_JUMP_RAD, JUMPS, JUMP_MEMORY_NS = 1.2, 3, 500_000_000
"""A limb that turns farther between two frames is an error of the tracker; as many in a row are the truth."""

MET_SHARE, NEWEST_SHARE = 0.6, 0.5
"""Of the joints' speed that a follower should meet them with, and of the newest step in that speed. An arm needs 0.4 s
to stop from its top speed: one that meets a moving target at full speed shoots past where the target stops."""

PALM_MEMORY_NS = 700_000_000
"""For this long after the palm was last seen the wrist keeps its turn; then it goes to rest."""

FIRST_STEP_S, LONGEST_STEP_S = 1 / 30, 0.1
"""A longer pause does not allow a longer step."""


class ArmRetargeter:
    """Keeps the last pose and the filters; not thread-safe.

    Attributes:
        joints: (k,) indices into ``robot.joint_names``.
        side: the operator's and the robot's arm.
        calibration: of the operator; may be set at any time.
        partner: the other arm's retargeter, whose pose this one keeps clear of; without one that arm is guessed.
        velocity_rad_s: (k,) how fast a follower should pass the last joint positions.
    """

    def __init__(self, robot: Robot, side: Side) -> None:
        """Take the arm out of a robot.

        Raises:
            ValueError: the robot has no such arm, or its links make none.
        """
        tree = load_kinematics(robot)
        copies = {copy.side: copy for copy in robot.imitation.arms}
        if side not in copies:
            raise ValueError(f"{robot.name} has no {side} arm that copies the operator's: add it to imitation: arms:")
        self.side = side
        self.calibration = BodyCalibration()
        self.partner: ArmRetargeter | None = None
        self.arm = ArmModel(robot, tree, copies[side])
        self._other = ArmModel(robot, tree, copies[OTHER[side]]) if OTHER[side] in copies else None
        self._body = body_capsules(robot, tree, self.arm)
        self.joints = np.array([robot.joint_names.index(name) for name in self.arm.chain.joint_names])
        self._follower = ArmFollower(self.arm, np.array(robot.velocity_rad_s)[self.joints])
        self._torso = OneEuroFilter(TORSO_FILTER)
        self._limbs, self._palm = LeadingFilter(LIMB_FILTER), LeadingFilter(PALM_FILTER)
        self.reset(None)

    def reset(self, position_rad: Array | None = None) -> None:
        """Start from this pose (k,) [rad], or from none: the first frame is then followed at once. Forgets filters."""
        self._follower.start(position_rad)
        self._stamp_ns: int | None = None
        self._palm_ns: int | None = None
        self._seen: Array | None = None
        self._jumps = 0
        self.velocity_rad_s = np.zeros(len(self.joints))
        for each in (self._torso, self._limbs, self._palm):
            each.reset()

    @property
    def capsules(self) -> Capsules:
        """The parts of the arm in its last pose, in the base frame."""
        return self._follower.capsules

    @property
    def obstacle(self) -> str:
        """What keeps the arm from where the operator's is, see `teleop.arm_follower.ArmFollower`."""
        return self._follower.obstacle

    def see(self, body: BodyView, rotation_camera_from_palm: Array | None, stamp_ns: int) -> Array:
        """Joint positions (k,) [rad] for one frame, inside the limits.

        Args:
            body: the operator's body.
            rotation_camera_from_palm: (3, 3) of the hand on this side, None where it is not seen.
            stamp_ns: when the frame was taken; one that does not advance changes nothing.

        Raises:
            BodyGeometryError: the arm is not in view or not plausible; nothing changes.
        """
        if self._stamp_ns is not None and stamp_ns <= self._stamp_ns:
            return self._follower.joints.copy()
        check_body(body)
        axes = torso_axes(body, np.array(self.calibration.up_in_camera))
        rotation_camera_from_torso(axes)
        limbs_m = self._limbs_m(body, rotation_camera_from_palm)
        self._refuse_jump(limbs_m, stamp_ns)

        first = self._stamp_ns is None
        elapsed_s = FIRST_STEP_S if self._stamp_ns is None else min((stamp_ns - self._stamp_ns) * 1e-9, LONGEST_STEP_S)
        self._stamp_ns, self._seen = stamp_ns, limbs_m
        torso = rotation_camera_from_torso(self._torso(axes, stamp_ns))
        limbs = _units(self._limbs(_units(limbs_m @ torso), stamp_ns, (stamp_ns - body.stamp_ns) * 1e-9))
        palm = self._palm_in_torso(rotation_camera_from_palm, torso, stamp_ns)
        other_limbs = self._other_limbs(body, torso)
        hand_m, weight = self._hand_beside(body, torso, limbs, other_limbs)
        around = surroundings(self._body, self._other_capsules(other_limbs))
        hold_wrist = self._palm_ns is not None and stamp_ns - self._palm_ns <= PALM_MEMORY_NS
        before = self._follower.joints
        joints = self._follower.follow(ArmTarget(limbs, palm, hand_m, weight), around, elapsed_s, hold_wrist).copy()
        newest = np.zeros(len(joints)) if first else MET_SHARE * (joints - before) / elapsed_s
        self.velocity_rad_s = self.velocity_rad_s + NEWEST_SHARE * (newest - self.velocity_rad_s)
        return joints

    def palm(self, body: BodyView, hand: HandView) -> Array:
        """Rotation from the palm of this side's hand to the camera (3, 3), as `see` takes it; does not change anything.

        Raises:
            HandGeometryError: see `teleop.palm_depth`.
        """
        try:
            check_body(body)
            forearm = _units(self._limbs_m(body, None)[1])
        except BodyGeometryError:
            forearm = None
        return palm_with_depth(hand, self.side, body.aspect, forearm)

    def _limbs_m(self, body: BodyView, rotation_camera_from_palm: Array | None) -> Array:
        """(2, 3) upper arm and forearm [m] in camera axes, their depth restored where their lengths are known."""
        limbs_m = limbs_in_camera(body, self.side)
        known = self.calibration
        lengths_m = known.limbs_m.get(self.side)
        if lengths_m is None:
            return limbs_m
        palm_z = rotation_camera_from_palm[:, 2] if _is_rotation(rotation_camera_from_palm) else None
        return limbs_with_depth(body, self.side, known.shoulders_m, lengths_m, palm_z)

    def _refuse_jump(self, limbs_m: Array, stamp_ns: int) -> None:
        if self._seen is None or self._stamp_ns is None or stamp_ns - self._stamp_ns > JUMP_MEMORY_NS:
            return
        cosines = (_units(limbs_m) * _units(self._seen)).sum(axis=1)
        jump_rad = float(np.arccos(np.clip(cosines.min(), -1.0, 1.0)))
        self._jumps = self._jumps + 1 if jump_rad > LARGEST_JUMP_RAD else 0
        if 0 < self._jumps < JUMPS:
            raise BodyGeometryError(f"the {self.side} arm jumped by {np.degrees(jump_rad):.0f} deg between two frames")
        if self._jumps:
            self._jumps = 0
            self._limbs.reset()

    def _palm_in_torso(self, rotation: Array | None, torso: Array, stamp_ns: int) -> Array | None:
        """(2, 3) where the palm's z and x should point; None without a palm that can be seen and turned."""
        if self.arm.palm is None or not _is_rotation(rotation):
            return None
        z, x = _units(self._palm(rotation[:, [2, 0]].T @ torso, stamp_ns))
        self._palm_ns = stamp_ns
        return np.stack([z, _units(x - x.dot(z) * z)])

    def _other_limbs(self, body: BodyView, torso: Array) -> Array | None:
        """(2, 3) limb directions of the other arm in the base frame; None while it is not seen."""
        if self._other is None:
            return None
        try:
            return _units(limbs_in_camera(body, OTHER[self.side]) @ torso)
        except BodyGeometryError:
            return None

    def _other_capsules(self, other_limbs: Array | None) -> Capsules | None:
        if self.partner is not None:
            return self.partner.capsules
        if self._other is None or other_limbs is None:
            return None
        return self._other.capsules(self._other.points_along(other_limbs, other_limbs[1]))

    def _hand_beside(
        self, body: BodyView, torso: Array, limbs: Array, other_limbs: Array | None
    ) -> tuple[Array | None, float]:
        """Where this hand must be and how much that counts: close hands of the operator are close hands of the robot.

        The robot's hands are as far apart as the operator's, in proportion to the arms, around the middle of where the
        limb directions put them; not so where an arm hangs. Both arms take all of it from the same landmarks, so that
        they agree on the middle.
        """
        if self._other is None or other_limbs is None:
            return None, 0.0
        own_hand, other_hand = hand_point(body, self.side), hand_point(body, OTHER[self.side])
        between = (own_hand - other_hand) @ torso
        near = (APART_M - float(np.linalg.norm(between))) / (APART_M - TOGETHER_M)
        lower = min(float(limbs[:, 2].mean()), float(other_limbs[:, 2].mean()))
        raised = (HANGING + lower) / (HANGING - RAISED)
        share = min(near, 1.0) * min(raised, 1.0)
        if near <= 0.0 or raised <= 0.0:
            return None, 0.0
        known = self.calibration.limbs_m.get(self.side)
        human_m = sum(known) if known else float(np.linalg.norm(limbs_in_camera(body, self.side), axis=1).sum())
        along = _units((own_hand - body.world_m[WRIST[self.side]]) @ torso)
        other_along = _units((other_hand - body.world_m[WRIST[OTHER[self.side]]]) @ torso)
        own = self.arm.points_along(limbs, along)[3]
        theirs = self._other.points_along(other_limbs, other_along)[3]
        scale = float(np.clip(self.arm.measures.reach_m / max(human_m, 0.2), 0.2, 2.0))
        return (own + theirs + scale * between) / 2, TOGETHER_WEIGHT * share


def _is_rotation(matrix: Array | None) -> TypeGuard[Array]:
    if matrix is None or np.shape(matrix) != (3, 3) or not np.isfinite(matrix).all():
        return False
    return bool(np.abs(matrix @ matrix.T - np.eye(3)).max() < 1e-3)


def _units(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True)), 1e-9))
