# SPDX-License-Identifier: Apache-2.0
"""What people see of a session, and what the rest of the graph is told of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from booth.session.machine import State, move_for, seconds_left
from booth.session.phases import ACTIONS, Phase
from booth.session.records import Operator, Session, Task

Json = dict[str, object]

WITHOUT = (Phase.CHOOSE, Phase.DONE)
"""Phases in which nobody works: what is recorded then belongs to nobody."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is looked up in the store for the page: it changes rarely. ``everybody`` has those who were removed, too."""

    everybody: Sequence[Operator]
    tasks: Sequence[Task]
    progress: Json


def possible(state: State) -> list[str]:
    """The actions that the phase has."""
    return [name for name, event in ACTIONS.items() if move_for(state, event) is not None]


def labels(state: State, session: Session | None, operator: Operator | None, booth: str) -> Json:
    """Content of `graph.topics.SESSION_LABELS`."""
    told: Json = {"operator": "", "task": "", "booth": booth, "session": "", "number": 0, "profile": ""}
    if operator is None or state.phase in WITHOUT:
        return {**told, "training": False}
    training = state.doing is Phase.TRAINING
    told |= {"operator": operator.id, "profile": operator.profile, "training": training}
    if session is not None and not training:
        told |= {"task": session.task.instruction, "session": session.id, "number": state.number}
    return told


def view(
    state: State, operator: Operator | None, source: str, shown: Shown, ready: Callable[[str], bool | None], now_ns: int
) -> Json:
    """The page's "session": JSON-ready.

    Args:
        source: where the last action came from.
        ready: whether an operator has passed the training; None: nobody knows.
    """
    left_s = seconds_left(state, now_ns)
    task = state.task if state.phase is not Phase.CHOOSE else None
    return {
        "phase": state.phase.value,
        "operator": None if operator is None else _operator(operator),
        "task": None if task is None else _task(task),
        "episode": state.number,
        "target": task.target if task else 0,
        "kept": state.kept,
        "redone": state.redone,
        "skipped": state.skipped,
        "countdown_s": None if left_s is None else round(left_s, 1),
        "actions": possible(state),
        "reason": state.said,
        "operators": [
            {"id": one.id, "name": one.name, "language": one.language, "consent": one.consented, "ready": ready(one.id)}
            for one in shown.everybody
            if not one.removed_ns
        ],
        "tasks": [{**_task(one), "target": one.target} for one in shown.tasks],
        "progress": shown.progress,
        "source": source,
    }


def _operator(operator: Operator) -> Json:
    return {name: getattr(operator, name) for name in ("id", "name", "language", "handedness")}


def _task(task: Task) -> Json:
    return {name: getattr(task, name) for name in ("id", "name", "instruction")}
