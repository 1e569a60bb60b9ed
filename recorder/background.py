# SPDX-License-Identifier: Apache-2.0
"""Finalise takes one after the other in a process of their own, so that the next take may already run."""

import json
import os
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a take ended: with an episode, or with a reason."""

    take: Path
    episode: str = ""
    rows: int = 0
    dropped_rows: int = 0
    verdict: str = ""
    findings: str = ""
    reason: str = ""


class Background:
    """At most one finaliser at a time, in a process group of its own that Ctrl-C on the terminal does not reach."""

    def __init__(self) -> None:
        self._waiting: deque[Path] = deque()
        self._running: tuple[Path, subprocess.Popen[str]] | None = None
        self._ready: subprocess.Popen[str] | None = None

    @property
    def busy(self) -> bool:
        """Whether takes wait or are being finalised."""
        return self._running is not None or bool(self._waiting)

    @property
    def takes(self) -> list[Path]:
        """The takes that wait or are being finalised."""
        return [*self._waiting, *([self._running[0]] if self._running else [])]

    @property
    def has_news(self) -> bool:
        """Whether ``poll`` would tell something."""
        return self._running is not None and self._running[1].poll() is not None

    def prepare(self) -> None:
        """Have a process wait for the next take: starting one costs as much as the episode of a few seconds."""
        if self._ready is None:
            self._ready = _finaliser()

    def add(self, take: Path) -> None:
        """Finalise this take next; what was added earlier and still waits comes after it."""
        self._waiting.appendleft(take)
        self._start_next()

    def poll(self) -> list[Outcome]:
        """Takes that were finished since the last call; starts the next one. Never waits."""
        outcomes = []
        while self._running is not None and self._running[1].poll() is not None:
            outcomes.append(self._collect(*self._running))
            self._running = None
            self._start_next()
        return outcomes

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Like ``poll``, but waits that long for the running one; what is not done then is left for recovery."""
        self._waiting.clear()
        if self._running is not None:
            try:
                self._running[1].wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._running[1].terminate()
                self._running[1].wait()
        self._dismiss()
        return self.poll()

    def _start_next(self) -> None:
        if self._running is not None or not self._waiting:
            return
        take = self._waiting.popleft()
        if self._ready is not None and self._ready.poll() is not None:  # it died while it waited
            self._dismiss()
        process, self._ready = self._ready or _finaliser(), None
        self._running = take, process
        if process.stdin:
            with suppress(BrokenPipeError):  # it dies now; its exit code will tell
                process.stdin.write(json.dumps(str(take)) + "\n")
                process.stdin.close()

    def _dismiss(self) -> None:
        if self._ready is not None:
            self._ready.terminate()
            self._ready.wait()
            for pipe in (self._ready.stdin, self._ready.stdout):
                if pipe:
                    pipe.close()
            self._ready = None

    @staticmethod
    def _collect(take: Path, process: "subprocess.Popen[str]") -> Outcome:
        text = process.stdout.read() if process.stdout else ""
        if process.stdout:
            process.stdout.close()
        try:
            return Outcome(take, **json.loads(text))
        except ValueError:
            return Outcome(take, reason=f"the finaliser ended with code {process.returncode}; the take is kept")


def _finaliser() -> "subprocess.Popen[str]":
    """A process that waits to be told which take to finalise, and ends when nobody is there to tell it."""
    return subprocess.Popen(
        [sys.executable, "-m", "recorder.recover"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        start_new_session=True,
    )
