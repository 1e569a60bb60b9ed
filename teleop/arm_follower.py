# SPDX-License-Identifier: Apache-2.0
"""Follows a target with one arm: a goal that solves it, and a pose on its way to the goal, inside limits and speed and
clear of body and other arm and of the walls of its fence.

The goal moves by damped steps and so stays in one branch of the arm's solutions. Where it ends far from the target, a
scout tries another start each few frames; when it finds a much better goal, the pose goes there at its own speed.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from teleop.arm_collision import OWN, Capsules, Gaps, gaps_around
from teleop.arm_fence import growth_needed, no_farther_out
from teleop.arm_model import ArmModel
from teleop.arm_slide import slid
from teleop.arm_solver import ChainPose, bounded_step, point_jacobian
from teleop.arm_target import ArmTarget, cost, errors

Array = NDArray[np.float64]

DAMPING, PULL, WRIST_PULL = 0.02, 0.001, 0.05
"""To the last goal, to rest, and of a wrist for which there is no palm to follow."""
STEPS, SCOUT_STEPS, SCOUT_FRAMES, FIRST_STEPS = 2, 5, 3, 16
PAUSE_FRAMES = 30
"""After as many scouts as there are starts have found nothing, none is sent for so long."""
LARGEST_STEP_RAD = 0.6
BAD_COST, BETTER = 0.03, 0.5
"""A goal this far from its target (0.03: ten degrees) is doubted; a scout's must cost at most this share of it."""
GAP, NEAR = 0.03, 0.06
"""Free distance over the arm's length that poses keep, and from which goals are pushed away."""
NEAR_WEIGHT, FENCE_WEIGHT = 20.0, 200.0
"""Of what a goal lacks of that distance, and of what is outside the fence, over the arm's length. The second keeps
goals within a few millimetres of a wall that the operator's hand is half a metre beyond."""
TOUCHED_M, LEFT_M = 0.002, 0.005
"""A goal that is so near to a wall presses against it, until it is so far inside."""
BLOCKED_S, BLOCKED_RAD = 0.3, 0.1
"""A pose that is kept so far from its goal for so long is told."""
STARTS = np.random.default_rng(7).uniform(-0.6, 0.6, (5, 16))
"""Where scouts start: fixed shares of half the joints' ranges from their middles, wrists at rest."""


