# SPDX-License-Identifier: Apache-2.0
"""What was said on the graph during a take: acts of the operator and of the recorder, markers, changes of state,
diagnostics that are not OK."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.topics import DIAGNOSTICS, DRIVER_STATE, RECORDER_EVENT, RECORDER_MARKER, TELEOP_EVENT, TELEOP_STATE
from recorder.messages import typestore
from recorder.streams import Words, event_samples, problem_samples, state_samples
from recorder.take_reader import Take

DIAGNOSTICS_QUIET_NS = 2_500_000_000
"""Nodes repeat their diagnostics every second, several on one topic: a text is news again after this long a silence."""

STRING_TYPE = RECORDER_EVENT.type

SOURCES: tuple[tuple[str, str, Callable[[Take, str], Words]], ...] = (
    ("teleop_event", TELEOP_EVENT.name, event_samples),
    ("recorder_event", RECORDER_EVENT.name, event_samples),
    ("marker", RECORDER_MARKER.name, event_samples),
    ("driver_state", DRIVER_STATE.name, state_samples),
    ("teleop_state", TELEOP_STATE.name, state_samples),
    ("diagnostics", DIAGNOSTICS.name, problem_samples),
)
"""Stream, topic, decoder."""

ACTS = ("teleop_event", "recorder_event", "marker")
"""Streams in which the same text twice is two events, not one state that lasts."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was said: graph time, stream, text."""

    stamp_ns: int
    stream: str
    text: str


def told_events(take: Take) -> tuple[Event, ...]:
    """Events and changes of state in the order of their stamps; a repeated state is told once."""
    events: list[Event] = []
    for stream, topic, decode in SOURCES:
        words = decode(take, topic)
        told: dict[str, int] = {}
        previous = ""
        for stamp, text in zip(words.samples.stamp_ns.tolist(), words.texts, strict=True):
            repeated = text == previous or (
                stream == "diagnostics" and stamp - told.get(text, 0) < DIAGNOSTICS_QUIET_NS
            )
            if text and (stream in ACTS or not repeated):
                events.append(Event(stamp, stream, text))
            previous, told[text] = text, stamp
    return tuple(sorted(events, key=lambda event: event.stamp_ns))


def string_message(text: str) -> bytes:
    """A serialized std_msgs/String."""
    return bytes(typestore().serialize_cdr(typestore().types[STRING_TYPE](text), STRING_TYPE))
