# SPDX-License-Identifier: Apache-2.0
"""21 landmarks of one hand to the 20 joints of a ROBOTIS HX5-D20 hand.

Fingers have the robot's own kinematics (roll, pitch, pitch, pitch), so their angles are read off the bones
directly; the thumb's four angles are solved for the directions of its bones. The result is calibrated to the
operator, filtered, and inside the joint limits. One call takes a bounded time.
"""

import numpy as np
from numpy.typing import NDArray

from robots import Robot
from robots.robot import RobotFileError
from teleop.calibration import Calibration
from teleop.filters import OneEuroFilter, OneEuroSettings
from teleop.hand_geometry import bone_directions, finger_angles, points_in_palm
from teleop.thumb import solve_thumb

Array = NDArray[np.float64]

THUMB = slice(0, 4)
FINGERS = slice(4, 20)


class HandRetargeter:
    """Stateful retargeting of one hand: remembers the thumb's last solution and the filter."""

    def __init__(self, robot: Robot, filter_settings: OneEuroSettings | None = None) -> None:
        if robot.retarget != "hx5_d20" or robot.hand != "right" or len(robot.joints) != 20:
            raise RobotFileError(
                f"{robot.name} can't copy a hand yet: expected a robot with retarget: hx5_d20 and hand: right, "
                f"found retarget: {robot.retarget}, hand: {robot.hand}, {len(robot.joints)} joints"
            )
        self.joint_names = robot.joint_names
        self.side = robot.hand
        self.lower_rad = np.array([joint.min_rad for joint in robot.joints])
        self.upper_rad = np.array([joint.max_rad for joint in robot.joints])
        self._home_rad = np.array([joint.home_rad for joint in robot.joints])
        self._thumb_rad = self._home_rad[THUMB]
        self._filter = OneEuroFilter(filter_settings)
        self.calibration = Calibration()

    def reset(self) -> None:
        """Forget the last frames; the calibration stays."""
        self._thumb_rad = self._home_rad[THUMB]
        self._filter.reset()

    def angles(self, points_m: Array) -> Array:
        """Joint angles as seen, neither calibrated nor filtered, (20,) [rad].

        Args:
            points_m: (21, 3) landmarks [m] in the camera's axes.

        Raises:
            HandGeometryError: the landmarks are no hand.
        """
        directions = bone_directions(points_in_palm(points_m, self.side))
        thumb = solve_thumb(directions[0], self._thumb_rad, self.lower_rad[THUMB], self.upper_rad[THUMB])
        self._thumb_rad = thumb
        return np.concatenate([thumb, finger_angles(directions[1:]).ravel()])

    def command(self, angles_rad: Array, stamp_ns: int) -> Array:
        """Calibrated, filtered joint positions inside the limits for angles seen at ``stamp_ns``, (20,) [rad]."""
        wanted = self.calibration.apply(angles_rad)
        return np.clip(
            self._filter(np.clip(wanted, self.lower_rad, self.upper_rad), stamp_ns), self.lower_rad, self.upper_rad
        )
