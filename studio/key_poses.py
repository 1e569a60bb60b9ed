# SPDX-License-Identifier: Apache-2.0
"""From a script's steps to key poses: the operator's joint angles, and a guest's hand, at the end of every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clips import hand_model
from studio.hand_poses import HAND_POINTS, HAND_POSES
from studio.operator_model import (
    ARM,
    ARM_JOINTS,
    HAND,
    HEAD,
    HEAD_JOINTS,
    JOINT_LIMITS_RAD,
    JOINT_NAMES,
    SIDES,
    TORSO,
    TORSO_JOINTS,
    Side,
)
from studio.reach import Goal, reach
from studio.script import GuestTarget, LimbTarget, Reach, Script, ScriptError, Step
from studio.sizes import Sizes

Array = NDArray[np.float64]
T = TypeVar("T")

ENGAGE_S = 1.8
"""How long both open palms are held still at the beginning."""

DIRECTIONS: dict[str, Array] = {
    "forward": np.array([1.0, 0.0, 0.0]),
    "back": np.array([-1.0, 0.0, 0.0]),
    "out": np.array([0.0, 1.0, 0.0]),
    "in": np.array([0.0, -1.0, 0.0]),
    "up": np.array([0.0, 0.0, 1.0]),
    "down": np.array([0.0, 0.0, -1.0]),
}
"""Forward, outward, up."""

ARM_POSES: dict[str, Reach | dict[str, float]] = {
    "neutral": Reach(at=(0.24, 0.33, -0.01), faces="forward", fingers="up"),
    "raised": Reach(at=(0.22, 0.38, 0.20), faces="forward", fingers="up"),
    "front": Reach(at=(0.38, 0.17, -0.10), faces="in forward", fingers="up forward"),
    "down": dict(zip(ARM_JOINTS, (3.0, 8.0, 0.0, 18.0, 10.0, 5.0, 0.0), strict=True)),
}
"""Named arm poses: a place for the palm, or joint angles [deg]."""

GUEST_AWAY: Array = np.array([2.5, 0.0, 1.3, 0.0])


@dataclass(frozen=True, slots=True)
class KeyPose:
    """One moment: angles (60,) [rad]; the guest's wrist right, up, away [m] and roll [rad] (4,), its fingers (20,)."""

    step: Step
    angles_rad: Array
    guest: Array
    guest_hand_rad: Array


def key_poses(script: Script, sizes: Sizes) -> list[KeyPose]:
    """The pose at the beginning, then the pose at the end of every step.

    Raises:
        ScriptError: an unknown name, or an angle outside the joint's limits.
        ReachError: a place out of reach.
    """
    opening = LimbTarget(arm="neutral", hand="open")
    first = Step(label="engage" if script.engage else "start", both=opening, move_s=0.0, still=script.engage)
    first = first.model_copy(update={"hold_s": ENGAGE_S if script.engage else 0.0})
    angles = np.zeros(len(JOINT_NAMES))
    guest, fingers = GUEST_AWAY, HAND_POSES["open"]
    poses: list[KeyPose] = []
    for number, step in enumerate([first, *script.steps]):
        angles = _after(angles, step, sizes, f"step {number} ({step.label or 'no label'})")
        if step.guest is not None:
            guest, fingers = _guest(step.guest), _hand(step.guest.hand, fingers, f"step {number}")
        poses.append(KeyPose(step, angles, guest, fingers))
    return poses


def _after(angles: Array, step: Step, sizes: Sizes, where: str) -> Array:
    """The operator's angles at the end of a step."""
    angles = angles.copy()
    _set(angles, TORSO, TORSO_JOINTS, {f"torso_{name}": value for name, value in step.torso.items()}, where)
    _set(angles, HEAD, HEAD_JOINTS, {f"head_{name}": value for name, value in step.head.items()}, where)
    for side in SIDES:
        for target in (step.both, getattr(step, side)):
            if target is not None:
                _set_limb(angles, side, target, sizes, f"{where}, {side} hand")
    low, high = JOINT_LIMITS_RAD.T
    outside = np.flatnonzero((angles < low - 1e-9) | (angles > high + 1e-9))
    if len(outside):
        problems = [
            f"  {JOINT_NAMES[k]}: {np.degrees(angles[k]):.0f}°, expected {np.degrees(low[k]):.0f} … "
            f"{np.degrees(high[k]):.0f}°"
            for k in outside
        ]
        raise ScriptError("\n".join([f"{where}: angles outside the operator's limits", *problems]))
    return angles


def _set_limb(angles: Array, side: Side, target: LimbTarget, sizes: Sizes, where: str) -> None:
    """One arm's target, in place."""
    if target.hand is not None:
        angles[HAND[side]] = _hand(target.hand, angles[HAND[side]], where)
    goal = target.reach
    if isinstance(target.arm, str):
        pose = _named(ARM_POSES, target.arm, "arm pose", where)
        if isinstance(pose, Reach):
            goal = pose
        else:
            _set(angles, ARM[side], ARM_JOINTS, pose, where)
    elif target.arm is not None:
        _set(angles, ARM[side], ARM_JOINTS, target.arm, where)
    if goal is not None:
        point = _named(HAND_POINTS, goal.point, "point of the hand", where)
        scaled = np.array(goal.at) * sizes.body_scale
        aim = Goal(scaled, point, _direction(goal.faces, where), _direction(goal.fingers, where))
        angles[ARM[side]] = reach(aim, angles[HAND[side]], sizes, where)


def _hand(target: str | dict[str, float], now: Array, where: str) -> Array:
    """Finger angles (20,) of a named pose or of changes in degrees."""
    if isinstance(target, str):
        return _named(HAND_POSES, target, "hand pose", where).copy()
    changed = now.copy()
    _set(changed, slice(0, 20), hand_model.JOINT_NAMES, target, where)
    return changed


def _set(angles: Array, part: slice, names: tuple[str, ...], values_deg: dict[str, float], where: str) -> None:
    """Angles by name, in place."""
    for name, value in values_deg.items():
        if name not in names:
            raise ScriptError(f"{where}: no joint {name!r}, expected one of {', '.join(names)}")
        angles[part.start + names.index(name)] = np.radians(value)


def _named(table: dict[str, T], name: str, kind: str, where: str) -> T:
    """A table's entry, or what there is instead."""
    if name not in table:
        raise ScriptError(f"{where}: no {kind} {name!r}, expected one of {', '.join(sorted(table))}")
    return table[name]


def _direction(words: str | None, where: str) -> Array | None:
    """Unit vector of direction words; the first weighs 1, the next half as much, and so on."""
    if words is None:
        return None
    total = np.zeros(3)
    for rank, word in enumerate(words.split()):
        total += _named(DIRECTIONS, word, "direction", where) * 0.5**rank
    length = float(np.linalg.norm(total))
    if length < 1e-6:
        raise ScriptError(f"{where}: direction {words!r} leads nowhere, expected words such as 'up forward'")
    return total / length


def _guest(target: GuestTarget) -> Array:
    """Place and roll (4,) of the guest's hand."""
    return np.array([*target.at, np.radians(target.roll_deg)])
