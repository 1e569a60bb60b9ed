# SPDX-License-Identifier: Apache-2.0
"""A two-jaw gripper that closes as the operator's hand does: with a pinch of thumb and index, or with a fist."""

import numpy as np
from numpy.typing import NDArray

from robots import Robot
from robots.robot import RobotFileError
from teleop.filters import OneEuroFilter, OneEuroSettings
from teleop.gestures import stretch
from teleop.hand_geometry import MIDDLE_MCP, WRIST, HandGeometryError, Side, check_landmarks

Array = NDArray[np.float64]

THUMB_TIP, INDEX_TIP = 4, 8
TOUCHING, APART = 0.25, 1.0
"""Distance between the tips of thumb and index over the palm's length: tips that touch, and an open hand."""
CURLED, STRETCHED = 0.5, 0.85
"""Stretch of the four fingers: a fist, and an open hand."""


class GripperRetargeter:
    """One gripper joint from one hand's landmarks. Wrist and arm are somebody else's business.

    Attributes:
        side: whose hand it copies.
        joints: (1,) index into the robot's joints.
        stroke_rad: from open to closed [rad]; negative where it closes that way.
    """

    def __init__(self, robot: Robot, side: Side, smoothing: OneEuroSettings | None = None) -> None:
        found = [gripper for gripper in robot.imitation.grippers if gripper.side == side]
        if not found:
            raise RobotFileError(f"{robot.name} has no {side} gripper: see imitation in its robot file")
        self.side = side
        self.joints = np.array([robot.joint_names.index(found[0].joint)])
        self._open_rad, self.stroke_rad = found[0].open_rad, found[0].closed_rad - found[0].open_rad
        self._filter = OneEuroFilter(smoothing)

    def reset(self, position_rad: Array | None = None) -> None:
        """Forget the last frames."""
        self._filter.reset()

    def see(self, points_m: Array, stamp_ns: int) -> Array:
        """The gripper's position for one frame, (1,) [rad].

        Args:
            points_m: (21, 3) landmarks [m], any axes.
            stamp_ns: the frame's capture stamp.

        Raises:
            HandGeometryError: the landmarks are no hand.
        """
        check_landmarks(points_m)
        share = closing(points_m)
        wanted = self._open_rad + share * self.stroke_rad
        return self._filter(np.array([wanted]), stamp_ns)


def closing(points_m: Array) -> float:
    """How far a hand is closed, 0 (open) … 1 (pinch or fist), from shares of its own size."""
    palm_m = float(np.linalg.norm(points_m[MIDDLE_MCP] - points_m[WRIST]))
    if palm_m <= 0.0:
        raise HandGeometryError("wrist and middle knuckle are one point: expected a hand")
    between = float(np.linalg.norm(points_m[THUMB_TIP] - points_m[INDEX_TIP])) / palm_m
    pinch = (APART - between) / (APART - TOUCHING)
    fist = (STRETCHED - float(np.mean(stretch(points_m)[1:]))) / (STRETCHED - CURLED)
    return float(np.clip(max(pinch, fist), 0.0, 1.0))
