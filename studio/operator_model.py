# SPDX-License-Identifier: Apache-2.0
"""Kinematics of the operator: 60 joint angles in, the places of trunk, head, arms and hands out.

Operator frame: origin in the middle of the hips, x forward, y to the operator's left, z up (REP 103). The trunk turns
about the hips' middle, the head about its pivot below the skull. Angles of the two arms have the same sign for the same
movement: the left arm is the mirror image (y to -y) of the right.

Right arm at zero: hanging, palm to the thigh, thumb forward. A limb's frame has z along the limb, y to the thumb's side
and x = y × z; for the hand that is the palm frame of `clips.hand_model`.

    upper arm = Ry(-flexion) Rx(-abduction) R0 Rz(-rotation)    forearm = upper arm Rx(-elbow)
    palm      = forearm Rz(-pronation) Ry(wrist flexion) Rx(-deviation)
    trunk     = Rz(turn) Ry(lean) Rx(side)                      head    = trunk Rz(yaw) Ry(pitch) Rx(roll)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clips import hand_model
from clips.hand_model import rotation
from studio.sizes import Sizes

Array = NDArray[np.float64]
Side = Literal["right", "left"]

SIDES: tuple[Side, Side] = ("right", "left")
TORSO_JOINTS = ("torso_turn", "torso_lean", "torso_side")
HEAD_JOINTS = ("head_yaw", "head_pitch", "head_roll")
ARM_JOINTS = (
    *("shoulder_flexion", "shoulder_abduction", "shoulder_rotation", "elbow_flexion"),
    *("forearm_pronation", "wrist_flexion", "wrist_deviation"),
)
LIMB_JOINTS = (*ARM_JOINTS, *hand_model.JOINT_NAMES)
"""27 joints of one arm and its hand."""

JOINT_NAMES: tuple[str, ...] = (
    *TORSO_JOINTS,
    *HEAD_JOINTS,
    *(f"{side}_{joint}" for side in SIDES for joint in LIMB_JOINTS),
)
TORSO, HEAD = slice(0, 3), slice(3, 6)
ARM: dict[Side, slice] = {"right": slice(6, 13), "left": slice(33, 40)}
HAND: dict[Side, slice] = {"right": slice(13, 33), "left": slice(40, 60)}

ARM_LIMITS_RAD: Array = np.radians(
    [(-50, 170), (-30, 160), (-80, 90), (0, 150), (-85, 85), (-70, 75), (-35, 22)]  # as ARM_JOINTS
)
_TRUNK_LIMITS_RAD: Array = np.radians([(-40, 40), (-15, 40), (-20, 20), (-75, 75), (-45, 45), (-40, 40)])
JOINT_LIMITS_RAD: Array = np.concatenate([_TRUNK_LIMITS_RAD, *(2 * [ARM_LIMITS_RAD, hand_model.JOINT_LIMITS_RAD])])
"""(60, 2) lowest and highest angle of each joint, in the order of JOINT_NAMES."""

MIRROR: Array = np.diag([1.0, -1.0, 1.0])
_ARM_AT_ZERO: Array = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


@dataclass(frozen=True, slots=True)
class Limb:
    """One arm, all in the operator frame: positions (..., 3) [m] and rotations (..., 3, 3) of the limb's frames."""

    shoulder_m: Array
    elbow_m: Array
    wrist_m: Array
    rotation_operator_from_upper_arm: Array
    rotation_operator_from_forearm: Array
    rotation_operator_from_palm: Array
    hand_m: Array
    """(..., 21, 3) hand landmarks."""


@dataclass(frozen=True, slots=True)
class Posture:
    """The whole operator in the operator frame."""

    rotation_operator_from_torso: Array
    rotation_operator_from_head: Array
    head_m: Array
    """(..., 3) the head's pivot."""
    limbs: dict[Side, Limb]


