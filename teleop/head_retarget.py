# SPDX-License-Identifier: Apache-2.0
"""The robot's head from the operator's: where the face points against the torso."""

import numpy as np
from numpy.typing import NDArray

from robots.load_kinematics import load_kinematics
from robots.schema import Robot
from teleop.arm_solver import Chain, Directions, bounded_step
from teleop.body_calibration import BodyCalibration
from teleop.body_geometry import check_body, rotation_camera_from_torso, torso_axes
from teleop.filters import OneEuroFilter, OneEuroSettings
from teleop.head_geometry import head_angles
from teleop.operator_view import BodyView

Array = NDArray[np.float64]

FILTER = OneEuroSettings(0.6, 0.4, 1.0)
TORSO_FILTER = OneEuroSettings(0.5, 0.5, 1.0)
DAMPING, PULL = 0.01, 0.0005
STEPS = 6
LARGEST_ANGLE_RAD = 1.4
LONGEST_STEP_S, FIRST_STEP_S = 0.1, 1 / 30


class HeadRetargeter:
    """Keeps the last pose and the filters; not thread-safe.

    Attributes:
        joints: (k,) indices into ``robot.joint_names``.
        calibration: of the operator; may be set at any time.
    """

    def __init__(self, robot: Robot) -> None:
        """Take the head out of a robot.

        Raises:
            ValueError: the robot has no head that copies the operator's.
        """
        head = robot.imitation.head
        if head is None:
            raise ValueError(f"{robot.name} has no head that copies the operator's: add it to imitation: head:")
        tree = load_kinematics(robot)
        self._chain = chain = Chain(tree, head.base, head.link)
        self.joints = np.array([robot.joint_names.index(name) for name in chain.joint_names])
        self.calibration = BodyCalibration()
        limits = np.array([(robot.joints[k].min_rad, robot.joints[k].max_rad) for k in self.joints])
        self._lower, self._upper = np.maximum(chain.lower, limits[:, 0]), np.minimum(chain.upper, limits[:, 1])
        self._rest = np.clip(np.array(robot.ready_rad)[self.joints], self._lower, self._upper)
        self._speed = np.array(robot.velocity_rad_s)[self.joints]
        last = len(chain.joint_names) - 1
        zero = chain.forward(np.zeros(last + 1))
        self._ahead = Directions([last], (zero.rotations[last].T @ np.array([1.0, 0.0, 0.0]))[None], last + 1)
        self._torso, self._face = OneEuroFilter(TORSO_FILTER), OneEuroFilter(FILTER)
        self.reset(None)

    def reset(self, position_rad: Array | None = None) -> None:
        """Start from this pose (k,) [rad], or from none: the first frame is then followed at once. Forgets filters.

        A joint that is NaN starts where it is when ready.
        """
        self._started = position_rad is not None
        position = self._rest if position_rad is None else np.where(np.isfinite(position_rad), position_rad, self._rest)
        self._joints: Array = np.clip(position, self._lower, self._upper)
        self._stamp_ns: int | None = None
        self._torso.reset()
        self._face.reset()

    def see(self, body: BodyView, stamp_ns: int) -> Array:
        """Joint positions (k,) [rad] for one frame, inside the limits; a stamp that does not advance changes nothing.

        Raises:
            BodyGeometryError: face or shoulders are not in view or not plausible; nothing changes.
        """
        if self._stamp_ns is not None and stamp_ns <= self._stamp_ns:
            return np.array(self._joints)
        check_body(body)
        axes = torso_axes(body, np.array(self.calibration.up_in_camera))
        rotation_camera_from_torso(axes)
        angles = head_angles(body) - self.calibration.head_rad
        elapsed_s = FIRST_STEP_S if self._stamp_ns is None else min((stamp_ns - self._stamp_ns) * 1e-9, LONGEST_STEP_S)
        self._stamp_ns = stamp_ns
        torso = rotation_camera_from_torso(self._torso(axes, stamp_ns))
        turn = np.arctan2(torso[0, 0], -torso[2, 0])
        yaw, pitch = np.clip(
            self._face(angles - np.array([turn, 0.0]), stamp_ns), -LARGEST_ANGLE_RAD, LARGEST_ANGLE_RAD
        )
        wanted = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), -np.sin(pitch)])
        reach = self._speed * elapsed_s if self._started else np.full(len(self._joints), np.inf)
        self._joints = self._turn(
            wanted, np.maximum(self._lower, self._joints - reach), np.minimum(self._upper, self._joints + reach)
        )
        self._started = True
        return np.array(self._joints)

    def _turn(self, wanted: Array, lower: Array, upper: Array) -> Array:
        """Joint positions between the bounds that let the face point along ``wanted`` (3,)."""
        start, joints = self._joints, self._joints.copy()
        for _ in range(STEPS):
            pose = self._chain.forward(joints)
            at = self._ahead.at(pose)
            rows = self._ahead.jacobian(pose, at)[0]
            hessian = rows.T @ rows
            hessian[np.diag_indices_from(hessian)] += DAMPING + PULL
            gradient = rows.T @ (at[0] - wanted) + DAMPING * (joints - start) + PULL * (joints - self._rest)
            joints = np.clip(joints + bounded_step(hessian, gradient, lower - joints, upper - joints), lower, upper)
        return np.asarray(joints)
