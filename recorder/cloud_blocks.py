# SPDX-License-Identifier: Apache-2.0
"""Landmark clouds of one layout decoded together; unusual ones singly, by the general decoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph import hands_cloud
from graph.stamps import join
from recorder.message_blocks import LITTLE_ENDIAN, STAMP, TIME_BYTES, Block, Int64, blocks
from recorder.messages import UNDECODABLE, deserialize

POINT_CLOUD = "sensor_msgs/msg/PointCloud2"


@dataclass(frozen=True, slots=True)
class CloudBlock:
    """K clouds of a topic: (K,) which messages, (K,) header stamps, (K, rows, points) landmarks."""

    rows: Int64
    stamp_ns: Int64
    clouds: NDArray[np.void]


def cloud_blocks(messages: Sequence[memoryview], rows: int, points: int) -> Iterator[CloudBlock]:
    """All clouds of (rows, points), in no particular order."""
    size = rows * points * hands_cloud.POINT.itemsize
    for found in blocks(messages, partial(_layout, size=size)):
        if isinstance(found, Block):
            clouds = found.span(found.layout.begin, size).view(hands_cloud.POINT)
            yield CloudBlock(found.rows, found.time_ns(STAMP), clouds.reshape(-1, rows, points))
            continue
        try:
            message = deserialize(messages[found], POINT_CLOUD)
            cloud = hands_cloud.decode(message.data.tobytes(), rows, points, "landmark")
        except UNDECODABLE:
            continue
        stamp = message.header.stamp
        yield CloudBlock(np.array([found]), np.array([join(stamp.sec, stamp.nanosec)]), cloud[None])


@dataclass(frozen=True, slots=True)
class _CloudLayout:
    """The byte where the landmarks begin, and which bytes are neither theirs nor the stamp's."""

    begin: int
    fixed: Int64


def _layout(data: memoryview, size: int) -> _CloudLayout | None:
    if data[:2] != LITTLE_ENDIAN:
        return None
    try:
        values = deserialize(data, POINT_CLOUD).data
    except UNDECODABLE:
        return None
    begin = _address(values) - _address(np.frombuffer(data, np.uint8))  # decoded arrays are views of the message
    if len(values) != size or not 0 < begin <= len(data) - size:
        return None
    varies = np.zeros(len(data), np.bool_)
    varies[STAMP : STAMP + TIME_BYTES] = varies[begin : begin + size] = True
    return _CloudLayout(begin, np.flatnonzero(~varies))


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])
