# SPDX-License-Identifier: Apache-2.0
"""A fence of a robot file is a box with room in it and around home and ready; or all that is wrong with it is told."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from robots import RobotFileError, load_robot, robot_names
from robots.load_kinematics import load_kinematics
from robots.robot import parse_robot
from robots.urdf import UrdfError

ARM = {"side": "right", "base": "body_link", "shoulder": "r_sho_roll_link", "elbow": "r_el_link"}
ARM |= {"wrist": "r_arm_end_link"}


def op3(*fences):
    """A site's own OP3 with these fences, one for each right arm."""
    arms = [{**ARM, "fence_m": fence} for fence in fences]
    return yaml.safe_dump({"based_on": "op3", "name": "ours", "imitation": {"arms": arms}}, sort_keys=False)


def refusal(*fences):
    with pytest.raises(RobotFileError) as caught:
        parse_robot(op3(*fences), "ours.yaml")
    return str(caught.value)


GOOD = {"lower": [-0.05, -0.36, -0.17], "upper": [0.28, 0.17, 0.30]}


@pytest.mark.parametrize("name", [name for name in robot_names() if load_robot(name).imitation.arms])
def test_every_robot_with_arms_has_fences_with_room_around_home_and_ready(name):
    robot = load_robot(name)
    load_kinematics(robot)
    assert all(arm.fence_m is not None for arm in robot.imitation.arms)


def test_a_site_sets_its_own_fence():
    robot = parse_robot(op3(GOOD | {"upper": [0.2, 0.1, 0.25]}), "ours.yaml")
    assert robot.imitation.arms[0].fence_m.upper == (0.2, 0.1, 0.25)
    load_kinematics(robot)


def test_an_arm_needs_no_fence():
    text = yaml.safe_dump({"based_on": "op3", "name": "ours", "imitation": {"arms": [ARM]}})
    load_kinematics(parse_robot(text, "ours.yaml"))


def test_all_problems_of_a_fence_are_told_at_once_with_key_and_line():
    told = refusal({"lower": [0.3, -0.36, 0.5], "upper": [0.28, 0.17, 0.30]}, {"lower": [0, 0], "uper": [1, 1, 1]})
    assert "imitation.arms.0.fence_m.lower: right arm: x 0.3 must be below upper's x 0.28 [line" in told
    assert "right arm: z 0.5 must be below upper's z 0.3" in told and "right arm: y" not in told
    assert "imitation.arms.1.fence_m.uper: unknown key (found [1, 1, 1]); expected one of lower, upper [line" in told
    assert "imitation.arms.1.fence_m.upper: Field required" in told
    assert "imitation.arms.1.fence_m.lower" in told


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "far", None])
def test_a_corner_that_is_no_number_is_refused(wrong):
    assert "imitation.arms.0.fence_m.upper.1" in refusal(GOOD | {"upper": [0.28, wrong, 0.30]})


def test_a_fence_that_home_or_ready_come_too_near_to_is_refused_with_every_pose_and_wall():
    fence = GOOD | {"lower": [0.05, -0.32, -0.13]}
    with pytest.raises(UrdfError) as caught:
        load_kinematics(parse_robot(op3(fence), "ours.yaml"))
    told = str(caught.value)
    assert "right arm: at home_rad the wrist is -0.032 m inside the fence's lower x" in told
    assert "at home_rad the wrist is -0.009 m inside the fence's lower y" in told
    assert "at ready_rad the wrist is 0.007 m inside the fence's lower z: expected at least 0.012 m of room" in told
    assert "ours: 4 problem(s)" in told


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_a_box_is_taken_if_and_only_if_it_has_room(corners):
    fence = {"lower": corners[:3], "upper": corners[3:]}
    if all(low < high for low, high in zip(corners[:3], corners[3:], strict=True)):
        assert list(parse_robot(op3(fence), "ours.yaml").imitation.arms[0].fence_m.lower) == corners[:3]
    else:
        assert "must be below upper's" in refusal(fence)
