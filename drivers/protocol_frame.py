# SPDX-License-Identifier: Apache-2.0
"""One frame of DYNAMIXEL Protocol 2.0: encode, decode, stuff, CRC. Pure functions.

Frame: ``FF FF FD 00 | id | length (2, little endian) | instruction | params | crc (2, little endian)``; a status packet
has instruction 0x55 and one error byte before its params. Source: ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0".
"""

from dataclasses import dataclass, field
from enum import IntEnum

from fastcrc import crc16 as _fastcrc

HEADER = b"\xff\xff\xfd\x00"
BROADCAST_ID = 0xFE
MAX_ID = 252
MAX_FRAME_BYTES = 4096
"""Longest frame we send or accept; a longer length field is taken for noise."""
FRAME_OVERHEAD = 10
"""Bytes of an instruction frame without params: header 4, id 1, length 2, instruction 1, CRC 2."""
ALERT_BIT = 0x80
"""Bit of a status packet's error byte: the servo has a hardware error, read Hardware Error Status."""

_STUFFED_PATTERN = b"\xff\xff\xfd"
BODY_OFFSET = 7
"""Offset of the instruction byte: what follows it, up to the CRC, is stuffed."""


class Instruction(IntEnum):
    """Instruction byte (e-Manual, Protocol 2.0, "Instruction")."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REG_WRITE = 0x04
    ACTION = 0x05
    FACTORY_RESET = 0x06
    REBOOT = 0x08
    CLEAR = 0x10
    CONTROL_TABLE_BACKUP = 0x20
    STATUS = 0x55
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83
    FAST_SYNC_READ = 0x8A
    BULK_READ = 0x92
    BULK_WRITE = 0x93
    FAST_BULK_READ = 0x9A


class ErrorNumber(IntEnum):
    """Bits 0 to 6 of a status packet's error byte (e-Manual, Protocol 2.0, "Error")."""

    NONE = 0
    RESULT_FAIL = 1
    INSTRUCTION = 2
    CRC = 3
    DATA_RANGE = 4
    DATA_LENGTH = 5
    DATA_LIMIT = 6
    ACCESS = 7


class FactoryReset(IntEnum):
    """What a factory reset erases (e-Manual, Protocol 2.0, "Factory Reset")."""

    ALL = 0xFF
    ALL_BUT_ID = 0x01
    ALL_BUT_ID_AND_BAUD = 0x02


class ProtocolError(Exception):
    """Bytes that are not what the protocol or the caller expects. Catch this to handle any of them."""


class CrcError(ProtocolError):
    """A frame whose CRC is wrong. Scenarios: noise on the line, two devices on one ID talking at once, a loose plug."""


class FormatError(ProtocolError):
    """A frame with a wrong shape. Scenarios: an ID twice in a group instruction, data of a wrong length for its
    register, a fast read's joint frame in which a servo is missing or came in another order."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One decoded frame.

    Attributes:
        id: servo ID 0 … 252, or 0xFE for broadcast.
        instruction: instruction byte; 0x55 for a status packet.
        params: payload after unstuffing; without the error byte of a status packet. The joint status of a fast read
            (ID 0xFE, status) is never stuffed, so its params are the raw bytes between the first error byte and the
            last CRC: take it apart with `split_fast_status(packet.raw, …)`.
        error: error byte of a status packet, 0 in an instruction packet.
        raw: the frame as it was on the wire; not compared.
    """

    id: int
    instruction: int
    params: bytes = b""
    error: int = 0
    raw: bytes = field(default=b"", compare=False, repr=False)

    @property
    def is_status(self) -> bool:
        """True for an answer, False for an instruction."""
        return self.instruction == Instruction.STATUS

    @property
    def alert(self) -> bool:
        """True when the servo reports a hardware error."""
        return bool(self.error & ALERT_BIT)

    @property
    def error_number(self) -> int:
        """The error byte without the alert bit: an `ErrorNumber`."""
        return self.error & ~ALERT_BIT


def crc16(data: bytes, initial: int = 0) -> int:
    """DYNAMIXEL's CRC-16: polynomial 0x8005, start 0, not reflected (e-Manual, "CRC Calculation"), i.e. CRC-16/UMTS."""
    return int(_fastcrc.umts(data, initial))


def stuff(body: bytes) -> bytes:
    """Insert FD after every ``FF FF FD``, so that a header can't appear inside a frame."""
    return body.replace(_STUFFED_PATTERN, _STUFFED_PATTERN + b"\xfd")


def unstuff(body: bytes) -> bytes:
    """Undo `stuff`."""
    return body.replace(_STUFFED_PATTERN + b"\xfd", _STUFFED_PATTERN)


def encode_instruction(id: int, instruction: int, params: bytes = b"") -> bytes:  # noqa: A002 - the protocol's word
    """One instruction frame, stuffed, with its CRC."""
    return _frame(id, bytes((instruction,)) + params)


def encode_status(id: int, error: int, params: bytes = b"") -> bytes:  # noqa: A002 - the protocol's word
    """One status frame, stuffed, with its CRC."""
    return _frame(id, bytes((Instruction.STATUS, error)) + params)


def decode(frame: bytes) -> Packet:
    """Decode exactly one frame.

    Raises:
        FormatError: ``frame`` isn't one frame.
        CrcError: its CRC is wrong.
    """
    if (
        len(frame) < FRAME_OVERHEAD
        or not frame.startswith(HEADER)
        or len(frame) != BODY_OFFSET + (frame[5] | frame[6] << 8)
    ):
        raise FormatError(f"expected one frame FF FF FD 00 … with its own length, found {frame[:16].hex(' ')} …")
    packet = decode_checked(frame)
    if packet is None:
        raise CrcError(f"CRC should be {crc16(frame[:-2]):04X}, found {int.from_bytes(frame[-2:], 'little'):04X}")
    return packet


def _frame(servo: int, body: bytes) -> bytes:
    if not (0 <= servo <= MAX_ID or servo == BROADCAST_ID):
        raise FormatError(f"an ID is 0 … {MAX_ID}, or {BROADCAST_ID} for everyone; found {servo}")
    stuffed = stuff(body)
    if len(stuffed) + 2 + BODY_OFFSET > MAX_FRAME_BYTES:
        raise FormatError(f"a frame has at most {MAX_FRAME_BYTES} bytes, this one has {len(stuffed) + 2 + BODY_OFFSET}")
    frame = HEADER + bytes((servo,)) + u16(len(stuffed) + 2) + stuffed
    return frame + u16(crc16(frame))


def decode_checked(raw: bytes) -> Packet | None:
    """Decode a complete frame; None when its CRC is wrong."""
    if not crc_is_right(raw):
        return None
    if raw[BODY_OFFSET] != Instruction.STATUS:
        return Packet(raw[4], raw[BODY_OFFSET], unstuff(raw[BODY_OFFSET:-2])[1:], 0, raw)
    body = raw[BODY_OFFSET:-2] if is_fast_status(raw[4], raw[BODY_OFFSET]) else unstuff(raw[BODY_OFFSET:-2])
    return Packet(raw[4], Instruction.STATUS, body[2:], body[1], raw)


def is_fast_status(servo: int, instruction: int) -> bool:
    return servo == BROADCAST_ID and instruction == Instruction.STATUS


def crc_is_right(raw: bytes) -> bool:
    return crc16(raw[:-2]) == raw[-2] | raw[-1] << 8


def u16(value: int) -> bytes:
    return value.to_bytes(2, "little")
