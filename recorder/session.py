# SPDX-License-Identifier: Apache-2.0
"""Takes of one recorder: start, stop, discard, save. No ROS here; the node hands in serialized messages."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from graph.stamps import GraphClock
from graph.topics import Qos, Topic
from recorder.background import Background, Outcome
from recorder.errors import TakeError
from recorder.identity import take_stem, uuid7, wall_iso
from recorder.metadata import TakeMetadata, recorded_topics, robot_description, software_version
from recorder.recover import TAKE_SUFFIX, TRASH, leftover_takes, set_aside
from recorder.take import TakeWriter
from recorder.take_thread import TakeThread
from robots.robot import Robot, load_robot

MIN_FREE_START_BYTES = 1 << 30
MIN_FREE_BYTES = 256 << 20
"""A running take is closed while there is still room to turn it into an episode."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the recorder was asked to record; fields as in ``TakeMetadata``."""

    robot: str
    directory: Path
    rate_hz: float
    task: str
    operator: str
    booth: str
    virtual: bool
    cameras: dict[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """What the recorder says of itself: READY, RECORDING, SAVING, SAVED or FAILED, and about which take."""

    message: str = "READY"
    take: str = ""
    episode: str = ""
    rows: int = 0
    dropped_rows: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Take:
    path: Path
    thread: TakeThread
    started_ns: int


@dataclass(frozen=True, slots=True)
class _Latched:
    data: bytes
    receive_ns: int
    publish_ns: int
    sequence: int


class RecordingSession:
    """All takes between the start and the end of a recorder.

    Args:
        settings: what to record.
        clock: graph time.

    Raises:
        RobotFileError: unknown robot.
        TakeError: the directory can't be made, or the rate makes no sense.
    """

    def __init__(self, settings: Settings, clock: GraphClock) -> None:
        self._settings = settings
        self._clock = clock
        self._robot_yaml = robot_description(settings.robot)
        self.robot: Robot = load_robot(settings.robot)
        self.topics: tuple[Topic, ...] = recorded_topics(self.robot, settings.cameras)
        self._states = {topic.name for topic in self.topics if topic.qos is Qos.STATE}
        self._latched: dict[str, _Latched] = {}
        self._background = Background()
        self._take: _Take | None = None
        self._last_take: Path | None = None
        self.state = State()
        self._facts()  # refuse now what a start would refuse
        try:
            settings.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TakeError(f"can't make the directory {settings.directory}: {error.strerror}") from error
        for leftover in reversed(leftover_takes(settings.directory)):
            self._background.add(leftover)

    @property
    def recording(self) -> bool:
        """Whether a take is running."""
        return self._take is not None

    def start(self) -> str:
        """Start a take; returns its name.

        Raises:
            TakeError: one is running already, or less than 1 GiB is free.
        """
        if self._take is not None:
            raise TakeError(f"{self._take.path.stem} is being recorded already: stop or discard it first")
        free = shutil.disk_usage(self._settings.directory).free
        if free < MIN_FREE_START_BYTES:
            raise TakeError(
                f"only {free / 1e9:.2f} GB free in {self._settings.directory}, a take needs at least"
                f" {MIN_FREE_START_BYTES / 1e9:.2f} GB: free some space or choose another directory"
            )
        facts = self._facts()
        wall_ns = facts.started_ns + self._clock.drift_ns()
        stem = take_stem(wall_ns, self.robot.name, UUID(facts.episode_id))
        path = self._settings.directory / f"{stem}{TAKE_SUFFIX}"
        writer = TakeWriter(path, facts.to_strings(), self.topics)
        self._take = _Take(path, TakeThread(writer, self._clock.now_ns), facts.started_ns)
        for topic, last in self._latched.items():  # states that were told before the take began still hold
            self._take.thread.put(topic, last.data, last.receive_ns, last.publish_ns, last.sequence)
        self.state = State("RECORDING", take=stem)
        return stem

    def message(self, topic: str, data: bytes, publish_ns: int, sequence: int) -> None:
        """Take in one serialized message that arrived now; ``publish_ns`` is the graph time of its publishing."""
        receive_ns = self._clock.now_ns()
        if topic in self._states:
            self._latched[topic] = _Latched(data, receive_ns, publish_ns, sequence)
        if self._take is not None:
            self._take.thread.put(topic, data, receive_ns, publish_ns, sequence)

    def stop(self, reason: str) -> str:
        """Close the take and have its episode made in the background; returns the take's name.

        Raises:
            TakeError: nothing is being recorded, or the disk refuses.
        """
        take = self._close(reason)
        self._last_take = take.path
        self._background.add(take.path)
        self.state = replace(self.state, message="SAVING", reason=reason)
        return take.path.stem

    def discard(self) -> str:
        """Move the running take, else the last saved one, to ``trash/``; returns its name.

        Raises:
            TakeError: there is none, or it is still being saved.
        """
        if self._take is not None:
            path = self._close("discarded").path
        elif self._background.busy:
            raise TakeError("the last take is still being saved: discard it when it is saved")
        elif self._last_take is None or not self._last_take.exists():
            raise TakeError("there is no take to discard: none was recorded since the recorder started")
        else:
            path = self._last_take
        set_aside(path, TRASH)
        self._last_take = None
        self.state = State(reason=f"{path.stem} was moved to {TRASH}/")
        return path.stem

    def poll(self) -> State:
        """Look after the running take and the background; to be called a few times a second."""
        if self._take is not None:
            self._watch(self._take)
        for outcome in self._background.poll():
            self._tell(outcome)
        return self.state

    def close(self, timeout_s: float) -> None:
        """Stop the running take and give its episode that long; after that it is left for recovery."""
        if self._take is not None:
            try:
                self.stop("the recorder was shut down")
            except TakeError as error:
                self.state = replace(self.state, message="FAILED", reason=str(error))
        for outcome in self._background.wait(timeout_s):
            self._tell(outcome)

    def _facts(self) -> TakeMetadata:
        now_ns = self._clock.now_ns()
        wall_ns = now_ns + self._clock.drift_ns()
        wanted = self._settings
        return TakeMetadata(
            episode_id=str(uuid7(wall_ns, os.urandom(10))),
            robot=self.robot.name,
            robot_yaml=self._robot_yaml,
            wall_offset_ns=self._clock.offset_ns,
            started_ns=now_ns,
            created=wall_iso(wall_ns),
            rate_hz=wanted.rate_hz,
            task=wanted.task,
            operator=wanted.operator,
            booth=wanted.booth,
            virtual=wanted.virtual,
            cameras=wanted.cameras,
            software_version=software_version(),
        )

    def _close(self, reason: str) -> _Take:
        if self._take is None:
            raise TakeError("nothing is being recorded: start a take first")
        take, self._take = self._take, None
        now_ns = self._clock.now_ns()
        take.thread.close({"reason": reason, "stopped_ns": str(now_ns), "drift_ns": str(self._clock.drift_ns())})
        return take

    def _watch(self, take: _Take) -> None:
        reason = str(take.thread.error or "")
        if not reason and shutil.disk_usage(self._settings.directory).free < MIN_FREE_BYTES:
            reason = "the disk is almost full: the take was closed while it can still be saved"
        if reason:
            try:
                self.stop(reason)
            except TakeError as error:
                self.state = replace(self.state, message="FAILED", reason=str(error))
            return
        elapsed_s = (self._clock.now_ns() - take.started_ns) / 1e9
        self.state = replace(self.state, rows=int(elapsed_s * self._settings.rate_hz))

    def _tell(self, outcome: Outcome) -> None:
        """The end of the last take is the recorder's state, unless the next one runs; a recovery is only a note."""
        if self._take is not None:
            return
        if outcome.take == self._last_take:
            message = "SAVED" if outcome.episode else "FAILED"
            reason = outcome.reason or f"check: {outcome.verdict}"
            name = outcome.take.stem
            self.state = State(message, name, outcome.episode, outcome.rows, outcome.dropped_rows, reason)
        elif self.state.message == "READY":
            result = f"recovered {outcome.episode}" if outcome.episode else f"not recovered: {outcome.reason}"
            self.state = State(reason=result)
