# SPDX-License-Identifier: Apache-2.0
"""The limbs that copy the operator, all behind one interface: a frame in, joint positions or a plain reason out."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from graph.errors import InputError
from robots import Robot
from teleop.arm_fence import FenceGuard
from teleop.arm_retarget import ArmRetargeter
from teleop.body_calibration import BodyCalibration, average_adult
from teleop.body_geometry import HIP, SEEN, SHOULDER, BodyGeometryError, check_body
from teleop.filters import OneEuroFilter, OneEuroSettings
from teleop.gripper_retarget import GripperRetargeter
from teleop.hand_calibration import HandCalibration
from teleop.hand_geometry import HandGeometryError, Side
from teleop.hand_retarget import HandRetargeter
from teleop.head_retarget import HeadRetargeter
from teleop.operator_view import BodyView, OperatorFrame

Array = NDArray[np.float64]

LimbName = Literal["right_hand", "left_hand", "right_arm", "left_arm", "head", "lift"]
HANDS: tuple[LimbName, ...] = ("right_hand", "left_hand")
ARMS: tuple[LimbName, ...] = ("right_arm", "left_arm")
SIDES: tuple[Side, ...] = ("right", "left")

PARTS: Mapping[str, tuple[LimbName, ...]] = MappingProxyType(
    {
        "right_hand": ("right_hand",),
        "left_hand": ("left_hand",),
        "hands": HANDS,
        "hands+arms": HANDS + ARMS,
        "hands+arms+head": (*HANDS, *ARMS, "head"),
        "hands+arms+head+lift": (*HANDS, *ARMS, "head", "lift"),
    }
)
"""What may be asked to copy the operator."""

BODY_AGE_NS = 300_000_000
"""An older view of the body is none: it comes at a part of the camera's rate."""

ANKLE = (27, 28)
LIFT_FILTER = OneEuroSettings(0.8, 1.0, 1.5)


class LimbLostError(ValueError):
    """A limb can't be followed in this frame; the message tells the operator why.

    Scenarios: hand not in view, no body found, a frame that a retargeter refuses.
    """


class Limb(Protocol):
    """One limb.

    Attributes:
        name: such as right_hand.
        side: whose hand engages it again after a loss; None: either.
        joints: (k,) indices into the robot's joints.
        relative: after a loss the operator's motion counts at once, from where the robot stands.
    """

    @property
    def name(self) -> LimbName: ...

    @property
    def side(self) -> Side | None: ...

    @property
    def joints(self) -> NDArray[np.int_]: ...

    @property
    def relative(self) -> bool: ...

    def reset(self) -> None:
        """Forget the last frames: the next one is followed at once."""

    def see(self, frame: OperatorFrame, position_rad: Array) -> Array:
        """Joint positions (k,) [rad] that the operator shows; ``position_rad`` (k,) is where the robot is asked to be.

        Raises:
            LimbLostError: with the reason.
        """


class HandLimb:
    """A robot hand or a gripper."""

    relative = False

    def __init__(self, retargeter: HandRetargeter | GripperRetargeter) -> None:
        self.retargeter = retargeter
        self.side: Side = retargeter.side
        self.name: LimbName = "right_hand" if self.side == "right" else "left_hand"
        self.joints = retargeter.joints

    def reset(self) -> None:
        self.retargeter.reset(None)

    @property
    def velocity_rad_s(self) -> Array | None:
        """How fast the last positions move (k,) [rad/s]; None for a gripper, which does not say."""
        return self.retargeter.velocity_rad_s if isinstance(self.retargeter, HandRetargeter) else None

    def learn(self, calibration: HandCalibration) -> None:
        """Take what was measured on the operator's open hand; a gripper needs nothing of it."""
        if isinstance(self.retargeter, HandRetargeter):
            self.retargeter.calibration = calibration

    def see(self, frame: OperatorFrame, position_rad: Array) -> Array:
        hand = frame.hands.get(self.side)
        if hand is None:
            raise LimbLostError(f"the camera does not see the {self.side} hand")
        try:
            return self.retargeter.see(hand.world_m, frame.capture_ns)
        except HandGeometryError as error:
            raise LimbLostError(f"the {self.side} hand is not recognised: {error}") from error


class ArmLimb:
    """A robot arm; the wrist turns with the palm where the hand is seen too.

    Attributes:
        guard: keeps every step inside the arm's fence, also on the way to where the operator's arm is; or None.
    """

    relative = True

    def __init__(self, retargeter: ArmRetargeter) -> None:
        self.retargeter = retargeter
        self.side: Side = retargeter.side
        self.name: LimbName = "right_arm" if self.side == "right" else "left_arm"
        self.joints = retargeter.joints
        arm = retargeter.arm
        self.guard = None if arm.fence is None else FenceGuard(arm.fence, arm.chain, arm.points)

    def reset(self) -> None:
        self.retargeter.reset(None)

    @property
    def velocity_rad_s(self) -> Array | None:
        """How fast the last positions should be passed (k,) [rad/s]."""
        return self.retargeter.velocity_rad_s

    @property
    def hint(self) -> str:
        """What keeps the arm from where the operator's is, and what to do; empty when nothing does."""
        obstacle = self.retargeter.obstacle
        if obstacle == "fence" or (self.guard is not None and self.guard.stopped):
            return f"{self.side} hand at the fence: bring it back"
        return f"{self.side} arm at the robot's body or other arm: bring it away" if obstacle else ""

    def see(self, frame: OperatorFrame, position_rad: Array) -> Array:
        body = body_of(frame)
        try:
            return self.retargeter.see(body, self._palm(frame, body), frame.capture_ns)
        except BodyGeometryError as error:
            raise LimbLostError(f"the {self.side} arm is not recognised: {error}") from error

    def _palm(self, frame: OperatorFrame, body: BodyView) -> Array | None:
        hand = frame.hands.get(self.side)
        try:
            return None if hand is None else self.retargeter.palm(body, hand)
        except HandGeometryError:
            return None


