# SPDX-License-Identifier: Apache-2.0
"""Where the numbers lie in a JointState or JointTrajectory message.

The layout of CDR: strings and sequences begin with their length at a multiple of four bytes, doubles lie at multiples
of eight, counted from behind the encapsulation header. What is unusual about a message (byte order, many points, a
length that does not fit) has no layout here and is left to the general decoder.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recorder.message_blocks import LITTLE_ENDIAN, STAMP, TIME_BYTES

ORIGIN = 4
"""The byte from which on alignment is counted."""

MOST_POINTS = 2
"""Teleop asks for one; the driver tells what was sent and what its limiter had asked for."""

STATE_FIELDS, POINT_FIELDS = 3, 4
SPARE_BYTES = 3
"""A middleware may fill a message up to a multiple of four."""

_COUNT = struct.Struct("<I")


@dataclass(slots=True)
class JointLayout:
    """While it is being read, ``at`` is the byte where the reading is.

    Attributes:
        names: of the joints.
        sequences: (first byte, count) of each sequence of doubles.
        durations: first byte of each ``time_from_start``.
        spans: (begin, end) of the bytes that tell the layout.
    """

    data: memoryview
    at: int = STAMP + TIME_BYTES
    names: tuple[str, ...] = ()
    sequences: list[tuple[int, int]] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=lambda: [(0, len(LITTLE_ENDIAN))])

    @property
    def fixed(self) -> NDArray[np.int64]:
        """Numbers of the bytes that are the same in all messages of this layout."""
        return np.concatenate([np.arange(begin, end) for begin, end in self.spans])

    def head(self) -> None:
        """Read header and joint names."""
        _expect(self.data[:2] == LITTLE_ENDIAN)
        self._text()
        self.names = tuple(self._text() for _ in range(self.count()))

    def count(self) -> int:
        """Read a number of things."""
        self._align(4)
        return int(_COUNT.unpack(self._told(_COUNT.size))[0])

    def doubles(self) -> None:
        """Read past a sequence of doubles."""
        count = self.count()
        self._align(8 if count else 1)
        self.sequences.append((self.at, count))
        self.at += 8 * count

    def duration(self) -> None:
        """Read past a duration."""
        self._align(4)
        self.durations.append(self.at)
        self.at += 8

    def end(self) -> None:
        """Nothing may be missing, and nothing be left."""
        _expect(0 <= len(self.data) - self.at <= SPARE_BYTES)

    def _text(self) -> str:
        size = self.count()
        words = self._told(size)
        _expect(size > 0 and words[-1] == 0)
        return str(words[:-1], "utf-8")

    def _told(self, size: int) -> memoryview:
        begin, self.at = self.at, self.at + size
        _expect(self.at <= len(self.data))
        self.spans.append((begin, self.at))
        return self.data[begin : self.at]

    def _align(self, size: int) -> None:
        self.at += (ORIGIN - self.at) % size


def state_layout(data: memoryview) -> JointLayout | None:
    """Of a JointState: ``sequences`` are position, velocity, effort."""

    def body(layout: JointLayout) -> None:
        for _ in range(STATE_FIELDS):
            layout.doubles()

    return _read(data, body)


def trajectory_layout(data: memoryview) -> JointLayout | None:
    """Of a JointTrajectory: ``sequences`` are four for each point, its positions first."""

    def body(layout: JointLayout) -> None:
        points = layout.count()
        _expect(1 <= points <= MOST_POINTS)
        for _ in range(points):
            for _ in range(POINT_FIELDS):
                layout.doubles()
            layout.duration()

    return _read(data, body)


def _read(data: memoryview, body: Callable[[JointLayout], None]) -> JointLayout | None:
    layout = JointLayout(data)
    try:
        layout.head()
        body(layout)
        layout.end()
    except (ValueError, struct.error):
        return None
    return layout


def _expect(usual: bool) -> None:
    if not usual:
        raise ValueError
