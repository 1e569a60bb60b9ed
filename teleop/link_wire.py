# SPDX-License-Identifier: Apache-2.0
"""What goes over the link between an operator's laptop and the robot: four kinds of message, each of one fixed length.

    magic  version  kind  length | epoch  session  sequence | sent  echo  held | content | CRC-32
    4 s    u8       u8    u16    | u64    u64      u64      | i64   i64   i64  |         | u32      (little-endian)

``sent`` is the sender's monotonic clock. ``echo`` is the newest ``sent`` that it had from the other side, and ``held``
how long it had kept that: one message therefore tells a whole round trip, see `teleop.link_clock`. Untrusted bytes are
measured first, then summed, then read; numbers that no tracker can have meant are refused. Nothing of variable
length, no text that names a type, nothing that is executed.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from graph import body_cloud, hands_cloud

Cloud = NDArray[np.void]

MAGIC, VERSION = b"BLNK", 1
HEADER = struct.Struct("<4sBBHQQQqqq")
CRC = struct.Struct("<I")
BEAT = struct.Struct("<I")
FRAME = struct.Struct("<qIfff")
STATUS = struct.Struct("<16s160s")

FLOATS = ("x", "y", "z", "u", "v", "score")
ROWS = {"hands": (len(hands_cloud.HANDS), hands_cloud.LANDMARKS), "body": (1, body_cloud.LANDMARKS)}
FARTHEST_M, FARTHEST_SHARE = 5.0, 10.0
"""Farther from the wrist or the hips, or outside the image, is no landmark of a person in front of a camera."""
LONGEST_MS, ASPECTS = 10_000.0, (0.1, 10.0)
LARGEST_NS = 2**62


class WireError(ValueError):
    """Bytes or values that are no message. ``kind`` is a word to count it by."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Kind(IntEnum):
    """What a message is: the first three come from the operator, the last from the robot."""

    BEAT = 1
    HANDS = 2
    BODY = 3
    STATUS = 4


@dataclass(frozen=True, slots=True)
class Head:
    """What every message begins with.

    Attributes:
        epoch: one run of the sender; drawn anew at each start, never 0.
        session: the robot's leave to send landmarks, given to one epoch; 0: none yet.
        sequence: counts up within an epoch, for each kind.
        sent_ns: when it was sent, by the sender's monotonic clock.
        echo_ns: the newest ``sent_ns`` that came from the other side; 0: none yet.
        held_ns: how long ago that was when this was sent.
    """

    epoch: int
    session: int
    sequence: int
    sent_ns: int
    echo_ns: int = 0
    held_ns: int = 0


@dataclass(frozen=True, slots=True)
class Beat:
    """The operator's side is alive; ``resolution_ns``: the steps in which its clock counts."""

    resolution_ns: int = 1


@dataclass(frozen=True, slots=True)
class Landmarks:
    """One cloud of `graph.hands_cloud` or `graph.body_cloud`; ``capture_ns``: of its frame, on the sender's clock."""

    capture_ns: int
    cloud: Cloud


@dataclass(frozen=True, slots=True)
class RobotStatus:
    """What the operator should know: the robot's state word, and why."""

    word: str
    reason: str = ""


Content = Beat | Landmarks | RobotStatus


def _length(kind: Kind) -> int:
    content = {Kind.BEAT: BEAT.size, Kind.STATUS: STATUS.size}
    for name, each in (("hands", Kind.HANDS), ("body", Kind.BODY)):
        content[each] = FRAME.size + 4 * len(FLOATS) * ROWS[name][0] * ROWS[name][1]
    return HEADER.size + content[kind] + CRC.size


LENGTHS = {kind: _length(kind) for kind in Kind}
LONGEST = max(LENGTHS.values())


def encode(head: Head, content: Content) -> bytes:
    """One message.

    Raises:
        WireError: ``decode`` would refuse it.
    """
    kind, body = _pack(content)
    numbers = (head.epoch, head.session, head.sequence, head.sent_ns, head.echo_ns, head.held_ns)
    try:
        data = HEADER.pack(MAGIC, VERSION, kind, LENGTHS[kind], *numbers) + body
    except struct.error as error:
        raise WireError("range", f"a number does not fit its field: {error}") from error
    data += CRC.pack(crc32(data))
    decode(data)
    return data


