# SPDX-License-Identifier: Apache-2.0
"""What a robot looks like without meshes: boxes and drums on its links, as thick as the servos that drive them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from robots.frames import Array, identity, read_only, shifted
from robots.kinematics import KinematicJoint, KinematicTree
from robots.schema import Robot

SERVO_M = {
    "xl330_m288": 0.020,
    "xm335_t323": 0.0185,
    "xm430_w350": 0.0285,
    "xh430_v210": 0.0285,
    "xh540_v150": 0.0335,
    "ph42_020_s300": 0.042,
    "rh_p12_rn": 0.028,
    "ym070_210_r099": 0.070,
    "ym080_230_r099": 0.080,
    "ym080_230_b001": 0.080,
}
"""Width of a servo's body [m]: what its model's name (mm) or the e-Manual's drawing says; a finger's is by eye."""

SKIN, DARK, FACE, TIP = (205, 211, 219), (62, 70, 84), (22, 26, 32), (120, 138, 160)
LOW_M = 0.4
"""A lift that starts this far above its base stands on a column and a foot."""
FOOT_M = (0.58, 0.56, 0.20)
"""Mobile base of an AI Worker (604 × 602 mm; ROBOTIS's web page)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One body on a link.

    Attributes:
        link: that carries it.
        shape: which of `robot3d_shapes`.
        pose: (4, 4) link_from_part [m], read-only; a drum's axis is its z.
        size_m: along its x, y, z.
        colour: red, green, blue, 0 … 255.
    """

    link: str
    shape: Literal["box", "drum"]
    pose: Array
    size_m: tuple[float, float, float]
    colour: tuple[int, int, int]


def parts_of(robot: Robot, tree: KinematicTree) -> tuple[Part, ...]:
    """All bodies of a robot, from its geometry, its servos and what its file says copies the operator."""
    below: dict[str, list[KinematicJoint]] = {link: [] for link in tree.links}
    for joint in tree.joints:
        below[joint.parent].append(joint)
    moved = {joint.child for joint in tree.joints if joint.kind != "fixed"}
    width_m = _widths(robot, tree)
    head = None if robot.imitation.head is None else robot.imitation.head.link
    tips = {tip for hand in robot.imitation.hands for tip in hand.tips.values()}
    parts: list[Part] = []
    for link in tree.links:
        carried = [joint for joint in below[link] if _moves(joint, below)]
        if link == head:
            parts += _head(robot, tree, link)
        elif len(carried) >= 3:
            parts += [_trunk(link, carried, width_m)]
        elif carried:
            parts += [part for joint in carried for part in _limb(link, joint, width_m)]
        else:
            for joint in below[link] if link in moved else []:
                parts += _limb(link, joint, width_m, TIP if joint.child in tips else SKIN)
            if not below[link] and link in moved:
                parts += [_end(link, width_m[link])]
    parts += _soles(robot, tree, width_m)
    parts += [_motor(joint, width_m[joint.child]) for joint in tree.joints if joint.kind in ("revolute", "continuous")]
    return tuple(parts)


def _moves(joint: KinematicJoint, below: dict[str, list[KinematicJoint]]) -> bool:
    """Whether anything moves at or beyond a joint: a frame of a camera or a fingertip does not."""
    return joint.kind != "fixed" or any(_moves(other, below) for other in below[joint.child])


def _widths(robot: Robot, tree: KinematicTree) -> dict[str, float]:
    """Width of the servo that moves every link [m]; a link that none moves has its parent's."""
    servo = {joint.name: SERVO_M[joint.model] for joint in robot.joints}
    thickest = max(servo.values())
    width_m = {tree.root: thickest}
    for joint in tree.joints:
        own = joint.mimic.joint if joint.mimic is not None else joint.name
        width_m[joint.child] = servo.get(own, width_m[joint.parent])
    return width_m


def _limb(
    link: str, joint: KinematicJoint, width_m: dict[str, float], colour: tuple[int, int, int] = SKIN
) -> list[Part]:
    """The casing from a link's origin to a joint on it."""
    if joint.kind == "prismatic" and abs(joint.origin[2, 3]) > LOW_M:
        return _column(link, joint)
    reach = joint.origin[:3, 3]
    length_m = float(np.linalg.norm(reach))
    thick_m = 0.84 * min(width_m[link], width_m[joint.child])
    if length_m < 0.3 * thick_m:
        return []
    pose = identity()
    pose[:3, :3] = _along(reach / length_m)
    pose[:3, 3] = reach / 2
    return [Part(link, "box", read_only(pose), (thick_m, thick_m, length_m + 0.6 * thick_m), colour)]


def _along(direction: Array) -> Array:
    """(3, 3) rotation whose z is a unit vector; its x stays as near to the link's x, or z, as it can."""
    helper = np.eye(3)[0] if abs(direction[0]) < 0.9 else np.eye(3)[2]
    y = np.cross(direction, helper)
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, direction), y, direction], axis=-1)


