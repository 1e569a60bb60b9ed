# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from takes import MS, T0, Script, cdr, joint_state, make_take, metadata, robot, trajectory, wave

from graph.topics import CAMERA, HANDS, JOINT_STATES, SENT, TELEOP_EVENT
from recorder import joint_streams, streams
from recorder.errors import TakeError
from recorder.metadata import recorded_topics
from recorder.take import TakeWriter
from recorder.take_reader import read_take

NAMES = robot().joint_names


def take_of(path, *messages):
    """A take of (topic, CDR) pairs that arrive a millisecond apart."""
    with TakeWriter(path, metadata().to_strings(), recorded_topics(robot(), {})) as writer:
        for number, (topic, data) in enumerate(messages):
            writer.add(topic, data, T0 + number * MS, T0 + number * MS, number + 1)
    return read_take(path)


def test_joints_in_any_order_land_in_the_robots_order(tmp_path):
    take = read_take(make_take(tmp_path / "a.mcap", Script(seconds=0.5, shuffle_joints=True)))
    joints = joint_streams.joint_samples(take, JOINT_STATES.name, NAMES)
    expected = wave((joints.samples.stamp_ns - T0) / 1e9 - 0.05)
    np.testing.assert_allclose(joints.position, expected)


def test_a_joint_that_a_message_leaves_out_is_counted_and_keeps_its_value_for_50_ms(tmp_path):
    pose = np.arange(20.0)
    stamps = [T0, T0 + MS, T0 + 50 * MS, T0 + 51 * MS, T0 + 52 * MS]
    messages = [(JOINT_STATES.name, joint_state(stamps[0], list(NAMES), pose))]
    messages += [(JOINT_STATES.name, joint_state(at, list(NAMES[1:]), pose[1:] + 1)) for at in stamps[1:4]]
    messages.append((JOINT_STATES.name, joint_state(stamps[4], list(NAMES), pose + 2)))
    joints = joint_streams.joint_samples(take_of(tmp_path / "a.mcap", *messages), JOINT_STATES.name, NAMES)
    assert joints.incomplete == 3
    np.testing.assert_array_equal(joints.position[:, 0], [0, 0, 0, np.nan, 2])
    np.testing.assert_array_equal(joints.position[:, 1], [1, 2, 2, 2, 3])


def test_a_joint_that_was_never_heard_is_nan(tmp_path):
    message = joint_state(T0, list(NAMES[1:]), np.arange(19.0))
    take = take_of(tmp_path / "a.mcap", (JOINT_STATES.name, message))
    joints = joint_streams.joint_samples(take, JOINT_STATES.name, NAMES)
    assert np.isnan(joints.position[0, 0]) and np.isfinite(joints.position[0, 1:]).all()


def test_joints_of_another_robot_are_refused_with_both_lists(tmp_path):
    take = take_of(tmp_path / "a.mcap", (JOINT_STATES.name, joint_state(T0, ["head_pan"], np.zeros(1))))
    with pytest.raises(TakeError, match=r"(?s)expected finger_r_joint1.*found head_pan"):
        joint_streams.joint_samples(take, JOINT_STATES.name, NAMES)


def test_a_commands_stamp_is_the_moment_of_issue_and_its_cause_is_kept(tmp_path):
    take = take_of(tmp_path / "a.mcap", (SENT.name, trajectory(T0, T0 + 25 * MS, list(NAMES), np.zeros(20))))
    sent = joint_streams.command_samples(take, SENT.name, NAMES)
    assert sent.samples.stamp_ns.tolist() == [T0 + 25 * MS]
    assert sent.capture_ns.tolist() == [T0]


def test_a_command_without_a_cause_says_so(tmp_path):
    take = take_of(tmp_path / "a.mcap", (SENT.name, trajectory(T0, T0, list(NAMES), np.zeros(20))))
    assert joint_streams.command_samples(take, SENT.name, NAMES).capture_ns.tolist() == [-1]


def test_a_command_stamped_now_gets_the_moment_of_publishing(tmp_path):
    take = take_of(tmp_path / "a.mcap", (SENT.name, trajectory(0, 20 * MS, list(NAMES), np.zeros(20))))
    sent = joint_streams.command_samples(take, SENT.name, NAMES)
    assert (sent.samples.stamp_ns.tolist(), sent.capture_ns.tolist()) == ([T0], [-1])


def test_samples_are_ordered_by_source_stamp_not_by_arrival(tmp_path):
    late, early = (joint_state(T0 + k * MS, list(NAMES), np.full(20, k / 10)) for k in (2, 1))
    joints = joint_streams.joint_samples(
        take_of(tmp_path / "a.mcap", (JOINT_STATES.name, late), (JOINT_STATES.name, early)), JOINT_STATES.name, NAMES
    )
    assert joints.samples.stamp_ns.tolist() == [T0 + MS, T0 + 2 * MS]
    assert joints.position[:, 0].tolist() == [0.1, 0.2]
    assert joints.samples.sequence.tolist() == [2, 1]


def test_garbage_is_left_out_and_counted(tmp_path):
    good = joint_state(T0, list(NAMES), np.zeros(20))
    take = take_of(tmp_path / "a.mcap", (JOINT_STATES.name, good), (JOINT_STATES.name, good[:40]), (HANDS.name, b"x"))
    joints = joint_streams.joint_samples(take, JOINT_STATES.name, NAMES)
    assert (len(joints.samples), joints.samples.undecodable) == (1, 1)
    assert streams.hand_samples(take, HANDS.name).samples.undecodable == 1


def test_hands_images_and_events_come_back_as_they_were(tmp_path):
    take = read_take(make_take(tmp_path / "a.mcap", Script(seconds=1.0)))
    hands = streams.hand_samples(take, HANDS.name)
    assert hands.landmarks.shape == (30, 2, 21, 3) and np.isnan(hands.landmarks[:, 1]).all()
    np.testing.assert_allclose(hands.landmarks[:, 0, 0], np.broadcast_to([0.01, 0.02, 0.03], (30, 3)), rtol=1e-6)
    assert hands.frame.tolist() == list(range(30))
    assert bytes(streams.frame_samples(take, CAMERA.name).images[3]).startswith(b"\xff\xd8")
    assert streams.event_samples(take, TELEOP_EVENT.name).texts == ("engaged",)


def test_an_event_is_stamped_with_its_publishing(tmp_path):
    take = take_of(tmp_path / "a.mcap", (TELEOP_EVENT.name, cdr("std_msgs/msg/String", data="released")))
    assert streams.event_samples(take, TELEOP_EVENT.name).samples.stamp_ns.tolist() == [T0]
