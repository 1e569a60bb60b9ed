# SPDX-License-Identifier: Apache-2.0
"""Laws of the way back into a recorded motion."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from takes import Script, make_take, robot, wave

from recorder.compare import compare
from recorder.episode import Episode
from recorder.errors import ReplayError
from recorder.finalise import finalise
from recorder.replay import MIN_RAMP_S, Phase, minimum_jerk, plan_replay, ramp_duration_s
from recorder.replay_report import replay_report
from robots import load_robot

HOME = np.array([joint.home_rad for joint in robot().joints])
poses = st.lists(st.floats(-1.5, 1.5), min_size=20, max_size=20).map(np.array)
speeds = st.floats(0.1, 2.0)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return finalise(make_take(tmp_path_factory.mktemp("replay") / "a.mcap", Script(seconds=2.0))).path


@pytest.fixture(scope="module")
def episode(path):
    with Episode.open(path) as opened:
        yield opened


@pytest.fixture
def changed(path, tmp_path):
    """A function that opens a copy of the episode in which one dataset entry was changed."""

    def apply(name, index, value):
        copy = tmp_path / "copy.h5"
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "r+") as file:
            file[name][index] = value
        return Episode.open(copy)

    return apply


@given(measured=poses, cap=st.floats(0.1, 3.0))
def test_the_ramp_starts_where_the_robot_is_and_ends_at_the_first_action(episode, measured, cap):
    plan = plan_replay(episode, robot(), measured, ramp_speed_rad_s=cap)
    start, phase = plan.target(0.0)
    np.testing.assert_allclose(start, measured)
    assert phase is Phase.RAMP
    arrived, phase = plan.target(plan.ramp_s)
    np.testing.assert_allclose(arrived, plan.actions[0])
    assert phase is Phase.REPLAY
    assert plan.ramp_s >= MIN_RAMP_S


@given(measured=poses, cap=st.floats(0.1, 3.0))
def test_no_joint_is_faster_than_the_cap_on_the_ramp(episode, measured, cap):
    plan = plan_replay(episode, robot(), measured, ramp_speed_rad_s=cap)
    times = np.linspace(0.0, plan.ramp_s, 200)
    positions = np.array([plan.target(t)[0] for t in times])
    assert np.abs(np.diff(positions, axis=0) / np.diff(times)[:, None]).max() <= cap * (1 + 1e-6)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_minimum_jerk_never_turns_back(a, b):
    low, high = sorted((a, b))
    assert 0.0 <= minimum_jerk(low) <= minimum_jerk(high) + 1e-12 <= 1.0 + 2e-12


@given(st.floats(0.0, 10.0), st.floats(0.01, 5.0))
def test_a_ramp_lasts_at_least_a_second(distance, speed):
    assert ramp_duration_s(distance, speed) >= MIN_RAMP_S


@given(speed=speeds, share=st.floats(0.0, 1.0))
def test_replay_passes_every_action_at_its_time(episode, speed, share):
    plan = plan_replay(episode, robot(), HOME, speed)
    row = int(share * (len(plan.actions) - 1))
    position, _ = plan.target(plan.ramp_s + plan.times_s[row])
    np.testing.assert_allclose(position, plan.actions[row], atol=1e-6)
    expected_s = (len(plan.actions) - 1) / 30.0 / speed
    assert plan.duration_s - plan.ramp_s == pytest.approx(expected_s, abs=1e-6)


def test_the_last_action_is_held_after_the_end(episode):
    plan = plan_replay(episode, robot(), HOME)
    position, phase = plan.target(plan.duration_s + 10.0)
    assert phase is Phase.DONE
    np.testing.assert_array_equal(position, plan.actions[-1])


def test_replay_follows_what_was_requested_not_the_learners_shifted_copy(episode):
    plan = plan_replay(episode, robot(), HOME)
    requested = episode["/actions/requested"]
    np.testing.assert_array_equal(plan.actions, requested[np.isfinite(requested).all(axis=1)])


def test_another_robot_is_refused(episode):
    with pytest.raises(ReplayError, match="recorded with robot 'hx5_d20_right', this is 'op3'"):
        plan_replay(episode, load_robot("op3"), np.zeros(20))


def test_other_joints_are_refused(episode):
    other = robot().model_copy(update={"joints": robot().joints[::-1]})
    with pytest.raises(ReplayError, match="the joints differ"):
        plan_replay(episode, other, HOME)


def test_an_action_outside_the_limits_is_refused_with_its_joint(changed):
    expected = "limits of hx5_d20_right in finger_r_joint4: not sent"
    with changed("/actions/requested", (40, 3), 9.0) as episode, pytest.raises(ReplayError, match=expected):
        plan_replay(episode, robot(), HOME)


def test_an_action_that_is_no_number_is_refused(changed):
    expected = "1 requested actions are not finite, first in row 40"
    with changed("/actions/requested", (40, 3), np.nan) as episode, pytest.raises(ReplayError, match=expected):
        plan_replay(episode, robot(), HOME)


@pytest.mark.parametrize("speed", [0.0, -1.0, 2.5, float("nan")])
def test_a_speed_out_of_range_is_refused(episode, speed):
    with pytest.raises(ReplayError, match="speed should lie"):
        plan_replay(episode, robot(), HOME, speed)


def test_a_measured_pose_that_is_no_number_is_refused(episode):
    with pytest.raises(ReplayError, match="finite numbers"):
        plan_replay(episode, robot(), np.full(20, np.nan))


def test_an_episode_without_commands_is_refused(tmp_path):
    path = finalise(make_take(tmp_path / "a.mcap", Script(commands=False))).path
    with Episode.open(path) as episode, pytest.raises(ReplayError, match="no requested action"):
        plan_replay(episode, robot(), HOME)


@given(shift_s=st.floats(-0.4, 0.4), seed=st.integers(0, 100))
def test_a_shifted_copy_compares_as_equal_and_the_shift_is_found(shift_s, seed):
    recorded_t = np.arange(0.0, 4.0, 1 / 30)
    measured_t = np.sort(np.random.default_rng(seed).uniform(0.0, 4.0, 300))
    result = compare(wave(recorded_t), recorded_t, wave(measured_t - shift_s), measured_t)
    assert result.shift_s == pytest.approx(shift_s, abs=0.006)
    assert result.shifted_deg < 0.2


def test_a_constant_offset_is_reported_for_its_joint():
    t = np.arange(0.0, 3.0, 0.01)
    off = wave(t) + np.eye(20)[4] * np.radians(3.0)
    result = compare(wave(t), t, off, t)
    assert result.rmse_deg[4] == pytest.approx(3.0, abs=0.05)
    assert result.overall_deg == pytest.approx(3.0 / np.sqrt(20), abs=0.05)
    assert set(result.to_json(robot().joint_names)["rmse_deg_by_joint"]) == set(robot().joint_names)


def test_motions_that_do_not_overlap_are_refused():
    t = np.arange(0.0, 1.0, 0.01)
    with pytest.raises(ReplayError, match="hardly overlap"):
        compare(wave(t), t, wave(t), t + 10.0)


@pytest.mark.parametrize("speed", [0.5, 1.0])
def test_a_robot_that_repeats_its_recording_gets_a_small_error(episode, speed):
    plan = plan_replay(episode, robot(), HOME, speed)
    first_s = (episode["/time/tick_ns"][episode.rows - len(plan.actions)] - episode["/time/tick_ns"][0]) / 1e9
    t = np.arange(0.0, plan.duration_s - plan.ramp_s, 0.01)
    start_s = 0.003 + first_s
    report = replay_report(episode, plan, speed, wave(t * speed + start_s - 0.05), t)
    assert report["comparison"]["rmse_deg"] < 0.2
    assert report["actions"] == len(plan.actions)
