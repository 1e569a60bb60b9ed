# SPDX-License-Identifier: Apache-2.0
"""The frames that virtual devices send, made quickly; byte for byte what `drivers.protocol` would make of them."""

from collections.abc import Iterable

from drivers.protocol import HEADER, MAX_ID, Instruction, crc16, encode_status

_STATUS = bytes((Instruction.STATUS,))
_TO_STUFF = b"\xff\xff\xfd"
_JOINT = HEADER + b"\xfe"


def status_frame(servo: int, error: int, data: bytes) -> bytes:
    """A status packet."""
    if _TO_STUFF in data or error == 0xFF or not 0 <= servo <= MAX_ID:
        return encode_status(servo, error, data)
    size = len(data) + 4
    frame = HEADER + bytes((servo, size & 0xFF, size >> 8, Instruction.STATUS, error)) + data
    crc = crc16(frame)
    return frame + bytes((crc & 0xFF, crc >> 8))


def joint_frame(promised_bytes: int, parts: Iterable[tuple[int, int, bytes]]) -> bytes:
    """The joint frame of a fast read, as far as devices have spoken: each appends error, ID, data and the running CRC.

    Args:
        promised_bytes: data bytes of all devices that were asked, with four more each: the length field counts them.
        parts: error byte, ID and data of those that speak.
    """
    size = promised_bytes + 1
    pieces = [_JOINT + bytes((size & 0xFF, size >> 8)) + _STATUS]
    crc = crc16(pieces[0])
    tail = b""
    for error, servo, data in parts:
        piece = bytes((error, servo)) + data
        crc = crc16(tail + piece, crc)
        tail = bytes((crc & 0xFF, crc >> 8))
        pieces += (piece, tail)
    return b"".join(pieces)
