# SPDX-License-Identifier: Apache-2.0
"""Arm angles that bring a point of the hand to a place: damped least squares inside the joint limits.

Used at the key moments of a script only; between them the joints move smoothly, so every frame has exact angles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.errors import InputError
from studio.operator_model import ARM_LIMITS_RAD, MIRROR, limb
from studio.sizes import Sizes

Array = NDArray[np.float64]

COMFORT_RAD: Array = np.radians([25.0, 15.0, 5.0, 90.0, 20.0, 0.0, 0.0])
"""An arm at ease; where the goal leaves freedom, angles stay near it."""

_COMFORT_WEIGHT: Array = np.array([0.3, 0.8, 0.5, 0.15, 0.35, 0.9, 1.0]) * 0.05
_LENGTH_SCALE_M, _ANGLE_SCALE_RAD = 0.01, 0.12
_STEP_RAD, _ROUNDS = 1e-5, 80
FARTHEST_MISS_M = 0.03
"""A goal that stays farther away than this is out of reach."""


class ReachError(InputError):
    """A place in a script that the operator's hand can't reach."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a hand shall be, in the axes of a right arm's side: forward, outward, up from between the shoulders.

    Attributes:
        at_m: (3,) place of the hand's point.
        point: the hand's point: weights (21,) over the landmarks.
        faces: (3,) direction out of the palm, or None for any.
        fingers: (3,) direction from the wrist to the middle knuckle, or None for any.
    """

    at_m: Array
    point: Array
    faces: Array | None = None
    fingers: Array | None = None


def reach(goal: Goal, hand_rad: Array, sizes: Sizes, title: str = "the hand") -> Array:
    """The (7,) arm angles of a reach; the same for both sides, as the goal is.

    Args:
        goal: where the hand shall be.
        hand_rad: (20,) finger angles at that moment.
        sizes: of the operator.
        title: what the error message calls this reach.

    Raises:
        ReachError: the place is more than 3 cm out of reach.
    """
    starts = [COMFORT_RAD, np.radians([70.0, 20.0, 0.0, 60.0, 0.0, 0.0, 0.0]), np.radians([0, 30.0, 40, 120, 60, 0, 0])]
    found = [_descend(start, goal, hand_rad, sizes) for start in starts]
    cost, angles = min(found, key=lambda pair: pair[0])
    miss_m = float(np.linalg.norm(_residual(angles, goal, hand_rad, sizes)[:3]) * _LENGTH_SCALE_M)
    if miss_m > FARTHEST_MISS_M:
        raise ReachError(
            f"{title} can't reach {np.round(goal.at_m, 2).tolist()} m (forward, outward, up from between the "
            f"shoulders): it stays {miss_m * 100:.0f} cm away (cost {cost:.0f}); bring the place nearer to the body"
        )
    return angles


def _descend(start: Array, goal: Goal, hand_rad: Array, sizes: Sizes) -> tuple[float, Array]:
    """Levenberg and Marquardt's descent with angles clipped to the limits: cost and angles."""
    angles, damping = start.copy(), 1e-2
    low, high = ARM_LIMITS_RAD.T
    residual = _residual(angles, goal, hand_rad, sizes)
    for _ in range(_ROUNDS):
        moved = _residual(angles + np.eye(7) * _STEP_RAD, goal, hand_rad, sizes)
        jacobian = (moved - residual).T / _STEP_RAD
        normal = jacobian.T @ jacobian
        step = np.linalg.solve(normal + damping * np.eye(7), -jacobian.T @ residual)
        tried = np.clip(angles + np.clip(step, -0.4, 0.4), low, high)
        better = _residual(tried, goal, hand_rad, sizes)
        if better @ better < residual @ residual:
            settled = residual @ residual - better @ better < 1e-6
            angles, residual, damping = tried, better, max(damping * 0.3, 1e-6)
            if settled:
                break
        else:
            damping = min(damping * 4.0, 1e4)
    return float(residual @ residual), angles


def _residual(arm_rad: Array, goal: Goal, hand_rad: Array, sizes: Sizes) -> Array:
    """What is wrong with arms (..., 7): place, directions, discomfort; (..., 16) without unit."""
    right = limb("right", arm_rad, hand_rad, np.eye(3), sizes)
    place = np.einsum("...ki,k->...i", right.hand_m, goal.point) - [0.0, 0.0, sizes.shoulder_height_m]
    palm = right.rotation_operator_from_palm
    wanted = goal.at_m @ MIRROR  # outward is the right arm's -y
    parts = [(place - wanted) / _LENGTH_SCALE_M]
    for axis, direction in ((0, goal.faces), (2, goal.fingers)):
        off = np.zeros_like(place) if direction is None else palm[..., axis] - MIRROR @ direction
        parts.append(off / _ANGLE_SCALE_RAD)
    parts.append((arm_rad - COMFORT_RAD) * _COMFORT_WEIGHT / _ANGLE_SCALE_RAD)
    return np.concatenate(parts, axis=-1)
