# SPDX-License-Identifier: Apache-2.0
"""Robots with other fences than their files have."""

from robots.schema import Fence


def fenced(robot, box):
    """The robot with this fence around both arms: (lower, upper) [m] of the right one, mirrored for the left."""
    arms = []
    for arm in robot.imitation.arms:
        fence = None
        if box is not None:
            (x, y, z), (X, Y, Z) = box
            fence = Fence(lower=(x, y, z), upper=(X, Y, Z))
            if arm.side == "left":
                fence = Fence(lower=(x, -Y, z), upper=(X, -y, Z))
        arms.append(arm.model_copy(update={"fence_m": fence}))
    return robot.model_copy(update={"imitation": robot.imitation.model_copy(update={"arms": tuple(arms)})})
