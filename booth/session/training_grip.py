# SPDX-License-Identifier: Apache-2.0
"""How far a hand pinches: the operator's in the image, the robot's from its measured joints."""

import numpy as np

from booth.session.training_exercise import Array
from graph.errors import InputError
from robots import Robot
from robots.load_kinematics import load_kinematics

THUMB_TIP, INDEX_TIP, WRIST, MIDDLE_MCP = 4, 8, 0, 9
TOUCHING, APART = 0.35, 0.85
"""Distance of the tips of thumb and index over the palm's length, in the image: where they touch, on an open hand."""


def operator_pinch(hand: Array, aspect: float) -> float:
    """How far a hand (21, 2) in the image pinches, 0 (open) … 1 (tips touch)."""
    square = np.array([aspect, 1.0])
    palm = float(np.hypot(*((hand[MIDDLE_MCP] - hand[WRIST]) * square)))
    gap = float(np.hypot(*((hand[THUMB_TIP] - hand[INDEX_TIP]) * square)))
    return float(np.clip((APART - gap / max(palm, 1e-6)) / (APART - TOUCHING), 0.0, 1.0))


class RobotGrip:
    """One hand or gripper of a robot."""

    def __init__(self, robot: Robot, side: str) -> None:
        """Take the hand or gripper of one of `grip_sides`.

        Raises:
            InputError: there is none, or the robot's links are not what its file says.
        """
        if side not in grip_sides(robot):
            raise InputError(f"expected one of the {robot.name}'s hands {grip_sides(robot)}, found {side!r}")
        self._names = robot.joint_names
        self._gripper = next((each for each in robot.imitation.grippers if each.side == side), None)
        if self._gripper is None:
            tips = next(hand.tips for hand in robot.imitation.hands if hand.side == side)
            self._tree, self._tips = load_kinematics(robot), (tips["thumb"], tips["index"])
            self._open_m = self._gap_m(np.array(robot.home_rad))

    def closed(self, measured_rad: Array) -> float:
        """How far it is closed with these joints (n,), 0 (as at home) … 1 (tips touch, or jaws closed)."""
        if self._gripper is not None:
            at = float(measured_rad[self._names.index(self._gripper.joint)])
            share = (at - self._gripper.open_rad) / (self._gripper.closed_rad - self._gripper.open_rad)
        else:
            share = 1.0 - self._gap_m(measured_rad) / self._open_m
        return float(np.clip(share, 0.0, 1.0))

    def _gap_m(self, position_rad: Array) -> float:
        known = zip(self._names, position_rad.tolist(), strict=True)
        poses = self._tree.forward({name: rad for name, rad in known if name in self._tree.joint_names})
        return float(np.linalg.norm(poses[self._tips[0]][:3, 3] - poses[self._tips[1]][:3, 3]))


def grip_sides(robot: Robot) -> tuple[str, ...]:
    """On which sides a robot can pinch."""
    sides = {gripper.side for gripper in robot.imitation.grippers}
    sides |= {hand.side for hand in robot.imitation.hands if {"thumb", "index"} <= set(hand.tips)}
    return tuple(side for side in ("right", "left") if side in sides)
