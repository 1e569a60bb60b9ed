# SPDX-License-Identifier: Apache-2.0
"""The robot's head turns and nods with the operator's, against the torso, inside its limits."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_bodies import FACING, FRAME_NS, body_view, rotation

from robots import load_robot
from robots.load_kinematics import load_kinematics
from teleop.body_calibration import BodyCalibration
from teleop.body_geometry import NOSE, BodyGeometryError
from teleop.head_retarget import HeadRetargeter

NAMES = ("ffw_sh5", "ffw_sg2", "ffw_bg2", "op3")
ROBOTS = {name: load_robot(name) for name in NAMES}
TREES = {name: load_kinematics(robot) for name, robot in ROBOTS.items()}
EACH = pytest.mark.parametrize("name", NAMES)


def follow(retargeter, body, frames=60, start_ns=0):
    for k in range(frames):
        joints = retargeter.see(body, start_ns + (k + 1) * FRAME_NS)
    return joints


def facing(name, joints_rad):
    """Yaw to the left and pitch down of the robot's face [rad]."""
    robot, tree = ROBOTS[name], TREES[name]
    head = robot.imitation.head
    names = [joint.name for joint in tree.chain(head.link) if joint.moves and joint.name in robot.joint_names]
    names = names[-2:]
    poses = tree.forward(dict(zip(names, joints_rad, strict=True)))
    x, y, z = (np.linalg.inv(poses[head.base]) @ poses[head.link])[:3, 0]
    return np.array([np.arctan2(y, x), np.arctan2(-z, np.hypot(x, y))])


def limits(name, retargeter):
    return np.array([(ROBOTS[name].joints[k].min_rad, ROBOTS[name].joints[k].max_rad) for k in retargeter.joints]).T


@EACH
def test_the_joints_are_the_heads(name):
    names = {ROBOTS[name].joint_names[k] for k in HeadRetargeter(ROBOTS[name]).joints}
    assert names == ({"head_pan", "head_tilt"} if name == "op3" else {"head_joint1", "head_joint2"})


@EACH
@given(st.floats(-0.3, 0.3), st.floats(-0.15, 0.3), st.floats(-0.5, 0.5))
@settings(max_examples=25)
def test_the_robot_faces_where_the_operator_does_against_the_torso(name, yaw_rad, pitch_rad, turn_rad):
    """However the whole operator is turned; nodding is read up to half too large, as the face's geometry says."""
    body = body_view(head_rad=(yaw_rad, pitch_rad), turn=FACING @ rotation(2, turn_rad), distance_m=3.0)
    yaw, pitch = facing(name, follow(HeadRetargeter(ROBOTS[name]), body))
    assert yaw == pytest.approx(np.clip(yaw_rad, -0.35, 0.35), abs=0.1)
    assert abs(pitch - pitch_rad) < 0.1 + 0.4 * abs(pitch_rad)


@EACH
@given(st.floats(-1.2, 1.2), st.floats(-0.6, 0.6))
@settings(max_examples=25)
def test_the_mirror_image_of_the_operator_moves_the_mirror_image_of_the_head(name, yaw_rad, pitch_rad):
    seen = [
        facing(name, follow(HeadRetargeter(ROBOTS[name]), body_view(head_rad=(s * yaw_rad, pitch_rad))))
        for s in (1, -1)
    ]
    assert np.allclose(seen[0], seen[1] * [-1.0, 1.0], atol=0.02)


@EACH
def test_looks_beyond_the_limits_end_at_them(name):
    retargeter = HeadRetargeter(ROBOTS[name])
    lower, upper = limits(name, retargeter)
    for head_rad in ((1.2, 0.7), (-1.2, -0.7), (1.2, -0.7)):
        retargeter.reset(None)
        joints = follow(retargeter, body_view(head_rad=head_rad))
        assert (joints >= lower).all()
        assert (joints <= upper).all()
        if name != "op3":
            assert np.abs(joints[1]) == pytest.approx(upper[1], abs=0.01)


