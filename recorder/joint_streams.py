# SPDX-License-Identifier: Apache-2.0
"""Measured and commanded joints of a take as tables in the robot's joint order, by source stamp."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recorder.errors import TakeError
from recorder.joint_blocks import JointBlock, joint_blocks
from recorder.streams import Samples, by_stamp, samples_of
from recorder.take_reader import Take

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

BRIDGE_NS = 50_000_000
"""So long a joint that did not answer keeps its last measured value."""


@dataclass(frozen=True, slots=True)
class Joints:
    """Measured joints: (N, J) position [rad], velocity [rad/s], effort [mA]; NaN where a message left a joint out."""

    samples: Samples
    position: Float64
    velocity: Float64
    effort: Float64
    incomplete: int


@dataclass(frozen=True, slots=True)
class Commands:
    """Commanded joints: (N, J) position [rad] and what the motion limiter asked for before rounding, NaN where nobody
    told; ``capture_ns`` (N,) is the stamp of the causing camera frame, -1 when
    there was none; ``samples.stamp_ns`` is the moment of issue (requested) or of writing (sent)."""

    samples: Samples
    position: Float64
    limited: Float64
    capture_ns: Int64
    incomplete: int


def joint_samples(take: Take, topic: str, names: Sequence[str]) -> Joints:
    """Decode JointStates in any joint order into the order of ``names``.

    Raises:
        TakeError: none of the joints is in any message.
    """
    table = _Table(take, topic, names, 3)
    for block in table.blocks:
        table.put(block, block.stamp_ns, block.values)
    order = table.order()
    samples = samples_of(take, topic, order, table.stamp_ns[order])
    position, velocity, effort = (values[order] for values in table.values)
    incomplete = _incomplete_rows(position)
    position, velocity, effort = (bridged(values, samples.stamp_ns) for values in (position, velocity, effort))
    return Joints(samples, position, velocity, effort, incomplete)


def command_samples(take: Take, topic: str, names: Sequence[str]) -> Commands:
    """Decode the JointTrajectories of one topic.

    The stamp is the moment of issue: header.stamp + time_from_start of the first point. A header without a stamp means
    "now": then it is the moment of publishing, and no frame is known as its cause.

    Raises:
        TakeError: none of the joints is in any message.
    """
    table = _Table(take, topic, names, 2)
    capture_ns = np.full(len(table.stamp_ns), -1, np.int64)
    published_ns = np.array([message.publish_ns for message in take.messages.get(topic, ())], np.int64)
    for block in table.blocks:
        now = block.stamp_ns == 0  # in ros2_control; time_from_start is then a horizon, not a delay
        issue_ns = np.where(now, published_ns[block.rows], block.stamp_ns + block.after_ns)
        capture_ns[block.rows] = np.where(now | (block.after_ns <= 0), -1, block.stamp_ns)
        none = np.zeros((len(block.rows), 0))
        limited = np.where(now[:, None], np.nan, block.values[1]) if len(block.values) == 2 else none
        table.put(block, issue_ns, (block.values[0] if block.values else none, limited))
    order = table.order()
    position, limited = (values[order] for values in table.values)
    samples = samples_of(take, topic, order, table.stamp_ns[order])
    return Commands(samples, position, limited, capture_ns[order], _incomplete_rows(position))


def bridged(values: Float64, stamp_ns: Int64) -> Float64:
    """A joint that was not heard for a moment keeps its newest value; longer than BRIDGE_NS it is NaN.

    Args:
        values: (N, J). stamp_ns: (N,), not falling.
    """
    known = np.isfinite(values)
    if known.all():
        return values
    newest = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], -1), axis=0)
    old_ns = stamp_ns[:, None] - stamp_ns[np.maximum(newest, 0)]
    keep = (newest >= 0) & (old_ns <= BRIDGE_NS)
    return np.where(keep, np.take_along_axis(values, np.maximum(newest, 0), axis=0), np.nan)


class _Table:
    """Fills tables (messages, J) in a fixed joint order; NaN for a joint that is not named or has no value."""

    def __init__(self, take: Take, topic: str, names: Sequence[str], fields: int) -> None:
        heard = take.messages.get(topic, ())
        self._topic, self._names = topic, tuple(names)
        self._seen: set[str] = set()
        self._kept = np.zeros(len(heard), np.bool_)
        self.blocks = joint_blocks([message.data for message in heard], take.types[topic]) if heard else iter(())
        self.stamp_ns = np.zeros(len(heard), np.int64)
        self.values = tuple(np.full((len(heard), len(names)), np.nan) for _ in range(fields))

    def put(self, block: JointBlock, stamp_ns: Int64, values: Sequence[Float64]) -> None:
        """Messages whose first values are not one for each name count as undecodable."""
        if values[0].shape[1] != len(block.names):
            return
        self._seen.update(block.names)
        self._kept[block.rows] = True
        self.stamp_ns[block.rows] = stamp_ns
        to = np.array([k for k, name in enumerate(self._names) if name in block.names], np.int64)
        origin = [block.names.index(self._names[k]) for k in to]
        for table, found in zip(self.values, values, strict=True):
            if found.shape[1] == len(block.names):
                table[np.ix_(block.rows, to)] = found[:, origin]

    def order(self) -> Int64:
        """Which messages were put, by stamp; equal stamps keep arrival order.

        Raises:
            TakeError: a dead servo may be absent from every message, but nothing of the robot is there.
        """
        if self._kept.any() and not self._seen.intersection(self._names):
            raise TakeError(
                f"{self._topic} is of another robot: expected {', '.join(self._names)},"
                f" found {', '.join(sorted(self._seen))}. Give the recorder the robot that is there"
            )
        return by_stamp(self._kept, self.stamp_ns)


def _incomplete_rows(position: Float64) -> int:
    return int(np.isnan(position).any(axis=1).sum()) if position.size else 0
