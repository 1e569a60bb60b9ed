# SPDX-License-Identifier: Apache-2.0
"""From a script to joint angles in every frame: minimum-jerk moves between key poses, and a living body's sway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clips.choreography import minimum_jerk
from studio.key_poses import GUEST_AWAY, KeyPose, key_poses
from studio.operator_model import ARM, HAND, HEAD, JOINT_LIMITS_RAD, JOINT_NAMES, TORSO
from studio.script import Script
from studio.sizes import Sizes

Array = NDArray[np.float64]

_SWAY_FADE_S = 0.5


@dataclass(frozen=True, slots=True)
class Performance:
    """N frames: time (N,) s, labels (N,), joint angles (N, 60) rad, guest (N, 4) m and rad, its fingers (N, 20) rad.

    `has_guest` tells whether a guest's hand takes part at all.
    """

    time_s: Array
    segment: NDArray[np.str_]
    angles_rad: Array
    guest: Array
    guest_hand_rad: Array
    has_guest: bool


class Timeline:
    """A script in time: the joint angles at any instant."""

    def __init__(self, script: Script, sizes: Sizes, speed: float, seed: int) -> None:
        self._poses = key_poses(script, sizes)
        self.has_guest = any(pose.step.guest is not None for pose in self._poses)
        steps = [pose.step for pose in self._poses]
        slow = np.array([1.0 if step.still else 1.0 / speed for step in steps])
        self._moves = np.array([step.move_s for step in steps]) * slow
        self._ends = np.cumsum(self._moves + np.array([step.hold_s for step in steps]) * slow)
        self._phases = np.random.default_rng(seed).uniform(0.0, 2 * np.pi, (2, len(JOINT_NAMES)))

    @property
    def duration_s(self) -> float:
        """Length of the whole script."""
        return float(self._ends[-1])

    def at(self, time_s: Array) -> Performance:
        """Everything at the instants (N,) [s]."""
        index = np.minimum(np.searchsorted(self._ends, time_s + 1e-9, side="right"), len(self._ends) - 1)
        begins = np.concatenate([[0.0], self._ends[:-1]])
        progress = (time_s - begins[index]) / np.maximum(self._moves[index], 1e-9)
        share = minimum_jerk(np.clip(progress, 0.0, 1.0))[:, None]
        before = np.maximum(index - 1, 0)

        def between(values: Array) -> Array:
            return np.asarray(values[before] + (values[index] - values[before]) * share)

        angles = between(np.stack([pose.angles_rad for pose in self._poses])) + self._sway(time_s)
        return Performance(
            time_s=time_s,
            segment=np.array([_label(self._poses[i]) for i in index]),
            angles_rad=np.clip(angles, *JOINT_LIMITS_RAD.T),
            guest=between(np.stack([pose.guest for pose in self._poses])),
            guest_hand_rad=between(np.stack([pose.guest_hand_rad for pose in self._poses])),
            has_guest=self.has_guest,
        )

    def _sway(self, time_s: Array) -> Array:
        """Small slow motion of trunk, head and arms, none while a still pose is held: (N, 60) rad."""
        size = np.zeros(len(JOINT_NAMES))
        size[TORSO], size[HEAD] = np.radians([1.2, 0.8, 0.6]), np.radians([1.5, 1.2, 0.8])
        for arm in ARM.values():
            size[arm] = np.radians([1.2, 1.0, 1.2, 1.5, 1.0, 1.0, 0.8])
        for hand in HAND.values():
            size[hand] = np.radians(0.4)
        turns = 2 * np.pi * time_s[:, None]
        waves = 0.75 * np.sin(0.21 * turns + self._phases[0]) + 0.25 * np.sin(0.67 * turns + self._phases[1])
        gain = np.ones(len(time_s))
        for number, pose in enumerate(self._poses):
            if pose.step.still:
                begin, end = self._ends[number - 1] if number else 0.0, self._ends[number]
                gain = np.minimum(gain, np.maximum(begin - time_s, time_s - end) / _SWAY_FADE_S)
        return np.asarray(size * waves * minimum_jerk(np.clip(gain, 0.0, 1.0))[:, None])


def perform(script: Script, sizes: Sizes, fps: float, speed: float = 1.0, seed: int = 0) -> Performance:
    """The whole script sampled at `fps` frames per second.

    Raises:
        ScriptError, ReachError: the script asks for what this operator can't do.
    """
    timeline = Timeline(script, sizes, speed, seed)
    return timeline.at(np.arange(round(timeline.duration_s * fps)) / fps)


def _label(pose: KeyPose) -> str:
    return pose.step.label or "move"


def guest_is_away(guest: Array) -> bool:
    """Whether the guest's hand (4,) is far outside every picture."""
    return bool(guest[0] >= GUEST_AWAY[0] - 1e-6)