def decode(data: bytes) -> tuple[Head, Content]:
    """Read one message.

    Raises:
        WireError: it is none, or not one that anything may be made of.
    """
    if not LENGTHS[Kind.BEAT] <= len(data) <= LONGEST:
        raise WireError("length", f"{len(data)} bytes, expected {min(LENGTHS.values())} to {LONGEST}")
    magic, version, number, length, *numbers = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise WireError("magic", "not a message of this link")
    if version != VERSION:
        raise WireError("version", f"version {version}, expected {VERSION}: install the same release on both sides")
    if number not in LENGTHS or length != len(data) or length != LENGTHS[Kind(number)]:
        raise WireError("length", f"kind {number} with {len(data)} bytes, {length} announced")
    if CRC.unpack_from(data, len(data) - CRC.size)[0] != crc32(data[: -CRC.size]):
        raise WireError("crc", "damaged on its way")
    head = Head(*numbers)
    if head.epoch == 0 or not all(0 <= stamp < LARGEST_NS for stamp in (head.sent_ns, head.echo_ns, head.held_ns)):
        raise WireError("range", "an epoch or a stamp is impossible")
    return head, _unpack(Kind(number), head, data[HEADER.size : -CRC.size])


def _pack(content: Content) -> tuple[Kind, bytes]:
    if isinstance(content, Beat):
        return Kind.BEAT, BEAT.pack(content.resolution_ns)
    if isinstance(content, RobotStatus):
        return Kind.STATUS, STATUS.pack(_text_bytes(content.word, 16), _text_bytes(content.reason, 160))
    cloud = content.cloud
    kinds = {ROWS["hands"]: Kind.HANDS, ROWS["body"]: Kind.BODY}
    if cloud.dtype != hands_cloud.POINT or cloud.shape not in kinds:
        raise WireError("shape", f"a cloud of shape {cloud.shape}, expected {' or '.join(map(str, kinds))}")
    first = cloud[0, 0]
    floats = np.stack([cloud[name] for name in FLOATS], axis=-1).astype("<f4")
    start = FRAME.pack(
        content.capture_ns, int(first["frame"]), first["aspect"], first["inference_ms"], first["tracked_ms"]
    )
    return kinds[cloud.shape], start + floats.tobytes()


def _unpack(kind: Kind, head: Head, body: bytes) -> Content:
    if kind is Kind.BEAT:
        return Beat(*BEAT.unpack(body))
    if kind is Kind.STATUS:
        return RobotStatus(*(_text(part) for part in STATUS.unpack(body)))
    capture_ns, frame, aspect, inference_ms, tracked_ms = FRAME.unpack_from(body)
    if not 0 <= capture_ns <= head.sent_ns:
        raise WireError("range", "captured after it was sent")
    if not ASPECTS[0] <= aspect <= ASPECTS[1] or not all(0 <= ms <= LONGEST_MS for ms in (inference_ms, tracked_ms)):
        raise WireError("range", "an aspect or a duration is impossible")
    rows, points = ROWS["hands" if kind is Kind.HANDS else "body"]
    floats = np.frombuffer(body, "<f4", offset=FRAME.size).reshape(rows, points, len(FLOATS))
    _check(floats)
    cloud = hands_cloud.nobody(rows, points)
    for column, name in enumerate(FLOATS):
        cloud[name] = floats[..., column]
    cloud["frame"], cloud["aspect"] = frame, aspect
    cloud["inference_ms"], cloud["tracked_ms"] = inference_ms, tracked_ms
    return Landmarks(capture_ns, cloud)


def _check(floats: NDArray[np.float32]) -> None:
    """Every hand or body is wholly there and possible, or wholly not there (NaN)."""
    for row in floats:
        missing = np.isnan(row)
        if missing.all():
            continue
        if not np.isfinite(row).all():
            raise WireError("range", "landmarks that are NaN in part, or infinite")
        inside = np.abs(row[:, :3]).max() <= FARTHEST_M and np.abs(row[:, 3:5]).max() <= FARTHEST_SHARE
        if not inside or row[:, 5].min() < 0.0 or row[:, 5].max() > 1.0:
            raise WireError("range", "landmarks that nobody can have")


def _text_bytes(text: str, size: int) -> bytes:
    """UTF-8 in at most ``size`` bytes, cut between characters; what does not print is left out."""
    plain = "".join(character for character in text if character.isprintable())
    return plain.encode(errors="ignore")[:size].decode(errors="ignore").encode()


def _text(data: bytes) -> str:
    try:
        text = data.rstrip(b"\0").decode()
    except UnicodeDecodeError as error:
        raise WireError("text", "a text that is not UTF-8") from error
    if not text.isprintable():
        raise WireError("text", "a text that does not print")
    return text