class ArmFollower:
    """One arm's goal and pose.

    Attributes:
        joints: (n,) [rad] of the pose. capsules: its parts.
        obstacle: what keeps the pose from where the operator's arm is: the fence, or body and other arm.
    """

    def __init__(self, arm: ArmModel, speed_rad_s: Array) -> None:
        self._arm, self._speed = arm, speed_rad_s
        reach_m = arm.measures.reach_m
        self._gap_m, self._near_m, self._near_root = GAP * reach_m, NEAR * reach_m, NEAR_WEIGHT**0.5 / reach_m
        self._fence_root = FENCE_WEIGHT**0.5 / reach_m
        own = np.arange(len(arm.rest)) < arm.wrist
        spread = (arm.lower + arm.upper) / 2 + STARTS[:, : len(own)] * arm.mirrored * (arm.upper - arm.lower) / 2
        self._starts = [arm.ready, arm.rest, *np.where(own, spread, arm.rest)]
        self.start(None)

    def start(self, position_rad: Array | None) -> None:
        """Start from a pose, or from none: then the first target is met at once. NaN means the ready position."""
        arm = self._arm
        self._anywhere = position_rad is None
        position = arm.ready if position_rad is None else np.where(np.isfinite(position_rad), position_rad, arm.ready)
        self._goal: Array = np.clip(position, arm.lower, arm.upper)
        self._scout, self._scouted, self._next = arm.ready, 0, 0
        self.obstacle: Literal["", "fence", "body"] = ""
        self._blocked_s = 0.0
        self._take(self._goal, arm.chain.forward(self._goal))

    def _take(self, joints: Array, pose: ChainPose) -> None:
        self.joints = joints
        points_m = self._arm.points.at(pose)
        self.capsules = self._arm.capsules(points_m)
        self._out_m = -np.inf if self._arm.fence is None else self._arm.fence.outside_m(points_m)

    def follow(self, target: ArmTarget, around: Capsules, elapsed_s: float, hold_wrist: bool) -> Array:
        """The pose (n,) [rad] for a target.

        Args:
            target: what to reach.
            around: what to keep clear of, see `teleop.arm_collision.surroundings`.
            elapsed_s: since the last pose.
            hold_wrist: where the target has no palm the wrist stays as it is, instead of returning to rest.
        """
        arm = self._arm
        if self._anywhere:
            self._anywhere = False
            self._goal = self._search(target, around)
            self._move_straight(self._goal, around, np.linspace(1.0, 0.0, 11))
            return self.joints
        pull = np.full(len(self.joints), PULL)
        if target.palm is None:
            pull[arm.wrist :] = 0.0 if hold_wrist else WRIST_PULL
        goal = self._solve(self._goal, target, pull, STEPS, around)
        pose = arm.chain.forward(goal)
        self._goal = self._doubted(goal, cost(arm, pose, target), target, around)
        reach = self._speed * elapsed_s
        wanted = np.minimum(np.maximum(self._goal, self.joints - reach), self.joints + reach)
        if not np.array_equal(wanted, goal):
            pose = arm.chain.forward(wanted)
        free = self._free_m(pose, around) >= self._gap_m and self._fenced(pose)
        if free:
            self._take(wanted, pose)
        else:
            self._squeeze(wanted, reach, around, elapsed_s)
        self._tell(free, elapsed_s)
        return self.joints

    def _fenced(self, pose: ChainPose) -> bool:
        """Whether a pose is inside the fence, or no farther outside than the last one."""
        fence = self._arm.fence
        return fence is None or no_farther_out(fence.outside_m(self._arm.points.at(pose)), self._out_m)

    def _outside_m(self, joints: Array) -> float:
        """How far a goal is outside the fence; negative inside."""
        arm = self._arm
        if arm.fence is None:
            return -np.inf
        return arm.fence.outside_m(arm.points.at(arm.chain.forward(joints)))

    def _tell(self, free: bool, elapsed_s: float) -> None:
        """Find out what is in the way, if anything is."""
        there = np.array_equal(self.joints, self._goal)
        outside_m = self._out_m if there else self._outside_m(self._goal)
        kept = not free and float(np.abs(self._goal - self.joints).max()) > BLOCKED_RAD
        self._blocked_s = self._blocked_s + elapsed_s if kept else 0.0
        if outside_m > -(LEFT_M if self.obstacle == "fence" else TOUCHED_M):
            self.obstacle = "fence"
        else:
            self.obstacle = "body" if self._blocked_s > BLOCKED_S else ""

    def _solve(self, start: Array, target: ArmTarget, pull: Array, steps: int, around: Capsules | None = None) -> Array:
        """A few Gauss-Newton steps to the target; what is near is pushed away as it was at the start."""
        arm = self._arm
        joints = start
        pushes: list[tuple[float, Array, Array]] = []
        for _ in range(steps):
            pose = arm.chain.forward(joints)
            rows, missing = errors(arm, pose, target)
            if around is not None:
                pushes = self._pushes(pose, around)
                around = None
            for root, widening, lacking in pushes:
                short = np.maximum(lacking - widening @ (joints - start), 0.0)
                rows = np.concatenate([rows, -root * widening * (short > 0.0)[:, None]])
                missing = np.concatenate([missing, root * short])
            hessian = rows.T @ rows
            hessian.flat[:: len(joints) + 1] += DAMPING + pull
            gradient = rows.T @ missing + DAMPING * (joints - start) + pull * (joints - arm.rest)
            lower = np.maximum(arm.lower - joints, -LARGEST_STEP_RAD)
            upper = np.minimum(arm.upper - joints, LARGEST_STEP_RAD)
            joints = joints + bounded_step(hessian, gradient, lower, upper)
        return np.minimum(np.maximum(joints, arm.lower), arm.upper)

    def _pushes(self, pose: ChainPose, around: Capsules) -> list[tuple[float, Array, Array]]:
        """What pushes a goal away: root of its weight, growth with every joint (k, n), and what is lacking (k,) [m]."""
        rows, free = self._widening(pose, self._gaps(pose, around), self._near_m)
        pushes = [(self._near_root, rows, self._near_m - free)] if len(rows) else []
        if self._arm.fence is not None:
            points = self._arm.points
            rows, free = self._arm.fence.near(pose, points.at(pose), points.carriers, self._near_m)
            pushes += [(self._fence_root, rows, -free)] if len(rows) else []
        return pushes

    def _search(self, target: ArmTarget, around: Capsules) -> Array:
        """The best goal from all starts."""
        pull = np.full(len(self.joints), PULL)
        found = [self._solve(start, target, pull, FIRST_STEPS) for start in self._starts]
        found = [self._solve(goal, target, pull, STEPS, around) for goal in found]
        return min(found, key=lambda goal: self._price(goal, target, around))

    def _doubted(self, goal: Array, price: float, target: ArmTarget, around: Capsules) -> Array:
        """The goal, or a scout's; while the goal is bad, a scout is on its way."""
        if price < BAD_COST:
            self._scouted = self._next = 0
            return goal
        if self._next >= len(self._starts):
            self._next = self._next + 1 if self._next < len(self._starts) + PAUSE_FRAMES else 0
            return goal
        if self._scouted == 0:
            self._scout = self._starts[self._next]
        self._scout = self._solve(self._scout, target, np.full(len(goal), PULL), SCOUT_STEPS)
        self._scouted += 1
        if self._scouted < SCOUT_FRAMES:
            return goal
        self._scouted = 0
        self._next += 1
        return self._scout if self._price(self._scout, target, around) < BETTER * price else goal

    def _price(self, joints: Array, target: ArmTarget, around: Capsules) -> float:
        """Cost of a goal, and what it lacks of the gap: all of it costs as much as an error of a radian, and so does
        being as far outside the fence."""
        pose = self._arm.chain.forward(joints)
        outside = max(0.0, self._outside_m(joints) / self._gap_m)
        return cost(self._arm, pose, target) + max(0.0, 1.0 - self._free_m(pose, around) / self._gap_m) + outside

    def _squeeze(self, wanted: Array, reach: Array, around: Capsules, elapsed_s: float) -> None:
        """Slide along what is in the way of a wanted pose, or go to it as far as it is free."""
        arm, here = self._arm, self.joints
        pose = arm.chain.forward(here)
        rows, free = self._widening(pose, self._gaps(pose, around), 2.0 * self._near_m)
        needed = 1.1 * self._gap_m - free
        if arm.fence is not None:
            walls, room = arm.fence.near(pose, arm.points.at(pose), arm.points.carriers, 2.0 * self._near_m)
            rows, needed = np.concatenate([rows, walls]), np.concatenate([needed, growth_needed(room, elapsed_s)])
        lower = np.maximum(-reach, np.minimum(arm.lower - here, 0.0))
        upper = np.minimum(reach, np.maximum(arm.upper - here, 0.0))
        slide = here + slid(wanted - here, rows, needed, lower, upper)
        if not self._move_straight(slide, around, np.array([1.0, 0.5, 0.2])):
            self._move_straight(wanted, around, np.array([0.5, 0.2]))

    def _move_straight(self, towards: Array, around: Capsules, shares: Array) -> bool:
        """Go by the first of these shares of the way that keeps the gap, or that makes no smaller one smaller still."""
        chain, here = self._arm.chain, self.joints
        least_m = min(self._gap_m, self._free_m(chain.forward(here), around))
        for share in shares:
            joints = here + share * (towards - here)
            pose = chain.forward(joints)
            if self._free_m(pose, around) >= least_m and self._fenced(pose):
                self._take(joints, pose)
                return True
        return False

    def _widening(self, pose: ChainPose, found: Gaps, within_m: float) -> tuple[Array, Array]:
        """The smallest gaps (three at most) below ``within_m``: growth with every joint (k, n), and size."""
        arm = self._arm
        close = np.argsort(found.free_m)[:3]
        close = close[found.free_m[close] < within_m]
        rows = np.empty((len(close), len(pose.axes)))
        if len(close):
            points, carriers = arm.points.at(pose), arm.points.carriers
            for row, k in enumerate(close):
                own, share = int(OWN[k]), float(found.share[k])
                ends = [point_jacobian(pose, int(carriers[end]), points[end]) for end in (own, own + 1)]
                rows[row] = found.apart[k] @ ((1.0 - share) * ends[0] + share * ends[1])
        return rows, found.free_m[close]

    def _free_m(self, pose: ChainPose, around: Capsules) -> float:
        return float(self._gaps(pose, around).free_m.min())

    def _gaps(self, pose: ChainPose, around: Capsules) -> Gaps:
        return gaps_around(self._arm.capsules(self._arm.points.at(pose)), around)
