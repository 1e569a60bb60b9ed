# SPDX-License-Identifier: Apache-2.0
"""What came before the start: the last seconds of all messages, and the last word of every state."""

from collections import deque
from collections.abc import Collection

from recorder.take_thread import Message

MAX_SECONDS = 30.0
MAX_BYTES = 128 * 1024 * 1024


class PreRoll:
    """Holds messages while no take runs.

    Args:
        seconds: how far back it reaches; 0: only states are kept.
        states: topics whose last message still holds however old it is.
        max_bytes: a longer past than fits is forgotten.
    """

    def __init__(self, seconds: float, states: Collection[str], max_bytes: int = MAX_BYTES) -> None:
        self._span_ns = round(seconds * 1e9)
        self._states = frozenset(states)
        self._max_bytes = max_bytes
        self._ring: deque[Message] = deque()
        self._bytes = 0
        self._last_word: dict[str, Message] = {}

    @property
    def keeps(self) -> bool:
        """Whether it holds more than states."""
        return self._span_ns > 0

    def add(self, message: Message) -> None:
        """Hold a message that arrived while no take runs."""
        if not self.keeps:
            self.passed(message)
            return
        self._ring.append(message)
        self._bytes += len(message.data)
        oldest_ns = message.receive_ns - self._span_ns
        while self._ring and (self._bytes > self._max_bytes or self._ring[0].receive_ns < oldest_ns):
            self._drop_oldest()

    def passed(self, message: Message) -> None:
        """Note a message that went into a take, or was forgotten."""
        if message.topic in self._states:
            self._last_word[message.topic] = message

    def pour(self, now_ns: int) -> list[Message]:
        """All that is held, to be written first: the states in force when the ring begins, then the ring."""
        while self._ring and self._ring[0].receive_ns < now_ns - self._span_ns:
            self._drop_oldest()
        poured = [*self._last_word.values(), *self._ring]
        for message in self._ring:
            self.passed(message)
        self._ring.clear()
        self._bytes = 0
        return poured

    def _drop_oldest(self) -> None:
        oldest = self._ring.popleft()
        self._bytes -= len(oldest.data)
        self.passed(oldest)
