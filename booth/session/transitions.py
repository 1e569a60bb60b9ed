# SPDX-License-Identifier: Apache-2.0
"""The session's state machine as a table: what follows when something happens in a phase. What is not here can't be."""

from dataclasses import dataclass

from booth.session.phases import Event, Order, Phase
from booth.session.records import Decision


@dataclass(frozen=True, slots=True)
class Move:
    """What follows.

    Attributes:
        to: the next phase; None: the same.
        order: what the recorder is asked.
        decision: what becomes of the take at hand. UNDECIDED leaves it to its verdict: ok is kept.
        then: while paused, where resuming leads from now on.
        settled: only when the recorder has answered everything it was asked.
    """

    to: Phase | None = None
    order: Order | None = None
    decision: Decision | None = None
    then: Phase | None = None
    settled: bool = False


Table = dict[tuple[Phase, Event], Move]

IDLE: Table = {
    (Phase.CHOOSE, Event.BEGIN): Move(Phase.CHECK),
    (Phase.CHOOSE, Event.TRAIN): Move(Phase.TRAINING),
    (Phase.DONE, Event.BEGIN): Move(Phase.CHECK, settled=True),
    (Phase.DONE, Event.TRAIN): Move(Phase.TRAINING, settled=True),
    (Phase.DONE, Event.NEXT): Move(Phase.CHOOSE, settled=True),
    (Phase.TRAINING, Event.BEGIN): Move(Phase.CHECK),
    (Phase.TRAINING, Event.TRAIN): Move(Phase.TRAINING),
    (Phase.TRAINING, Event.PAUSE): Move(Phase.PAUSED),
    (Phase.TRAINING, Event.FINISH): Move(Phase.CHOOSE),
}
"""Without a session."""

BETWEEN: Table = {
    (Phase.CHECK, Event.PASSED): Move(Phase.WARM_UP),
    (Phase.WARM_UP, Event.OVER): Move(Phase.READY),
    (Phase.WARM_UP, Event.NEXT): Move(Phase.READY),
    (Phase.READY, Event.RECORD): Move(Phase.RECORDING, Order.START, settled=True),
    (Phase.READY, Event.SKIP): Move(Phase.READY, decision=Decision.SKIPPED, settled=True),
    (Phase.RESET, Event.OVER): Move(Phase.READY),
    (Phase.RESET, Event.NEXT): Move(Phase.READY),
} | {
    key: move
    for phase in (Phase.CHECK, Phase.WARM_UP, Phase.READY, Phase.RESET)
    for key, move in {
        (phase, Event.STARTED): Move(Phase.RECORDING),
        (phase, Event.PAUSE): Move(Phase.PAUSED),
        (phase, Event.FINISH): Move(Phase.DONE, settled=True),
    }.items()
}
"""While nothing is recorded; a take that somebody else starts is the session's, too."""

TAKE: Table = {
    (Phase.RECORDING, Event.STARTED): Move(),
    (Phase.RECORDING, Event.REFUSED): Move(Phase.READY),
    (Phase.RECORDING, Event.STOP): Move(Phase.SAVING, Order.STOP, settled=True),
    (Phase.RECORDING, Event.OVER): Move(Phase.SAVING, Order.STOP, settled=True),
    (Phase.RECORDING, Event.REDO): Move(Phase.SAVING, Order.STOP, Decision.REDONE, settled=True),
    (Phase.RECORDING, Event.ENDED): Move(Phase.SAVING),
    (Phase.RECORDING, Event.SAVED): Move(Phase.REVIEW),
    (Phase.RECORDING, Event.SAVED_UNWANTED): Move(Phase.RESET, Order.DISCARD),
    (Phase.RECORDING, Event.LOST): Move(Phase.RESET, decision=Decision.UNDECIDED),
    (Phase.RECORDING, Event.TRASHED): Move(Phase.RESET, decision=Decision.REDONE),
    (Phase.SAVING, Event.UNSTOPPED): Move(Phase.RECORDING),
    (Phase.SAVING, Event.REDO): Move(decision=Decision.REDONE),
    (Phase.SAVING, Event.SAVED): Move(Phase.REVIEW),
    (Phase.SAVING, Event.SAVED_UNWANTED): Move(Phase.RESET, Order.DISCARD),
    (Phase.SAVING, Event.OVER): Move(Phase.RESET, decision=Decision.UNDECIDED),
    (Phase.SAVING, Event.LOST): Move(Phase.RESET, decision=Decision.UNDECIDED),
    (Phase.SAVING, Event.TRASHED): Move(Phase.RESET, decision=Decision.REDONE),
}
"""From the start of a take to its verdict."""

VERDICT: Table = {
    (Phase.REVIEW, Event.KEEP): Move(Phase.RESET, decision=Decision.KEPT),
    (Phase.REVIEW, Event.OVER): Move(Phase.RESET, decision=Decision.KEPT),
    (Phase.REVIEW, Event.REDO): Move(Phase.RESET, Order.DISCARD, Decision.REDONE, settled=True),
    (Phase.REVIEW, Event.SKIP): Move(Phase.RESET, Order.DISCARD, Decision.SKIPPED, settled=True),
    (Phase.REVIEW, Event.TRASHED): Move(Phase.RESET, decision=Decision.REDONE),
    (Phase.REVIEW, Event.STARTED): Move(Phase.RECORDING, decision=Decision.UNDECIDED),
    (Phase.REVIEW, Event.PAUSE): Move(Phase.PAUSED),
    (Phase.REVIEW, Event.FINISH): Move(Phase.DONE, decision=Decision.UNDECIDED, settled=True),
    (Phase.RESET, Event.UNDO): Move(order=Order.RESTORE, settled=True),
    (Phase.READY, Event.UNDO): Move(order=Order.RESTORE, settled=True),
    (Phase.RESET, Event.RESTORED): Move(Phase.REVIEW),
    (Phase.READY, Event.RESTORED): Move(Phase.REVIEW),
}
"""What becomes of it."""

PAUSED: Table = {
    (Phase.PAUSED, Event.FINISH): Move(Phase.DONE, decision=Decision.UNDECIDED, settled=True),
    (Phase.PAUSED, Event.STARTED): Move(Phase.RECORDING, decision=Decision.UNDECIDED),
    (Phase.PAUSED, Event.SAVED): Move(then=Phase.REVIEW),
    (Phase.PAUSED, Event.SAVED_UNWANTED): Move(order=Order.DISCARD, then=Phase.RESET),
    (Phase.PAUSED, Event.LOST): Move(decision=Decision.UNDECIDED, then=Phase.CHECK),
    (Phase.PAUSED, Event.TRASHED): Move(decision=Decision.REDONE, then=Phase.RESET),
    (Phase.PAUSED, Event.RESTORED): Move(then=Phase.REVIEW),
    (Phase.PAUSED, Event.RESUME): Move(),
}
"""Resuming leads back; after a crash of this program a pause is where the session is found again."""

ANYWHERE: dict[Event, Move] = {
    Event.STOPPED: Move(),
    Event.DISCARDED: Move(),
    Event.UNDISCARDED: Move(),
    Event.RESTORED: Move(),
    Event.UNRESTORED: Move(),
}
"""Answers of the recorder that change no phase."""

TABLE: Table = IDLE | BETWEEN | TAKE | VERDICT | PAUSED
