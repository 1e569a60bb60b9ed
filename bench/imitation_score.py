# SPDX-License-Identifier: Apache-2.0
"""How far a robot was from the operator who moved it: joint by joint, against the angles that the clip was made from.

Fingers and head are compared as angles. Arms of robot and operator have other joints, so their limbs are: the upper
arm's direction and the elbow's bend against the operator's, the palm's turn against the operator's palm, all in the
frame of the torso. What a robot can't reach, a head's yaw beyond its limit, is no error.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.errors import InputError
from robots import Robot
from robots.frames import rotation_rpy
from robots.kinematics import KinematicTree
from robots.load_kinematics import load_kinematics
from robots.schema import ArmCopy
from teleop.body_geometry import ELBOW, SHOULDER, WRIST
from teleop.hand_geometry import Side

Array = NDArray[np.float64]

SIDES: tuple[Side, ...] = ("right", "left")
FLEXIONS = ("mcp", "pip", "dip")
FINGERS = ("index", "middle", "ring", "little")
THUMB = ("thumb_mp", "thumb_ip")
LAGS_S = np.arange(0.0, 0.61, 0.02)
"""Delays that are tried to find a group's own."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the clip was made from; see `studio.truth`. ``look`` is what was filmed and how, see `studio.look`."""

    time_s: Array
    angles_rad: dict[str, Array]
    upper_arm: dict[Side, Array]
    elbow_rad: dict[Side, Array]
    palm_axes: dict[Side, Array]
    head_rad: Array
    look: Mapping[str, str | float]


def load_truth(path: Path) -> Truth:
    """Read the truth file beside a clip.

    Raises:
        InputError: there is none, or it is no truth file of the studio.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            body = data["body_in_camera_m"]
            torso = data["rotation_camera_from_torso"]
            palms = data["rotation_camera_from_palm"]
            sides = [str(side) for side in data["sides"]]
            arms = {side: _arm(body, torso, side) for side in SIDES}
            return Truth(
                data["time_s"],
                {str(name): data["joint_angles_rad"][:, k] for k, name in enumerate(data["joint_names"])},
                {side: arms[side][0] for side in SIDES},
                {side: arms[side][1] for side in SIDES},
                {side: np.einsum("nij,nik->nkj", torso, palms[:, sides.index(side)]) for side in SIDES},
                data["head_angles_rad"],
                json.loads(str(data["look"])),
            )
    except (KeyError, OSError, ValueError) as error:
        raise InputError(
            f"{path} is no truth file of a rendered clip ({error}): booth studio render makes one"
        ) from error


def _arm(body_m: Array, torso: Array, side: Side) -> tuple[Array, Array]:
    """Direction of the upper arm (N, 3) in the torso's frame, and the elbow's bend (N,) [rad]."""
    shoulder, elbow, wrist = (body_m[:, points[side]] for points in (SHOULDER, ELBOW, WRIST))
    upper, fore = _unit(elbow - shoulder), _unit(wrist - elbow)
    return np.einsum("nij,ni->nj", torso, upper), _between(upper, fore)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that operator and robot both have: an angle [rad], or a direction in the torso's frame.

    Attributes:
        group: fingers, arms, wrists or head. name: of the joint, such as right_index_pip.
        operator: (N,) or (N, 3) at the clip's frames. robot: (C,) or (C, 3) at the driver's cycles.
        compared: (C,) cycles in which the robot was asked to copy it.
    """

    group: str
    name: str
    operator: Array
    robot: Array
    compared: NDArray[np.bool_]

    def shown(self, frame_s: Array, cycle_s: Array, lag_s: float) -> Array:
        """What the operator showed ``lag_s`` before every compared cycle."""
        when = cycle_s[self.compared] - lag_s
        if self.operator.ndim == 1:
            return np.interp(when, frame_s, self.operator)
        return _unit(np.stack([np.interp(when, frame_s, column) for column in self.operator.T], axis=1))

    def error_deg(self, frame_s: Array, cycle_s: Array, lag_s: float) -> Array:
        """How far the robot was from that [deg]."""
        shown, robot = self.shown(frame_s, cycle_s, lag_s), self.robot[self.compared]
        return np.degrees(np.abs(shown - robot) if shown.ndim == 1 else _between(shown, robot))


