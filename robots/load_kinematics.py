# SPDX-License-Identifier: Apache-2.0
"""The kinematics of a robot from the URDF that its file names."""

from importlib.resources import files
from pathlib import Path

from robots.hand_reach import fence_problems
from robots.kinematics import KinematicTree
from robots.schema import Robot
from robots.urdf import MAX_URDF_BYTES, UrdfError, parse_urdf


def load_kinematics(robot: Robot) -> KinematicTree:
    """The tree of a robot's links; its moving joints are the robot's joints, by the same names.

    Raises:
        UrdfError: the robot file names no URDF, it can't be read, its joints are not the robot's, or home and ready
            come too near to a fence.
    """
    if robot.urdf is None:
        raise UrdfError(f"{robot.name} has no geometry: add urdf: FILE.urdf to its robot file")
    path = Path(robot.urdf) if Path(robot.urdf).is_absolute() else Path(str(files("robots"))) / robot.urdf
    try:
        if path.stat().st_size > MAX_URDF_BYTES:
            raise UrdfError(f"{path} has {path.stat().st_size} bytes: a URDF has at most {MAX_URDF_BYTES}")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UrdfError(f"the URDF of {robot.name} can't be read: {error}") from error
    try:
        tree = KinematicTree(parse_urdf(text, str(path)))
    except ValueError as error:
        raise UrdfError(f"{path} is not one tree of joints: {error}") from error
    problems = _differences(robot, tree)
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise UrdfError(f"{path} does not fit {robot.name}: {len(problems)} problem(s)\n{listed}")
    return tree


def _differences(robot: Robot, tree: KinematicTree) -> list[str]:
    ours, theirs = set(robot.joint_names), set(tree.joint_names)
    problems = [f"{name} is in the robot file only" for name in robot.joint_names if name not in theirs]
    problems += [
        f"{name} moves in the URDF, but is not in the robot file" for name in tree.joint_names if name not in ours
    ]
    for joint in robot.joints:
        if joint.name in theirs and joint.prismatic != (tree.joint(joint.name).kind == "prismatic"):
            kind = tree.joint(joint.name).kind
            problems.append(f"{joint.name} is {kind} in the URDF, prismatic: {joint.prismatic} in the robot file")
    problems += [f"imitation: {link} is no link of the URDF" for link in _copied(robot) if link not in tree.links]
    driven = [gripper.joint for gripper in robot.imitation.grippers]
    driven += [] if robot.imitation.lift is None else [robot.imitation.lift]
    problems += [f"imitation: {name} is no moving joint" for name in driven if name not in theirs]
    return problems + fence_problems(robot, tree)


def _copied(robot: Robot) -> list[str]:
    """Every link that the robot file's ``imitation`` names."""
    parts = robot.imitation
    links = [link for hand in parts.hands for link in (hand.palm, *hand.tips.values())]
    for arm in parts.arms:
        links += [link for link in (arm.base, arm.shoulder, arm.elbow, arm.wrist, arm.palm) if link is not None]
    if parts.head is not None:
        links += [parts.head.base, parts.head.link]
    return links
