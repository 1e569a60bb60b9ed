# SPDX-License-Identifier: Apache-2.0
"""The parts of a robot file and what each may hold. `robots.agreement` says how they must fit together."""

from fnmatch import fnmatchcase
from functools import cached_property
from math import isfinite
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from robots.agreement import MAX_JOINTS, MAX_PATTERN, disagreements


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("must be a finite number")
    return value


Finite = Annotated[float, AfterValidator(_finite)]
Positive = Annotated[float, Field(gt=0), AfterValidator(_finite)]
ServoId = Annotated[int, Field(ge=0, le=252)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
ServoModelName = Literal[
    "xl330_m288",
    "xm335_t323",
    "xm430_w350",
    "xh430_v210",
    "xh540_v150",
    "ph42_020_s300",
    "rh_p12_rn",
    "ym070_210_r099",
    "ym080_230_r099",
    "ym080_230_b001",
]
"""Servos that the driver has a control table for; a test holds both lists together."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Bus(_Section):
    """One serial line; several lines of a robot run in parallel."""

    name: Name = "bus"
    port: str
    baud: Annotated[int, Field(ge=9600, le=10_500_000)]


class HandController(_Section):
    """A device that mirrors the servos behind it in one block to read and one to write (HX5-D20).

    ``goal_current_ma``: strength of every finger servo; a hand does not move without.
    """

    id: ServoId
    model: Literal["hx5_d20_right", "hx5_d20_left"]
    bus: Name | None = None
    branch: Name | None = None
    goal_current_ma: Annotated[int, Field(gt=0, le=5000)]


class Motion(_Section):
    """Caps of every joint that has none of its own, and how the robot starts and stops.

    Attributes:
        engage_distance_rad: how far from the operator's command a joint may be when the robot is engaged.
        stop_hold_s: after a protective stop the robot holds this long, then lets go softly; 0: it holds for ever.
        release_s: a soft release takes the servos' strength away over this long.
    """

    velocity_rad_s: Positive
    acceleration_rad_s2: Positive
    jerk_rad_s3: Positive
    engage_distance_rad: Positive
    stop_hold_s: Annotated[float, Field(ge=0), AfterValidator(_finite)] = 0.0
    release_s: Annotated[float, Field(gt=0, le=30)] = 1.0


class Joint(_Section):
    """One joint: name as in the robot's URDF, servo ID and model, limits, caps and poses in rad.

    Attributes:
        bus: name of its line; the robot's first one when absent.
        controller: ID of the hand controller in front of it.
        branch: what loses power together with it, for example ``arm_r``; its controller's or bus's name when absent.
        prismatic: it slides. Its ``_rad`` values are metres then.
        metres_per_rad: travel of a prismatic joint for one radian of its servo's position register.
        velocity_rad_s, acceleration_rad_s2, jerk_rad_s3, engage_distance_rad: caps; those of ``motion`` when absent.
        ready_rad: pose in front of the operator before engaging; home when absent.
        goal_current_ma: strength in current-based position mode; plain position mode when absent.
    """

    name: Name
    id: ServoId
    model: ServoModelName
    min_rad: Finite
    max_rad: Finite
    home_rad: Finite = 0.0
    ready_rad: Finite | None = None
    reverse: bool = False
    homing_offset_ticks: int = 0
    bus: Name | None = None
    controller: ServoId | None = None
    branch: Name | None = None
    prismatic: bool = False
    metres_per_rad: Positive = 1.0
    velocity_rad_s: Positive | None = None
    acceleration_rad_s2: Positive | None = None
    jerk_rad_s3: Positive | None = None
    engage_distance_rad: Positive | None = None
    goal_current_ma: Annotated[int, Field(gt=0, le=10_000)] | None = None
    label: str = ""


Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN)]


class CommandGroup(_Section):
    """Joints that are commanded together on one trajectory topic; ``joints`` may hold wildcards, as in ``arm_l_*``."""

    topic: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_/]+$", max_length=256)]
    joints: Annotated[tuple[Pattern, ...], Field(max_length=MAX_JOINTS)]


Link = Annotated[str, Field(min_length=1, max_length=128)]
Side = Literal["right", "left"]


class HandCopy(_Section):
    """A hand that copies the operator's: links of the URDF.

    Attributes:
        palm: has the HX5-D20's axes: x out of the palm, z to the fingertips.
        tips: the ends of the digits that it has.
    """

    side: Side
    palm: Link
    tips: dict[Literal["thumb", "index", "middle", "ring", "little"], Link]


class GripperCopy(_Section):
    """A gripper that closes with the operator's pinch or fist; ``joint`` drives it."""

    side: Side
    joint: Name
    open_rad: Finite
    closed_rad: Finite


class Fence(_Section):
    """A box in the frame of an arm's base that the hand stays in: two corners [m], x forward, y left, z up."""

    lower: tuple[Finite, Finite, Finite]
    upper: tuple[Finite, Finite, Finite]


class ArmCopy(_Section):
    """An arm that copies the operator's: links of the URDF whose origins are the joint centres.

    Attributes:
        base: fixed to the torso; x forward, y left, z up.
        palm: carries the hand; None: the arm has no wrist to turn.
        palm_rpy: roll, pitch, yaw [rad] from the palm link's axes to a palm's (x out of it, z to the fingertips).
        fence_m: wrist, hand and fingertips are never asked to leave it; None: no such box.
    """

    side: Side
    base: Link
    shoulder: Link
    elbow: Link
    wrist: Link
    palm: Link | None = None
    palm_rpy: tuple[Finite, Finite, Finite] = (0.0, 0.0, 0.0)
    fence_m: Fence | None = None


class HeadCopy(_Section):
    """A head that turns with the operator's: ``link`` has x forward, y left, z up; ``base`` is fixed to the torso."""

    base: Link
    link: Link


class Imitation(_Section):
    """What of the robot copies the operator."""

    hands: tuple[HandCopy, ...] = ()
    grippers: tuple[GripperCopy, ...] = ()
    arms: tuple[ArmCopy, ...] = ()
    head: HeadCopy | None = None
    lift: Name | None = None

    @property
    def limbs(self) -> tuple[str, ...]:
        """Names of all that copies the operator, such as right_hand, left_arm, head."""
        hands = {*(hand.side for hand in self.hands), *(gripper.side for gripper in self.grippers)}
        arms = {arm.side for arm in self.arms}
        found = [f"{side}_hand" for side in ("right", "left") if side in hands]
        found += [f"{side}_arm" for side in ("right", "left") if side in arms]
        found += ["head"] if self.head is not None else []
        return (*found, *(["lift"] if self.lift is not None else []))


class Robot(_Section):
    """Everything the rest of the product knows about one robot.

    ``urdf``: file with its geometry, see `robots.kinematics`; a path relative to the robot file.
    """

    name: Name
    title: str
    sources: tuple[str, ...]
    urdf: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    rate_hz: Annotated[int, Field(ge=10, le=500)] = 100
    bus_watchdog_ms: Annotated[int, Field(ge=20, le=2540, multiple_of=20)] = 400
    buses: Annotated[tuple[Bus, ...], Field(max_length=16)]
    controllers: Annotated[tuple[HandController, ...], Field(max_length=16)] = ()
    commands: Annotated[tuple[CommandGroup, ...], Field(max_length=64)]
    imitation: Imitation = Imitation()
    motion: Motion
    joints: Annotated[tuple[Joint, ...], Field(max_length=MAX_JOINTS)]

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names in the file's order; every vector of this robot has this order."""
        return tuple(joint.name for joint in self.joints)

    @cached_property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Every command topic with the indices of its joints."""
        return tuple((group.topic, self._members(group)) for group in self.commands)

    def _members(self, group: CommandGroup) -> tuple[int, ...]:
        return tuple(
            index
            for index, joint in enumerate(self.joints)
            if any(fnmatchcase(joint.name, pattern) for pattern in group.joints)
        )

    @property
    def velocity_rad_s(self) -> tuple[float, ...]:
        """Velocity cap of every joint."""
        return tuple(joint.velocity_rad_s or self.motion.velocity_rad_s for joint in self.joints)

    @property
    def acceleration_rad_s2(self) -> tuple[float, ...]:
        """Acceleration cap of every joint."""
        return tuple(joint.acceleration_rad_s2 or self.motion.acceleration_rad_s2 for joint in self.joints)

    @property
    def jerk_rad_s3(self) -> tuple[float, ...]:
        """Jerk cap of every joint."""
        return tuple(joint.jerk_rad_s3 or self.motion.jerk_rad_s3 for joint in self.joints)

    @property
    def engage_distance_rad(self) -> tuple[float, ...]:
        """How far every joint may be from the operator's command at an engage."""
        return tuple(joint.engage_distance_rad or self.motion.engage_distance_rad for joint in self.joints)

    @property
    def home_rad(self) -> tuple[float, ...]:
        """Where every joint rests."""
        return tuple(joint.home_rad for joint in self.joints)

    @property
    def ready_rad(self) -> tuple[float, ...]:
        """Where every joint waits for the operator."""
        return tuple(joint.home_rad if joint.ready_rad is None else joint.ready_rad for joint in self.joints)

    def bus_of(self, device: Joint | HandController) -> str:
        """Name of the line that a joint or controller is on."""
        if isinstance(device, Joint) and device.controller is not None:
            return self.bus_of(self.controller(device.controller))
        return device.bus or self.buses[0].name

    def branch_of(self, device: Joint | HandController) -> str:
        """What loses power together with a joint or controller."""
        if device.branch is not None:
            return device.branch
        if isinstance(device, Joint) and device.controller is not None:
            return self.branch_of(self.controller(device.controller))
        return self.bus_of(device)

    def controller(self, servo_id: int) -> HandController:
        """The hand controller with this ID."""
        return next(controller for controller in self.controllers if controller.id == servo_id)

    @model_validator(mode="after")
    def _sections_agree(self) -> "Robot":
        problems = disagreements(self.model_dump())
        if problems:
            raise ValueError("; ".join(f"{'.'.join(map(str, where))}: {what}" for where, what in problems))
        return self
