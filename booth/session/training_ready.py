# SPDX-License-Identifier: Apache-2.0
"""When an operator is ready for the robot: from the scores that the store keeps.

Ready is who passed every exercise within the last `DAYS` days and whose last `ROUNDS` whole trainings have a mean of at
least `MEAN`: one lucky day is no habit, and a habit is lost without practice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

from booth.session.training_score import EXERCISES, PASS, exercises_of
from robots import Robot

DAYS = 30
ROUNDS = 3
MEAN = 70.0
DAY_NS = 86_400_000_000_000


class Kept(Protocol):
    """A score as the store keeps it; ``details`` has the ``round`` that it belongs to, and the ``robot``."""

    @property
    def exercise(self) -> str: ...

    @property
    def score(self) -> float: ...

    @property
    def wall_ns(self) -> int: ...

    @property
    def details(self) -> Mapping[str, object]: ...


class Scores(Protocol):
    """What is needed of the store."""

    @property
    def stamp(self) -> object:
        """Differs whenever something was changed."""

    @property
    def now_ns(self) -> Callable[[], int]:
        """Wall time."""

    def scores(self, operator: str) -> Sequence[Kept]:
        """All of an operator, the oldest first."""


@dataclass(frozen=True, slots=True)
class Round:
    """One training: when it ended, on which robot, and the last score of every exercise that was done."""

    wall_ns: int
    robot: str
    scores: Mapping[str, float]

    def mean(self, exercises: Sequence[str]) -> float | None:
        """Of these exercises; None: one of them was not done."""
        if not set(exercises) <= set(self.scores):
            return None
        return sum(self.scores[name] for name in exercises) / len(exercises)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is known of one operator.

    Attributes:
        ready: see the module.
        passed: exercise -> best score of the last `DAYS` days; None: not done in that time.
        means: of the last `ROUNDS` whole trainings, the oldest first.
        missing: what there is to do, each a sentence; empty when ready.
    """

    ready: bool
    passed: Mapping[str, float | None]
    means: tuple[float, ...]
    missing: tuple[str, ...]


def readiness(
    scores: Iterable[Kept], now_wall_ns: int, exercises: Iterable[str] = EXERCISES, robot: str = ""
) -> Readiness:
    """Judge an operator.

    Args:
        scores: all that are kept of them, the oldest first.
        now_wall_ns: wall time [ns since the epoch].
        exercises: that the robot has, see `training.exercises_of`.
        robot: count only what was done on this one; empty: on any.
    """
    known = [each for each in scores if isfinite(each.score)]
    counted = [each for each in known if not robot or each.details.get("robot") == robot]
    wanted = tuple(exercises)
    lately = [each for each in counted if each.wall_ns >= now_wall_ns - DAYS * DAY_NS]
    best = {name: max((each.score for each in lately if each.exercise == name), default=None) for name in wanted}
    means = whole_rounds(counted, wanted)[-ROUNDS:]
    missing = [_to_do(name, score) for name, score in best.items() if score is None or score < PASS]
    if len(means) < ROUNDS:
        more = ROUNDS - len(means)
        missing.append(f"{more} more whole training{'s' if more > 1 else ''}, {ROUNDS} are needed")
    elif sum(means) / ROUNDS < MEAN:
        missing.append(f"the last {ROUNDS} trainings have a mean of {sum(means) / ROUNDS:.0f}, {MEAN:.0f} are needed")
    return Readiness(not missing, best, tuple(means), tuple(missing))


def whole_rounds(scores: Iterable[Kept], exercises: Iterable[str] = EXERCISES) -> list[float]:
    """The mean of every training in which each exercise was done, in the order of their beginnings. Of an exercise that
    was done again the last score counts."""
    wanted = tuple(exercises)
    means = (each.mean(wanted) for each in rounds_of(scores))
    return [mean for mean in means if mean is not None]


def rounds_of(scores: Iterable[Kept]) -> list[Round]:
    """The trainings that scores, the oldest first, belong to."""
    found: dict[str, list[Kept]] = {}
    for each in scores:
        found.setdefault(str(each.details.get("round", each.wall_ns)), []).append(each)
    return [
        Round(kept[-1].wall_ns, str(kept[-1].details.get("robot", "")), {each.exercise: each.score for each in kept})
        for kept in found.values()
    ]


class ReadyOperators:
    """Answers for a page that asks again and again; looks into the store only where it has changed, or the day has."""

    def __init__(self, store: Scores, robot: Robot) -> None:
        """Take the store, and the robot that they are to be ready for."""
        self._store, self._robot, self._exercises = store, robot.name, exercises_of(robot)
        self._known: dict[str, tuple[object, bool | None]] = {}

    def __call__(self, operator: str) -> bool | None:
        """Whether an operator, by id, is ready; None: no score is known of them on this robot."""
        now_ns = self._store.now_ns()
        key = (self._store.stamp, now_ns // DAY_NS)
        known = self._known.get(operator)
        if known is None or known[0] != key:
            scores = [each for each in self._store.scores(operator) if each.details.get("robot") == self._robot]
            answer = readiness(scores, now_ns, self._exercises).ready if scores else None
            known = self._known[operator] = (key, answer)
        return known[1]


def _to_do(name: str, score: float | None) -> str:
    if score is None:
        return f"{name} was not done in the last {DAYS} days"
    return f"{name} has {score:.0f} at best in the last {DAYS} days, {PASS:.0f} are needed"
