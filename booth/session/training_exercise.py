# SPDX-License-Identifier: Apache-2.0
"""What the four exercises have in common: they see the operator and the robot, ask for something, and judge it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Phrase = Mapping[str, object]

SECOND = 1_000_000_000

TEXTS: Mapping[str, str] = {
    "training.engage": "Show the open palm to the camera and hold it still: then it begins.",
    "training.reach_right": "Bring your right hand into the circle.",
    "training.reach_left": "Bring your left hand into the circle.",
    "training.pinch_right": "Pinch with the right thumb and index finger, until the robot does too.",
    "training.pinch_left": "Pinch with the left thumb and index finger, until the robot does too.",
    "training.open_right": "Open the right hand again, until the robot does too.",
    "training.open_left": "Open the left hand again, until the robot does too.",
    "training.hold": "Bring the robot into the pose of the pale one and keep still.",
    "training.keep": "Keep still.",
    "training.follow_begin": "Bring the robot into the pose of the pale one: then it moves.",
    "training.follow": "Move along with the pale robot.",
    "training.passed": "Passed. Next in a moment; you may do it again.",
    "training.failed": "Not passed yet: do it again.",
    "training.done": "The training is over.",
}
"""What an operator is told, by key; translations have the same keys."""


def phrase(key: str) -> Phrase:
    """A sentence of `TEXTS` as the page takes it."""
    return {"key": key, "args": {}, "text": TEXTS[key]}


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen at one moment.

    Attributes:
        hands: side -> (21, 2) landmarks as shares of the image's width and height, not mirrored.
        measured_rad: (n,) where the robot's joints are.
        at_ns: on the exercise's own clock, which stands still while the operator is not engaged.
    """

    hands: Mapping[str, Array]
    measured_rad: Array
    at_ns: int


@dataclass(frozen=True, slots=True)
class Target:
    """A circle in the image: centre as shares of width and height, radius as a share of the width."""

    u: float
    v: float
    r: float
    hit: bool = False


class Exercise(Protocol):
    """One exercise, begun when it is made.

    Attributes:
        name: one of `training_score.EXERCISES`.
    """

    name: str

    def see(self, sight: Sight) -> None:
        """One moment of it."""

    @property
    def done(self) -> bool:
        """Whether it is over, by success or by time."""

    @property
    def score(self) -> float:
        """0 … 100; final when it is done."""

    @property
    def details(self) -> Mapping[str, object]:
        """What the score is made of, JSON-ready."""

    @property
    def progress(self) -> float:
        """How much of it is done, 0 … 1."""

    @property
    def limit_ns(self) -> int:
        """Longest time that it takes, on its own clock."""

    @property
    def asks(self) -> str:
        """What is asked of the operator now, a key of `TEXTS`."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """Circles to show, the current one last."""

    @property
    def ghost_rad(self) -> Array | None:
        """(n,) pose to show beside the robot's; None: none."""
