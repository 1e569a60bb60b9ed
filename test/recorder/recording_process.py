# SPDX-License-Identifier: Apache-2.0
"""A recorder without ROS, to be killed: writes a synthetic take as fast as its messages come, and says how far it is.

Arguments: the take, a file that is mapped into memory. There it keeps, as int64 of CLOCK_MONOTONIC: the start; the
moment until which the writer had looked after everything; then the moment of arrival of every message.
"""

import mmap
import sys
import time
from pathlib import Path

import numpy as np
from takes import T0, Script, metadata, robot, script_messages

from recorder.metadata import recorded_topics
from recorder.space import Reserve
from recorder.take import TakeWriter
from recorder.take_thread import Message, TakeThread

SECONDS = 4.0
RESERVE_BYTES = 1 << 20
"""Small, since many are left behind."""

SLOTS = 8192
BEGIN, LOOKED_AFTER, FIRST = 0, 1, 2


class WatchedWriter(TakeWriter):
    """Notes the time up to which no slice is overdue."""

    diary: "np.ndarray"

    def tick(self, now_ns: int) -> None:
        super().tick(now_ns)
        self.diary[LOOKED_AFTER] = max(self.diary[LOOKED_AFTER], now_ns - T0 + self.diary[BEGIN])


def main(path: Path, diary_file: Path) -> None:
    messages = script_messages(Script(seconds=SECONDS))
    with diary_file.open("r+b") as file:
        diary = np.frombuffer(mmap.mmap(file.fileno(), SLOTS * 8), np.int64)
    writer = WatchedWriter.__new__(WatchedWriter)
    writer.diary = diary
    writer.__init__(path, metadata().to_strings(), recorded_topics(robot(), {}))  # type: ignore[misc]
    start = time.monotonic_ns()
    diary[BEGIN] = diary[LOOKED_AFTER] = start
    thread = TakeThread(
        writer,
        lambda: T0 + time.monotonic_ns() - start,
        Reserve(path.with_name(f".{path.stem}.reserve"), RESERVE_BYTES),
    )
    numbers: dict[str, int] = {}
    for count, (stamp_ns, topic, data) in enumerate(messages):
        due_ns = start + stamp_ns - T0
        time.sleep(max(0.0, (due_ns - time.monotonic_ns()) * 1e-9))
        numbers[topic] = numbers.get(topic, 0) + 1
        now_ns = time.monotonic_ns()
        thread.put(Message(topic, data, T0 + now_ns - start, stamp_ns, numbers[topic]))
        diary[FIRST + count] = now_ns
    time.sleep(60.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
