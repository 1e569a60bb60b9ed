# SPDX-License-Identifier: Apache-2.0
"""DYNAMIXEL Protocol 2.0: everything a host sends, and the names of what it reads. Pure, no port and no clock.

Source: ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0". Frames are in `protocol_frame`, the stream reader in
`protocol_reader`; import them from here.
"""

from collections.abc import Sequence
from typing import NamedTuple

from drivers.protocol_frame import (
    ALERT_BIT,
    BODY_OFFSET,
    BROADCAST_ID,
    FRAME_OVERHEAD,
    HEADER,
    MAX_FRAME_BYTES,
    MAX_ID,
    CrcError,
    ErrorNumber,
    FactoryReset,
    FormatError,
    Instruction,
    Packet,
    ProtocolError,
    crc16,
    decode,
    encode_instruction,
    encode_status,
    stuff,
    u16,
    unstuff,
)
from drivers.protocol_reader import CrcFailure, PacketReader

__all__ = [
    "ALERT_BIT",
    "BROADCAST_ID",
    "FRAME_OVERHEAD",
    "HEADER",
    "MAX_FRAME_BYTES",
    "MAX_ID",
    "CrcError",
    "CrcFailure",
    "ErrorNumber",
    "FactoryReset",
    "FastReply",
    "FormatError",
    "Instruction",
    "Packet",
    "PacketReader",
    "ProtocolError",
    "action",
    "bulk_read",
    "bulk_write",
    "clear_multi_turn",
    "crc16",
    "decode",
    "encode_fast_status",
    "encode_instruction",
    "encode_status",
    "factory_reset",
    "fast_bulk_read",
    "fast_status_bytes",
    "fast_sync_read",
    "ping",
    "read",
    "reboot",
    "reg_write",
    "split_fast_status",
    "stuff",
    "sync_read",
    "sync_write",
    "unstuff",
    "write",
]


def ping(id: int = BROADCAST_ID) -> bytes:  # noqa: A002
    """Ask one servo, or everyone in turn, for model number (2) and firmware (1)."""
    return encode_instruction(id, Instruction.PING)


def read(id: int, address: int, length: int) -> bytes:  # noqa: A002
    """Ask one servo for ``length`` bytes of its control table from ``address``."""
    return encode_instruction(id, Instruction.READ, u16(address) + u16(length))


def write(id: int, address: int, data: bytes) -> bytes:  # noqa: A002
    """Write ``data`` to ``address`` of one servo, or of all with `BROADCAST_ID` (no answer then)."""
    return encode_instruction(id, Instruction.WRITE, u16(address) + data)


def reg_write(id: int, address: int, data: bytes) -> bytes:  # noqa: A002
    """As `write`, but kept back until `action`."""
    return encode_instruction(id, Instruction.REG_WRITE, u16(address) + data)


def action(id: int = BROADCAST_ID) -> bytes:  # noqa: A002
    """Execute what `reg_write` kept back."""
    return encode_instruction(id, Instruction.ACTION)


def reboot(id: int) -> bytes:  # noqa: A002
    """Restart a servo: the only way out of a shutdown."""
    return encode_instruction(id, Instruction.REBOOT)


def factory_reset(id: int, what: FactoryReset) -> bytes:  # noqa: A002
    """Reset a servo's EEPROM to factory values."""
    return encode_instruction(id, Instruction.FACTORY_RESET, bytes((what,)))


def clear_multi_turn(id: int) -> bytes:  # noqa: A002
    """Bring Present Position back into one revolution; refused while the servo moves."""
    return encode_instruction(id, Instruction.CLEAR, b"\x01\x44\x58\x4c\x22")


def sync_read(address: int, length: int, ids: Sequence[int]) -> bytes:
    """Ask several servos for the same registers; each answers with a status packet, in the order of ``ids``."""
    return encode_instruction(BROADCAST_ID, Instruction.SYNC_READ, u16(address) + u16(length) + _ids(ids))


def fast_sync_read(address: int, length: int, ids: Sequence[int]) -> bytes:
    """As `sync_read`, but all answer in one joint frame: see `split_fast_status`."""
    return encode_instruction(BROADCAST_ID, Instruction.FAST_SYNC_READ, u16(address) + u16(length) + _ids(ids))


