# SPDX-License-Identifier: Apache-2.0
"""One take between its start and the moment its file is closed."""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from graph.stamps import GraphClock
from graph.topics import RECORDER_EVENT, RECORDER_MARKER, Topic
from recorder.errors import TakeError
from recorder.events import string_message
from recorder.identity import uuid7, wall_iso
from recorder.labels import Labels
from recorder.metadata import TakeMetadata, platform_facts, software_version
from recorder.settings import Settings
from recorder.space import RESERVE_SUFFIX, Reserve
from recorder.take import TakeWriter
from recorder.take_thread import Message, TakeThread
from robots.robot import Robot

NOBODY = Labels()


@dataclass(slots=True)
class RunningTake:
    """A take that is being written. What the recorder itself does is written into it as messages.

    Attributes:
        path: the file.
        thread: writes it.
        started_ns: graph time at which it was asked for.
        paused: whether the operator paused it.
        marks: numbered markers so far.
        discarded: it was moved to the trash while it was being closed.
    """

    path: Path
    thread: TakeThread
    started_ns: int
    paused: bool = False
    marks: int = 0
    discarded: bool = False
    _said: int = 0

    @classmethod
    def begin(
        cls, path: Path, facts: TakeMetadata, settings: Settings, topics: Iterable[Topic], now_ns: Callable[[], int]
    ) -> "RunningTake":
        """Make the file.

        Raises:
            TakeError: it can't be made.
        """
        reserve = Reserve(path.with_name(f".{path.stem}{RESERVE_SUFFIX}"))
        told = {"topics": json.dumps({name: topic.name for name, topic in settings.topics.items()})}
        told |= {"preroll_s": json.dumps(settings.preroll_s), "raw": json.dumps(dict(settings.raw))}
        writer = TakeWriter(path, {**facts.to_strings(), **told}, topics, reserve)
        return cls(path, TakeThread(writer, now_ns, reserve), facts.started_ns)

    def say(self, text: str, now_ns: int, topic: Topic = RECORDER_EVENT) -> None:
        """Write a word of the recorder's own."""
        self._said += 1
        self.thread.put(Message(topic.name, string_message(text), now_ns, now_ns, self._said))

    def mark(self, now_ns: int) -> str:
        """Write the next numbered marker; returns its text."""
        self.marks += 1
        text = f"mark {self.marks}"
        self.say(text, now_ns, RECORDER_MARKER)
        return text

    def set_paused(self, paused: bool, now_ns: int) -> str:
        """Mark the beginning or the end of a pause; returns the word for it.

        Raises:
            TakeError: that is how it is already.
        """
        word = "paused" if paused else "resumed"
        if self.paused == paused:
            raise TakeError(f"{self.path.stem} is {'paused already' if paused else 'not paused'}: nothing to do")
        self.paused = paused
        self.say(word, now_ns)
        return word


def take_facts(
    wanted: Settings, robot: Robot, robot_yaml: str, clock: GraphClock, labels: Labels = NOBODY
) -> TakeMetadata:
    """What a take that starts now says about itself; what a session says of it comes before the recorder's settings.

    Raises:
        TakeError: a setting makes no sense.
    """
    now_ns = clock.now_ns()
    wall_ns = now_ns + clock.drift_ns()
    return TakeMetadata(
        episode_id=str(uuid7(wall_ns, os.urandom(10))),
        robot=robot.name,
        robot_yaml=robot_yaml,
        wall_offset_ns=clock.offset_ns,
        started_ns=now_ns,
        created=wall_iso(wall_ns),
        rate_hz=wanted.rate_hz,
        task=labels.task or wanted.task,
        operator=labels.operator or wanted.operator,
        booth=labels.booth or wanted.booth,
        virtual=wanted.virtual,
        cameras=wanted.cameras,
        software_version=software_version(),
        platform=platform_facts(),
        session=labels.session,
        episode_number=labels.number,
    )
