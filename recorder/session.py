# SPDX-License-Identifier: Apache-2.0
"""Takes of one recorder: start, stop, discard, save. No ROS here; the node hands in serialized messages."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from graph.faults import FaultCode
from graph.stamps import GraphClock
from graph.topics import RECORDER_EVENT, RECORDER_MARKER, Qos, Topic
from recorder import space
from recorder.background import Background, Outcome
from recorder.discarded import Discarded
from recorder.encode import JpegEncoder
from recorder.errors import TakeError
from recorder.identity import take_stem
from recorder.inputs import IMAGE_TYPE
from recorder.labels import Labels
from recorder.messages import definition
from recorder.metadata import TakeMetadata, recorded_topics, robot_description
from recorder.preroll import PreRoll
from recorder.recover import TAKE_SUFFIX, TRASH, leftover_takes
from recorder.running_take import RunningTake, take_facts
from recorder.settings import Settings, State
from recorder.take_thread import Message
from robots.robot import Robot, load_robot

__all__ = ["RecordingSession", "Settings", "State"]

DISK_FULL = "the disk is almost full: the take was closed while it can still be saved"


class RecordingSession:
    """All takes between the start and the end of a recorder.

    A take that was stopped is closed by its own thread and finalised by another process, so the next one may start at
    once.

    Args:
        settings: what to record.
        clock: graph time.
        told: gets every word that the recorder says of its own acts.

    Raises:
        RobotFileError: unknown robot.
        TakeError: the directory can't be made, or a setting makes no sense.
    """

    def __init__(self, settings: Settings, clock: GraphClock, told: Callable[[str], None] = lambda _: None) -> None:
        self._settings = settings
        self._clock = clock
        self._told = told
        self._robot_yaml = robot_description(settings.robot)
        self.robot: Robot = load_robot(settings.robot)
        self.topics: tuple[Topic, ...] = (
            *recorded_topics(self.robot, settings.cameras),
            RECORDER_EVENT,
            RECORDER_MARKER,
            *settings.topics.values(),
        )
        states = {topic.name for topic in self.topics if topic.qos is Qos.STATE}
        self._past = PreRoll(settings.preroll_s, states)
        self._background = Background()
        self._take: RunningTake | None = None
        self._closing: list[RunningTake] = []
        self._last_take: Path | None = None
        self._discarded: Discarded | None = None
        self._labels = Labels()
        self._lock = threading.Lock()
        self._rate = space.ByteRate()
        self.state = State()
        self._facts()  # refuse now what a start would refuse
        for topic in self.topics:
            definition(topic.type)
        self._encoder = JpegEncoder(dict(settings.raw), self._admit, settings.jpeg_quality) if settings.raw else None
        self._open_directory()

    @property
    def recording(self) -> bool:
        """Whether a take is running."""
        return self._take is not None

    @property
    def sources(self) -> tuple[Topic, ...]:
        """What to subscribe to: all that goes into a take but what the recorder makes itself."""
        made = {RECORDER_EVENT.name, *self._settings.raw.values()}
        raw = tuple(Topic(name, IMAGE_TYPE, Qos.SENSOR) for name in self._settings.raw)
        return tuple(topic for topic in self.topics if topic.name not in made) + raw

    def start(self) -> str:
        """Start a take; returns its name.

        Raises:
            TakeError: one is running already, the operator only practises, or less than 1 GiB is free.
        """
        if self._take is not None:
            raise TakeError(f"{self._take.path.stem} is being recorded already: stop or discard it first")
        if self._labels.training:
            raise TakeError("training: nothing is recorded; end it and begin a session to record")
        room = self._room()
        if room.free_bytes < space.MIN_FREE_START_BYTES:
            raise TakeError(
                f"only {room.free_bytes / 1e9:.2f} GB free in {self._settings.directory}, a take needs at least"
                f" {space.MIN_FREE_START_BYTES / 1e9:.2f} GB: free some space or choose another directory"
            )
        facts = self._facts()
        wall_ns = facts.started_ns + self._clock.drift_ns()
        stem = take_stem(wall_ns, self.robot.name, UUID(facts.episode_id))
        path = self._settings.directory / f"{stem}{TAKE_SUFFIX}"
        take = RunningTake.begin(path, facts, self._settings, self.topics, self._clock.now_ns)
        with self._lock:
            for message in self._past.pour(self._clock.now_ns()):
                take.thread.put(message)
            self._take = take
        self.state = State("RECORDING", take=stem)
        take.say("record_started", facts.started_ns)
        self._background.prepare()
        self._told("record_started")
        return stem

    def message(self, topic: str, data: bytes, publish_ns: int, sequence: int, receive_ns: int | None = None) -> None:
        """Take in one serialized message; times are graph time [ns], it arrived now unless ``receive_ns`` says when."""
        arrived_ns = self._clock.now_ns() if receive_ns is None else receive_ns
        message = Message(topic, data, arrived_ns, publish_ns, sequence)
        if self._encoder is None or topic not in self._settings.raw:
            self._admit(message)
        elif self._take is not None or self._past.keeps:
            admitted = self._encoder.put(message)
            if not admitted and self._take is not None:
                self._take.thread.leave_out(topic)

    def stop(self, reason: str) -> str:
        """End the take and have its episode made in the background; returns the take's name at once.

        Raises:
            TakeError: nothing is being recorded.
        """
        take = self._end(reason)
        self._last_take = take.path
        self.state = replace(self.state, message="SAVING", reason=reason, paused=False)
        return take.path.stem

    def discard(self) -> str:
        """Move the running take, else the last saved one, to ``trash/``; returns its name.

        Raises:
            TakeError: there is none, or it is still being saved.
        """
        if self._take is not None:
            take = self._end("discarded")
            take.discarded, path, closed = True, take.path, lambda: take.thread.done
        elif self._last_is_being_saved:
            raise TakeError("the last take is still being saved: discard it when it is saved")
        elif self._last_take is None or not self._last_take.exists():
            raise TakeError("there is no take to discard: none was recorded since the recorder started")
        else:
            path, closed = self._last_take, lambda: True
        self._discarded = Discarded.throw(path, self.state, closed)
        self._last_take = None
        self.state = State(reason=f"{path.stem} was moved to {TRASH}/")
        return path.stem

    def restore(self) -> str:
        """Bring the take that was discarded last back from ``trash/``, with its episode; returns its name.

        One without an episode gets it now.

        Raises:
            TakeError: none was discarded, a take is running or being saved, or it can't come back.
        """
        if self._discarded is None:
            raise TakeError("no take to restore: none was discarded since the recorder started; look into trash/")
        if self._take is not None or self._last_is_being_saved:
            raise TakeError("a take is being recorded or saved: restore the other one after that")
        finished, path = self._discarded.come_back(), self._discarded.take
        before, self._discarded, self._last_take = self._discarded.state, None, path
        if finished and before.take == path.stem:
            self.state = before
        else:
            self.state = State("SAVING", take=path.stem, reason="restored")
            self._background.add(path)
        return path.stem

    def label(self, labels: Labels) -> None:
        """What a session says of the next take."""
        self._labels = labels

    def set_paused(self, paused: bool) -> str:
        """Mark the beginning or the end of a pause in the running take, which is recorded all the same.

        Raises:
            TakeError: nothing is being recorded, or that is how it is already.
        """
        word = self._running().set_paused(paused, self._clock.now_ns())
        self.state = replace(self.state, paused=paused)
        self._told(word)
        return word

    def mark(self) -> str:
        """Write a numbered marker into the running take; returns its text.

        Raises:
            TakeError: nothing is being recorded.
        """
        text = self._running().mark(self._clock.now_ns())
        self._told(text)
        return text

    @property
    def has_news(self) -> bool:
        """Whether a take's file was closed or an episode finished since the last ``poll``."""
        return self._background.has_news or any(take.thread.done for take in self._closing)

    def poll(self) -> State:
        """Look after the takes and the background; to be called a few times a second."""
        room = self._room()
        if self._take is not None:
            self._watch(self._take, room)
        self._hand_over()
        for outcome in self._background.poll():
            self._tell(outcome)
        self.state = self._with_room(room)
        return self.state

    def close(self, timeout_s: float) -> None:
        """Stop the running take and give its episode that long; after that it is left for recovery."""
        deadline = time.monotonic() + timeout_s
        if self._take is not None:
            self.stop("the recorder was shut down")
        for take in self._closing:
            take.thread.wait(max(0.0, deadline - time.monotonic()))
        self._hand_over()
        for outcome in self._background.wait(max(0.0, deadline - time.monotonic())):
            self._tell(outcome)
        if self._encoder is not None:
            self._encoder.close()

    def _open_directory(self) -> None:
        directory = self._settings.directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TakeError(f"can't make the directory {directory}: {error.strerror}") from error
        space.drop_stale_reserves(directory)
        for leftover in reversed(leftover_takes(directory)):
            self._background.add(leftover)

    def _facts(self) -> TakeMetadata:
        return take_facts(self._settings, self.robot, self._robot_yaml, self._clock, self._labels)

    def _admit(self, message: Message) -> None:
        """Into the running take, else into what is kept of the past; also called by the encoder's thread."""
        with self._lock:
            self._rate.add(len(message.data))
            if self._take is None:
                self._past.add(message)
            else:
                self._past.passed(message)
                self._take.thread.put(message)

    @property
    def _last_is_being_saved(self) -> bool:
        """What else is being recovered meanwhile does not matter."""
        return self._last_take in [*self._background.takes, *(take.path for take in self._closing)]

    def _running(self) -> RunningTake:
        if self._take is None:
            raise TakeError("nothing is being recorded: start a take first")
        return self._take

    def _end(self, reason: str) -> RunningTake:
        take = self._running()
        with self._lock:
            self._take = None
        now_ns = self._clock.now_ns()
        take.thread.finish({"reason": reason, "stopped_ns": str(now_ns), "drift_ns": str(self._clock.drift_ns())})
        self._closing.append(take)
        return take

    def _room(self) -> space.Room:
        running = [self._take, *self._closing] if self._take is not None else self._closing
        takes = [take.path for take in running if not take.discarded] + self._background.takes
        return space.room(self._settings.directory, takes, self._rate.bytes_per_s(self._clock.now_ns()))

    def _watch(self, take: RunningTake, room: space.Room) -> None:
        reason = str(take.thread.error or "")
        if not reason and (take.thread.disk_full or room.exhausted):
            reason = DISK_FULL
        if reason:
            self.stop(reason)
            return
        elapsed_s = (self._clock.now_ns() - take.started_ns) / 1e9
        self.state = replace(self.state, rows=int(elapsed_s * self._settings.rate_hz), left_out=take.thread.left_out)

    def _with_room(self, room: space.Room) -> State:
        warnings = [room.warning, self._encoder.problem if self._encoder else ""]
        if self.state.left_out:
            warnings.insert(0, f"{self.state.left_out} messages were left out: this computer is too slow")
        return replace(
            self.state,
            free_gb=room.free_bytes / 1e9,
            rate_mb_s=room.rate / 1e6,
            minutes_left=room.minutes_left,
            warning="; ".join(filter(None, warnings)),
            code=FaultCode.DISK_FULL.value if room.warning or DISK_FULL in self.state.reason else "",
        )

    def _hand_over(self) -> None:
        """Takes whose files are closed go on to the finaliser; also those that the disk cut short."""
        closed = [take for take in self._closing if take.thread.done]
        self._closing = [take for take in self._closing if take not in closed]
        for take in closed:
            if not take.discarded:
                self._background.add(take.path)

    def _tell(self, outcome: Outcome) -> None:
        """The end of the last take is the recorder's state, unless the next one runs; a recovery is only a note."""
        if self._take is not None:
            return
        if outcome.take == self._last_take:
            self.state = State(
                "SAVED" if outcome.episode else "FAILED",
                outcome.take.stem,
                outcome.episode,
                outcome.rows,
                outcome.dropped_rows,
                outcome.reason or f"check: {outcome.verdict}",
                outcome.verdict,
                outcome.findings,
                left_out=self.state.left_out,
            )
        elif self.state.message == "READY":
            result = f"recovered {outcome.episode}" if outcome.episode else f"not recovered: {outcome.reason}"
            self.state = State(reason=result)