def quantities(robot: Robot, measured_rad: Array, following: NDArray[np.bool_], truth: Truth) -> list[Quantity]:
    """Everything that this robot copies and the clip knows.

    Args:
        measured_rad: (C, n). following: (C,) cycles to compare.
    """
    column = {name: measured_rad[:, k] for k, name in enumerate(robot.joint_names)}
    return [
        *_fingers(robot, column, following, truth),
        *_arms(robot, measured_rad, following, truth),
        *_head(robot, column, following, truth),
    ]


def _fingers(robot: Robot, column: dict[str, Array], following: NDArray[np.bool_], truth: Truth) -> list[Quantity]:
    found = []
    for hand in robot.imitation.hands:
        letter = hand.side[0]
        numbers = {
            f"{finger}_{bend}": 6 + 4 * f + b for f, finger in enumerate(FINGERS) for b, bend in enumerate(FLEXIONS)
        }
        numbers |= {name: 3 + k for k, name in enumerate(THUMB)}
        for name, number in numbers.items():
            joint = f"finger_{letter}_joint{number}"
            if joint in column and len(hand.tips) == 5 and f"finger_{letter}_joint20" in column:
                operator = truth.angles_rad[f"{hand.side}_{name}"]
                if hand.side == "left" and name in THUMB:
                    operator = -operator  # about x: on the left hand it counts the other way
                found.append(Quantity("fingers", f"{hand.side}_{name}", operator, column[joint], following))
    return found


def _arms(robot: Robot, measured_rad: Array, following: NDArray[np.bool_], truth: Truth) -> list[Quantity]:
    if not robot.imitation.arms:
        return []
    tree = load_kinematics(robot)
    poses = [tree.forward(dict(zip(robot.joint_names, row, strict=True))) for row in measured_rad.tolist()]
    found = []
    for arm in robot.imitation.arms:
        base = np.array([pose[arm.base][:3, :3] for pose in poses])
        limbs = [np.einsum("nij,ni->nj", base, limb) for limb in _limbs(tree, arm, poses)]
        bend = _between(*limbs)
        found.append(Quantity("arms", f"{arm.side}_upper_arm", truth.upper_arm[arm.side], limbs[0], following))
        found.append(Quantity("arms", f"{arm.side}_elbow", truth.elbow_rad[arm.side], bend, following))
        if arm.palm is not None:
            palm = np.array([pose[arm.palm][:3, :3] for pose in poses]) @ rotation_rpy(*arm.palm_rpy)
            turned = np.einsum("nij,nik->njk", base, palm)
            for axis, name in ((0, "palm"), (2, "fingers")):
                operator = truth.palm_axes[arm.side][:, axis]
                found.append(Quantity("wrists", f"{arm.side}_{name}", operator, turned[:, :, axis], following))
    return found


def _limbs(tree: KinematicTree, arm: ArmCopy, poses: Sequence[Mapping[str, Array]]) -> list[Array]:
    """Directions (C, 3) of upper arm and forearm in the root's frame.

    A limb's axis is the stretched arm's, from shoulder to wrist with all joints at 0, carried along by the link that
    the elbow turns on, and by the one that it turns: an elbow that sits beside that axis bends nothing.
    """
    straight = tree.forward({})
    axis = _unit(straight[arm.wrist][:3, 3] - straight[arm.shoulder][:3, 3])
    carrier = next(joint.parent for joint in tree.joints if joint.child == arm.elbow)
    return [
        np.array([pose[link][:3, :3] @ straight[link][:3, :3].T @ axis for pose in poses])
        for link in (carrier, arm.elbow)
    ]


def _head(robot: Robot, column: dict[str, Array], following: NDArray[np.bool_], truth: Truth) -> list[Quantity]:
    """Yaw about the last upright axis before the head, pitch about the last one across it; limits are no error."""
    head = robot.imitation.head
    if head is None:
        return []
    found = []
    moving = [joint for joint in load_kinematics(robot).chain(head.link) if joint.name in column][-2:]
    for joint in moving:
        across = abs(float(joint.axis[1])) > 0.7
        limits = robot.joints[robot.joint_names.index(joint.name)]
        sign = float(np.sign(joint.axis[1] if across else joint.axis[2]))
        operator = np.clip(sign * truth.head_rad[:, 1 if across else 0], limits.min_rad, limits.max_rad)
        name = "head_pitch" if across else "head_yaw"
        found.append(Quantity("head", name, operator, column[joint.name], following))
    return found


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _between(first: Array, second: Array) -> Array:
    """Angle between unit vectors (n, 3), (n,) [rad]."""
    return np.asarray(np.arccos(np.clip((first * second).sum(axis=-1), -1.0, 1.0)))
