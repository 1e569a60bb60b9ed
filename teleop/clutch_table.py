# SPDX-License-Identifier: Apache-2.0
"""The clutch as data: what every event does in every state, of the whole operator and of one limb.

    WAITING ─sign shown→ HOLDING_SIGN ─held→ ALIGNING ─aligned→ ASKING ─driver agrees→ RAMPING ─blended→ ENGAGED
       ↑______________________|__________________|________________|________________________|________________|
            sign broken             too long           refused     lowered, sign, pedal, lost, silent, driver holds

An event that a state does not list changes nothing there. Into ENGAGED leads one way only, and it begins with the
operator's own sign. `teleop.clutch` applies the tables.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple


class State(Enum):
    """Where the operator is."""

    WAITING = "WAITING"
    HOLDING_SIGN = "HOLDING_SIGN"
    ALIGNING = "ALIGNING"
    ASKING = "ASKING"
    RAMPING = "RAMPING"
    ENGAGED = "ENGAGED"


class Event(Enum):
    """What can happen.

    The operator: SIGN_SHOWN, SIGN_BROKEN (let go too early), SIGN_HELD, SIGN_USELESS (held, but nothing can be measured
    on it), ALIGNED, LATE (not aligned in time), RELEASE_SIGN, LOWERED, PEDAL_UP, ALL_LOST (no limb is followed).
    The driver: ACCEPTED, REFUSED, DROPPED (it no longer follows). The camera: STALLED. The blend: RAMPED.
    """

    SIGN_SHOWN = "sign shown"
    SIGN_BROKEN = "sign broken"
    SIGN_HELD = "sign held"
    SIGN_USELESS = "sign useless"
    ALIGNED = "aligned"
    LATE = "late"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RAMPED = "ramped"
    RELEASE_SIGN = "release sign"
    LOWERED = "lowered"
    PEDAL_UP = "pedal up"
    ALL_LOST = "all lost"
    STALLED = "stalled"
    DROPPED = "dropped"


class Action(Enum):
    """What is to be done on a move.

    BEGIN: collect what the sign shows · LEARN: measure the hands, start the limbs · ASK: ask the driver · RAMP: blend ·
    TELL: the operator is engaged · LET_GO: send nothing more, the driver holds by itself · RELEASE: tell the driver
    that it was on purpose · PAUSE: don't ask again at once.
    """

    NONE = "none"
    BEGIN = "begin"
    LEARN = "learn"
    ASK = "ask"
    RAMP = "ramp"
    TELL = "tell"
    LET_GO = "let go"
    RELEASE = "release"
    PAUSE = "pause"


class Move(NamedTuple):
    """Where an event leads, and what is to be done."""

    state: State
    action: Action = Action.NONE


_BACK = Move(State.WAITING)
_ON_PURPOSE = dict.fromkeys((Event.RELEASE_SIGN, Event.LOWERED, Event.PEDAL_UP), Move(State.WAITING, Action.RELEASE))
_BY_FAULT = dict.fromkeys((Event.ALL_LOST, Event.STALLED, Event.DROPPED), Move(State.WAITING, Action.LET_GO))
_FOLLOWING_ENDS = {**_ON_PURPOSE, **_BY_FAULT}

_ROWS: Mapping[State, Mapping[Event, Move]] = {
    State.WAITING: {
        Event.SIGN_SHOWN: Move(State.HOLDING_SIGN, Action.BEGIN),
    },
    State.HOLDING_SIGN: {
        Event.SIGN_HELD: Move(State.ALIGNING, Action.LEARN),
        Event.SIGN_BROKEN: _BACK,
        Event.SIGN_USELESS: _BACK,
        Event.PEDAL_UP: _BACK,
        Event.STALLED: _BACK,
        Event.DROPPED: _BACK,
    },
    State.ALIGNING: {
        Event.ALIGNED: Move(State.ASKING, Action.ASK),
        Event.LATE: _BACK,
        Event.RELEASE_SIGN: _BACK,
        Event.PEDAL_UP: _BACK,
        Event.ALL_LOST: _BACK,
        Event.STALLED: _BACK,
        Event.DROPPED: _BACK,
    },
    State.ASKING: {
        Event.ACCEPTED: Move(State.RAMPING, Action.RAMP),
        Event.REFUSED: Move(State.WAITING, Action.PAUSE),
        **_FOLLOWING_ENDS,
    },
    State.RAMPING: {
        Event.RAMPED: Move(State.ENGAGED, Action.TELL),
        **_FOLLOWING_ENDS,
    },
    State.ENGAGED: _FOLLOWING_ENDS,
}
TABLE = MappingProxyType({state: MappingProxyType(row) for state, row in _ROWS.items()})
"""What every event does in every state."""


class LimbState(Enum):
    """Whether one limb of the robot follows."""

    OFF = "off"
    FOLLOWING = "following"
    COASTING = "coasting"
    HELD = "held"


class LimbEvent(Enum):
    """STARTED, STOPPED: with the whole operator · SEEN, MISSED: in this frame · GONE: missed too often · RECLUTCHED: by
    the operator's sign."""

    STARTED = "started"
    SEEN = "seen"
    MISSED = "missed"
    GONE = "gone"
    RECLUTCHED = "reclutched"
    STOPPED = "stopped"


_LIMB_ROWS: Mapping[LimbState, Mapping[LimbEvent, LimbState]] = {
    LimbState.OFF: {
        LimbEvent.STARTED: LimbState.FOLLOWING,
    },
    LimbState.FOLLOWING: {
        LimbEvent.MISSED: LimbState.COASTING,
        LimbEvent.GONE: LimbState.HELD,
        LimbEvent.STOPPED: LimbState.OFF,
    },
    LimbState.COASTING: {
        LimbEvent.SEEN: LimbState.FOLLOWING,
        LimbEvent.GONE: LimbState.HELD,
        LimbEvent.STOPPED: LimbState.OFF,
    },
    LimbState.HELD: {
        LimbEvent.RECLUTCHED: LimbState.FOLLOWING,
        LimbEvent.STOPPED: LimbState.OFF,
    },
}
LIMB_TABLE = MappingProxyType({state: MappingProxyType(row) for state, row in _LIMB_ROWS.items()})
"""What every event does to a limb."""
