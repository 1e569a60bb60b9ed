# SPDX-License-Identifier: Apache-2.0
"""The session's state and the one function that changes it, by the table. It is handed the time and owns no clock."""

from dataclasses import dataclass, replace

from booth.session.phases import Event, Order, Phase
from booth.session.records import Decision, Task
from booth.session.transitions import ANYWHERE, TABLE, Move

S = 1_000_000_000
SAVE_WITHIN_NS = 300 * S
"""A take that is not saved by then is given up; its verdict is still noted when it comes."""
STOP_AGAIN_NS = 5 * S
"""A recorder that did not stop is asked again after this long."""

ACTS = {Event.RECORD, Event.STOP, Event.KEEP, Event.REDO, Event.SKIP, Event.NEXT, Event.UNDO, Event.RESUME}
"""What clears the last thing that was said."""


ANSWERS = {*ANYWHERE, Event.UNSTOPPED, Event.REFUSED, Event.LOST, Event.SAVED, Event.ENDED}
"""After these the recorder owes no answer; one that is gone can't give any."""


ANSWER_TO = {
    Event.REFUSED: Order.START,
    Event.STOPPED: Order.STOP,
    Event.UNSTOPPED: Order.STOP,
    Event.DISCARDED: Order.DISCARD,
    Event.UNDISCARDED: Order.DISCARD,
    Event.UNRESTORED: Order.RESTORE,
}
"""What is no answer to what was asked means nothing."""

AT_WORK = (Phase.RECORDING, Phase.SAVING)


@dataclass(frozen=True, slots=True)
class Thrown:
    """A take that was discarded and can come back."""

    take: str
    verdict: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides what happens next.

    Attributes:
        task: None before the first session.
        kept, redone, skipped: decisions so far; `number` follows from them.
        take: at hand: it runs, is being saved or reviewed; empty: none, or the recorder has not named it yet.
        verdict: of the take at hand.
        unwanted: why it is to be discarded as soon as it is saved; None: it is not.
        asked: what the recorder has not answered yet, since ``asked_ns``.
        deadline_ns: end of the countdown.
        left_ns: what was left of it when the session was paused.
        back_to: where resuming leads.
        thrown: what `undo` would bring back.
        said: what people should know, in words.
    """

    phase: Phase = Phase.CHOOSE
    task: Task | None = None
    kept: int = 0
    redone: int = 0
    skipped: int = 0
    take: str = ""
    verdict: str = ""
    unwanted: Decision | None = None
    asked: Order | None = None
    asked_ns: int = 0
    deadline_ns: int | None = None
    left_ns: int | None = None
    back_to: Phase = Phase.CHECK
    thrown: Thrown | None = None
    said: str = ""

    @property
    def number(self) -> int:
        """Of the episode that is, or comes next; from 1."""
        return self.kept + self.skipped + 1

    @property
    def doing(self) -> Phase:
        """The phase, and while paused the one that was left."""
        return self.back_to if self.phase is Phase.PAUSED else self.phase


@dataclass(frozen=True, slots=True)
class Happened:
    """An event and what is known of it.

    Attributes:
        task: of BEGIN and TRAIN.
        take: that was started.
        verdict: of the one that was saved.
        elapsed_ns: how long the started take runs already.
        said: in words, for people.
    """

    event: Event
    task: Task | None = None
    take: str = ""
    verdict: str = ""
    elapsed_ns: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """The state after an event, what to ask the recorder, and what was decided of which take."""

    state: State
    order: Order | None = None
    decision: Decision | None = None
    take: str = ""


def move_for(state: State, event: Event) -> Move | None:
    """What follows on an event now; None: nothing, it can't be."""
    impossible = {
        Event.UNDO: state.thrown is None,
        Event.REDO: state.unwanted is not None,
        Event.STARTED: state.doing is Phase.TRAINING,
        Event.ENDED: not state.take,
        Event.SAVED: not state.take or state.doing not in AT_WORK,
        Event.LOST: not state.take or state.doing not in AT_WORK,
        Event.TRASHED: not state.take,
        Event.RESTORED: state.asked not in (None, Order.RESTORE),
        Event.SAVED_UNWANTED: True,  # what SAVED means then
    }
    if impossible.get(event, False) or (event in ANSWER_TO and state.asked is not ANSWER_TO[event]):
        return None
    if event is Event.RESTORED and state.thrown is None:
        return ANYWHERE[event]
    if event is Event.SAVED and state.unwanted:
        event = Event.SAVED_UNWANTED
    return TABLE.get((state.phase, event)) or ANYWHERE.get(event)


def step(state: State, happened: Happened, now_ns: int) -> Step:
    """What comes of an event; one that the table does not have changes nothing."""
    move = move_for(state, happened.event)
    if move is None or (move.settled and state.asked is not None):
        return Step(state)
    after = _noted(state, happened)
    decision = _decision(after, move)
    after = _counted(after, move, decision)
    after = _moved(state, after, move, happened, now_ns)
    if move.order is not None:
        after = replace(after, asked=move.order, asked_ns=now_ns)
    return Step(after, move.order, decision, state.take)


def seconds_left(state: State, now_ns: int) -> float | None:
    """Of the countdown that people see [s]; None: there is none."""
    if state.phase is Phase.SAVING or state.deadline_ns is None:
        return None
    return max(0.0, (state.deadline_ns - now_ns) / S)


