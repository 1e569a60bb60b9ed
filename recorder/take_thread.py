# SPDX-License-Identifier: Apache-2.0
"""A thread between the subscriptions and the disk, so that a slow fsync never makes the graph wait."""

import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import NamedTuple

from recorder.errors import TakeError
from recorder.take import TakeWriter

WAIT_S = 0.1
MAX_QUEUED_BYTES = 256 * 1024 * 1024


class _Queued(NamedTuple):
    topic: str
    data: bytes
    receive_ns: int
    publish_ns: int
    sequence: int


class TakeThread:
    """Writes what is put to a take. ``close`` is idempotent.

    What does not fit into 256 MiB of memory while the disk stalls is left out; the gap in the sequence numbers then
    counts it as lost, like any other lost message.
    """

    def __init__(self, writer: TakeWriter, now_ns: Callable[[], int]) -> None:
        self._writer = writer
        self._now_ns = now_ns
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._queued_bytes = 0
        self._lock = threading.Lock()
        self._error: TakeError | None = None
        self._thread = threading.Thread(target=self._run, name="take", daemon=True)
        self._thread.start()

    @property
    def error(self) -> TakeError | None:
        """Why nothing is written any more; None while all is well."""
        return self._error

    def put(self, topic: str, data: bytes, receive_ns: int, publish_ns: int, sequence: int) -> bool:
        """Queue one message (arguments of ``TakeWriter.add``); False when it had to be left out."""
        with self._lock:
            if self._error is not None or self._queued_bytes + len(data) > MAX_QUEUED_BYTES:
                return False
            self._queued_bytes += len(data)
        self._queue.put(_Queued(topic, data, receive_ns, publish_ns, sequence))
        return True

    def close(self, end: Mapping[str, str]) -> None:
        """Write what is queued, then close the take.

        Raises:
            TakeError: the disk refused, now or before.
        """
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._writer.close(end)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while self._write_next():
                pass
        except TakeError as error:
            with self._lock:
                self._error = error

    def _write_next(self) -> bool:
        try:
            item = self._queue.get(timeout=WAIT_S)
        except Empty:
            self._writer.tick(self._now_ns())
            return True
        if item is None:
            return False
        self._writer.add(*item)
        with self._lock:
            self._queued_bytes -= len(item.data)
        return True