def test_looking_straight_ahead_is_what_the_calibration_says():
    retargeter = HeadRetargeter(ROBOTS["ffw_sh5"])
    body = body_view(head_rad=(0.2, 0.15), distance_m=3.0)
    before = np.abs(follow(retargeter, body))
    retargeter.calibration = BodyCalibration(head_rad=(0.2, 0.15))
    retargeter.reset(None)
    assert np.abs(follow(retargeter, body)).max() < 0.1 < before.max()


@EACH
def test_the_head_is_no_faster_than_it_can_be(name):
    retargeter = HeadRetargeter(ROBOTS[name])
    speed = np.array(ROBOTS[name].velocity_rad_s)[retargeter.joints]
    before = retargeter.see(body_view(), FRAME_NS)
    for k in range(2, 60):
        joints = retargeter.see(body_view(head_rad=(1.0 if k % 20 < 10 else -1.0, 0.0)), k * FRAME_NS)
        assert (np.abs(joints - before) <= speed * FRAME_NS * 1e-9 + 1e-9).all()
        before = joints


def test_a_trembling_tracker_does_not_shake_the_head():
    retargeter, draw = HeadRetargeter(ROBOTS["op3"]), np.random.default_rng(3)
    shown = [body_view(head_rad=draw.normal(0.2, 0.03, 2)) for _ in range(150)]
    seen = np.array([retargeter.see(body, (k + 1) * FRAME_NS) for k, body in enumerate(shown)])[30:]
    assert seen.std(axis=0).max() < 0.015


def test_from_a_given_pose_the_head_sets_out_and_nan_is_ready():
    retargeter = HeadRetargeter(ROBOTS["ffw_sh5"])
    retargeter.reset(np.array([0.3, np.nan]))
    joints = retargeter.see(body_view(), FRAME_NS)
    assert joints[0] == pytest.approx(0.25, abs=0.01)
    assert np.isfinite(joints).all()


def test_a_stamp_that_does_not_advance_changes_nothing():
    retargeter = HeadRetargeter(ROBOTS["ffw_sh5"])
    before = follow(retargeter, body_view(), 3)
    assert np.array_equal(retargeter.see(body_view(head_rad=(0.5, 0.0)), 3 * FRAME_NS), before)


def test_bad_frames_leave_no_trace():
    clean, disturbed = HeadRetargeter(ROBOTS["op3"]), HeadRetargeter(ROBOTS["op3"])
    good = body_view(head_rad=(0.3, 0.1))
    bad = [
        replace(good, image=good.image * np.nan),
        replace(good, visibility=np.where(np.arange(33) == NOSE, 0.0, 1.0)),
        replace(good, image=np.full((33, 2), 0.5)),
    ]
    for k in range(1, 30):
        expected = clean.see(good, 2 * k * FRAME_NS)
        with pytest.raises(BodyGeometryError):
            disturbed.see(bad[k % 3], 2 * k * FRAME_NS - FRAME_NS)
        assert np.array_equal(disturbed.see(good, 2 * k * FRAME_NS), expected)


anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


@EACH
@settings(max_examples=counted(100, 10_000))
@given(
    arrays(np.float64, (33, 3), elements=st.one_of(st.floats(-1, 1), anything)),
    arrays(np.float64, (33, 2), elements=st.one_of(st.floats(0, 1), anything)),
)
def test_whatever_is_seen_joints_are_finite_and_inside_the_limits_or_the_frame_is_refused(name, world, image):
    retargeter = HeadRetargeter(ROBOTS[name])
    lower, upper = limits(name, retargeter)
    for k in range(1, 4):
        with suppress(BodyGeometryError):
            joints = retargeter.see(replace(body_view(), world_m=world, image=image), k * FRAME_NS)
            assert (joints >= lower).all()
            assert (joints <= upper).all()


def test_a_robot_without_a_head_is_refused_by_name():
    with pytest.raises(ValueError, match="hx5_d20_right has no head"):
        HeadRetargeter(load_robot("hx5_d20_right"))
