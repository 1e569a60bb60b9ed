# SPDX-License-Identifier: Apache-2.0
"""A robot with two command topics, from take to episode and back into a replay."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from takes import LAG_NS, MS, T0, Script, joint_state, make_take, metadata, robot, status, trajectory

from graph.topics import DRIVER_STATE, JOINT_STATES
from recorder import joint_streams
from recorder.check import check_episode
from recorder.command_groups import merged_commands
from recorder.episode import Episode
from recorder.errors import ReplayError, TakeError
from recorder.finalise import finalise
from recorder.metadata import recorded_topics
from recorder.replay import plan_replay
from recorder.take import TakeWriter
from recorder.take_reader import read_take
from robots.robot import by_topic, parse_robot

YAML = """
name: duo
title: An arm and a head
sources: [made up]
buses: [{name: line, port: /dev/null, baud: 1000000}]
commands:
  - {topic: /leader/arm, joints: ["arm_*"]}
  - {topic: /leader/head, joints: [head]}
motion: {velocity_rad_s: 4.8, acceleration_rad_s2: 60, jerk_rad_s3: 3000, engage_distance_rad: 2.2}
joints:
  - {name: arm_1, id: 1, model: xm430_w350, min_rad: -1.5, max_rad: 1.5}
  - {name: head, id: 2, model: xm430_w350, min_rad: -1.5, max_rad: 1.5}
  - {name: arm_2, id: 3, model: xm430_w350, min_rad: -1.5, max_rad: 1.5}
"""
DUO = parse_robot(YAML, "duo")
ARM, HEAD = "/leader/arm", "/leader/head"
NAMES = list(DUO.joint_names)
COLUMNS = {ARM: [0, 2], HEAD: [1]}
SECONDS = 2
EVERY_33_MS = range(110 * MS, SECONDS * 1000 * MS, 33 * MS)
STILL = np.array([0.1, 0.2, 0.3])


def asked(topic, stamp_ns):
    """What is asked of a topic's joints at a time since T0: every message asks something else."""
    return np.sin(stamp_ns / 1e9 + np.array(COLUMNS[topic]))