def posture(angles_rad: ArrayLike, sizes: Sizes) -> Posture:
    """Where everything is for (..., 60) joint angles in the order of JOINT_NAMES.

    Raises:
        ValueError: another number of angles.
    """
    angles = np.asarray(angles_rad, dtype=np.float64)
    if angles.shape[-1:] != (len(JOINT_NAMES),):
        raise ValueError(f"expected (..., {len(JOINT_NAMES)}) joint angles, found shape {angles.shape}")
    torso = turned(angles[..., TORSO])
    return Posture(
        rotation_operator_from_torso=torso,
        rotation_operator_from_head=torso @ turned(angles[..., HEAD]),
        head_m=torso @ np.array([0.0, 0.0, sizes.skull_height_m]),
        limbs={side: limb(side, angles[..., ARM[side]], angles[..., HAND[side]], torso, sizes) for side in SIDES},
    )


def turned(angles_rad: Array) -> Array:
    """Rotation (..., 3, 3) Rz Ry Rx of yaw, pitch and roll (..., 3): turn left, nod down, tilt to the right."""
    return np.asarray(
        rotation(2, angles_rad[..., 0]) @ rotation(1, angles_rad[..., 1]) @ rotation(0, angles_rad[..., 2])
    )


def limb(side: Side, arm_rad: Array, hand_rad: Array, rotation_operator_from_torso: Array, sizes: Sizes) -> Limb:
    """One arm for its (..., 7) arm and (..., 20) hand angles and the trunk's rotation (..., 3, 3)."""
    upper = rotation(1, -arm_rad[..., 0]) @ rotation(0, -arm_rad[..., 1]) @ _ARM_AT_ZERO @ rotation(2, -arm_rad[..., 2])
    fore = upper @ rotation(0, -arm_rad[..., 3])
    palm = fore @ rotation(2, -arm_rad[..., 4]) @ rotation(1, arm_rad[..., 5]) @ rotation(0, -arm_rad[..., 6])
    points = hand_model.landmarks_m(hand_rad) * sizes.hand_scale
    shoulder = np.array([0.0, -sizes.half_shoulders_m, sizes.shoulder_height_m])
    if side == "left":
        upper, fore, palm = (MIRROR @ frame @ MIRROR for frame in (upper, fore, palm))
        points, shoulder = points @ MIRROR, MIRROR @ shoulder
    torso = rotation_operator_from_torso
    upper, fore, palm = torso @ upper, torso @ fore, torso @ palm
    shoulder_m = torso @ shoulder
    elbow_m = shoulder_m + sizes.upper_arm_m * upper[..., 2]
    wrist_m = elbow_m + sizes.forearm_m * fore[..., 2]
    hand_m = points @ palm.swapaxes(-1, -2) + wrist_m[..., None, :]
    return Limb(shoulder_m, elbow_m, wrist_m, upper, fore, palm, hand_m)


def arm_angles(side: Side, upper: Array, fore: Array, palm: Array) -> Array:
    """The (7,) arm angles from the rotations (3, 3) of upper arm, forearm and palm in the trunk's frame.

    The inverse of `limb` for abductions within ±90 degrees; an arm abducted farther is described by its other,
    equal triple of shoulder angles.
    """
    if side == "left":
        upper, fore, palm = (MIRROR @ frame @ MIRROR for frame in (upper, fore, palm))
    along, elbow, wrist = upper[:, 2], upper.T @ fore, fore.T @ palm
    flexion, abduction = np.arctan2(along[0], -along[2]), np.arcsin(np.clip(-along[1], -1.0, 1.0))
    about = (rotation(1, -flexion) @ rotation(0, -abduction) @ _ARM_AT_ZERO).T @ upper
    return np.array(
        [
            flexion,
            abduction,
            -np.arctan2(about[1, 0], about[0, 0]),
            -np.arctan2(elbow[2, 1], elbow[1, 1]),
            -np.arctan2(wrist[1, 0], wrist[0, 0]),
            np.arcsin(np.clip(-wrist[2, 0], -1.0, 1.0)),
            -np.arctan2(wrist[2, 1], wrist[2, 2]),
        ]
    )
