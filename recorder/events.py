# SPDX-License-Identifier: Apache-2.0
"""What was said on the graph during a take: acts of the operator, changes of state, diagnostics that are not OK."""

from collections.abc import Callable
from dataclasses import dataclass

from graph.topics import DIAGNOSTICS, DRIVER_STATE, TELEOP_EVENT, TELEOP_STATE
from recorder.streams import Words, event_samples, problem_samples, state_samples
from recorder.take_reader import Take

DIAGNOSTICS_QUIET_NS = 2_500_000_000
"""Nodes repeat their diagnostics every second, several on one topic: a text is news again after this long a silence."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was said: graph time, stream, text."""

    stamp_ns: int
    stream: str
    text: str


def told_events(take: Take) -> tuple[Event, ...]:
    """Events and changes of state in the order of their stamps; a repeated state is told once."""
    sources: tuple[tuple[str, str, Callable[[Take, str], Words]], ...] = (
        ("teleop_event", TELEOP_EVENT.name, event_samples),
        ("driver_state", DRIVER_STATE.name, state_samples),
        ("teleop_state", TELEOP_STATE.name, state_samples),
        ("diagnostics", DIAGNOSTICS.name, problem_samples),
    )
    events: list[Event] = []
    for stream, topic, decode in sources:
        words = decode(take, topic)
        told: dict[str, int] = {}
        previous = ""
        for stamp, text in zip(words.samples.stamp_ns.tolist(), words.texts, strict=True):
            repeated = text == previous or (
                stream == "diagnostics" and stamp - told.get(text, 0) < DIAGNOSTICS_QUIET_NS
            )
            if text and (stream == "teleop_event" or not repeated):
                events.append(Event(stamp, stream, text))
            previous, told[text] = text, stamp
    return tuple(sorted(events, key=lambda event: event.stamp_ns))
