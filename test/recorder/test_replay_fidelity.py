# SPDX-License-Identifier: Apache-2.0
"""What a replay's report says of every joint."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from takes import Script, make_take, robot, wave

from recorder.compare import compare
from recorder.episode import Episode
from recorder.finalise import finalise
from recorder.replay import plan_replay
from recorder.replay_report import load_trace, replay_report, save_trace

RECORDED_S = np.arange(0.0, 6.0, 1 / 30)
MEASURED_S = np.arange(0.0, 6.0, 0.01)


def motion(times_s, late_s=(0.0, 0.0, 0.0)):
    """Three joints that swing about, each late by its own time; (N, 3) rad."""
    phases = [np.sin(2.0 * (times_s - late)) + 0.4 * np.sin(5.3 * (times_s - late)) for late in late_s]
    return 0.3 * np.stack(phases, axis=1)


@given(st.lists(st.floats(-0.4, 0.4), min_size=3, max_size=3))
def test_every_joints_own_shift_is_found(late_s):
    result = compare(motion(RECORDED_S), RECORDED_S, motion(MEASURED_S, late_s), MEASURED_S)
    np.testing.assert_allclose(result.shift_by_joint_s, late_s, atol=0.012)


def test_a_joint_that_hardly_moves_has_no_shift():
    scale = np.array([1.0, 0.01, 1.0])
    result = compare(motion(RECORDED_S) * scale, RECORDED_S, motion(MEASURED_S, (0.1, 0.1, 0.1)), MEASURED_S)
    assert np.isnan(result.shift_by_joint_s).tolist() == [False, True, False]
    told = {joint["joint"]: joint["shift_ms"] for joint in result.to_json(("a", "b", "c"))["joints"]}
    assert told["b"] is None and told["a"] == pytest.approx(100, abs=12)


def test_the_worst_joint_comes_first():
    off = motion(MEASURED_S) + np.radians([1.0, 7.0, 3.0])
    told = compare(motion(RECORDED_S), RECORDED_S, off, MEASURED_S).to_json(("a", "b", "c"))["joints"]
    assert [joint["joint"] for joint in told] == ["b", "c", "a"]
    assert told[0]["rmse"] == pytest.approx(7.0, abs=0.1)


def test_a_sliding_joint_is_told_in_millimetres_and_left_out_of_the_degrees():
    off = motion(MEASURED_S) + np.array([0.0, 0.05, 0.0])
    slides = np.array([False, True, False])
    result = compare(motion(RECORDED_S), RECORDED_S, off, MEASURED_S, slides)
    assert result.overall_deg < 0.2
    first = result.to_json(("a", "lift", "c"))["joints"][0]
    assert (first["joint"], first["unit"]) == ("lift", "mm")
    assert first["rmse"] == pytest.approx(50.0, abs=1.0)


def test_samples_that_are_missing_in_the_recording_do_not_count():
    recorded = motion(RECORDED_S)
    recorded[40:44, 1] = np.nan
    result = compare(recorded, RECORDED_S, motion(MEASURED_S), MEASURED_S)
    assert np.isfinite(result.rmse_deg).all() and result.overall_deg < 1.0


def test_the_report_is_json_and_tells_the_way_to_the_first_pose(tmp_path):
    path = finalise(make_take(tmp_path / "a.mcap", Script(seconds=3.0))).path
    with Episode.open(path) as episode:
        home = np.array([joint.home_rad for joint in robot().joints])
        plan = plan_replay(episode, robot(), home)
        times_s = np.arange(0.0, 2.0, 0.01)
        first = episode["/time/tick_ns"][episode.rows - len(plan.actions)] - episode["/time/tick_ns"][0]
        measured = wave(times_s + first / 1e9 - 0.047)
        report = replay_report(episode, plan, 1.0, measured, times_s, ["a note"], 2, completed=False)
        save_trace(tmp_path / "r.json", episode, plan, 1.0, measured, times_s)
    told = json.loads(json.dumps(report))
    assert (told["completed"], told["pauses"], told["notes"]) == (False, 2, ["a note"])
    far = dict(zip(plan.joint_names, np.abs(plan.actions[0] - home), strict=True))
    assert told["distance_to_first_pose"] == pytest.approx(far, abs=1e-5)
    assert {joint["joint"] for joint in told["comparison"]["joints"]} == set(robot().joint_names)
    trace = load_trace(tmp_path / "r.json")
    np.testing.assert_allclose(trace["measured"], measured)
    assert trace["recorded"].shape == (len(trace["recorded_t_s"]), 20)
