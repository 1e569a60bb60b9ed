# SPDX-License-Identifier: Apache-2.0
"""A recorder's day on a clock of its own: the messages of a whole graph, real files, real finalisers, and an operator
who starts, pauses, marks, stops, discards, and brings back."""

import gc
import os
import random
import struct
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from takes import T0, Script, script_messages

from graph.stamps import GraphClock, join, split
from recorder.errors import TakeError
from recorder.manifest import changed_datasets
from recorder.recover import TAKE_SUFFIX, TRASH, leftover_takes
from recorder.schema import SUFFIX
from recorder.session import RecordingSession, Settings

NS = 1_000_000_000
LEAST_S, MOST_S, RESET_S, BEFORE_S = 20.0, 60.0, 30.0, 2.0
LOOK_NS = NS // 5
PATIENCE_S = 600.0
MOST_QUEUED = 2 << 20
STAMP, STAMP_AT = struct.Struct("<iI"), 4
STAMPED = ("JointState", "JointTrajectory", "PointCloud2", "CompressedImage", "DiagnosticArray")
AT_REST = ("SAVED", "FAILED")


@dataclass
class Hour:
    """What one hour was like: median and 99th percentile of each call of the session [µs], and this process at its
    end, at rest."""

    median_us: dict[str, float] = field(default_factory=dict)
    p99_us: dict[str, float] = field(default_factory=dict)
    memory_mb: float = 0.0
    descriptors: int = 0
    threads: int = 0


class WorkingDay:
    """One booth's.

    Attributes:
        counts: of takes: started, discarded, restored; of episodes: made, failed, changed.
        hours: what each was like.
    """

    def __init__(self, directory: Path, seed: int = 1) -> None:
        self.counts: Counter[str] = Counter()
        self.hours: list[Hour] = []
        self._directory = directory
        self._chance = random.Random(seed)
        self._now_ns = 0
        self._numbers: Counter[str] = Counter()
        self._calls: defaultdict[str, array[float]] = defaultdict(lambda: array("d"))
        settings = Settings("hx5_d20_right", directory, 30.0, "sort cups", "ada", "booth-1", True, {}, preroll_s=1.0)
        self._session = RecordingSession(settings, GraphClock(T0, monotonic_ns=lambda: self._now_ns))
        types = {topic.name: topic.type.rpartition("/")[2] for topic in self._session.topics}
        self._script = [
            (stamp_ns - T0, topic, data, types[topic] in STAMPED)
            for stamp_ns, topic, data in script_messages(Script(seconds=MOST_S))
        ]

    def work(self, hours: int, minutes: float = 60.0) -> None:
        """Record for so many hours, and go home. Tests that have no time make hours of a few minutes."""
        for number in range(hours):
            while self._now_ns < minutes * (number + 1) * 60 * NS:
                self._episode(self._chance.random())
            self._episode(fate=1.0)
            self._end_of_hour()
        self._session.close(PATIENCE_S)

    def _episode(self, fate: float) -> None:
        """One take, what the operator makes of it, and the way to the next."""
        self._play(BEFORE_S, [])
        self._call("start", self._session.start)
        self.counts["started"] += 1
        length_s = self._chance.uniform(LEAST_S, MOST_S)
        acts = [(self._chance.uniform(0.0, 2 * length_s), act) for act in ("pause", "mark", "resume")]
        self._play(length_s, sorted(acts))
        if fate < 0.1:
            self._discard()
        else:
            self._call("stop", lambda: self._session.stop("stopped"))
            if fate < 0.6:
                self._until(lambda: self._session.poll().message in AT_REST)
            if fate < 0.2:
                self._discard()
        self._now_ns += round(RESET_S * NS)

    def _discard(self) -> None:
        """Sometimes it was a mistake."""
        self._call("discard", self._session.discard)
        self.counts["discarded"] += 1
        if self._chance.random() < 0.4:
            self._until(self._came_back)
            self.counts["restored"] += 1

    def _came_back(self) -> bool:
        self._session.poll()
        try:
            self._session.restore()
        except TakeError:  # it is still being closed, or another one is being saved
            return False
        return True

    def _play(self, seconds: float, acts: list[tuple[float, str]]) -> None:
        """All that the graph says in this time, and what the operator does."""
        begin_ns = looked_ns = self._now_ns
        for offset_ns, topic, data, stamped in self._script:
            if offset_ns > seconds * NS:
                break
            self._now_ns = max(self._now_ns, begin_ns + offset_ns + NS // 500)
            while acts and acts[0][0] * NS <= offset_ns:
                self._act(acts.pop(0)[1])
            self._hear(topic, _moved(data, begin_ns) if stamped else data, begin_ns + offset_ns + T0)
            if self._now_ns - looked_ns >= LOOK_NS:
                looked_ns = self._now_ns
                self._call("poll", self._session.poll)
                self._until(lambda: self._queued_bytes() < MOST_QUEUED)

    def _queued_bytes(self) -> int:
        """What waits for the disk. On a clock that runs so fast it would be minutes of a take."""
        take = self._session._take
        return take.thread._queued_bytes if take else 0

    def _act(self, act: str) -> None:
        if act == "mark":
            self._call("mark", self._session.mark)
        elif self._session.state.paused != (act == "pause"):
            self._call("pause", lambda: self._session.set_paused(act == "pause"))

    def _hear(self, topic: str, data: bytes, stamp_ns: int) -> None:
        number = self._numbers[topic] = self._numbers[topic] + 1
        began = time.perf_counter_ns()
        self._session.message(topic, data, stamp_ns, number)
        self._calls["message"].append((time.perf_counter_ns() - began) / 1e3)

    def _call(self, name: str, act: Callable[[], object]) -> None:
        began = time.perf_counter_ns()
        act()
        self._calls[name].append((time.perf_counter_ns() - began) / 1e3)

    def _until(self, done: Callable[[], object]) -> None:
        """The day's clock stands still meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, self._session.state
            time.sleep(0.005)

    def _end_of_hour(self) -> None:
        """Look at every episode; takes whose episodes are whole are no longer needed."""
        self._until(lambda: self._session.poll() and not leftover_takes(self._directory))
        self._until(lambda: self._session.poll().message in AT_REST)
        for path in self._directory.glob(f"*{SUFFIX}"):
            take = path.with_suffix(TAKE_SUFFIX)
            if take.exists():
                self._verify(path)
                take.unlink()
        for path in (self._directory / TRASH).glob("*"):
            path.unlink()
        hour = Hour()
        for name, took in self._calls.items():
            hour.median_us[name], hour.p99_us[name] = (float(np.percentile(took, share)) for share in (50, 99))
        self._calls.clear()
        gc.collect()
        hour.memory_mb, hour.threads = _status("RssAnon:") / 1024, _status("Threads:")
        hour.descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        self.hours.append(hour)

    def _verify(self, path: Path) -> None:
        with h5py.File(path) as file:
            self.counts["made"] += 1
            self.counts["failed"] += file.attrs["verdict"] == "failed" or not file.attrs["complete"]
            self.counts["changed"] += bool(changed_datasets(file))
            self.counts["dropped rows"] += int(file.attrs["dropped_rows"])


def _moved(data: bytes, by_ns: int) -> bytes:
    """A message with a header whose stamp is so much later; one without a stamp stays so."""
    moved = bytearray(data)
    stamp_ns = join(*STAMP.unpack_from(moved, STAMP_AT))
    if stamp_ns:
        STAMP.pack_into(moved, STAMP_AT, *split(stamp_ns + by_ns))
    return bytes(moved)


def _status(name: str) -> int:
    """A figure of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
