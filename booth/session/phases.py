# SPDX-License-Identifier: Apache-2.0
"""The words of a session: its phases, what happens to it, what the recorder is asked to do."""

from enum import Enum


class Phase(Enum):
    """Where a session is; the words are the page's."""

    CHOOSE = "choose"
    CHECK = "check"
    WARM_UP = "warm_up"
    READY = "ready"
    RECORDING = "recording"
    SAVING = "saving"
    REVIEW = "review"
    RESET = "reset"
    PAUSED = "paused"
    DONE = "done"
    TRAINING = "training"


class Order(Enum):
    """What the recorder is to be asked; who asks it reports back how it answered."""

    START = "start"
    STOP = "stop"
    DISCARD = "discard"
    RESTORE = "restore"


class Event(Enum):
    """What can happen to a session."""

    BEGIN = "an operator begins a task"
    TRAIN = "an operator begins to train"
    PASSED = "the self-check has passed"
    OVER = "the countdown is over"
    RECORD = "record"
    STOP = "stop"
    KEEP = "keep"
    REDO = "redo"
    SKIP = "skip"
    NEXT = "next"
    UNDO = "undo"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    STARTED = "the recorder records a take"
    REFUSED = "the recorder did not start"
    STOPPED = "the recorder answered that it stops"
    UNSTOPPED = "the recorder did not stop"
    ENDED = "the recorder ended the take and saves it"
    SAVED = "the take is saved, or failed"
    SAVED_UNWANTED = "a take that is to be done again is saved, or failed"
    LOST = "nobody knows what became of the take"
    TRASHED = "somebody else discarded the take"
    DISCARDED = "the recorder discarded what it was asked to"
    UNDISCARDED = "the recorder did not discard"
    RESTORED = "the recorder brought the discarded take back"
    UNRESTORED = "the recorder did not bring it back"


ACTIONS = {
    "record": Event.RECORD,
    "stop": Event.STOP,
    "keep": Event.KEEP,
    "redo": Event.REDO,
    "skip": Event.SKIP,
    "next": Event.NEXT,
    "undo": Event.UNDO,
    "pause": Event.PAUSE,
    "resume": Event.RESUME,
    "finish": Event.FINISH,
}
"""What people can ask for, by page, hand, foot or service."""

FORWARD = {
    Phase.WARM_UP: "next",
    Phase.READY: "record",
    Phase.RECORDING: "stop",
    Phase.REVIEW: "keep",
    Phase.RESET: "next",
    Phase.PAUSED: "resume",
}
"""What a tap of the pedal means."""

BACK = {Phase.RECORDING: "redo", Phase.SAVING: "redo", Phase.REVIEW: "redo"}
"""What a long press of the pedal means: a take that still runs ends and is done again without a review."""
