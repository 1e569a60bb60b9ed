# SPDX-License-Identifier: Apache-2.0
"""Where a robot arm's hand is: wrist, the point between the fingers, and fingertips; and whether its fence has room."""

from collections.abc import Mapping

import numpy as np

from robots.frames import Array, rotation_rpy
from robots.kinematics import KinematicTree
from robots.schema import ArmCopy, Robot

HAND_M = 0.10
"""Palm link's origin to where a hand holds things."""
SHORTEST_FINGERS_M = 0.13

ROOM = 0.05
"""Home and ready keep this share of the arm's length (shoulder to wrist) to every wall: the arm waits in both, and the
operator's first motion from there must not end at the fence."""

POINTS = ("wrist", "hand", "fingertips")
WALLS = ("lower x", "lower y", "lower z", "upper x", "upper y", "upper z")


def finger_reach_m(tree: KinematicTree, palm: str, along: Array) -> float:
    """Palm link's origin to the fingertips along a direction (3,) of the palm link, joints at 0 [m]."""
    poses = tree.forward({})
    from_root = np.linalg.inv(poses[palm])
    hanging = [link for link in tree.links if any(joint.parent == palm for joint in tree.chain(link))]
    return max((float((from_root @ poses[link])[:3, 3] @ along) for link in hanging), default=0.0)


def hand_points_m(tree: KinematicTree, arm: ArmCopy, positions: Mapping[str, float]) -> Array:
    """`POINTS` of an arm in its base's frame (3, 3) [m]; all are the wrist where it has no palm.

    Args:
        tree: of the robot.
        arm: whose links are in the tree.
        positions: [rad, or m] by joint name; a joint that is not named stands at 0.
    """
    poses = tree.forward(positions)
    base_from_root = np.linalg.inv(poses[arm.base])
    wrist_m = (base_from_root @ poses[arm.wrist])[:3, 3]
    if arm.palm is None:
        return np.tile(wrist_m, (3, 1))
    palm, along = base_from_root @ poses[arm.palm], rotation_rpy(*arm.palm_rpy)[:, 2]
    beyond_m = np.array([HAND_M, max(SHORTEST_FINGERS_M, finger_reach_m(tree, arm.palm, along))])
    return np.vstack([wrist_m, palm[:3, 3] + beyond_m[:, None] * (palm[:3, :3] @ along)])


def fence_problems(robot: Robot, tree: KinematicTree) -> list[str]:
    """Which home and ready poses come too near to a fence or lie outside it; arms with unknown links are skipped."""
    found = []
    for arm in robot.imitation.arms:
        links = {arm.base, arm.shoulder, arm.elbow, arm.wrist, *([] if arm.palm is None else [arm.palm])}
        if arm.fence_m is None or not links <= set(tree.links):
            continue
        straight = tree.forward({})
        room_m = ROOM * float(np.linalg.norm(straight[arm.wrist][:3, 3] - straight[arm.shoulder][:3, 3]))
        for pose, at in (("home_rad", robot.home_rad), ("ready_rad", robot.ready_rad)):
            known = {name: rad for name, rad in zip(robot.joint_names, at, strict=True) if name in tree.joint_names}
            points = hand_points_m(tree, arm, known)
            free = np.hstack([points - arm.fence_m.lower, np.array(arm.fence_m.upper) - points])
            for wall in np.flatnonzero(free.min(axis=0) < room_m):
                point = int(free[:, wall].argmin())
                found.append(
                    f"imitation: {arm.side} arm: at {pose} the {POINTS[point]} is {free[point, wall]:.3f} m inside the "
                    f"fence's {WALLS[wall]}: expected at least {room_m:.3f} m of room"
                )
    return found
