# SPDX-License-Identifier: Apache-2.0
"""The recorder's write path without ROS: what a row costs, and what it costs more than plain writing."""

import os
import time
from pathlib import Path

import numpy as np

from graph.stamps import graph_clock
from graph.topics import CAMERA, JOINT_STATES, SENT
from recorder.session import RecordingSession, Settings
from recorder.take import SLICE_NS, TakeWriter
from recorder.take_thread import Message

ROBOT = "ffw_sh5"
ROWS_HZ = 30
JOINTS_EVERY_ROW = 7
CAMERAS_EVERY_ROW = 4
JOINT_BYTES, FRAME_BYTES = 3400, 80_000
ROW_COST_S, WRITE_S = 5.0, 20.0


def row(number: int, now_ns: int) -> list[Message]:
    """All messages of one row: 57 joints measured and sent at about 200 Hz, four cameras."""
    body = bytes(JOINT_BYTES)
    frame = np.random.default_rng(number % 30).bytes(FRAME_BYTES)
    joints = [
        Message(topic.name, body, now_ns, now_ns, number * JOINTS_EVERY_ROW + k)
        for k in range(JOINTS_EVERY_ROW)
        for topic in (JOINT_STATES, SENT)
    ]
    return joints + [
        Message(CAMERA.name, frame, now_ns, now_ns, number * CAMERAS_EVERY_ROW + k) for k in range(CAMERAS_EVERY_ROW)
    ]


def row_cost_p99_ms(directory: Path) -> float:
    """How long the thread that hears the graph is held up by the messages of one row, while they are being written."""
    settings = Settings(ROBOT, directory / "rows", float(ROWS_HZ), "", "", "", True, {})
    session = RecordingSession(settings, graph_clock())
    session.start()
    costs = []
    began = time.monotonic()
    for number in range(round(ROW_COST_S * ROWS_HZ)):
        messages = row(number, time.monotonic_ns())
        time.sleep(max(0.0, began + number / ROWS_HZ - time.monotonic()))
        start = time.perf_counter()
        for message in messages:
            session.message(message.topic, message.data, message.publish_ns, message.sequence)
        costs.append(time.perf_counter() - start)
    session.discard()
    session.close(0.0)
    return float(np.percentile(costs, 99)) * 1e3


def write_over_plain_write(directory: Path) -> float:
    """Processor time of a take's writer, as a multiple of that of plain write() and fsync of the same bytes."""
    rows = [row(number, number * 1_000_000_000 // ROWS_HZ) for number in range(30)]
    count = round(WRITE_S * ROWS_HZ)
    return _take_cpu_s(directory / "path.mcap", rows, count) / _plain_cpu_s(directory / "path.bin", rows, count)


def _take_cpu_s(path: Path, rows: list[list[Message]], count: int) -> float:
    with TakeWriter(path, {}, (JOINT_STATES, SENT, CAMERA)) as writer:
        began = time.process_time()
        for number in range(count):
            now_ns = number * 1_000_000_000 // ROWS_HZ
            for message in rows[number % len(rows)]:
                writer.add(message.topic, message.data, now_ns, now_ns, message.sequence)
        return time.process_time() - began


def _plain_cpu_s(path: Path, rows: list[list[Message]], count: int) -> float:
    joined = [b"".join(message.data for message in messages) for messages in rows]
    every = round(SLICE_NS * 1e-9 * ROWS_HZ)
    with path.open("wb", buffering=0) as file:
        began = time.process_time()
        for number in range(count):
            file.write(joined[number % len(joined)])
            if number % every == 0:
                os.fsync(file.fileno())
        return time.process_time() - began