def _noted(state: State, happened: Happened) -> State:
    """What the event itself tells, before anything follows from it."""
    event = happened.event
    said = happened.said or ("" if event in ACTS else state.said)
    after = replace(state, said=said)
    if event in (Event.BEGIN, Event.TRAIN):
        return State(task=happened.task)
    if event is Event.SAVED:
        after = replace(after, verdict=happened.verdict)
    if event in (Event.SAVED, Event.ENDED) and state.asked is not Order.STOP:
        return after
    if event is Event.RESTORED and (state.phase, event) in TABLE and state.thrown is not None:
        return _restored(after, state.thrown)
    if event is Event.UNDISCARDED:
        return replace(after, asked=None, thrown=None)
    return replace(after, asked=None) if event in ANSWERS else after


def _restored(state: State, thrown: Thrown) -> State:
    redone = state.redone - (thrown.decision is Decision.REDONE)
    skipped = state.skipped - (thrown.decision is Decision.SKIPPED)
    back = replace(state, take=thrown.take, verdict=thrown.verdict, asked=None, thrown=None, left_ns=None)
    return replace(back, redone=redone, skipped=skipped)


def _decision(state: State, move: Move) -> Decision | None:
    """What is decided; an undecided take with a good verdict speaks for itself."""
    if move.decision is not Decision.UNDECIDED:
        return None if state.unwanted else move.decision
    if not state.take or state.unwanted:
        return None
    return Decision.KEPT if state.verdict == "ok" else Decision.UNDECIDED


def _counted(state: State, move: Move, decision: Decision | None) -> State:
    counted = replace(
        state,
        kept=state.kept + (decision is Decision.KEPT),
        redone=state.redone + (decision is Decision.REDONE),
        skipped=state.skipped + (decision is Decision.SKIPPED),
    )
    if move.order is Order.DISCARD:
        return replace(counted, thrown=Thrown(state.take, state.verdict, decision or state.unwanted or Decision.REDONE))
    return counted if decision in (None, Decision.UNDECIDED) else replace(counted, thrown=None)


def _moved(before: State, after: State, move: Move, happened: Happened, now_ns: int) -> State:
    to, event = move.to or before.phase, happened.event
    if event is Event.RESUME:
        to = before.back_to
    if to is Phase.DONE and before.doing is Phase.TRAINING:
        to = Phase.CHOOSE
    if after.task is not None and after.kept >= after.task.target > before.kept:
        to = Phase.DONE
    if event is Event.PAUSE:
        left_ns = None if before.deadline_ns is None else max(0, before.deadline_ns - now_ns)
        return replace(after, phase=to, back_to=before.phase, left_ns=left_ns, deadline_ns=None)
    if move.then is not None:
        after = replace(after, back_to=move.then, left_ns=None)
    after = replace(after, phase=to, unwanted=_unwanted(before, to, happened))
    after = _at_hand(after, event, happened, to)
    if to is before.phase and event is not Event.STARTED:
        return after
    return replace(after, deadline_ns=_deadline_ns(before, after, happened, now_ns), left_ns=None)


def _unwanted(before: State, to: Phase, happened: Happened) -> Decision | None:
    """A take that is to be done again before it is saved stays unwanted until it is saved or gone."""
    event = happened.event
    if to not in (Phase.RECORDING, Phase.SAVING, Phase.PAUSED) or event in (Event.SAVED, Event.LOST, Event.TRASHED):
        return None
    if event is Event.STARTED and happened.take != before.take:
        return None
    return Decision.REDONE if event is Event.REDO else before.unwanted


def _at_hand(state: State, event: Event, happened: Happened, to: Phase) -> State:
    """Which take the new phase is about."""
    if event is Event.STARTED and to is Phase.RECORDING:
        return replace(state, take=happened.take, verdict="", asked=_start_answered(state), thrown=None, said="")
    if to is Phase.PAUSED and state.back_to in (Phase.SAVING, Phase.REVIEW):
        return state
    if to in (Phase.SAVING, Phase.REVIEW) or (to is Phase.RECORDING and event is not Event.RECORD):
        return state
    return replace(state, take="", verdict="")


def _start_answered(state: State) -> Order | None:
    return None if state.asked is Order.START else state.asked


def _deadline_ns(before: State, after: State, happened: Happened, now_ns: int) -> int | None:
    """When the phase that begins is over by itself."""
    task = after.task
    if happened.event is Event.RESUME and before.left_ns is not None:
        return now_ns + before.left_ns
    if happened.event is Event.UNSTOPPED:
        return now_ns + STOP_AGAIN_NS
    if after.phase is Phase.SAVING:
        return now_ns + SAVE_WITHIN_NS
    if task is None or (after.phase is Phase.RECORDING and happened.event is not Event.STARTED):
        return None
    if after.phase is Phase.REVIEW and after.verdict != "ok":
        return None
    seconds = {
        Phase.WARM_UP: task.warm_up_s,
        Phase.RECORDING: task.record_s,
        Phase.REVIEW: task.review_s,
        Phase.RESET: task.reset_s,
    }.get(after.phase)
    return None if seconds is None else now_ns + round(seconds * S) - happened.elapsed_ns
