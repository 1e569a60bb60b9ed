# SPDX-License-Identifier: Apache-2.0
"""What one frame asks of a robot's arm, and how far a pose is from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teleop.arm_model import ArmModel
from teleop.arm_solver import ChainPose, point_jacobian

Array = NDArray[np.float64]

PALM_WEIGHT = 0.45
"""Of each palm direction, against 1 for each limb: as the squares of their errors, 7.5 and 11 degrees. The arm wins
where the wrist is at its end."""


@dataclass(frozen=True, slots=True)
class ArmTarget:
    """Directions and a place in the base frame.

    Attributes:
        limbs: (2, 3) upper arm and forearm.
        palm: (2, 3) the palm's z and x, or None: its turn does not matter.
        hand_m: (3,) where the hand should be, or None: wherever the directions put it.
        hand_weight: of an error of the hand's place that is as long as the arm.
    """

    limbs: Array
    palm: Array | None = None
    hand_m: Array | None = None
    hand_weight: float = 0.0


def cost(arm: ArmModel, pose: ChainPose, target: ArmTarget) -> float:
    """Sum of the weighted squares of a pose's errors: of directions as chords, of the place over the arm's length."""
    total = float(((arm.limbs.at(pose) - target.limbs) ** 2).sum())
    if target.palm is not None and arm.palm is not None:
        total += PALM_WEIGHT * float(((arm.palm.at(pose) - target.palm) ** 2).sum())
    if target.hand_m is not None:
        off = (arm.points.at(pose)[3] - target.hand_m) / arm.measures.reach_m
        total += target.hand_weight * float(off @ off)
    return total


def errors(arm: ArmModel, pose: ChainPose, target: ArmTarget) -> tuple[Array, Array]:
    """Jacobian (m, n) and errors (m,) of a pose, both times the root of their weight."""
    count = len(pose.axes)
    at = arm.limbs.at(pose)
    rows, missing = [arm.limbs.jacobian(pose, at).reshape(-1, count)], [(at - target.limbs).ravel()]
    if target.palm is not None and arm.palm is not None:
        root = PALM_WEIGHT**0.5
        at = arm.palm.at(pose)
        rows.append(root * arm.palm.jacobian(pose, at).reshape(-1, count))
        missing.append(root * (at - target.palm).ravel())
    if target.hand_m is not None:
        root = target.hand_weight**0.5 / arm.measures.reach_m
        at = arm.points.at(pose)[3]
        rows.append(root * point_jacobian(pose, int(arm.points.carriers[3]), at))
        missing.append(root * (at - target.hand_m))
    return np.concatenate(rows), np.concatenate(missing)