class HeadLimb:
    """The robot's head."""

    name: LimbName = "head"
    side: Side | None = None
    relative = False

    def __init__(self, retargeter: HeadRetargeter) -> None:
        self.retargeter = retargeter
        self.joints = retargeter.joints

    def reset(self) -> None:
        self.retargeter.reset(None)

    def see(self, frame: OperatorFrame, position_rad: Array) -> Array:
        try:
            return self.retargeter.see(body_of(frame), frame.capture_ns)
        except BodyGeometryError as error:
            raise LimbLostError(f"the head is not recognised: {error}") from error


class LiftLimb:
    """A lift that goes down as the operator crouches: by as many metres, from where both were when it began."""

    name: LimbName = "lift"
    side: Side | None = None
    relative = True

    def __init__(self, robot: Robot) -> None:
        lift = robot.imitation.lift
        if lift is None:
            raise InputError(f"{robot.name} has no lift that copies the operator: see imitation: lift: in its file")
        self.joints = np.array([robot.joint_names.index(lift)])
        joint = robot.joints[int(self.joints[0])]
        self._lower, self._upper = joint.min_rad, joint.max_rad
        self._filter = OneEuroFilter(LIFT_FILTER)
        self._below_m: float | None = None

    def reset(self) -> None:
        self._filter.reset()
        self._below_m = None

    def see(self, frame: OperatorFrame, position_rad: Array) -> Array:
        height_m = self._filter(np.array([shoulder_height_m(body_of(frame))]), frame.capture_ns)
        if self._below_m is None:
            self._below_m = float(height_m[0] - position_rad[0])
        return np.clip(height_m - self._below_m, self._lower, self._upper)


def shoulder_height_m(body: BodyView) -> float:
    """How high the shoulders are above the ankles [m]; it does not change as the operator walks to the camera.

    Raises:
        LimbLostError: the feet are out of view.
    """
    try:
        check_body(body)
    except BodyGeometryError as error:
        raise LimbLostError(f"the body is not recognised: {error}") from error
    if float(body.visibility[[*ANKLE, *HIP.values()]].min()) < SEEN:
        raise LimbLostError("the camera does not see both feet, which the lift needs: step back")
    shoulders = body.world_m[list(SHOULDER.values()), 1].mean()
    return float(body.world_m[list(ANKLE), 1].mean() - shoulders)


def body_of(frame: OperatorFrame) -> BodyView:
    """The frame's body.

    Raises:
        LimbLostError: there is none, or it is too old.
    """
    if frame.body is None or frame.capture_ns - frame.body.stamp_ns > BODY_AGE_NS:
        raise LimbLostError("the camera does not see the operator's body")
    return frame.body


def choose_parts(robot: Robot, parts: str) -> tuple[LimbName, ...]:
    """Limbs that were asked for and that the robot has.

    Raises:
        InputError: the name is unknown, or the robot has none of them.
    """
    if parts not in PARTS:
        raise InputError(f"parts should be one of {', '.join(PARTS)}, found {parts!r}")
    imitation = robot.imitation
    has = {f"{hand.side}_hand" for hand in imitation.hands}
    has |= {f"{gripper.side}_hand" for gripper in imitation.grippers}
    has |= {f"{arm.side}_arm" for arm in imitation.arms}
    has |= ({"head"} if imitation.head else set()) | ({"lift"} if imitation.lift else set())
    chosen = tuple(name for name in PARTS[parts] if name in has)
    if not chosen:
        raise InputError(
            f"{robot.name} has nothing of {parts} that copies the operator, only {', '.join(sorted(has)) or 'nothing'}"
        )
    return chosen


def build_limbs(robot: Robot, parts: str) -> tuple[Limb, ...]:
    """The limbs of a robot, ready to see frames.

    Raises:
        InputError: see `choose_parts`; RobotFileError: the robot's links make no such limb.
    """
    chosen = choose_parts(robot, parts)
    arms = {name: ArmRetargeter(robot, side) for name, side in zip(ARMS, SIDES, strict=True) if name in chosen}
    if len(arms) == 2:
        arms["right_arm"].partner, arms["left_arm"].partner = arms["left_arm"], arms["right_arm"]
    limbs: list[Limb] = []
    grippers = {gripper.side for gripper in robot.imitation.grippers}
    for name, side in zip(HANDS, SIDES, strict=True):
        if name in chosen:
            limbs.append(HandLimb(GripperRetargeter(robot, side) if side in grippers else HandRetargeter(robot, side)))
    limbs += [ArmLimb(arm) for arm in arms.values()]
    limbs += [HeadLimb(HeadRetargeter(robot))] if "head" in chosen else []
    limbs += [LiftLimb(robot)] if "lift" in chosen else []
    learn_body(limbs, average_adult())
    return tuple(limbs)


def learn_body(limbs: Sequence[Limb], calibration: BodyCalibration) -> None:
    """Take what was measured on the operator's body into arms and head."""
    for limb in limbs:
        if isinstance(limb, ArmLimb | HeadLimb):
            limb.retargeter.calibration = calibration
