# SPDX-License-Identifier: Apache-2.0
"""Training: four exercises on the virtual robot, one after the other, each with a score; nothing is recorded.

Pure: the page's node hands in what camera, robot and clutch say, and takes out what the page shows and the store keeps.
docs/training.md tells operators and supervisors what is asked and how it is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import numpy as np

from booth.session.errors import SessionError
from booth.session.training_exercise import SECOND, Array, Exercise, Sight, phrase
from booth.session.training_follow import Course, Follow
from booth.session.training_ghost import Ghosts
from booth.session.training_hold import POSES, Hold
from booth.session.training_pinch import Pinch
from booth.session.training_posture import Postures
from booth.session.training_reach import Reach
from booth.session.training_score import PASS, Scored, exercises_of
from robots import Robot

RESULT_NS = 8 * SECOND
"""A score is shown for so long before the next exercise begins by itself; one that was not passed waits."""
LONGEST_GAP_NS = 200_000_000
"""More than this between two looks does not count as time of an exercise."""

ACTIONS = ("next", "redo", "finish")
HELD_POSES = {"hand": ("fist", "point", "victory"), "arm": ("right up", "left up", "both up")}
FOLLOWED_POSES = {
    "hand": ("open", "grasp", "open", "fist", "open"),
    "arm": ("low", "right up", "both up", "left up", "low"),
}


@dataclass(slots=True)
class _Run:
    """One exercise at work: looked at last, its own clock, how often the robot was let go, when its score was shown."""

    exercise: Exercise
    seen_ns: int
    clock_ns: int = 0
    engaged: bool = False
    breaks: int = 0
    shown_ns: int | None = None


class Training:
    """One operator's training, from the first exercise to the last.

    Attributes:
        round: an id; the scores of one training have the same in their details.
        ready: whether the operator is ready, as `training_ready.readiness` says; set by whoever knows the store.
        aspect: the image's width over its height; set when it is known.
    """

    def __init__(self, robot: Robot, now_ns: int, seed: int | None = None) -> None:
        """Begin, with circles and order of poses drawn from ``seed``; without one they differ from time to time.

        Raises:
            InputError: nothing of the robot copies a person.
        """
        self.robot = robot
        self.round = uuid4().hex[:12]
        self.ready: bool | None = None
        self.aspect = 4 / 3
        self._random = np.random.default_rng(now_ns if seed is None else seed)
        self._ghosts, self._postures = Ghosts(robot), Postures(robot)
        self._names = exercises_of(robot)
        self._number = 0
        self._scores: dict[str, float] = {}
        self._taken: list[Scored] = []
        self._finished = False
        self._measured = np.array(robot.ready_rad)
        self._run = self._begin(now_ns)

    # ---- what the node hands in -------------------------------------------------------------------------------

    def see(self, hands: Mapping[str, Array], measured_rad: Array, engaged: bool, now_ns: int) -> None:
        """One moment: at every camera frame, or as often.

        Args:
            hands: side -> (21, 2) landmarks as shares of the image's width and height, not mirrored.
            measured_rad: (n,) of the robot's joints; what is not finite keeps its last value.
            engaged: whether the robot follows the operator. The exercise's time stands still while it does not.
            now_ns: monotonic time.
        """
        self._ghosts.work()
        self._measured = np.where(np.isfinite(measured_rad), measured_rad, self._measured)
        run = self._run
        elapsed_ns = min(max(now_ns - run.seen_ns, 0), LONGEST_GAP_NS)
        run.seen_ns = now_ns
        if self.done:
            return
        if run.shown_ns is not None:
            if self._scores[run.exercise.name] >= PASS and now_ns - run.shown_ns >= RESULT_NS:
                self._next(now_ns)
            return
        if engaged:
            run.clock_ns += elapsed_ns if run.engaged else 0
            run.exercise.see(Sight(hands, self._measured, run.clock_ns))
            if run.exercise.done:
                self._score(now_ns)
        run.breaks += run.engaged and not engaged
        run.engaged = engaged

    def act(self, action: str, now_ns: int) -> None:
        """What the operator wants: ``next`` (also past an exercise that is not done), ``redo`` it, or ``finish``.

        Raises:
            SessionError: another word, or the training is over.
        """
        if action not in ACTIONS:
            raise SessionError(f"a training knows {', '.join(ACTIONS)}, found {action!r}")
        if self.done:
            raise SessionError("the training is over: begin another one")
        if action == "finish":
            self._finished = True
        elif action == "redo":
            self._run = self._begin(now_ns)
        else:
            self._next(now_ns)

    # ---- what the node takes out ------------------------------------------------------------------------------

    def take_scores(self) -> list[Scored]:
        """Exercises that were done since the last call, to be stored."""
        taken, self._taken = self._taken, []
        return taken

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._finished

    @property
    def exercise(self) -> Exercise:
        """The one that is done now, or was last."""
        return self._run.exercise

    @property
    def ghost_rad(self) -> Array | None:
        """(n,) pose to show beside the robot's; None: none."""
        return None if self.done or self._run.shown_ns is not None else self._run.exercise.ghost_rad

    def view(self, now_ns: int) -> dict[str, object]:
        """The page's state of the training, JSON-ready."""
        run, exercise = self._run, self._run.exercise
        shown = run.shown_ns is not None
        left_s = max(0, exercise.limit_ns - run.clock_ns) / SECOND
        return {
            "exercise": exercise.name,
            "number": self._number + 1,
            "of": len(self._names),
            "progress": 1.0 if shown else round(exercise.progress, 3),
            "seconds_left": 0.0 if shown else round(left_s, 1),
            "score": round(self._scores[exercise.name]) if shown else None,
            "pass": PASS,
            "targets": [{"u": each.u, "v": each.v, "r": each.r, "hit": each.hit} for each in exercise.targets],
            "scores": [{"exercise": name, "score": round(score)} for name, score in self._scores.items()],
            "ready": bool(self.ready),
            "ghost": self.ghost_rad is not None,
            "instruction": phrase(self._asks()),
            "actions": [] if self.done else list(ACTIONS),
            "done": self.done,
        }

    # ---- from one exercise to the next ------------------------------------------------------------------------

    def _asks(self) -> str:
        """What the operator is told now, a key of `training_exercise.TEXTS`."""
        if self.done:
            return "training.done"
        if self._run.shown_ns is not None:
            return "training.passed" if self._scores[self._run.exercise.name] >= PASS else "training.failed"
        return self._run.exercise.asks if self._run.engaged else "training.engage"

    def _score(self, now_ns: int) -> None:
        run = self._run
        facts = {"robot": self.robot.name, "round": self.round, "seconds": round(run.clock_ns / SECOND, 1)}
        details = {**facts, "breaks": run.breaks, **run.exercise.details}
        scored = Scored(run.exercise.name, round(min(100.0, max(0.0, run.exercise.score)), 1), details)
        self._scores[scored.exercise] = scored.score
        self._taken.append(scored)
        run.shown_ns = now_ns

    def _next(self, now_ns: int) -> None:
        if self._number + 1 == len(self._names):
            self._finished = True
            return
        self._number += 1
        self._run = self._begin(now_ns)

    def _begin(self, now_ns: int) -> _Run:
        """The exercise whose turn it is, from its beginning."""
        return _Run(self._make(self._names[self._number]), now_ns)

    def _make(self, name: str) -> Exercise:
        ghosts, part = self._ghosts, self._ghosts.part
        if name == "reach":
            return Reach(ghosts.driving, self._random, self.aspect)
        if name == "pinch":
            return Pinch(self.robot, ghosts.driving, self.aspect)
        if name == "hold":
            order = self._random.permutation(HELD_POSES[part])[:POSES]
            return Hold([ghosts.pose(str(each)) for each in order], self._postures)
        return Follow(Course([ghosts.pose(each) for each in FOLLOWED_POSES[part]]), self._postures)
