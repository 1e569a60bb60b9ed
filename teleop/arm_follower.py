# SPDX-License-Identifier: Apache-2.0
"""Follows a target with one arm: a goal that solves it, and a pose on its way to the goal, inside limits and speed and
clear of body and other arm.

The goal moves by damped steps and so stays in one branch of the arm's solutions. Where it ends far from the target, a
scout tries another start each few frames; when it finds a much better goal, the pose goes there at its own speed.
"""

import numpy as np
from numpy.typing import NDArray

from teleop.arm_collision import OWN, Capsules, Gaps, gaps_around
from teleop.arm_model import ArmModel
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
NEAR_WEIGHT, SLIDES = 20.0, 4
STARTS = np.random.default_rng(7).uniform(-0.6, 0.6, (5, 16))
"""Where scouts start: fixed shares of half the joints' ranges from their middles, wrists at rest."""


class ArmFollower:
    """One arm's goal and pose: ``joints`` (n,) [rad] and ``capsules`` are the pose."""

    def __init__(self, arm: ArmModel, speed_rad_s: Array) -> None:
        self._arm, self._speed = arm, speed_rad_s
        reach_m = arm.measures.reach_m
        self._gap_m, self._near_m, self._near_root = GAP * reach_m, NEAR * reach_m, NEAR_WEIGHT**0.5 / reach_m
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
        self._take(self._goal, arm.chain.forward(self._goal))

    def _take(self, joints: Array, pose: ChainPose) -> None:
        self.joints = joints
        self.capsules = self._arm.capsules(self._arm.points.at(pose))

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
        if self._free_m(pose, around) >= self._gap_m:
            self._take(wanted, pose)
        else:
            self._squeeze(wanted, reach, around)
        return self.joints

    def _solve(self, start: Array, target: ArmTarget, pull: Array, steps: int, around: Capsules | None = None) -> Array:
        """A few Gauss-Newton steps to the target; what is near is pushed away as it was at the start."""
        arm = self._arm
        joints = start
        widening: tuple[Array, Array] | None = None
        for _ in range(steps):
            pose = arm.chain.forward(joints)
            rows, missing = errors(arm, pose, target)
            if around is not None:
                widening = self._widening(pose, self._gaps(pose, around), self._near_m)
                around = None
            if widening is not None and len(widening[0]):
                short = np.maximum(self._near_m - widening[1] - widening[0] @ (joints - start), 0.0)
                rows = np.concatenate([rows, -self._near_root * widening[0] * (short > 0.0)[:, None]])
                missing = np.concatenate([missing, self._near_root * short])
            hessian = rows.T @ rows
            hessian.flat[:: len(joints) + 1] += DAMPING + pull
            gradient = rows.T @ missing + DAMPING * (joints - start) + pull * (joints - arm.rest)
            lower = np.maximum(arm.lower - joints, -LARGEST_STEP_RAD)
            upper = np.minimum(arm.upper - joints, LARGEST_STEP_RAD)
            joints = joints + bounded_step(hessian, gradient, lower, upper)
        return np.minimum(np.maximum(joints, arm.lower), arm.upper)

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
        """Cost of a goal, and what it lacks of the gap: all of it costs as much as an error of a radian."""
        pose = self._arm.chain.forward(joints)
        return cost(self._arm, pose, target) + max(0.0, 1.0 - self._free_m(pose, around) / self._gap_m)

    def _squeeze(self, wanted: Array, reach: Array, around: Capsules) -> None:
        """Slide along what is in the way of a wanted pose, or go to it as far as it is free."""
        here = self.joints
        pose = self._arm.chain.forward(here)
        found = self._gaps(pose, around)
        slide = here + self._slide(wanted - here, reach, self._widening(pose, found, 2.0 * self._near_m))
        if not self._move_straight(slide, around, np.array([1.0, 0.5, 0.2])):
            self._move_straight(wanted, around, np.array([0.5, 0.2]))

    def _move_straight(self, towards: Array, around: Capsules, shares: Array) -> bool:
        """Go by the first of these shares of the way that keeps the gap, or that makes no smaller one smaller still."""
        chain, here = self._arm.chain, self.joints
        least_m = min(self._gap_m, self._free_m(chain.forward(here), around))
        for share in shares:
            joints = here + share * (towards - here)
            pose = chain.forward(joints)
            if self._free_m(pose, around) >= least_m:
                self._take(joints, pose)
                return True
        return False

    def _slide(self, step: Array, reach: Array, widening: tuple[Array, Array]) -> Array:
        """A step near the wanted one that, to first order, leaves a little more than the gap: projections in turn."""
        arm = self._arm
        lower = np.maximum(-reach, np.minimum(arm.lower - self.joints, 0.0))
        upper = np.minimum(reach, np.maximum(arm.upper - self.joints, 0.0))
        for _ in range(SLIDES):
            for row, free_m in zip(*widening, strict=True):
                missing_m = 1.1 * self._gap_m - free_m - float(row @ step)
                if missing_m > 0.0:
                    step = step + row * (missing_m / max(float(row @ row), 1e-6))
                    step = np.minimum(np.maximum(step, lower), upper)
        return step

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
