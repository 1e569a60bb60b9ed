# SPDX-License-Identifier: Apache-2.0
"""Joints that are stuck, saturated, rough or off; takes that idle or are interrupted; each has a finding."""

import h5py
import numpy as np
import pytest
from takes import Script, make_take, robot

from recorder.check import Verdict, check_episode
from recorder.check_course import idle_ends_s, jerk, jerk_rows
from recorder.check_joints import drift_deg
from recorder.check_motion import Motion, follow_lag_s
from recorder.finalise import finalise
from robots import load_robot

RATE_HZ = 30.0


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    return finalise(make_take(tmp_path_factory.mktemp("joints") / "a.mcap", Script(seconds=8.0))).path


@pytest.fixture
def found(healthy, tmp_path):
    """A function that applies a change to a copy of a healthy episode and returns {code: finding} of what is not ok."""

    def apply(change):
        copy = tmp_path / "copy.h5"
        copy.write_bytes(healthy.read_bytes())
        with h5py.File(copy, "r+") as file:
            change(file)
        return {finding.code: finding for finding in check_episode(copy).reasons}

    return apply


def edit(file, name, change):
    values = file[name][()]
    change(values)
    file[name][...] = values


def rest(file, first=90, last=150):
    """Robot and command stand still for two seconds in the middle."""
    for name in ("/actions/sent", "/actions/requested", "/observations/qpos"):
        edit(file, name, lambda values: values.__setitem__(slice(first, last), file["/actions/sent"][first]))


def test_the_healthy_one_is_ok(healthy):
    assert check_episode(healthy).verdict is Verdict.OK


def test_a_stuck_joint(found):
    reasons = found(lambda file: edit(file, "/observations/qpos", lambda q: q.__setitem__((slice(None), 5), 0.3)))
    assert reasons["stuck"].level == "fail"
    assert robot().joint_names[5] in reasons["stuck"].text


def test_a_joint_that_is_stuck_for_a_while(found):
    def change(file):
        edit(file, "/observations/qpos", lambda q: q.__setitem__((slice(60, 160), 1), q[60, 1]))

    assert found(change)["stuck"].level == "warn"


@pytest.mark.parametrize(("degrees", "level"), [(1.0, None), (3.0, "warn"), (-17.0, "fail")])
def test_a_drifted_calibration(found, degrees, level):
    def change(file):
        rest(file)
        edit(file, "/observations/qpos", lambda q: q.__setitem__((slice(None), 7), q[:, 7] + np.radians(degrees)))

    reasons = found(change)
    assert (reasons["drift"].level if "drift" in reasons else None) == level


def test_a_drifted_calibration_of_a_joint_that_never_rests(found):
    reasons = found(
        lambda file: edit(file, "/observations/qpos", lambda q: q.__setitem__((slice(None), 7), q[:, 7] + 0.3))
    )
    assert robot().joint_names[7] in reasons["drift"].text


def test_a_grasp_is_no_drift(found):
    """A finger that rests against an object is off there and nowhere else."""

    def change(file):
        rest(file, 90, 150)
        rest(file, 160, 220)
        edit(file, "/observations/qpos", lambda q: q.__setitem__((slice(90, 150), 7), q[90, 7] - np.radians(10)))

    assert "drift" not in found(change)


def test_a_joint_that_follows_badly(found):
    def change(file):
        edit(file, "/observations/qpos", lambda q: q.__setitem__((slice(None), 2), q[:, 2] + np.radians(20)))

    assert robot().joint_names[2] in found(change)["tracking_joint"].text


def test_a_motion_before_its_command(found):
    def change(file):
        edit(file, "/observations/qpos", lambda q: q.__setitem__(slice(0, -5), q[5:]))

    assert "precedes" in found(change)["lag"].text


def test_a_servo_at_its_current_cap(found):
    def change(file):
        edit(file, "/observations/effort", lambda effort: effort.__setitem__((slice(60, 200), 4), 5000))

    assert "current cap" in found(change)["saturated"].text


def test_rough_commands(found):
    def change(file):
        rough = np.random.default_rng(1).normal(0, 0.2, 200)
        edit(file, "/actions/sent", lambda sent: sent.__setitem__((slice(20, 220), 3), sent[20:220, 3] + rough))

    assert "jerk" in found(change)


def test_a_hand_that_is_lost_while_driving(found):
    def change(file):
        edit(file, "/operator/landmarks", lambda points: points.__setitem__((slice(60, 120), 0), np.nan))

    assert found(change)["hand_lost"].level == "warn"


def test_many_holds(found):
    def change(file):
        edit(file, "/operator/engaged", lambda engaged: [engaged.__setitem__(row, False) for row in range(50, 200, 30)])

    assert "5 holds" in found(change)["holds"].text


def test_an_idle_end(found):
    def change(file):
        for name in ("/observations/qpos", "/actions/sent"):
            edit(file, name, lambda values: values.__setitem__(slice(70, None), values[70]))

    assert "idle" in found(change)


def motion(commanded, measured):
    """The first joints of the synthetic robot; degrees."""
    count = len(robot().joints)
    wide = [np.pad(part, ((0, 0), (0, count - part.shape[1]))) for part in (commanded, commanded, measured)]
    return Motion(robot(), RATE_HZ, *wide, np.ones(len(commanded), np.bool_), True, np.arange(len(commanded)))


@pytest.mark.parametrize("lag_s", [-0.1, 0.0, 0.02, 0.15])
def test_the_lag_is_found_to_a_fraction_of_a_row(lag_s):
    at = np.arange(300)[:, None] / RATE_HZ
    assert follow_lag_s(motion(20 * np.sin(2 * at), 20 * np.sin(2 * (at - lag_s)))) == pytest.approx(lag_s, abs=0.003)


def test_without_motion_there_is_no_lag():
    still = np.zeros((300, 1))
    assert follow_lag_s(motion(still, still)) is None


def test_idle_ends_are_as_long_as_nothing_moves():
    at = np.arange(300)[:, None] / RATE_HZ
    pose = 40 * np.clip(at - 3, 0, 4)
    head_s, tail_s = idle_ends_s(motion(pose, pose))
    assert (head_s, tail_s) == (pytest.approx(3.0, abs=0.1), pytest.approx(3.0, abs=0.1))


def test_a_lag_is_no_drift():
    at = np.arange(300)[:, None] / RATE_HZ
    assert not drift_deg(motion(100 * at, 100 * (at - 0.1)), 0.1).any()


def test_jerk_of_a_cubic_is_exact_at_any_spacing():
    at = np.cumsum(np.random.default_rng(2).uniform(0.02, 0.05, (4, 50)), axis=0)
    assert np.allclose(jerk(at, (5.0 * at**3 - 2.0 * at)[:, :, None]), 30.0)


def test_slow_joints_are_judged_over_longer_stretches():
    """A cap of 100 rad/s^3 drowns in the rounding of neighbouring rows."""
    humanoid = load_robot("ffw_sh5")
    rows = dict(zip(humanoid.joint_names, jerk_rows(humanoid, RATE_HZ).tolist(), strict=True))
    assert rows["arm_l_joint5"] > rows["finger_r_joint1"]
    assert min(jerk_rows(humanoid, 200.0)) > 1
