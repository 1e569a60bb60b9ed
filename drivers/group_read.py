# SPDX-License-Identifier: Apache-2.0
"""One group read of the cyclic path: its request, made once, and its answers, each device's on its own.

The usual answer, complete and undamaged, is taken apart in a few array operations. Whatever else came, up to
half a frame or one with a flipped bit, is searched for every device's part that can still be trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from drivers import protocol
from drivers.protocol_frame import BROADCAST_ID, HEADER, Instruction, Packet, crc16, u16
from drivers.protocol_reader import PacketReader

FAST_HEAD, FAST_EXTRA = 8, 4
"""Joint frame of a fast read: bytes before the first device; error, ID and CRC of every device."""
PLAIN_HEAD, PLAIN_EXTRA = 9, 11
"""Status packet: bytes before its data; bytes beside its data."""
MISSING = -1

Bytes = NDArray[np.uint8]


class Kind(Enum):
    """The group read instructions."""

    SYNC = "sync read"
    BULK = "bulk read"
    FAST_SYNC = "fast sync read"
    FAST_BULK = "fast bulk read"

    @property
    def fast(self) -> bool:
        """All devices answer in one joint frame."""
        return self in (Kind.FAST_SYNC, Kind.FAST_BULK)


@dataclass(frozen=True, slots=True)
class Slot:
    """What is read of one device."""

    id: int
    address: int
    length: int


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back.

    Attributes:
        error: (n,) error byte of every slot, MISSING (-1) where nothing trustworthy came.
        data: for every run of slots of equal length one array (count, length); rows of missing slots are zeros, look
            at ``error`` first.
        crc_failures: parts that came with a wrong CRC.
        complete: every device has answered.
        healthy: and none of them had an error or an alert to report.
    """

    error: NDArray[np.int16]
    data: tuple[Bytes, ...]
    crc_failures: int = 0
    complete: bool = True
    healthy: bool = False