def _trunk(link: str, carried: list[KinematicJoint], width_m: dict[str, float]) -> Part:
    """A palm or a torso: the box around all that hangs on it."""
    points = np.array([np.zeros(3), *(joint.origin[:3, 3] for joint in carried)])
    margin_m = min(width_m[joint.child] for joint in carried)
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum(high - low + margin_m, 1.6 * margin_m)
    return Part(link, "box", read_only(_at((low + high) / 2)), _three(size), SKIN)


def _head(robot: Robot, tree: KinematicTree, link: str) -> list[Part]:
    """A head with a dark face on its front, sized by the shoulders."""
    poses = tree.forward(dict(zip(robot.joint_names, robot.home_rad, strict=True)))
    shoulders = [poses[arm.shoulder][:3, 3] for arm in robot.imitation.arms]
    width_m = 0.4 * float(np.linalg.norm(shoulders[0] - shoulders[-1])) if len(shoulders) > 1 else 0.15
    middle = np.array([0.0, 0.0, 0.28 * width_m])
    face = middle + np.array([0.42 * width_m, 0.0, 0.04 * width_m])
    return [
        Part(link, "box", read_only(_at(middle)), (0.9 * width_m, width_m, 0.85 * width_m), SKIN),
        Part(link, "box", read_only(_at(face)), (0.16 * width_m, 0.8 * width_m, 0.42 * width_m), FACE),
    ]


def _column(link: str, lift: KinematicJoint) -> list[Part]:
    """What a lift slides on: a column behind it and a foot on the floor."""
    x, y, top = lift.origin[:3, 3]
    behind = np.array([x - 0.13, y, top / 2])
    foot = np.array([x - 0.05, y, FOOT_M[2] / 2 + 0.02])
    return [
        Part(link, "box", read_only(_at(behind)), (0.11, 0.16, float(top)), DARK),
        Part(link, "box", read_only(_at(foot)), FOOT_M, SKIN),
    ]


def _soles(robot: Robot, tree: KinematicTree, width_m: dict[str, float]) -> list[Part]:
    """What a robot with legs stands on: two ends of its tree on one height, the lowest of all of it at home."""
    poses = tree.forward(dict(zip(robot.joint_names, robot.home_rad, strict=True)))
    lowest_m = min(float(pose[2, 3]) for pose in poses.values())
    feet = [link for link in tree.tips if poses[link][2, 3] < lowest_m + 0.005]
    if len(feet) != 2:
        return []
    size = [(4.2 * width_m[foot], 2.1 * width_m[foot], 0.4 * width_m[foot]) for foot in feet]
    return [Part(foot, "box", identity(), measure, DARK) for foot, measure in zip(feet, size, strict=True)]


def _end(link: str, width_m: float) -> Part:
    """A finger of a gripper: nothing hangs on it; it points along its z."""
    length_m = 1.9 * width_m
    return Part(
        link, "box", read_only(_at(np.array([0.0, 0.0, length_m / 2]))), (width_m, 0.5 * width_m, length_m), TIP
    )


def _motor(joint: KinematicJoint, width_m: float) -> Part:
    pose = identity()
    pose[:3, :3] = _along(joint.axis)
    return Part(joint.child, "drum", read_only(pose), (1.12 * width_m, 1.12 * width_m, 1.12 * width_m), DARK)


def _at(point: Array) -> Array:
    return shifted(point, 1.0)


def _three(size: Array) -> tuple[float, float, float]:
    return float(size[0]), float(size[1]), float(size[2])
