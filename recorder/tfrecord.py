# SPDX-License-Identifier: Apache-2.0
"""TFRecord files of ``tf.train.Example``, without TensorFlow and without holding a record in memory.

Framing: length (uint64), its masked CRC, the data, its masked CRC, little-endian, CRC-32C (tensorflow/core/lib/io/
record_writer.h). The data is protobuf (tensorflow/core/example/{example,feature}.proto), whose messages carry their
lengths in front: so every value says its size before its bytes come.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from fastcrc import crc32
from numpy.typing import NDArray

MAX_EXAMPLE_BYTES = 2**31 - 1
"""Protobuf's own limit for one message."""

FIRST, SECOND, THIRD = 0x0A, 0x12, 0x1A
"""Tags of length-delimited fields 1, 2 and 3; in a Feature these are its bytes, floats and int64s."""


@dataclass(frozen=True, slots=True)
class Value:
    """One Feature: the number of its bytes, and the bytes, which may be asked for once."""

    size: int
    chunks: Callable[[], Iterator[bytes]]


def floats(values: NDArray[Any]) -> Value:
    """A FloatList of all values, row after row, as float32."""
    return _list(SECOND, np.ascontiguousarray(values, "<f4").tobytes())


def integers(values: NDArray[Any]) -> Value:
    """An Int64List of all values, row after row; truth becomes 0 and 1."""
    return _list(THIRD, varints(np.ravel(values).astype(np.int64)))


def texts(lengths: Iterable[int], values: Callable[[], Iterator[bytes]]) -> Value:
    """A BytesList of byte strings that come one by one.

    Args:
        lengths: of each [bytes].
        values: gives them, once.
    """
    size = sum(1 + len(varint(length)) + length for length in lengths)

    def chunks() -> Iterator[bytes]:
        yield bytes([FIRST]) + varint(size)
        for value in values():
            yield bytes([FIRST]) + varint(len(value)) + value

    return Value(1 + len(varint(size)) + size, chunks)


def text(value: str, times: int = 1) -> Value:
    """A BytesList of the same words again and again."""
    data = value.encode()
    return texts([len(data)] * times, lambda: iter([data] * times))


def _list(tag: int, packed: bytes) -> Value:
    inner = bytes([FIRST]) + varint(len(packed)) + packed
    data = bytes([tag]) + varint(len(inner)) + inner
    return Value(len(data), lambda: iter([data]))


def varint(value: int) -> bytes:
    """A length as protobuf writes it: seven bits a byte, lowest first, the top bit says that more come."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def varints(values: NDArray[np.int64]) -> bytes:
    """Many int64 values, each as a varint; a negative one takes ten bytes."""
    unsigned = values.astype(np.uint64)[:, None]
    septets = unsigned >> (7 * np.arange(10, dtype=np.uint64))
    needed = np.maximum(1, np.sum(septets > 0, axis=1))[:, None]
    place = np.arange(10)[None, :]
    encoded = (septets & 0x7F).astype(np.uint8) | np.where(place + 1 < needed, 0x80, 0).astype(np.uint8)
    return bytes(encoded[place < needed])


def example_size(values: Mapping[str, Value]) -> int:
    """Bytes of an Example of these features."""
    size = sum(_framed(_entry_size(key, value)) for key, value in values.items())
    return _framed(size)


def write_record(file: BinaryIO, values: Mapping[str, Value]) -> int:
    """Write one Example as a record; returns its bytes, without the frame.

    Raises:
        ValueError: the bytes that came are not as many as their value said.
        OSError: the disk refuses.
    """
    size = example_size(values)
    length = struct.pack("<Q", size)
    file.write(length + struct.pack("<I", masked(crc32.iscsi(length))))
    written, check = 0, None
    for chunk in _example(values):
        check = crc32.iscsi(chunk) if check is None else crc32.iscsi(chunk, check)
        written += file.write(chunk)
    if written != size:
        raise ValueError(f"a record of {size} bytes was promised, {written} came")
    file.write(struct.pack("<I", masked(check or 0)))
    return size


def masked(check: int) -> int:
    """TFRecord's disguise of a CRC, so that a CRC over data with CRCs in it stays useful."""
    return ((check >> 15 | check << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _example(values: Mapping[str, Value]) -> Iterator[bytes]:
    yield bytes([FIRST]) + varint(sum(_framed(_entry_size(key, value)) for key, value in values.items()))
    for key, value in values.items():
        name = key.encode()
        yield bytes([FIRST]) + varint(_entry_size(key, value))
        yield bytes([FIRST]) + varint(len(name)) + name + bytes([SECOND]) + varint(value.size)
        yield from value.chunks()


def _entry_size(key: str, value: Value) -> int:
    return _framed(len(key.encode())) + _framed(value.size)


def _framed(size: int) -> int:
    """Bytes of a length-delimited field: tag, length and content."""
    return 1 + len(varint(size)) + size
