# SPDX-License-Identifier: Apache-2.0
"""What of a robot's pose a person controls, so that two poses can be compared fairly.

Hands: the fingers' joints; thumbs are left out, one camera sees them too badly. Arms: where upper arms and forearms
point; joints would not do, since an arm reaches one posture with several of them, and which one depends on the way.
"""

import numpy as np
from numpy.typing import NDArray

from booth.session.training_exercise import Array
from robots import Robot
from robots.load_kinematics import load_kinematics
from robots.schema import ArmCopy


class Postures:
    """Reads postures of one robot.

    Attributes:
        part: "arm" where the robot has arms, else "hand".
    """

    def __init__(self, robot: Robot) -> None:
        self.part = "arm" if robot.imitation.arms else "hand"
        self._tree, self._names = load_kinematics(robot), robot.joint_names
        self._arms = robot.imitation.arms
        tips = [(digit, tip) for hand in robot.imitation.hands for digit, tip in hand.tips.items()]
        moving = {joint.name for digit, tip in tips if digit != "thumb" for joint in self._tree.chain(tip)}
        self._fingers = np.array([k for k, name in enumerate(self._names) if name in moving], dtype=np.int_)

    def of(self, position_rad: Array) -> Array:
        """The posture (m, d) of joints (n,): fingers' joints [rad], d = 1, or unit vectors, d = 3."""
        if self.part == "hand":
            return np.asarray(position_rad[self._fingers, None])
        known = zip(self._names, position_rad.tolist(), strict=True)
        poses = self._tree.forward({name: rad for name, rad in known if name in self._tree.joint_names})
        return np.array([way for arm in self._arms for way in _directions(poses, arm)])


def apart(first: Array, second: Array, rows: NDArray[np.bool_] | None = None) -> float:
    """Root mean square distance of two postures (m, d) or of equally many (…, m, d) [rad], of some of their rows."""
    squares = ((first - second) ** 2).sum(axis=-1)
    return float(np.sqrt(squares.mean() if rows is None else squares[..., rows].mean()))


def _directions(poses: dict[str, Array], arm: ArmCopy) -> list[Array]:
    """Where upper arm and forearm point in the arm's base."""
    from_root = np.linalg.inv(poses[arm.base])
    shoulder, elbow, wrist = ((from_root @ poses[link])[:3, 3] for link in (arm.shoulder, arm.elbow, arm.wrist))
    return [way / np.linalg.norm(way) for way in (elbow - shoulder, wrist - elbow)]
