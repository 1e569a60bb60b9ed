# SPDX-License-Identifier: Apache-2.0
"""The quick decoder says what the general one says, of every message, in any order, and leaves the odd ones to it."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from takes import TYPES, cdr, joint_state, robot, trajectory

from recorder.joint_cdr import JointDecoder, UnusualError
from recorder.messages import SerdeError, deserialize, typestore

STATE, TRAJECTORY = "sensor_msgs/msg/JointState", "trajectory_msgs/msg/JointTrajectory"
names = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9), max_size=5)
values = st.lists(st.floats(allow_nan=False), max_size=4).map(np.array)
times = st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 10**9 - 1))


def make_header(stamp, frame):
    return TYPES["std_msgs/msg/Header"](TYPES["builtin_interfaces/msg/Time"](*stamp), frame)


def plain(message):
    """A message as nested plain values."""
    if isinstance(message, np.ndarray):
        return message.tolist()
    if isinstance(message, list | tuple):
        return [plain(item) for item in message]
    fields = getattr(message, "__dataclass_fields__", None)
    return {name: plain(getattr(message, name)) for name in fields if not name.startswith("_")} if fields else message


states = st.builds(
    lambda stamp, frame, joints, position, velocity, effort: (
        STATE,
        cdr(STATE, header=make_header(stamp, frame), name=joints, position=position, velocity=velocity, effort=effort),
    ),
    *(times, st.text("ab", max_size=5), names, values, values, values),
)
points = st.builds(
    lambda after, *sequences: TYPES["trajectory_msgs/msg/JointTrajectoryPoint"](
        *sequences, TYPES["builtin_interfaces/msg/Duration"](*after)
    ),
    *(times, values, values, values, values),
)
trajectories = st.builds(
    lambda stamp, frame, joints, made: (
        TRAJECTORY,
        cdr(TRAJECTORY, header=make_header(stamp, frame), joint_names=joints, points=made),
    ),
    *(times, st.text("ab", max_size=5), names, st.lists(points, max_size=2)),
)


@given(messages=st.lists(states | trajectories, max_size=6))
def test_both_decoders_agree(messages):
    for ros_type, data in messages:
        general = plain(typestore().deserialize_cdr(data, ros_type))
        assert plain(deserialize(memoryview(data), ros_type)) == general


@given(message=states | trajectories, cut=st.integers(1, 200))
def test_a_cut_message_is_refused_as_the_general_decoder_refuses_it(message, cut):
    ros_type, data = message
    with pytest.raises((SerdeError, ValueError, IndexError, struct.error)):
        deserialize(memoryview(data[: max(0, len(data) - cut)]), ros_type)


def test_the_usual_messages_need_no_general_decoder():
    decoder = JointDecoder(TYPES)
    joints, rest = list(robot().joint_names), np.zeros(20)
    messages = (
        (STATE, joint_state(5, joints, rest)),
        (TRAJECTORY, trajectory(5, 7, joints, rest)),
        (TRAJECTORY, trajectory(5, 7, joints, rest, rest + 0.1)),
    )
    for ros_type, data in messages:
        assert decoder.by_type[ros_type](memoryview(data)).header.stamp.nanosec == 5


@pytest.mark.parametrize("data", [b"\x00\x00\x00\x00" + bytes(60), joint_state(5, ["a"], np.zeros(1)) + b"\0" * 8])
def test_what_is_unusual_is_left_to_the_general_decoder(data):
    with pytest.raises(UnusualError):
        JointDecoder(TYPES).by_type[STATE](memoryview(data))
