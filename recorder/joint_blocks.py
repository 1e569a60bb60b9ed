# SPDX-License-Identifier: Apache-2.0
"""JointStates and JointTrajectories of one layout decoded together; unusual ones singly, by the general decoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.stamps import join
from recorder.joint_layout import POINT_FIELDS, JointLayout, state_layout, trajectory_layout
from recorder.message_blocks import STAMP, Block, blocks
from recorder.messages import UNDECODABLE, deserialize

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

JOINT_STATE = "sensor_msgs/msg/JointState"


@dataclass(frozen=True, slots=True)
class JointBlock:
    """K messages of a topic that name the same joints in the same order.

    Attributes:
        rows: (K,) which messages.
        names: of the n joints.
        stamp_ns: (K,) header stamp.
        after_ns: (K,) ``time_from_start`` of the first point; 0 for states.
        values: (K, m) each: position, velocity and effort, or the positions of each point; m need not be n.
    """

    rows: Int64
    names: tuple[str, ...]
    stamp_ns: Int64
    after_ns: Int64
    values: tuple[Float64, ...]


def joint_blocks(messages: Sequence[memoryview], ros_type: str) -> Iterator[JointBlock]:
    """All messages that can be decoded, in no particular order."""
    for found in blocks(messages, state_layout if ros_type == JOINT_STATE else trajectory_layout):
        if isinstance(found, Block):
            yield _of_block(found)
            continue
        try:
            yield _of_one(found, deserialize(messages[found], ros_type))
        except UNDECODABLE:
            continue


def _of_block(block: Block[JointLayout]) -> JointBlock:
    layout = block.layout
    stamp, after = block.time_ns(STAMP), np.zeros(len(block.rows), np.int64)
    sequences = layout.sequences
    if layout.durations:  # of points; only their positions are of interest
        sequences, after = sequences[::POINT_FIELDS], block.time_ns(layout.durations[0])
    return JointBlock(block.rows, layout.names, stamp, after, tuple(block.numbers(*place) for place in sequences))


def _of_one(row: int, message: Any) -> JointBlock:
    if hasattr(message, "points"):
        names, after = message.joint_names, message.points[0].time_from_start
        values = [point.positions for point in message.points]
        after_ns = join(after.sec, after.nanosec)
    else:
        names, values, after_ns = message.name, [message.position, message.velocity, message.effort], 0
    stamp = message.header.stamp
    return JointBlock(
        np.array([row]),
        tuple(names),
        np.array([join(stamp.sec, stamp.nanosec)]),
        np.array([after_ns]),
        tuple(np.array(sequence, np.float64)[None] for sequence in values),
    )
