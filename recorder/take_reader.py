# SPDX-License-Identifier: Apache-2.0
"""Read a take, whole or torn: every complete chunk counts, whatever comes after it does not.

Messages are views of the memory-mapped file: a long take needs no memory of its own.
"""

import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Metadata, Schema
from mcap.writer import MCAP0_MAGIC

from recorder.errors import TakeError
from recorder.metadata import TakeMetadata
from recorder.take import METADATA_END, METADATA_START

_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK = struct.Struct("<QQQII")  # start, end, uncompressed size, CRC, length of the compression's name
_UNREADABLE = (McapError, struct.error, UnicodeDecodeError)


class TakeMessage(NamedTuple):
    """One recorded message: graph times [ns], publisher's number, CDR bytes (a view of the file)."""

    receive_ns: int
    publish_ns: int
    sequence: int
    data: memoryview


@dataclass(frozen=True, slots=True)
class Take:
    """What a take holds.

    Attributes:
        complete: the file was closed properly and every chunk's CRC is right.
        end: facts noted at the close (``reason``, ``stopped_ns``, ``drift_ns`` …); empty when it was never closed.
        types: topic to ROS type.
        messages: topic to its messages in order of arrival.
        damaged_chunks: chunks left out because their CRC is wrong.
        torn_bytes: bytes after the last complete record.
    """

    path: Path
    complete: bool
    metadata: TakeMetadata
    end: dict[str, str]
    types: dict[str, str]
    messages: dict[str, tuple[TakeMessage, ...]]
    damaged_chunks: int
    torn_bytes: int


def read_take(path: Path) -> Take:
    """Read all complete chunks of a take.

    Raises:
        TakeError: no such file, not an MCAP file, or cut before its metadata.
    """
    view = _map(path)
    content = _Content()
    footer = False
    last = len(MCAP0_MAGIC)
    for opcode, payload, end in _records(view, last):
        footer = footer or opcode == Opcode.FOOTER
        content.take_in(opcode, payload)
        last = end
    closed = footer and bytes(view[last:]) == MCAP0_MAGIC
    if METADATA_START not in content.metadata:
        raise TakeError(
            f"{path.name} holds no take: expected a file made by booth record, or it was cut at its very start"
        )
    return Take(
        path,
        closed and not content.damaged,
        TakeMetadata.from_strings(content.metadata[METADATA_START]),
        content.metadata.get(METADATA_END, {}),
        {channel.topic: content.schemas[channel.schema_id] for channel in content.channels.values()},
        {topic: tuple(messages) for topic, messages in content.messages.items()},
        content.damaged,
        0 if closed else len(view) - last,
    )


def _map(path: Path) -> memoryview:
    try:
        with path.open("rb") as file:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:  # ValueError: an empty file can't be mapped
        raise TakeError(f"can't read {path}: {error}") from error
    if view[: len(MCAP0_MAGIC)] != MCAP0_MAGIC:
        raise TakeError(f"{path.name} is not an MCAP file: expected a take made by booth record")
    return view


def _records(view: memoryview, offset: int) -> Iterator[tuple[int, memoryview, int]]:
    """(opcode, payload, offset behind it) of every complete record; ends at the footer, a torn record or zeros."""
    while offset + _RECORD.size <= len(view):
        opcode, length = _RECORD.unpack_from(view, offset)
        end = offset + _RECORD.size + length
        if opcode == 0 or end > len(view):
            return
        yield opcode, view[offset + _RECORD.size : end], end
        if opcode == Opcode.FOOTER:
            return
        offset = end


class _Content:
    """Collects what the records say."""

    def __init__(self) -> None:
        self.metadata: dict[str, dict[str, str]] = {}
        self.schemas: dict[int, str] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[str, list[TakeMessage]] = {}
        self.damaged = 0

    def take_in(self, opcode: int, payload: memoryview) -> None:
        try:
            if opcode == Opcode.CHUNK:
                self._chunk(payload)
            elif opcode == Opcode.METADATA:
                record = Metadata.read(ReadDataStream(BytesIO(payload)))
                self.metadata[record.name] = record.metadata
            elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                self._declare(opcode, payload)
        except _UNREADABLE:
            self.damaged += 1

    def _chunk(self, payload: memoryview) -> None:
        _, _, _, crc, name_length = _CHUNK.unpack_from(payload)
        if name_length:
            raise TakeError(
                f"the take's chunks are compressed with {bytes(payload[_CHUNK.size : _CHUNK.size + name_length])!r}:"
                " expected none; run mcap compress --compression none"
            )
        records = payload[_CHUNK.size + 8 :]
        if crc and zlib.crc32(records) != crc:
            self.damaged += 1
            return
        for opcode, record, _ in _records(records, 0):
            if opcode == Opcode.MESSAGE:
                channel, sequence, log_time, publish_time = _MESSAGE.unpack_from(record)
                message = TakeMessage(log_time, publish_time, sequence, record[_MESSAGE.size :])
                if channel in self.channels:  # its declaration may lie in a damaged chunk
                    self.messages.setdefault(self.channels[channel].topic, []).append(message)
            else:
                self._declare(opcode, record)

    def _declare(self, opcode: int, payload: memoryview) -> None:
        if opcode == Opcode.SCHEMA:
            schema = Schema.read(ReadDataStream(BytesIO(payload)))
            self.schemas[schema.id] = schema.name
        elif opcode == Opcode.CHANNEL:
            channel = Channel.read(ReadDataStream(BytesIO(payload)))
            if channel.schema_id in self.schemas:
                self.channels[channel.id] = channel
