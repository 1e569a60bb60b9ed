# SPDX-License-Identifier: Apache-2.0
"""Each thing that can be wrong with an episode has a finding that says so."""

import json

import h5py
import numpy as np
import pytest
from takes import Script, make_take

from graph.topics import CAMERA, DRIVER_STATE
from recorder.check import EXIT_FAIL, EXIT_OK, Report, Verdict, check_episode
from recorder.check_images import is_whole_jpeg
from recorder.finalise import finalise
from recorder.finding import fail, ok, warn


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return finalise(make_take(tmp_path_factory.mktemp("check") / "a.mcap", Script(seconds=3.0))).path


@pytest.fixture
def damaged(healthy, tmp_path):
    """A function that applies a change to a copy of a healthy episode and returns {code: level}."""

    def apply(change):
        copy = tmp_path / "copy.h5"
        copy.write_bytes(healthy.read_bytes())
        with h5py.File(copy, "r+") as file:
            change(file)
        return {finding.code: finding.level.value for finding in check_episode(copy).findings}

    return apply


def levels(script, tmp_path):
    report = check_episode(finalise(make_take(tmp_path / "a.mcap", script)).path)
    return {finding.code: finding.level.value for finding in report.findings}


def test_a_healthy_episode_passes_everything(healthy):
    report = check_episode(healthy)
    assert (report.verdict, report.exit_code) == (Verdict.OK, EXIT_OK)
    assert json.loads(json.dumps(report.to_json()))["verdict"] == "ok"


def test_a_file_that_does_not_open_is_a_finding_not_a_traceback(tmp_path):
    report = check_episode(tmp_path / "absent.h5")
    assert (report.exit_code, report.findings[0].code) == (EXIT_FAIL, "open")


def test_a_recovered_take_is_a_warning(tmp_path):
    assert levels(Script(close=False), tmp_path)["complete"] == "warn"


def test_a_tick_off_the_grid_fails(damaged):
    def change(file):
        file["/time/tick_ns"][5] += 1000

    found = damaged(change)
    assert (found["ticks"], found["causal"]) == ("fail", "fail")


def test_a_sample_from_the_future_fails(damaged):
    def change(file):
        file["/time/hands/age_ns"][5] = -5

    assert damaged(change)["causal"] == "fail"


def test_an_action_outside_the_limits_fails(damaged):
    def change(file):
        file["/actions/requested"][40, 3] = 9.0

    assert damaged(change)["limits"] == "fail"


def test_a_position_that_is_no_number_fails(damaged):
    def change(file):
        file["/observations/qpos"][7, 0] = np.nan

    assert damaged(change)["finite"] == "fail"


def test_a_cut_jpeg_fails(damaged):
    def change(file):
        file["/observations/images/cam_operator"][3, 300:] = 0

    assert damaged(change)["images"] == "fail"


def test_a_stuck_camera_is_a_warning(damaged):
    def change(file):
        images = file["/observations/images/cam_operator"]
        images[10:50] = images[10]

    assert damaged(change)["frozen"] == "warn"


def test_a_copied_link_fails(damaged):
    def change(file):
        actions = file["/action"][()]
        del file["/data/demo_0/actions"]
        file["/data/demo_0/actions"] = actions

    assert damaged(change)["links"] == "fail"


def test_a_robot_that_does_not_follow_is_a_warning(damaged):
    def change(file):
        file["/actions/requested"][:] = file["/actions/requested"][:] * 0.2

    assert damaged(change)["tracking"] == "warn"


def test_rows_whose_samples_are_of_different_moments_are_a_warning(damaged):
    def change(file):
        file["/health/skew_ns"][10:50] += 45_000_000

    assert damaged(change)["skew"] == "warn"


def test_stamps_that_ran_backwards_fail(damaged):
    def change(file):
        file["/time/hands/receive_ns"][40:50] -= 400_000_000

    assert damaged(change)["backwards"] == "fail"


def test_a_step_of_the_wall_clock_is_a_warning(damaged):
    assert damaged(lambda file: file.attrs.__setitem__("wall_drift_ns", -900_000_000))["wall"] == "warn"


def test_uneven_intervals_are_a_warning(damaged):
    assert damaged(lambda file: file["/time/joint_states"].attrs.__setitem__("gaps", 40))["gaps"] == "warn"


def test_the_verdict_names_what_failed_first(healthy):
    report = Report(healthy, (ok("a", ""), warn("b", ""), fail("c", "")))
    assert (report.verdict, [finding.code for finding in report.reasons]) == (Verdict.FAILED, ["c", "b"])
    assert Report(healthy, (warn("b", ""),)).verdict == "degraded"


def test_lost_frames_are_warnings_and_many_dropped_rows_fail(tmp_path):
    one = levels(Script(seconds=3.0, lose=[(CAMERA.name, 40)]), tmp_path)
    assert (one["lost"], one["dropped"]) == ("warn", "warn")
    (tmp_path / "a.mcap").unlink()
    (tmp_path / "a.h5").unlink()
    many = levels(Script(seconds=3.0, lose=[(CAMERA.name, n) for n in range(40, 60)]), tmp_path)
    assert (many["dropped"], many["stale"]) == ("fail", "warn")


def test_an_episode_nobody_was_engaged_in_is_a_warning(tmp_path):
    assert levels(Script(lose=[(DRIVER_STATE.name, 2)]), tmp_path)["engaged"] == "warn"


def test_missing_hands_and_camera_are_warnings(tmp_path):
    found = levels(Script(hands=False, camera=False), tmp_path)
    assert (found["hands"], found["images"]) == ("warn", "warn")


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"\xff\xd8\xff\x00\xff\xd9", True),
        (b"\xff\xd8\xff\x00\xff\xd9\0\0", True),
        (b"\xff\xd8\xff\x00", False),
        (b"", False),
    ],
)
def test_a_jpeg_is_judged_by_its_ends(data, whole):
    assert is_whole_jpeg(data) is whole
