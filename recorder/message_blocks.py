# SPDX-License-Identifier: Apache-2.0
"""Messages of one layout, taken apart together: one of them is read byte by byte, all others are columns of a table.

A take holds hundreds of messages a second that differ in nothing but their numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from graph.stamps import NS_PER_S

Int64 = NDArray[np.int64]
Bytes = NDArray[np.uint8]

LITTLE_ENDIAN = b"\x00\x01"
STAMP, TIME_BYTES = 4, 8
"""How CDR begins that can be read here, the byte where the stamp of a header lies, and how long it is."""

SLICE = 4096
"""So many messages are looked at together: a long take needs no table of its own size."""

MOST_LAYOUTS = 16
"""In one slice; a stream whose every message is different is decoded message by message."""


class Layout(Protocol):
    """Where things lie in a message."""

    @property
    def fixed(self) -> Int64:
        """Bytes that tell the layout: they are the same in all messages of it."""


Found = TypeVar("Found", bound=Layout)


@dataclass(frozen=True, slots=True)
class Block(Generic[Found]):
    """K messages of one layout: (K,) which ones, (K, length) their bytes."""

    rows: Int64
    table: Bytes
    layout: Found

    def numbers(self, begin: int, count: int) -> NDArray[np.float64]:
        """(K, count) the doubles that begin at this byte."""
        return self.span(begin, 8 * count).view("<f8").reshape(len(self.rows), count)

    def time_ns(self, begin: int) -> Int64:
        """(K,) the Time or Duration that begins at this byte: int32 seconds, uint32 nanoseconds."""
        words = self.span(begin, TIME_BYTES)
        seconds, nanoseconds = words.view("<i4")[:, 0], words.view("<u4")[:, 1]
        return seconds.astype(np.int64) * NS_PER_S + nanoseconds.astype(np.int64)

    def span(self, begin: int, size: int) -> Bytes:
        """(K, size) so many bytes from this one on, contiguous."""
        return np.ascontiguousarray(self.table[:, begin : begin + size])


def blocks(
    messages: Sequence[memoryview], layout_of: Callable[[memoryview], Found | None]
) -> Iterator["Block[Found] | int"]:
    """Blocks, and the numbers of the messages that are in none.

    Args:
        messages: their bytes.
        layout_of: reads one message; None where it is unusual.
    """
    for first in range(0, len(messages), SLICE):
        by_length: dict[int, list[int]] = {}
        for number in range(first, min(first + SLICE, len(messages))):
            by_length.setdefault(len(messages[number]), []).append(number)
        for length, numbers in by_length.items():
            table = np.frombuffer(b"".join(messages[number] for number in numbers), np.uint8)
            yield from _alike(np.array(numbers), table.reshape(len(numbers), length), layout_of)


def _alike(
    rows: Int64, table: Bytes, layout_of: Callable[[memoryview], Found | None]
) -> Iterator["Block[Found] | int"]:
    """Of messages of one length."""
    for _ in range(MOST_LAYOUTS):
        if not len(rows):
            return
        layout = layout_of(table[0].data)
        if layout is None:
            yield int(rows[0])
            rows, table = rows[1:], table[1:]
            continue
        fixed = layout.fixed
        same = (table[:, fixed] == table[0, fixed]).all(axis=1)
        if same.all():
            yield Block(rows, table, layout)
            return
        yield Block(rows[same], table[same], layout)
        rows, table = rows[~same], table[~same]
    yield from rows.tolist()
