# SPDX-License-Identifier: Apache-2.0
"""Inverse kinematics of one short chain: joints that turn a few of its directions and points to where they should be.

Minimises, inside a box of joint positions,

    sum w |R(q) v - d|² + sum w |p(q) - p*|² + sum w max(0, gap(q))² + |D (q - start)|² + |P (q - rest)|²

with damped Gauss-Newton steps (Levenberg 1944) and analytic Jacobians. The damping D to the start makes singular
poses harmless: where a joint moves nothing, it stays; the pull P lets it return to its rest slowly. Bounds are met by
fixing the joints that leave the box and solving again for the others. Nothing loops longer than it is told to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robots.kinematics import KinematicTree

Array = NDArray[np.float64]

_LEVI_CIVITA = np.zeros((3, 3, 3))
for _a, _b, _c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    _LEVI_CIVITA[_a, _b, _c], _LEVI_CIVITA[_a, _c, _b] = 1.0, -1.0
_CROSS = np.ascontiguousarray(_LEVI_CIVITA.transpose(2, 0, 1).reshape(3, 9))
"""(3, 9): d @ _CROSS, as a (3, 3) matrix M, gives M @ w = w × d."""


@dataclass(frozen=True, slots=True)
class ChainPose:
    """Where the links behind every joint are, in the base frame: rotations (n, 3, 3), origins (n, 3), axes (n, 3)."""

    rotations: Array
    origins_m: Array
    axes: Array


class Chain:
    """The revolute joints between two links, base first.

    Attributes:
        joint_names: (n) names; ``lower``, ``upper``: (n,) the URDF's limits [rad].
    """

    def __init__(self, tree: KinematicTree, base: str, tip: str) -> None:
        """Take the chain out of a robot's tree.

        Raises:
            ValueError: a link does not exist, the tip does not hang on the base, no joint is between them, or one of
                them slides or is driven by another joint.
        """
        above, path = tree.chain(base), tree.chain(tip)
        if path[: len(above)] != above:
            raise ValueError(f"{tip} does not hang on {base}")
        self._links: dict[str, tuple[int, Array]] = {base: (-1, np.eye(4))}
        fixed, names, origins, axes, limits = np.eye(4), [], [], [], []
        for joint in path[len(above) :]:
            fixed = fixed @ joint.origin
            if joint.moves or joint.mimic is not None:
                if joint.kind == "prismatic" or joint.mimic is not None:
                    raise ValueError(f"{joint.name} between {base} and {tip} slides or mimics: expected plain revolute")
                names.append(joint.name)
                origins.append(fixed)
                axes.append(joint.axis)
                limits.append((joint.lower, joint.upper) if joint.kind == "revolute" else (-np.pi, np.pi))
                fixed = np.eye(4)
            self._links[joint.child] = (len(names) - 1, fixed)
        if not names:
            raise ValueError(f"no joint moves between {base} and {tip}")
        self.joint_names = tuple(names)
        self.lower, self.upper = np.array(limits).T.copy()
        self._rotations = np.array([origin[:3, :3] for origin in origins])
        self._offsets = np.array([origin[:3, 3] for origin in origins])
        self._axes = np.array(axes)[:, :, None]
        self._cross = np.array([_skew(axis) for axis in axes])
        self._cross2 = self._cross @ self._cross

    def place(self, link: str) -> tuple[int, Array]:
        """Index of the joint that carries a link (-1: the base does) and the link's pose (4, 4) behind that joint."""
        return self._links[link]

    def forward(self, joints_rad: Array) -> ChainPose:
        """Pose of the chain for (n,) joint positions."""
        sine, versine = np.sin(joints_rad)[:, None, None], (1.0 - np.cos(joints_rad))[:, None, None]
        steps = self._rotations + self._rotations @ (sine * self._cross + versine * self._cross2)
        rotations, origins = np.empty_like(steps), np.empty_like(self._offsets)
        rotations[0], origins[0] = steps[0], self._offsets[0]
        for k in range(1, len(steps)):
            np.matmul(rotations[k - 1], steps[k], out=rotations[k])
            origins[k] = origins[k - 1] + rotations[k - 1] @ self._offsets[k]
        return ChainPose(rotations, origins, (rotations @ self._axes)[:, :, 0])


class Points:
    """Points that are fixed to links of a chain: joints (m,) that carry them, places behind these joints (m, 3) [m]."""

    def __init__(self, carriers: Sequence[int], local_m: Array) -> None:
        self.carriers = np.array(carriers)
        self._local = np.asarray(local_m, dtype=np.float64)[:, :, None]

    def at(self, pose: ChainPose) -> Array:
        """(m, 3) [m] in the base frame."""
        return np.asarray(pose.origins_m[self.carriers] + (pose.rotations[self.carriers] @ self._local)[:, :, 0])


class Directions:
    """Directions that are fixed to links of a chain: joints (m,) that carry them, unit vectors behind them (m, 3)."""

    def __init__(self, carriers: Sequence[int], local: Array, joints: int) -> None:
        self._carriers = np.array(carriers)
        self._local = np.asarray(local, dtype=np.float64)[:, :, None]
        self._moved = (np.arange(joints) <= self._carriers[:, None]).astype(np.float64)[:, None, :]

    def at(self, pose: ChainPose) -> Array:
        """(m, 3) in the base frame."""
        return np.asarray((pose.rotations[self._carriers] @ self._local)[:, :, 0])

    def jacobian(self, pose: ChainPose, at: Array) -> Array:
        """(m, 3, n) change of the directions ``at`` with every joint."""
        return np.asarray(((at @ _CROSS).reshape(-1, 3, 3) @ pose.axes.T) * self._moved)


def point_jacobian(pose: ChainPose, carrier: int, at_m: Array) -> Array:
    """(3, n) change of a point (3,) [m] that the joint ``carrier`` carries with every joint."""
    jacobian = np.zeros((3, len(pose.axes)))
    if carrier < 0:
        return jacobian
    w, r = pose.axes[: carrier + 1].T, (at_m - pose.origins_m[: carrier + 1]).T
    jacobian[0, : carrier + 1] = w[1] * r[2] - w[2] * r[1]
    jacobian[1, : carrier + 1] = w[2] * r[0] - w[0] * r[2]
    jacobian[2, : carrier + 1] = w[0] * r[1] - w[1] * r[0]
    return jacobian


def bounded_step(hessian: Array, gradient: Array, lower: Array, upper: Array) -> Array:
    """The step (n,) that minimises the quadratic model inside a box around zero, ``lower`` <= step <= ``upper``.

    Joints that leave the box are fixed on its faces and the rest is solved again, at most once for each; for the few
    joints of a limb that is the minimum or close to it.
    """
    step = np.zeros(len(gradient))
    free = np.ones(len(gradient), dtype=bool)
    for _ in gradient:
        fixed = ~free
        wanted = -gradient[free] - hessian[np.ix_(free, fixed)] @ step[fixed] if fixed.any() else -gradient
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)] if fixed.any() else hessian, wanted)
        outside = free & ((step < lower) | (step > upper))
        np.clip(step, lower, upper, out=step)
        if not outside.any():
            break
        free &= ~outside
        if not free.any():
            break
    return step


def _skew(axis: Array) -> Array:
    x, y, z = axis
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
