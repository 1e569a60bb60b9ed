# SPDX-License-Identifier: Apache-2.0
"""The law of the training's scores, and what an exercise gives when it is over.

Every score lies in 0 … 100 and falls with every error. Where somebody passes and when an operator is ready is decided
here and in `training_ready`, nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from booth.session.training_grip import grip_sides
from robots import Robot

EXERCISES = ("reach", "pinch", "hold", "follow")
"""In the order in which they are done; a robot without hands or grippers has no pinch."""

PASS = 60.0
"""An exercise is passed from this score on."""

DELAY_S = {"hand": 0.20, "arm": 0.30}
"""From an operator's motion to the robot's, as measured (docs/performance.md). Nobody is blamed for it."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One exercise that was done: its name, 0 … 100, and what the score is made of."""

    exercise: str
    score: float
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether that is enough."""
        return self.score >= PASS


def quality(value: float, good: float, bad: float) -> float:
    """1 up to ``good``, 0 from ``bad`` on, straight between; ``good`` < ``bad``. What is not a number has none."""
    return min(1.0, max(0.0, (bad - value) / (bad - good))) if value == value else 0.0


def exercises_of(robot: Robot) -> tuple[str, ...]:
    """The exercises that a robot has."""
    return EXERCISES if grip_sides(robot) else tuple(name for name in EXERCISES if name != "pinch")
