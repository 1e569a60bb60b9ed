# SPDX-License-Identifier: Apache-2.0
"""Find a session again that a crash or a shutdown interrupted: paused, at the right episode, with the right counts."""

from collections import Counter
from dataclasses import replace

from booth.session.machine import State
from booth.session.phases import Phase
from booth.session.records import Attempt, Decision, Discard, Session
from booth.session.store import Store

SAID = "this session was interrupted: resume it, or finish it"


def resume(store: Store, booth: str, robot: str) -> tuple[Session, State] | None:
    """The unfinished session of a booth with this robot; None where there is none."""
    session = store.sessions.unfinished(booth, robot)
    if session is None:
        return None
    attempts = store.sessions.attempts(session.id)
    count = Counter(attempt.decision for attempt in attempts)
    state = State(
        phase=Phase.PAUSED,
        task=session.task,
        kept=count[Decision.KEPT],
        redone=count[Decision.REDONE],
        skipped=count[Decision.SKIPPED],
        said=SAID,
    )
    return session, _with_open_take(state, store.sessions.last(session.id))


def _with_open_take(state: State, last: Attempt | None) -> State:
    """What was at hand: a take without a verdict, without a decision, or one that is still to be discarded."""
    if last is None or not last.take or (last.decided_ns and last.discard is not Discard.ASKED):
        return state
    found = replace(state, take=last.take, verdict=last.verdict)
    if last.discard is Discard.ASKED:
        return replace(found, back_to=Phase.SAVING, unwanted=last.decision)
    return replace(found, back_to=Phase.REVIEW if last.verdict else Phase.SAVING)
