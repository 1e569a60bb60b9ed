# SPDX-License-Identifier: Apache-2.0
"""Cuts the byte stream of a DYNAMIXEL bus into packets."""

from dataclasses import dataclass, field

from drivers.protocol_frame import (
    BODY_OFFSET,
    HEADER,
    MAX_FRAME_BYTES,
    Instruction,
    Packet,
    crc_is_right,
    decode_checked,
    is_fast_status,
)

_NOT_A_FRAME = -1


@dataclass(frozen=True, slots=True)
class CrcFailure:
    """A complete frame whose CRC is wrong, reported by `PacketReader` in place of a packet.

    ``id`` and ``instruction`` are what the broken frame said: a hint, not a fact.
    """

    id: int
    instruction: int
    raw: bytes = field(repr=False)


class PacketReader:
    """Cuts a byte stream into packets; keeps its place over any chunking, skips noise and half frames.

    A complete valid frame inside an unfinished one (the rest of which was lost) is delivered at once: a stuffed frame
    can't contain a header, so the unfinished one is given up. Packets do not depend on how the stream was cut.
    """

    __slots__ = ("_buffer", "_max_frame_bytes")

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._buffer = bytearray()
        self._max_frame_bytes = max_frame_bytes

    @property
    def pending_bytes(self) -> int:
        """Bytes kept because they may be the beginning of a frame."""
        return len(self._buffer)

    def reset(self) -> None:
        """Forget the beginning of a frame, for example after a timeout."""
        self._buffer.clear()

    def feed(self, chunk: bytes) -> list[Packet | CrcFailure]:
        """Take the next bytes of the stream; returns what they completed, in the order of the stream. Never raises."""
        self._buffer += chunk
        out: list[Packet | CrcFailure] = []
        start = 0
        while (start := self._next_header(start)) >= 0:
            end = self._frame_end(start)
            if end == _NOT_A_FRAME:
                start += 1
                continue
            inner = self._valid_frame_inside(start, end)
            if inner is not None:
                start = inner
                continue
            if end > len(self._buffer):
                break
            raw = bytes(self._buffer[start:end])
            packet = decode_checked(raw)
            out.append(packet if packet is not None else CrcFailure(raw[4], raw[BODY_OFFSET], raw))
            start = end if packet is not None else start + 1
        self._keep_from(start)
        return out

    def _next_header(self, start: int) -> int:
        return self._buffer.find(HEADER, start)

    def _frame_end(self, start: int) -> int:
        """Index after the frame at ``start``; an index beyond the buffer when it isn't complete yet."""
        buffer = self._buffer
        if len(buffer) < start + BODY_OFFSET + 1:
            return len(buffer) + 1
        length = buffer[start + 5] | buffer[start + 6] << 8
        shortest = 4 if buffer[start + BODY_OFFSET] == Instruction.STATUS else 3
        if length < shortest or length + BODY_OFFSET > self._max_frame_bytes or buffer[start + 4] in (0xFD, 0xFF):
            return _NOT_A_FRAME
        return start + BODY_OFFSET + length

    def _valid_frame_inside(self, start: int, end: int) -> int | None:
        """Start of the valid frame that completes first within ``start … end``, for frames that can't hold a header."""
        buffer = self._buffer
        if len(buffer) <= start + BODY_OFFSET or is_fast_status(buffer[start + 4], buffer[start + BODY_OFFSET]):
            return None
        best: tuple[int, int] | None = None
        inner = start
        while (inner := buffer.find(HEADER, inner + 1, min(end, len(buffer)))) >= 0:
            inner_end = self._frame_end(inner)
            if inner_end == _NOT_A_FRAME or inner_end >= end or inner_end > len(buffer):
                continue
            if (best is None or inner_end < best[0]) and crc_is_right(bytes(buffer[inner:inner_end])):
                best = (inner_end, inner)
        return None if best is None else best[1]

    def _keep_from(self, start: int) -> None:
        if start >= 0:
            del self._buffer[:start]
            return
        tail = next((n for n in (3, 2, 1) if self._buffer.endswith(HEADER[:n])), 0)
        del self._buffer[: len(self._buffer) - tail]
