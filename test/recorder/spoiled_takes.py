# SPDX-License-Identifier: Apache-2.0
"""Synthetic takes in which one thing goes wrong, on the wire as it would."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from takes import LAG_NS, MS, T0, Script, cdr, header, metadata, script_messages

from recorder.check import Report, check_episode
from recorder.finalise import finalise
from recorder.metadata import recorded_topics
from recorder.take import TakeWriter

Spoil = Callable[[str, float, bytes], bytes | None]
"""Topic, seconds since the start and bytes of a message -> the bytes to record, None: it never arrives."""

SECONDS = 8.0


def spoiled_report(folder: Path, spoil: Spoil, seconds: float = SECONDS) -> Report:
    """What the check says of the episode of a spoiled take."""
    path = folder / "spoiled.mcap"
    facts = metadata()
    writer = TakeWriter(path, facts.to_strings(), recorded_topics(facts.description(), facts.cameras))
    numbers: dict[str, int] = {}
    for stamp_ns, topic, data in script_messages(Script(seconds=seconds)):
        changed = spoil(topic, (stamp_ns - T0) * 1e-9, data)
        if changed is not None:  # what never came was never numbered: the publisher itself failed
            numbers[topic] = numbers.get(topic, 0) + 1
            writer.add(topic, changed, stamp_ns + LAG_NS, stamp_ns, numbers[topic])
    writer.close({"reason": "stopped", "drift_ns": "1500"})
    return check_episode(finalise(path).path)


def shifted(data: bytes, by_ms: float) -> bytes:
    """A message with its header's stamp moved; the stamp follows CDR's encapsulation of four bytes."""
    sec, nanosec = struct.unpack_from("<iI", data, 4)
    moved = divmod(sec * 10**9 + nanosec + round(by_ms * MS), 10**9)
    return data[:4] + struct.pack("<iI", *moved) + data[12:]


def picture(stamp_s: float, mean: float, noise: float = 6.0) -> bytes:
    """A CompressedImage of grey noise about a mean, stamped so long after the start."""
    random = np.random.default_rng(round(stamp_s * 1e3))
    pixels = np.clip(random.normal(mean, noise, (48, 64)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return compressed(stamp_s, buffer.getvalue())


def garbage(stamp_s: float) -> bytes:
    """A CompressedImage of which only the ends are a JPEG's."""
    body = np.random.default_rng(round(stamp_s * 1e3)).bytes(600)
    return compressed(stamp_s, b"\xff\xd8\xff" + body + b"\xff\xd9")


def compressed(stamp_s: float, data: bytes) -> bytes:
    """sensor_msgs/CompressedImage, stamped so long after the start."""
    stamp = header(T0 + round(stamp_s * 1e9))
    return cdr("sensor_msgs/msg/CompressedImage", header=stamp, format="jpeg", data=np.frombuffer(data, np.uint8))


def levels(report: Report) -> dict[str, str]:
    """Code to level."""
    return {finding.code: finding.level.value for finding in report.findings}
