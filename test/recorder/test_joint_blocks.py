# SPDX-License-Identifier: Apache-2.0
"""What is decoded together is what the general decoder says of each message by itself, in any mixture and order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from takes import T0, TYPES, cdr, cloud, joint_state, robot, trajectory

from graph import hands_cloud
from graph.stamps import join
from recorder import cloud_blocks as cloud_module
from recorder import joint_blocks as joint_module
from recorder.cloud_blocks import cloud_blocks
from recorder.joint_blocks import joint_blocks
from recorder.message_blocks import MOST_LAYOUTS, SLICE
from recorder.messages import typestore

STATE, TRAJECTORY = "sensor_msgs/msg/JointState", "trajectory_msgs/msg/JointTrajectory"
names = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5), max_size=3)
values = st.lists(st.floats(), max_size=3).map(np.array)
times = st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 10**9 - 1))


def make_header(stamp, frame):
    return TYPES["std_msgs/msg/Header"](TYPES["builtin_interfaces/msg/Time"](*stamp), frame)


def make_state(stamp, frame, joints, position, velocity, effort):
    return cdr(
        STATE, header=make_header(stamp, frame), name=joints, position=position, velocity=velocity, effort=effort
    )


def make_point(after, *sequences):
    return TYPES["trajectory_msgs/msg/JointTrajectoryPoint"](
        *sequences, TYPES["builtin_interfaces/msg/Duration"](*after)
    )


def make_trajectory(stamp, frame, joints, points):
    return cdr(TRAJECTORY, header=make_header(stamp, frame), joint_names=joints, points=points)


frames = st.sampled_from(["", "a", "base"])
states = st.builds(make_state, times, frames, names, values, values, values)
points = st.builds(make_point, times, values, values, values, values)
trajectories = st.builds(make_trajectory, times, frames, names, st.lists(points, min_size=1, max_size=3))


def told_together(messages, ros_type):
    """Message number to what its block says of it."""
    told = {}
    for block in joint_blocks([memoryview(data) for data in messages], ros_type):
        for k, row in enumerate(block.rows.tolist()):
            assert row not in told
            numbers = tuple(sequence[k].tobytes() for sequence in block.values)
            told[row] = (block.names, int(block.stamp_ns[k]), int(block.after_ns[k]), numbers)
    return told


def told_singly(data, ros_type):
    message = typestore().deserialize_cdr(data, ros_type)
    stamp = join(message.header.stamp.sec, message.header.stamp.nanosec)
    if ros_type == STATE:
        sequences = (message.position, message.velocity, message.effort)
        return tuple(message.name), stamp, 0, tuple(sequence.tobytes() for sequence in sequences)
    after = message.points[0].time_from_start
    sequences = tuple(point.positions.tobytes() for point in message.points)
    return tuple(message.joint_names), stamp, join(after.sec, after.nanosec), sequences


def forbid(*_):
    raise AssertionError("the general decoder is not needed here")


@given(messages=st.lists(states, max_size=6), repeat=st.integers(1, 3))
def test_states_are_what_the_general_decoder_says(messages, repeat):
    messages = messages * repeat
    expected = {row: told_singly(data, STATE) for row, data in enumerate(messages)}
    assert told_together(messages, STATE) == expected


@given(messages=st.lists(trajectories, max_size=6), repeat=st.integers(1, 3))
def test_trajectories_are_what_the_general_decoder_says(messages, repeat):
    messages = messages * repeat
    expected = {row: told_singly(data, TRAJECTORY) for row, data in enumerate(messages)}
    assert told_together(messages, TRAJECTORY) == expected


@given(message=states, cut=st.integers(1, 200))
def test_a_cut_message_is_left_out(message, cut):
    whole = make_state((5, 6), "", ["joint"], np.ones(1), np.ones(1), np.ones(1))
    assert set(told_together([message[: max(0, len(message) - cut)], whole], STATE)) == {1}


@given(garbage=st.lists(st.binary(max_size=80), max_size=5))
def test_garbage_ends_nothing(garbage):
    whole = make_state((5, 6), "", ["joint"], np.ones(1), np.ones(1), np.ones(1))
    for ros_type in (STATE, TRAJECTORY):
        told_together(garbage, ros_type)
    assert len(garbage) in told_together([*garbage, whole], STATE)


def test_the_messages_of_a_graph_need_no_general_decoder(monkeypatch):
    monkeypatch.setattr(joint_module, "deserialize", forbid)
    joints = list(robot().joint_names)
    poses = np.random.default_rng(1).normal(size=(SLICE + 100, len(joints)))
    measured = [joint_state(T0 + k, joints if k % 3 else joints[1:], p[k % 3 == 0 :]) for k, p in enumerate(poses)]
    assert len(told_together(measured, STATE)) == len(poses)
    sent = [trajectory(T0 + k, T0 + k + 9, joints, pose, pose if k % 2 else None) for k, pose in enumerate(poses[:99])]
    told = told_together(sent, TRAJECTORY)
    assert told[7] == (tuple(joints), T0 + 7, 9, (poses[7].tobytes(), poses[7].tobytes()))
    assert told[8] == (tuple(joints), T0 + 8, 9, (poses[8].tobytes(),))


def test_more_layouts_than_are_kept_are_decoded_singly():
    messages = [joint_state(T0, [f"j{k:03}"], np.array([float(k)])) for k in range(3 * MOST_LAYOUTS)]
    told = told_together(messages, STATE)
    assert [told[k][0] for k in range(len(messages))] == [(f"j{k:03}",) for k in range(len(messages))]


@pytest.mark.parametrize("spare", range(4))
def test_bytes_that_fill_a_message_up_are_no_harm(spare):
    message = joint_state(T0, ["a"], np.ones(1)) + bytes(spare)
    assert told_together([message], STATE)[0][0] == ("a",)


def test_a_message_of_another_byte_order_is_left_to_the_general_decoder():
    header = make_header((3, 4), "")
    rest = np.array([0.5])
    message = TYPES[STATE](header, ["a"], rest, rest, rest)
    swapped = bytes(typestore().serialize_cdr(message, STATE, little_endian=False))
    assert told_together([swapped], STATE)[0] == (("a",), join(3, 4), 0, (rest.tobytes(),) * 3)


def test_clouds_are_what_the_general_decoder_says_and_need_it_once(monkeypatch):
    asked = []
    general = cloud_module.deserialize
    monkeypatch.setattr(cloud_module, "deserialize", lambda *given: asked.append(1) or general(*given))
    messages = [memoryview(cloud(T0 + k, k)) for k in range(50)]
    (block,) = cloud_blocks(messages, len(hands_cloud.HANDS), hands_cloud.LANDMARKS)
    assert len(asked) == 1
    assert block.stamp_ns.tolist() == [T0 + k for k in range(50)]
    assert block.clouds["frame"][:, 1, 20].tolist() == list(range(50))
    one = hands_cloud.from_bytes(general(messages[7], cloud_module.POINT_CLOUD).data.tobytes())
    assert block.clouds[7].tobytes() == one.tobytes()


def test_a_cloud_of_another_size_is_left_out():
    messages = [memoryview(cloud(T0, 1)), memoryview(cloud(T0, 2)[:-40]), memoryview(b"")]
    found = list(cloud_blocks(messages, len(hands_cloud.HANDS), hands_cloud.LANDMARKS))
    assert [block.rows.tolist() for block in found] == [[0]]
    assert not list(cloud_blocks(messages, 1, 33))
