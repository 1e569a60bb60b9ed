# SPDX-License-Identifier: Apache-2.0
"""What a foot does on a pedal, from the bytes of a Linux input device; handed the time, opens nothing.

A pedal is a keyboard with few keys. Any of its keys counts, so it needs no configuration. Source of the layout and the
numbers: the kernel's ``linux/input.h``, ``linux/input-event-codes.h`` and ``Documentation/input/event-codes.rst``.
"""

import struct
from collections.abc import Iterable
from enum import StrEnum

EVENT = struct.Struct("@llHHi")
"""struct input_event: seconds, microseconds, type, code, value."""
EV_SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
"""The kernel had no room and left events out: which keys are down must be asked anew."""
UP, DOWN, REPEAT = 0, 1, 2

HOLD_NS = 800_000_000
"""Pressed for this long is a hold, shorter a tap."""
TAP, HOLD = "tap", "hold"


class Role(StrEnum):
    """What a pedal is for: ``run``, the robot may move only while it is pressed; ``record``, a word to the session."""

    RUN = "run"
    RECORD = "record"


class Pedal:
    """One pedal while it is plugged in.

    What was pressed before it could be watched does not count until it was let go: nobody knows since when, or whether
    a foot does it.

    Attributes:
        lost_events: keys must be asked anew, see `plug_in`.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._down: set[int] = set()
        self._old: set[int] = set()
        self._since_ns = 0
        self._held = False
        self._events: list[str] = []
        self.lost_events = False

    @property
    def pressed(self) -> bool:
        """Whether a foot is on it that came after it was plugged in."""
        return bool(self._down)

    @property
    def to_let_go(self) -> bool:
        """Whether it must be let go once before it counts."""
        return bool(self._old)

    def take_events(self) -> list[str]:
        """Taps and holds since the last call. A hold is told as soon as it is one."""
        events, self._events = self._events, []
        return events

    def plug_in(self, held: Iterable[int]) -> None:
        """It is there, or its events were lost; ``held`` are the codes of keys that are down."""
        self.unplug()
        self._old = set(held)

    def unplug(self) -> None:
        """It is gone: nothing is pressed, and what was begun on it is no tap."""
        self._rest, self.lost_events, self._held = b"", False, False
        self._down.clear()
        self._old.clear()

    def feed(self, data: bytes, now_ns: int) -> None:
        """Bytes as they were read; an event that is cut waits for its rest."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        for _, _, kind, code, value in EVENT.iter_unpack(data[:whole]):
            if kind == EV_KEY:
                self._key(code, value, now_ns)
            elif kind == EV_SYN and code == SYN_DROPPED:
                self.unplug()
                self.lost_events = True
                return

    def tick(self, now_ns: int) -> None:
        """Called regularly: notices a hold."""
        if self._down and not self._held and now_ns - self._since_ns >= HOLD_NS:
            self._held = True
            self._events.append(HOLD)

    def _key(self, code: int, value: int, now_ns: int) -> None:
        if value == UP:
            self._old.discard(code)
            if code in self._down:
                self._release(code, now_ns)
        elif self._old or (value == REPEAT and not self._down):
            self._old.add(code)
        elif value == DOWN:
            if not self._down:
                self._since_ns, self._held = now_ns, False
            self._down.add(code)

    def _release(self, code: int, now_ns: int) -> None:
        self.tick(now_ns)
        self._down.discard(code)
        if not self._down and not self._held:
            self._events.append(TAP)
