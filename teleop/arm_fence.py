# SPDX-License-Identifier: Apache-2.0
"""A box that wrist, hand and fingertips of a robot's arm stay in, in the frame of the arm's base.

Inside, a motion along a wall goes on and a motion through it stops there. An arm that stands outside, because somebody
has put it there, goes no farther out, and where it is asked to, it comes back instead.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teleop.arm_slide import slid
from teleop.arm_solver import Chain, ChainPose, Points, point_jacobian

Array = NDArray[np.float64]

FIRST = 2
"""Of an arm's points (shoulder, elbow, wrist, hand, fingertips) the first that stays inside."""
MARGIN_M = 0.001
"""Slides end so far inside: a step of a joint bends the way that a slide takes for straight."""
RETURN_S = 1.0
"""What is outside comes back at this share of the way a second, and at least by the margin a step."""
SHARES = (1.0, 0.5, 0.2, 0.05)
STOPPED = 0.1
"""A step that keeps less of what was asked has been stopped."""


class ArmFence:
    """The box.

    Attributes:
        lower_m, upper_m: (3,) its corners [m].
    """

    def __init__(self, lower_m: Sequence[float], upper_m: Sequence[float]) -> None:
        self.lower_m, self.upper_m = np.array(lower_m), np.array(upper_m)

    def outside_m(self, points_m: Array) -> float:
        """How far the worst of an arm's points (5, 3) [m] is from the box; negative inside, by the way to a wall."""
        hand_m = points_m[FIRST:]
        over = np.maximum(self.lower_m - hand_m, hand_m - self.upper_m)
        worst = float(over.max())
        return worst if worst <= 0.0 else float(np.sqrt((np.maximum(over, 0.0) ** 2).sum(axis=1).max()))

    def near(self, pose: ChainPose, points_m: Array, carriers: Array, within_m: float) -> tuple[Array, Array]:
        """Room of points before walls, where it is below ``within_m``: growth with every joint (k, n), size (k,) [m].

        A point that is outside counts once, by its negative distance from the box, and first.

        Args:
            pose: of the chain. points_m: (5, 3) the arm's points in it; carriers: (5,) joints that carry them.
        """
        hand_m = points_m[FIRST:]
        room = np.concatenate([hand_m - self.lower_m, self.upper_m - hand_m], axis=1)
        out: list[tuple[Array, float]] = []
        inside: list[tuple[Array, float]] = []
        for k in np.flatnonzero(room.min(axis=1) < within_m):
            jacobian = point_jacobian(pose, int(carriers[FIRST + k]), hand_m[k])
            back = np.maximum(-room[k, :3], 0.0) - np.maximum(-room[k, 3:], 0.0)
            distance_m = float(np.sqrt(back @ back))
            if distance_m > 0.0:
                out.append((back @ jacobian / distance_m, -distance_m))
            for wall in np.flatnonzero((room[k] >= 0.0) & (room[k] < within_m)):
                inside.append((jacobian[wall % 3] if wall < 3 else -jacobian[wall % 3], float(room[k, wall])))
        found = out + inside
        rows = np.array([row for row, _ in found]).reshape(-1, len(pose.axes))
        return rows, np.array([free for _, free in found])


def no_farther_out(outside_m: float, before_m: float) -> bool:
    """Whether a step leaves all points inside, or the worst of them no farther outside than it was."""
    return outside_m <= max(before_m, 0.0) + 1e-9


def growth_needed(free_m: Array, elapsed_s: float) -> Array:
    """By how much room (k,) [m] must grow at least in a step; below 0 it may shrink."""
    outside = -free_m
    back = np.minimum(outside, np.maximum(outside * min(elapsed_s / RETURN_S, 1.0), MARGIN_M))
    return np.where(free_m < 0.0, back, MARGIN_M - free_m)


class FenceGuard:
    """Keeps the steps of an arm's joints inside, whoever asks for them.

    Attributes:
        stopped: whether the last step was all but lost at a wall.
    """

    def __init__(self, fence: ArmFence, chain: Chain, points: Points) -> None:
        """Take the box, the arm's chain and its five points."""
        self._fence, self._chain, self._points = fence, chain, points
        self.stopped = False

    def step(self, here_rad: Array, wanted_rad: Array, lower_rad: Array, upper_rad: Array, elapsed_s: float) -> Array:
        """Where the joints (n,) [rad] may go from here on the way to a wanted pose that is one step away.

        Args:
            lower_rad, upper_rad: (n,) of the step, for the limits and the speed of every joint.
            elapsed_s: since the last step.
        """
        self.stopped = False
        pose = self._chain.forward(here_rad)
        points, asked = self._points.at(pose), self._points.at(self._chain.forward(wanted_rad))
        before_m = self._fence.outside_m(points)
        if no_farther_out(self._fence.outside_m(asked), before_m):
            return wanted_rad
        rows, free = self._fence.near(
            pose, points, self._points.carriers, float(np.abs(asked - points).max()) + MARGIN_M
        )
        step, needed = wanted_rad - here_rad, growth_needed(free, elapsed_s)
        ways = [slid(step, rows, needed, lower_rad, upper_rad), step]
        if before_m > 0.0:
            worst = free == free.min()
            ways = [ways[0], *(slid(0.0 * step, rows[k], needed[k], lower_rad, upper_rad) for k in (free < 0.0, worst))]
        for taken in (share * way for way in ways for share in SHARES):
            outside_m = self._fence.outside_m(self._points.at(self._chain.forward(here_rad + taken)))
            if no_farther_out(outside_m, before_m):
                self.stopped = float(np.abs(taken).max()) < STOPPED * float(np.abs(step).max())
                return np.asarray(here_rad + taken)
        self.stopped = True
        return here_rad
