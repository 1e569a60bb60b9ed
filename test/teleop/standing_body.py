# SPDX-License-Identifier: Apache-2.0
"""A person who stands before the camera, as body landmarks."""

import numpy as np

from teleop.operator_view import BodyView

UPPER_ARM_M, FOREARM_M = 0.3, 0.25
ASPECT = 4 / 3


def body(stamp_ns, posture="down", shift_m=0.0, rng=None):
    """A person who faces the camera, seen from the head to the knees."""
    world = np.zeros((33, 3))
    for sign, (shoulder, elbow, wrist, hip, ear, eye, mouth) in (
        (1.0, (11, 13, 15, 23, 7, 2, 9)),
        (-1.0, (12, 14, 16, 24, 8, 5, 10)),
    ):
        world[hip] = (0.12 * sign, 0.0, 0.0)
        world[shoulder] = (0.19 * sign, -0.48, 0.0)
        along = np.array({"down": (0.1 * sign, 1.0, 0.0), "forward": (0.0, 0.1, -1.0)}[posture])
        along /= np.linalg.norm(along)
        world[elbow] = world[shoulder] + UPPER_ARM_M * along
        world[wrist] = world[elbow] + FOREARM_M * along
        world[ear], world[eye], world[mouth] = (
            (0.07 * sign, -0.68, 0.0),
            (0.03 * sign, -0.7, -0.08),
            (
                0.02 * sign,
                -0.63,
                -0.08,
            ),
        )
    world[0] = (0.0, -0.66, -0.1)
    world += np.array([shift_m, 0.0, 0.0])
    if rng is not None:
        world += rng.normal(0, 2e-3, world.shape)
    image = world[:, :2] * np.array([0.5 / ASPECT, 0.5]) + np.array([0.5, 0.6])
    return BodyView(world, image, np.ones(33), stamp_ns, ASPECT)
