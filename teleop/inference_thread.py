# SPDX-License-Identifier: Apache-2.0
"""One model in one thread: always the newest frame, never a queue."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from teleop.camera import Frame
from teleop.mailbox import Closed, NewestMailbox

TAKE_S = 0.5
"""Longest wait without looking whether to stop."""


class InferenceThread:
    """Hands frames to ``work``; a frame that comes while it is busy replaces the one that waits.

    Args:
        name: of the thread.
        work: what to do with one frame.

    Attributes:
        ended: every frame was worked on and no more will come.
    """

    def __init__(self, name: str, work: Callable[[Frame], None]) -> None:
        self._work = work
        self._mailbox: NewestMailbox[Frame] = NewestMailbox()
        self._stopping = False
        self.ended = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._running: Future[None] | None = None

    @property
    def replaced(self) -> int:
        """Frames that were skipped because a newer one was there."""
        return self._mailbox.replaced

    def start(self) -> None:
        """Begin."""
        self._running = self._thread.submit(self._run)

    def put(self, frame: Frame) -> None:
        """Leave the newest frame; never waits."""
        self._mailbox.put(frame)

    def finish(self) -> None:
        """No more frames; the one that waits is still worked on."""
        self._mailbox.close()

    def check(self) -> None:
        """Raise what ``work`` has raised, if it did."""
        if self._running is not None and self._running.done():
            self._running.result()

    def close(self) -> None:
        """Stop and wait for the thread. May be called again."""
        self._stopping = True
        self.finish()
        self._thread.shutdown()

    def _run(self) -> None:
        try:
            while not self._stopping:
                frame = self._mailbox.take(TAKE_S)
                if frame is not None:
                    self._work(frame)
        except Closed:
            self.ended = True