def sync_write(address: int, length: int, writes: Sequence[tuple[int, bytes]]) -> bytes:
    """Write the same registers of several servos: ``(id, data)`` with ``length`` bytes each. Nobody answers."""
    wrong = [(servo, len(data)) for servo, data in writes if len(data) != length]
    if wrong:
        raise FormatError(f"sync write of {length} bytes each, found (id, bytes): {wrong}")
    _ids([servo for servo, _ in writes])
    body = b"".join(bytes((servo,)) + data for servo, data in writes)
    return encode_instruction(BROADCAST_ID, Instruction.SYNC_WRITE, u16(address) + u16(length) + body)


def bulk_read(reads: Sequence[tuple[int, int, int]]) -> bytes:
    """Ask each servo for its own registers: ``(id, address, length)``."""
    return encode_instruction(BROADCAST_ID, Instruction.BULK_READ, _bulk_slots(reads))


def fast_bulk_read(reads: Sequence[tuple[int, int, int]]) -> bytes:
    """As `bulk_read`, but all answer in one joint frame: see `split_fast_status`."""
    return encode_instruction(BROADCAST_ID, Instruction.FAST_BULK_READ, _bulk_slots(reads))


def bulk_write(writes: Sequence[tuple[int, int, bytes]]) -> bytes:
    """Write each servo's own registers: ``(id, address, data)``. Nobody answers."""
    _ids([servo for servo, _, _ in writes])
    body = b"".join(bytes((servo,)) + u16(address) + u16(len(data)) + data for servo, address, data in writes)
    return encode_instruction(BROADCAST_ID, Instruction.BULK_WRITE, body)


class FastReply(NamedTuple):
    """One servo's part of a fast read's joint frame."""

    id: int
    error: int
    data: bytes


def fast_status_bytes(lengths: Sequence[int]) -> int:
    """Size of the joint frame of a fast read with these data lengths: 8 + sum(4 + length)."""
    return 8 + sum(4 + length for length in lengths)


def encode_fast_status(replies: Sequence[FastReply]) -> bytes:
    """The joint frame of a fast read: each servo appends error, ID, data and the CRC of everything so far."""
    frame = HEADER + bytes((BROADCAST_ID,)) + u16(1 + sum(4 + len(r.data) for r in replies))
    frame += bytes((Instruction.STATUS,))
    for reply in replies:
        frame += bytes((reply.error, reply.id)) + reply.data
        frame += u16(crc16(frame))
    return frame


def split_fast_status(frame: bytes, expected: Sequence[tuple[int, int]]) -> list[FastReply]:
    """Take the joint frame of a fast read apart. It isn't stuffed.

    Args:
        frame: the whole frame, ``FF FF FD 00 FE length 55`` … last CRC.
        expected: ``(id, data length)`` in the order of the request.

    Raises:
        FormatError: another length, or another ID than expected.
        CrcError: a servo's running CRC is wrong; the message names the servo.
    """
    size = fast_status_bytes([length for _, length in expected])
    if len(frame) != size:
        raise FormatError(f"joint frame of {len(expected)} servos should have {size} bytes, found {len(frame)}")
    if frame[:8] != HEADER + bytes((BROADCAST_ID,)) + u16(size - BODY_OFFSET) + bytes((Instruction.STATUS,)):
        raise FormatError(f"not the beginning of a joint frame: {frame[:8].hex(' ')}")
    replies = []
    crc, done = crc16(frame[:8]), 8
    for servo, length in expected:
        data_end = done + 2 + length
        crc = crc16(frame[done:data_end], crc)
        if frame[data_end : data_end + 2] != u16(crc):
            raise CrcError(f"running CRC is wrong at servo {servo} of the joint frame")
        if frame[done + 1] != servo:
            raise FormatError(f"expected servo {servo} at byte {done + 1} of the joint frame, found {frame[done + 1]}")
        replies.append(FastReply(servo, frame[done], frame[done + 2 : data_end]))
        crc, done = crc16(frame[data_end : data_end + 2], crc), data_end + 2
    return replies


def _ids(ids: Sequence[int]) -> bytes:
    if len({*ids}) != len(ids) or any(not 0 <= servo <= MAX_ID for servo in ids):
        raise FormatError(f"a group instruction names each ID 0 … {MAX_ID} once; found {list(ids)}")
    return bytes(ids)


def _bulk_slots(reads: Sequence[tuple[int, int, int]]) -> bytes:
    _ids([servo for servo, _, _ in reads])
    return b"".join(bytes((servo,)) + u16(address) + u16(length) for servo, address, length in reads)