class GroupRead:
    """A group read of fixed slots; slots of equal length must stand side by side."""

    def __init__(self, slots: Sequence[Slot], kind: Kind) -> None:
        self.slots, self.kind = tuple(slots), kind
        self.request = self._request()
        self._extra = FAST_EXTRA if kind.fast else PLAIN_EXTRA
        self.answer_bytes = (FAST_HEAD if kind.fast else 0) + sum(slot.length + self._extra for slot in slots)
        self.ids = tuple(slot.id for slot in slots)
        self._id_bytes, self._no_errors = bytes(self.ids), bytes(len(self.ids))
        self._nothing_wrong = np.zeros(len(self.ids), np.int16)
        self._head = HEADER + bytes((BROADCAST_ID,)) + u16(self.answer_bytes - 7) + bytes((Instruction.STATUS,))

    def wire_ns(self, baud: int) -> int:
        """Request and answers on the wire, ten bits a byte."""
        return (len(self.request) + self.answer_bytes) * 10 * 1_000_000_000 // baud

    @cached_property
    def runs(self) -> tuple[tuple[int, int, int], ...]:
        """Stretches of slots with equal length: (first slot, count, length)."""
        out, first = [], 0
        for length, members in groupby(slot.length for slot in self.slots):
            count = len(list(members))
            out.append((first, count, length))
            first += count
        return tuple(out)

    def enough(self, received: bytes | bytearray) -> bool:
        """Whether it is worth while to look at what has come so far."""
        return len(received) >= self.answer_bytes

    def take_apart(self, received: bytes | bytearray) -> Answers:
        """Every slot's answer, as far as it can be trusted."""
        if len(received) == self.answer_bytes:
            quick = self._undamaged_joint_frame(received) if self.kind.fast else self._undamaged_packets(received)
            if quick is not None:
                return quick
        return self._salvage_joint_frame(received) if self.kind.fast else self._salvage_packets(received)

    # --- the usual case ----------------------------------------------------------------------------------------

    def _undamaged_joint_frame(self, received: bytes | bytearray) -> Answers | None:
        """The last CRC is a running one over everything before it."""
        frame = bytes(received)
        if not frame.startswith(self._head) or crc16(frame[:-2]) != frame[-2] | frame[-1] << 8:
            return None
        return self._columns(np.frombuffer(frame, np.uint8), FAST_HEAD, id_at=1, error_at=0, data_at=2)

    def _undamaged_packets(self, received: bytes | bytearray) -> Answers | None:
        frame, at = bytes(received), 0
        for slot in self.slots:
            end = at + slot.length + PLAIN_EXTRA
            head = HEADER + bytes((slot.id,)) + u16(slot.length + 4) + bytes((Instruction.STATUS,))
            if not frame.startswith(head, at) or crc16(frame[at : end - 2]) != frame[end - 2] | frame[end - 1] << 8:
                return None
            if b"\xff\xff\xfd" in frame[at + 7 : end - 2]:
                return None  # stuffed
            at = end
        return self._columns(np.frombuffer(frame, np.uint8), 0, id_at=4, error_at=8, data_at=PLAIN_HEAD)

    def _columns(self, frame: Bytes, at: int, *, id_at: int, error_at: int, data_at: int) -> Answers | None:
        errors, blocks = [], []
        for first, count, length in self.runs:
            size = length + self._extra
            part = frame[at : at + count * size].reshape(count, size)
            if part[:, id_at].tobytes() != self._id_bytes[first : first + count]:
                return None
            errors.append(part[:, error_at].tobytes())
            blocks.append(part[:, data_at : data_at + length])
            at += count * size
        all_errors = b"".join(errors)
        if all_errors == self._no_errors:
            return Answers(self._nothing_wrong, tuple(blocks), healthy=True)
        return Answers(np.frombuffer(all_errors, np.uint8).astype(np.int16), tuple(blocks))

    # --- anything else -----------------------------------------------------------------------------------------

    def _salvage_joint_frame(self, received: bytes | bytearray) -> Answers:
        """Check every device's running CRC, going on from the CRC that the device before *sent*.

        That CRC tells the state of the sum at its place even where the bytes before it were damaged on their way to
        us, so one flipped bit costs one device (two where it hit a CRC), not all that follow.
        """
        frame = bytes(received)
        start = max(frame.find(self._head), 0)
        parts: list[tuple[int, bytes] | None] = [None] * len(self.slots)
        state, at, failures = crc16(frame[start : start + FAST_HEAD]), start + FAST_HEAD, 0
        for index, slot in enumerate(self.slots):
            end = at + 2 + slot.length
            if end + 2 > len(frame):
                break
            sent = frame[end] | frame[end + 1] << 8
            if crc16(frame[at:end], state) == sent and frame[at + 1] == slot.id:
                parts[index] = (frame[at], frame[at + 2 : end])
            else:
                failures += 1
            state, at = crc16(frame[end : end + 2], sent), end + 2
        return self._assemble(parts, failures)

    def _salvage_packets(self, received: bytes | bytearray) -> Answers:
        by_id = {slot.id: index for index, slot in enumerate(self.slots)}
        parts: list[tuple[int, bytes] | None] = [None] * len(self.slots)
        failures = 0
        for item in PacketReader().feed(bytes(received)):
            if not isinstance(item, Packet):
                failures += 1
                continue
            index = by_id.get(item.id, MISSING)
            if index == MISSING or not item.is_status:
                continue
            if len(item.params) == self.slots[index].length or item.error_number:
                parts[index] = (item.error, item.params)
        return self._assemble(parts, failures)

    def _assemble(self, parts: Sequence[tuple[int, bytes] | None], failures: int) -> Answers:
        error = np.full(len(parts), MISSING, np.int16)
        blocks = []
        for first, count, length in self.runs:
            block = np.zeros((count, length), np.uint8)
            for row, part in enumerate(parts[first : first + count]):
                if part is not None:
                    error[first + row] = part[0]
                    if len(part[1]) == length:
                        block[row] = np.frombuffer(part[1], np.uint8)
            blocks.append(block)
        return Answers(error, tuple(blocks), failures, complete=not (error == MISSING).any())

    def _request(self) -> bytes:
        ids = [slot.id for slot in self.slots]
        first = self.slots[0]
        if self.kind in (Kind.BULK, Kind.FAST_BULK):
            wanted = [(slot.id, slot.address, slot.length) for slot in self.slots]
            return protocol.bulk_read(wanted) if self.kind is Kind.BULK else protocol.fast_bulk_read(wanted)
        make = protocol.sync_read if self.kind is Kind.SYNC else protocol.fast_sync_read
        return make(first.address, first.length, ids)