def duo_take(path, commands, engaged=True, late=()):
    """A take of (topic, issue stamp since T0 [ns], number on its topic): a robot at rest, and commands that arrive."""
    facts = metadata(robot="duo", robot_yaml=YAML)
    out = [(now, JOINT_STATES.name, now // (10 * MS) + 1) for now in range(0, SECONDS * 1000 * MS + 1, 10 * MS)]
    out += [(now, topic, number) for topic, now, number in commands]
    with TakeWriter(path, facts.to_strings(), recorded_topics(DUO, {})) as writer:
        if engaged:
            writer.add(DRIVER_STATE.name, status("ENGAGED"), T0, T0, 1)
        for now, topic, number in sorted(out, key=lambda item: item[0]):
            if topic == JOINT_STATES.name:
                data = joint_state(T0 + now, NAMES, STILL)
            else:
                names = [NAMES[k] for k in COLUMNS[topic]]
                data = trajectory(T0 + now - 20 * MS, T0 + now, names, asked(topic, now))
            lag = 100 * MS if (topic, number) in late else LAG_NS
            writer.add(topic, data, T0 + now + lag, T0 + now, number)
    return path


def told(topic, stamps_ns, lose=()):
    """Numbered commands of one topic, without the lost numbers."""
    return [(topic, stamp, n) for n, stamp in enumerate(stamps_ns, start=1) if n not in lose]


def episode_of(path, commands, **changes):
    return Episode.open(finalise(duo_take(path, commands, **changes)).path)


def in_force(topic, stamps_ns, tick_ns):
    """The causal rule in its plainest form."""
    older = [stamp for stamp in stamps_ns if T0 + stamp <= tick_ns]
    return asked(topic, max(older)) if older else np.full(len(COLUMNS[topic]), np.nan)


def lost_messages(episode):
    return json.loads(episode.attribute("lost_messages"))["requested"]


def test_each_row_holds_what_each_topic_asked_last(tmp_path):
    stamps = {ARM: EVERY_33_MS, HEAD: range(407 * MS, SECONDS * 1000 * MS, 50 * MS)}
    commands = [command for topic in stamps for command in told(topic, stamps[topic])]
    with episode_of(tmp_path / "a.mcap", commands) as episode:
        requested, ticks = episode["/actions/requested"], episode["/time/tick_ns"]
        for topic, columns in COLUMNS.items():
            expected = [in_force(topic, stamps[topic], tick) for tick in ticks]
            np.testing.assert_allclose(requested[:, columns], expected, atol=1e-12)
        half = np.isnan(requested[:, 1]) & np.isfinite(requested[:, 0])
        assert half.sum() > 5 and np.isfinite(requested).all(axis=1).sum() > 30
        known = np.isfinite(requested[:, 0])
        newest = [max(s for s in (*stamps[ARM], *stamps[HEAD]) if T0 + s <= tick) for tick in ticks[known]]
        np.testing.assert_array_equal(episode["/time/requested/stamp_ns"][known], T0 + np.array(newest))
        np.testing.assert_array_equal(episode["/time/requested/capture_ns"][known], T0 + np.array(newest) - 20 * MS)
        held = np.flatnonzero(half)[:-1]
        np.testing.assert_allclose(episode["/action"][held, 1], STILL[1])
        np.testing.assert_allclose(episode["/action"][held, 0], requested[held + 1, 0], atol=1e-6)


def test_commands_of_one_moment_are_never_seen_apart(tmp_path):
    commands = told(HEAD, EVERY_33_MS) + told(ARM, EVERY_33_MS)
    with episode_of(tmp_path / "a.mcap", commands) as episode:
        known = episode["/time/requested/stamp_ns"] >= 0
        issued_ns = episode["/time/requested/stamp_ns"][known] - T0
        requested = episode["/actions/requested"][known]
        np.testing.assert_allclose(requested, np.sin(issued_ns[:, None] / 1e9 + np.arange(3)), atol=1e-12)


def test_two_healthy_topics_make_a_healthy_stream(tmp_path):
    commands = told(ARM, EVERY_33_MS) + told(HEAD, EVERY_33_MS)
    path = finalise(duo_take(tmp_path / "a.mcap", commands)).path
    findings = {finding.code: finding.level for finding in check_episode(path).findings}
    assert findings["lost"] == findings["dropped"] == findings["limits"] == "ok"
    with Episode.open(path) as episode:
        assert (lost_messages(episode), episode.attribute("dropped_rows")) == (0, 0)
        facts = dict(episode.file["/time/requested"].attrs)
        assert facts["messages"] == 2 * len(EVERY_33_MS)
        assert facts["usual_interval_ns"] == facts["largest_interval_ns"] == 33 * MS
        assert facts["gaps"] == facts["incomplete_messages"] == 0


@pytest.mark.parametrize("offset_ns", [0, 7 * MS])
@pytest.mark.parametrize("topic", [ARM, HEAD])
def test_a_message_lost_on_one_topic_is_counted_once_and_its_rows_are_dropped(tmp_path, topic, offset_ns):
    stamps = {ARM: EVERY_33_MS, HEAD: [stamp + offset_ns for stamp in EVERY_33_MS]}
    commands = [command for name in stamps for command in told(name, stamps[name], {20} if name == topic else ())]
    with episode_of(tmp_path / "a.mcap", commands) as episode:
        assert lost_messages(episode) == 1
        assert episode.file["/time/requested"].attrs["gaps"] == 0  # twice the usual interval is not yet a gap
        assert episode.file["/time/requested"].attrs["largest_interval_ns"] == 66 * MS
        ticks = episode["/time/tick_ns"] - T0
        age_ns = ticks - stamps[topic][18]
        expected = (age_ns >= 33_333_333) & (ticks < stamps[topic][20])
        assert expected.any()
        np.testing.assert_array_equal(episode["/health/dropped"], expected)


def test_a_late_message_of_either_topic_makes_its_row_late(tmp_path):
    commands = told(ARM, EVERY_33_MS) + told(HEAD, [stamp + 7 * MS for stamp in EVERY_33_MS])
    with episode_of(tmp_path / "a.mcap", commands, late={(ARM, 20)}) as episode:
        ticks = episode["/time/tick_ns"] - T0
        held = (ticks >= EVERY_33_MS[19]) & (ticks < EVERY_33_MS[20])
        assert held.any()
        np.testing.assert_array_equal(episode["/health/late"], held)


def test_joints_on_a_foreign_topic_are_refused_with_both_lists(tmp_path):
    with TakeWriter(tmp_path / "a.mcap", metadata().to_strings(), recorded_topics(DUO, {})) as writer:
        writer.add(ARM, trajectory(T0, T0, ["head"], np.zeros(1)), T0, T0, 1)
    with pytest.raises(TakeError, match=r"/leader/arm is of another robot: expected arm_1, arm_2, found head"):
        merged_commands(read_take(tmp_path / "a.mcap"), DUO.groups, NAMES)


def test_one_topic_is_merged_into_itself(tmp_path):
    take = read_take(make_take(tmp_path / "a.mcap", Script(lose=[(robot().groups[0][0], 7)])))
    plain = joint_streams.command_samples(take, robot().groups[0][0], robot().joint_names)
    merged = merged_commands(take, robot().groups, robot().joint_names)
    assert len(plain.samples) and plain.samples.lost.sum() == 1
    for field in ("stamp_ns", "receive_ns", "sequence", "lost", "topic", "undecodable"):
        np.testing.assert_array_equal(getattr(merged.samples, field), getattr(plain.samples, field))
    for field in ("position", "capture_ns", "incomplete"):
        np.testing.assert_array_equal(getattr(merged, field), getattr(plain, field))


stamps_ns = st.lists(st.integers(50, 1900), max_size=12).map(lambda ms: [stamp * MS for stamp in sorted(ms)])


@given(arm=stamps_ns, head=stamps_ns)
def test_merging_keeps_every_message_and_carries_the_others_forward(tmp_path_factory, arm, head):
    path = tmp_path_factory.mktemp("merge") / "a.mcap"
    take = read_take(duo_take(path, told(ARM, arm) + told(HEAD, head)))
    merged = merged_commands(take, DUO.groups, NAMES)
    stamps = merged.samples.stamp_ns
    assert sorted(stamps.tolist()) == stamps.tolist() == sorted(T0 + stamp for stamp in (*arm, *head))
    assert np.bincount(merged.samples.topic, minlength=2).tolist() == [len(arm), len(head)]
    last = np.flatnonzero(np.diff(stamps, append=0) != 0)  # of equal stamps the last holds them all
    for topic, own in ((ARM, arm), (HEAD, head)):
        expected = [in_force(topic, own, stamp) for stamp in stamps[last]]
        np.testing.assert_allclose(
            merged.position[np.ix_(last, COLUMNS[topic])].ravel(), np.ravel(expected), atol=1e-12
        )


def test_replay_starts_when_both_topics_are_known_and_speaks_on_both(tmp_path):
    commands = told(ARM, EVERY_33_MS) + told(HEAD, EVERY_33_MS[10:])
    with episode_of(tmp_path / "a.mcap", commands) as episode:
        plan = plan_replay(episode, DUO, STILL)
        requested = episode["/actions/requested"]
        complete = np.isfinite(requested).all(axis=1)
        assert complete.any() and not complete[np.isfinite(requested[:, 0])].all()
        np.testing.assert_array_equal(plan.actions, requested[complete])
    pose, _ = plan.target(plan.duration_s)
    assert by_topic(DUO, pose.tolist()) == [(ARM, ["arm_1", "arm_2"], [pose[0], pose[2]]), (HEAD, ["head"], [pose[1]])]


def test_replay_leaves_joints_that_nobody_commanded_where_they_are(tmp_path):
    with episode_of(tmp_path / "a.mcap", told(ARM, EVERY_33_MS)) as episode:
        plan = plan_replay(episode, DUO, np.array([0.0, 0.7, 0.0]))
        assert set(plan.actions[:, 1].tolist()) == {0.7}
        assert np.ptp(plan.actions[:, 0]) > 0.1


def test_replay_refuses_an_arm_of_which_one_joint_is_unknown(tmp_path):
    path = tmp_path / "a.mcap"
    with TakeWriter(path, metadata(robot="duo", robot_yaml=YAML).to_strings(), recorded_topics(DUO, {})) as writer:
        for n, stamp in enumerate(range(T0, T0 + 500 * MS, 10 * MS), start=1):
            writer.add(JOINT_STATES.name, joint_state(stamp, NAMES, STILL), stamp, stamp, n)
            writer.add(ARM, trajectory(stamp, stamp, ["arm_1"], np.zeros(1)), stamp, stamp, n)
    with Episode.open(finalise(path).path) as episode, pytest.raises(ReplayError, match="actions are not finite"):
        plan_replay(episode, DUO, STILL)
