# SPDX-License-Identifier: Apache-2.0
"""Writes into the store what a step of the session means for its episodes."""

from dataclasses import dataclass

from booth.session.machine import Happened, State, Step
from booth.session.phases import Event, Order, Phase
from booth.session.records import Decision, Discard, Session
from booth.session.store import Store


@dataclass(frozen=True, slots=True)
class Diary:
    """Writes about one session; ``source`` is who made the step."""

    store: Store
    session: Session
    source: str

    def write(self, before: State, happened: Happened, taken: Step) -> None:
        """Everything that a new program has to know after this step; to be called within a transaction."""
        self._decision(before, taken)
        self._discard(before, happened, taken)
        after = taken.state
        if happened.event is Event.STARTED and after.phase is Phase.RECORDING:
            self.store.sessions.add(self.session.id, after.number, after.take, self.store.now_ns())
        if after.phase is Phase.DONE and before.phase is not Phase.DONE:
            reason = "finished by the operator" if happened.event is Event.FINISH else "all episodes are there"
            self.store.sessions.end(self.session.id, reason, self.store.now_ns())

    def _decision(self, before: State, taken: Step) -> None:
        if taken.decision is None:
            return
        sessions, now_ns = self.store.sessions, self.store.now_ns()
        if taken.decision is Decision.SKIPPED and not taken.take:
            sessions.add(self.session.id, before.number, "", now_ns)
        sessions.decide(self.session.id, taken.take, taken.decision, self.source, now_ns)

    def _discard(self, before: State, happened: Happened, taken: Step) -> None:
        """How far the discarding is of the take at hand, or of the one that was thrown away."""
        sessions, event, after = self.store.sessions, happened.event, taken.state
        if event is Event.TRASHED and taken.take:
            sessions.discard(taken.take, Discard.DONE)
        elif taken.order is Order.DISCARD or (after.unwanted and not before.unwanted):
            sessions.discard(taken.take, Discard.ASKED)
        elif before.unwanted and not after.unwanted:
            sessions.discard(taken.take, Discard.REFUSED)
        if before.thrown is None:
            return
        if taken.order is Order.RESTORE:
            sessions.discard(before.thrown.take, Discard.ASKED)
        elif event in (Event.DISCARDED, Event.UNRESTORED):
            sessions.discard(before.thrown.take, Discard.DONE)
        elif event is Event.UNDISCARDED:
            sessions.discard(before.thrown.take, Discard.REFUSED)
        elif event is Event.RESTORED and after.take == before.thrown.take:
            sessions.discard(before.thrown.take, Discard.NO)
            sessions.reopen(before.thrown.take)
