# SPDX-License-Identifier: Apache-2.0
"""A thread between the subscriptions and the disk, so that a slow fsync never makes the graph wait."""

import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from recorder.errors import TakeError
from recorder.space import Reserve
from recorder.take import TakeWriter

WAIT_S = 0.05
"""Messages are written in batches this far apart: waking up for each of them would cost more than writing it."""

MAX_QUEUED_BYTES = 256 * 1024 * 1024


class Message(NamedTuple):
    """One serialized message; fields are the arguments of ``TakeWriter.add``."""

    topic: str
    data: bytes
    receive_ns: int
    publish_ns: int
    sequence: int


class TakeThread:
    """Writes what is put to a take. ``finish`` and ``close`` are idempotent.

    What does not fit into 256 MiB of memory while the disk stalls is left out and counted; the gap in the sequence
    numbers then counts it as lost, like any other lost message.

    Args:
        writer: the take; from now on only this thread uses it.
        now_ns: graph time.
        reserve: room on the disk that is held while the take runs; None for none.
    """

    def __init__(self, writer: TakeWriter, now_ns: Callable[[], int], reserve: Reserve | None = None) -> None:
        self._writer = writer
        self._now_ns = now_ns
        self._reserve = reserve
        self._queue: deque[Message] = deque()
        self._queued_bytes = 0
        self._left_out: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._error: TakeError | None = None
        self._end: Mapping[str, str] | None = None
        self._finish = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="take", daemon=True)
        self._thread.start()

    @property
    def error(self) -> TakeError | None:
        """Why nothing is written any more; None while all is well."""
        return self._error

    @property
    def done(self) -> bool:
        """Whether the file is closed."""
        return self._done.is_set()

    @property
    def disk_full(self) -> bool:
        """Whether the take lives on the reserve."""
        return self._writer.disk_full

    @property
    def reserved_bytes(self) -> int:
        """Room on the disk that is held for the end of this take."""
        return self._reserve.held_bytes if self._reserve else 0

    @property
    def left_out(self) -> int:
        """Messages that were left out."""
        return self._left_out.total()

    def put(self, message: Message) -> bool:
        """Queue one message; False when it had to be left out."""
        size = len(message.data)
        with self._lock:
            if self._error is not None or self._queued_bytes + size > MAX_QUEUED_BYTES:
                self._left_out[message.topic] += 1
                return False
            self._queued_bytes += size
        self._queue.append(message)
        return True

    def leave_out(self, topic: str) -> None:
        """Count a message that somebody else had to leave out."""
        with self._lock:
            self._left_out[topic] += 1

    def finish(self, end: Mapping[str, str]) -> None:
        """Have what is queued written and the take closed; returns at once, see ``done``."""
        if not self._finish.is_set():
            self._end = end
            self._finish.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the file is closed; whether it is."""
        return self._done.wait(timeout_s)

    def close(self, end: Mapping[str, str]) -> None:
        """``finish`` and wait.

        Raises:
            TakeError: the disk refused, now or before.
        """
        self.finish(end)
        self.wait()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            if self._reserve:
                self._reserve.hold()
            while not self._finish.wait(WAIT_S):
                self._write_queued()
                self._writer.tick(self._now_ns())
            self._write_queued()
            left_out = {"left_out": json.dumps(self._left_out)} if self._left_out else {}
            self._writer.close({**(self._end or {}), **left_out})
        except TakeError as error:
            with self._lock:
                self._error = error
            self._queue.clear()
        finally:
            self._close_for_good()

    def _write_queued(self) -> None:
        while self._queue:
            message = self._queue.popleft()
            self._writer.add(*message)
            with self._lock:
                self._queued_bytes -= len(message.data)

    def _close_for_good(self) -> None:
        """After a failure there is something left to close; the lock on the file has to go in any case."""
        self._writer.abandon()
        if self._reserve:
            self._reserve.release()
        self._done.set()
