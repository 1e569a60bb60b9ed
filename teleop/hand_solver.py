# SPDX-License-Identifier: Apache-2.0
"""Joint positions of a robot hand for a wanted shape: bounded Levenberg-Marquardt from the last positions, a few steps.

Every step solves the normal equations inside the joint limits by fixing the joints that would leave them (primal active
set) and is taken only if it makes the cost smaller. What is not reached within one call is gone on with in the next.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns

import numpy as np
from numpy.typing import NDArray

from robots.frames import Array
from teleop.hand_model import HandModel, HandPose


@dataclass(frozen=True, slots=True)
class HandTarget:
    """The wanted shape, in the palm frame; d digits, k joints.

    Attributes:
        tip: (d, 3) unit direction from the wrist to every tip.
        distal: (d, 3) unit direction of every last segment.
        extension: (d,) knuckle to tip over the length of the bones, 0 … 1.
        weight: (d,) how much these three count for every digit.
        pair_m: (d - 1, 3) from the tip of every finger to the thumb's. pair_weight: (d - 1,) how much it counts.
            Both are empty for a hand without a thumb.
        posture_rad, posture_weight: (k,) joint positions to lean on, and how strongly.
        shown: (k,) whether the posture of a joint is the operator's own, good enough to start from.
    """

    tip: Array
    distal: Array
    extension: Array
    weight: Array
    pair_m: Array
    pair_weight: Array
    posture_rad: Array
    posture_weight: Array
    shown: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SolverSettings:
    """Weights and bounds.

    Attributes:
        tip, distal, extension: weights of errors in radians and shares. pair_per_m: of metres between thumb and finger.
        stay: weight of a radian away from the last positions.
        iterations, time_ns: a call ends after as many steps, or after this time.
        tolerance_rad: a smaller step is the last one.
    """

    tip: float = 1.6
    distal: float = 1.35
    extension: float = 1.0
    pair_per_m: float = 75.0
    stay: float = 0.05
    iterations: int = 2
    time_ns: int = 2_000_000
    tolerance_rad: float = 4e-3


FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-5, 1e2
"""Levenberg-Marquardt damping as a share of the diagonal."""
ACTIVE_SET_PASSES = 3
AT_LIMIT_RAD = 1e-9
"""A joint this near to its limit stands there: rounding does not decide which way the others go."""

FAR_RAD = 0.5
"""A joint that is farther than this from what the operator shows may start from there: the way between may be uphill,
as from a stretched finger to a folded one, whose last segment points the other way."""


class HandSolver:
    """Solves for one hand; keeps nothing but its damping between calls."""

    def __init__(
        self, model: HandModel, settings: SolverSettings | None = None, clock_ns: Callable[[], int] = monotonic_ns
    ) -> None:
        self._model, self._settings, self._clock_ns = model, settings or SolverSettings(), clock_ns
        d, n = model.count, model.depth
        self._hessian, self._squares = np.zeros((d * n, d * n)), np.empty((d, n, n))
        self._diagonal_blocks = [self._hessian[i * n : i * n + n, i * n : i * n + n] for i in range(d)]
        self._rays = np.empty((d, 3, 2))
        self._plain = bool(np.array_equal(model.select, np.eye(d * n)))
        self._jacobian, self._error = np.empty((d, n, 7)), np.empty((d, 7, 1))
        self._bends = model.bends / model.length_m[:, None]
        self._damping = FIRST_DAMPING
        self._placed_rad: Array = np.minimum(np.maximum(0.0, model.lower_rad), model.upper_rad)
        self.pose = self._pose = model.place(self._placed_rad)
        """The hand at the positions that were last returned."""
        self.evaluations = 0
        """How often the last call computed the hand."""

    def reset(self) -> None:
        """As new."""
        self._damping = FIRST_DAMPING

    def solve(self, target: HandTarget, start_rad: Array) -> Array:
        """Joint positions (k,) [rad] inside the limits, nearer to the target than ``start_rad`` (k,)."""
        model, settings = self._model, self._settings
        deadline_ns = self._clock_ns() + settings.time_ns
        position: Array = np.minimum(np.maximum(start_rad, model.lower_rad), model.upper_rad)
        lean = target.posture_weight + settings.stay**2
        rest = (target.posture_weight * target.posture_rad + settings.stay**2 * position) / lean
        hessian, gradient, cost = self.linearise(target, position)
        pose = self._pose
        away = position - rest
        cost += 0.5 * float(lean @ (away * away))
        self.evaluations = 1
        far = target.shown & (np.abs(target.posture_rad - position) > FAR_RAD)
        if far.any():
            leap = np.where(far, np.minimum(np.maximum(target.posture_rad, model.lower_rad), model.upper_rad), position)
            other = self.linearise(target, leap)
            self.evaluations += 1
            away = leap - rest
            leap_cost = other[2] + 0.5 * float(lean @ (away * away))
            if leap_cost < cost:
                position, pose, cost = leap, self._pose, leap_cost
                hessian, gradient, _ = other
        for _ in range(settings.iterations):
            diagonal = hessian.diagonal()
            system = hessian.copy()
            system.ravel()[:: len(position) + 1] += lean + self._damping * (diagonal + 1e-3)
            trial = position - self._step(system, gradient + lean * (position - rest), position)
            trial = np.minimum(np.maximum(trial, model.lower_rad), model.upper_rad)
            if not np.isfinite(trial).all():
                break
            new_hessian, new_gradient, new_cost = self.linearise(target, trial)
            self.evaluations += 1
            away = trial - rest
            new_cost += 0.5 * float(lean @ (away * away))
            if new_cost <= cost:
                change = float(np.abs(trial - position).max())
                position, hessian, gradient, cost = trial, new_hessian, new_gradient, new_cost
                pose = self._pose
                self._damping = max(0.3 * self._damping, LEAST_DAMPING)
                if change < settings.tolerance_rad:
                    break
            else:
                self._damping = min(10.0 * self._damping, MOST_DAMPING)
            if self._clock_ns() > deadline_ns:
                break
        self.pose, self._placed_rad = pose, position.copy()
        return position

    def _step(self, system: Array, gradient: Array, position: Array) -> Array:
        """Newton step (k,) to subtract, that keeps every joint inside its limits."""
        farthest, nearest = position - self._model.lower_rad, position - self._model.upper_rad
        fixed = ((farthest <= AT_LIMIT_RAD) & (gradient > 0.0)) | ((nearest >= -AT_LIMIT_RAD) & (gradient < 0.0))
        step: Array = np.zeros(len(position))
        for _ in range(ACTIVE_SET_PASSES):
            free = ~fixed
            reduced = system * np.outer(free, free)
            reduced.ravel()[:: len(position) + 1] += fixed
            wanted = np.where(fixed, step, gradient - system @ (step * fixed))
            step = np.asarray(np.linalg.solve(reduced, wanted), dtype=np.float64)
            outside = (step > farthest) | (step < nearest)
            if not (outside & free).any():
                break
            step = np.minimum(np.maximum(step, nearest), farthest)
            fixed = fixed | outside
        return step

    def _place(self, position_rad: Array) -> HandPose:
        """The hand at these positions; where it was left last time it is known already."""
        return self.pose if np.array_equal(position_rad, self._placed_rad) else self._model.place(position_rad)

    def linearise(self, target: HandTarget, position_rad: Array) -> tuple[Array, Array, float]:
        """Gauss-Newton matrix (k, k), gradient (k,) and half the squared error of a target at these positions."""
        model, settings = self._model, self._settings
        self._pose = pose = self._place(position_rad)
        d, n, tips = model.count, model.depth, pose.tip_jacobian
        rays, jacobian, error = self._rays, self._jacobian, self._error
        reach = np.sqrt(np.einsum("ij,ij->i", pose.tip_m, pose.tip_m))
        chord = pose.tip_m - pose.knuckle_m
        stretch = np.sqrt(np.einsum("ij,ij->i", chord, chord))
        rays[:, :, 0] = towards = pose.tip_m / reach[:, None]
        rays[:, :, 1] = chord / stretch[:, None]
        along = tips @ rays
        tip, distal, extension = np.outer((settings.tip, settings.distal, settings.extension), target.weight)
        jacobian[:, :, :3] = (tips - along[:, :, :1] * towards[:, None]) * (tip / reach)[:, None, None]
        jacobian[:, :, 3:6] = pose.distal_jacobian * distal[:, None, None]
        jacobian[:, :, 6] = along[:, :, 1] * self._bends * extension[:, None]
        error[:, :3, 0] = (towards - target.tip) * tip[:, None]
        error[:, 3:6, 0] = (pose.distal - target.distal) * distal[:, None]
        error[:, 6, 0] = (stretch / model.length_m - target.extension) * extension
        np.matmul(jacobian, jacobian.transpose(0, 2, 1), out=self._squares)
        for block, square in zip(self._diagonal_blocks, self._squares, strict=True):
            block[:] = square
        hessian, gradient = self._hessian, (jacobian @ error).reshape(d * n)
        cost = 0.5 * float(np.vdot(error, error))
        if target.pair_weight.any():
            weight = target.pair_weight[:, None] * settings.pair_per_m
            gap = ((pose.tip_m[0] - pose.tip_m[1:] - target.pair_m) * weight).ravel()
            pairs = np.zeros((d - 1, 3, d, n))
            pairs[:, :, 0] = tips[0].T * weight[:, :, None]
            fingers = np.arange(1, d)
            pairs[fingers - 1, :, fingers] = -tips[1:].transpose(0, 2, 1) * weight[:, :, None]
            flat = pairs.reshape(3 * (d - 1), d * n)
            hessian, gradient = hessian + flat.T @ flat, gradient + gap @ flat
            cost += 0.5 * float(gap @ gap)
        if self._plain:
            return hessian.copy(), gradient, cost
        return model.select.T @ hessian @ model.select, gradient @ model.select, cost
