# SPDX-License-Identifier: Apache-2.0
"""Reads TFRecord files of ``tf.train.Example`` as slowly and plainly as their specifications are written."""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


@cache
def table() -> list[int]:
    """CRC of every byte, bit by bit, with Castagnoli's polynomial (RFC 3720, section 12.1), reflected."""
    found = list(range(256))
    for _ in range(8):
        found = [value >> 1 ^ (0x82F63B78 if value & 1 else 0) for value in found]
    return found


def crc32c(data: bytes) -> int:
    """CRC-32C, byte by byte."""
    entries = table()
    check = 0xFFFFFFFF
    for byte in data:
        check = check >> 8 ^ entries[(check ^ byte) & 0xFF]
    return check ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    check = crc32c(data)
    return ((check >> 15 | check << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


def records(path: Path) -> Iterator[bytes]:
    """The data of every record; a wrong length or CRC is an assertion."""
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12]) == (masked(data[:8]),)
        record = data[12 : 12 + length]
        assert len(record) == length
        assert struct.unpack("<I", data[12 + length : 16 + length]) == (masked(record),)
        yield record
        data = data[16 + length :]


def example(data: bytes) -> dict[str, Any]:
    """Feature name -> list of bytes, or array of float32 or int64."""
    ((tag, features),) = fields(data)
    assert tag == 1
    found: dict[str, Any] = {}
    for tag, entry in fields(features):
        assert tag == 1
        (one, name), (two, feature) = fields(entry)
        assert (one, two) == (1, 2)
        found[name.decode()] = _values(feature)
    return found


def _values(feature: bytes) -> Any:
    ((kind, values),) = fields(feature)
    if kind == 1:
        assert all(tag == 1 for tag, _ in fields(values))
        return [value for _, value in fields(values)]
    ((tag, packed),) = fields(values)
    assert tag == 1
    return np.frombuffer(packed, "<f4") if kind == 2 else np.array(_integers(packed), np.int64)


def _integers(packed: bytes) -> list[int]:
    found = []
    while packed:
        value, packed = varint(packed)
        found.append(value - 2**64 if value >= 2**63 else value)
    return found


def fields(data: bytes) -> list[tuple[int, bytes]]:
    """Number and content of every field of a message, all of which are length-delimited."""
    found = []
    while data:
        tag, data = varint(data)
        assert tag & 7 == 2
        length, data = varint(data)
        assert length <= len(data)
        found.append((tag >> 3, data[:length]))
        data = data[length:]
    return found


def varint(data: bytes) -> tuple[int, bytes]:
    """The first varint and what follows it."""
    value = 0
    for place, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, data[place + 1 :]
    raise AssertionError("a varint without an end")
