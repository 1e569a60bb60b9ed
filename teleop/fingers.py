# SPDX-License-Identifier: Apache-2.0
"""How far each digit of a robot's hand is closed: what makes a grasp, whatever the hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teleop.gripper_retarget import GripperRetargeter
from teleop.hand_retarget import HandRetargeter

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fingers:
    """d digits of a hand with k joints; a gripper is one digit.

    Attributes:
        members: (d, k) which joints belong to a digit.
        closing: (d, k) a digit's closure is this times the joints' positions: the mean flexion of its joints [rad].
        thumb: index of the thumb; None: the hand has none.
    """

    members: NDArray[np.bool_]
    closing: Array
    thumb: int | None

    def closure_rad(self, position_rad: Array) -> Array:
        """How far every digit is closed (d,) [rad] at joint positions (k,); of interest are differences."""
        return np.asarray(self.closing @ position_rad)


def fingers_of(retargeter: HandRetargeter | GripperRetargeter, home_rad: Array) -> Fingers:
    """The digits of a hand or gripper whose joints rest at ``home_rad`` (k,).

    A joint beyond the knuckle closes towards the farther one of its limits; a whole stroke of a gripper closes it by a
    right angle.
    """
    if isinstance(retargeter, GripperRetargeter):
        return Fingers(np.ones((1, 1), dtype=bool), np.array([[np.pi / 2 / retargeter.stroke_rad]]), None)
    model = retargeter.model
    chains = model.select.reshape(model.count, model.depth, -1)
    members = (chains != 0.0).any(axis=1)
    bending = ((chains != 0.0) & (model.bends > 0.0)[:, :, None]).any(axis=1)
    inwards = np.sign(model.upper_rad + model.lower_rad - 2.0 * home_rad)
    closing = bending * inwards / np.maximum(bending.sum(axis=1, keepdims=True), 1)
    thumbs = np.flatnonzero(model.digits == 0)
    return Fingers(members, closing, int(thumbs[0]) if len(thumbs) else None)
