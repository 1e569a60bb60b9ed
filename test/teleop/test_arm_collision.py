# SPDX-License-Identifier: Apache-2.0
"""Distances of capsules are those of densely sampled segments; robots stand clear of themselves at home."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robots import load_robot
from robots.load_kinematics import load_kinematics
from teleop.arm_collision import Capsules, gaps, gaps_around, surroundings
from teleop.arm_model import ArmModel, body_capsules

coordinates = st.floats(-1.0, 1.0).map(lambda value: round(value, 3))
segments = arrays(np.float64, (1, 2, 3), elements=coordinates)


@settings(max_examples=200)
@given(segments, segments)
def test_the_gap_is_the_least_distance_of_all_points(first, second):
    shares = np.linspace(0.0, 1.0, 201)[:, None]
    sampled = [ends[0, 0] + shares * (ends[0, 1] - ends[0, 0]) for ends in (first, second)]
    least = np.linalg.norm(sampled[0][:, None] - sampled[1][None], axis=2).min()
    found = gaps(Capsules(first, np.array([0.1])), Capsules(second, np.array([0.2])))
    assert found.free_m[0] == pytest.approx(least - 0.3, abs=0.02)
    assert found.free_m[0] <= least - 0.3 + 1e-9


@given(segments, segments)
def test_the_gap_grows_where_it_says(first, second):
    """Moving the first one along ``apart`` widens the gap by as much, as long as both do not cross."""
    found = gaps(Capsules(first, np.zeros(1)), Capsules(second, np.zeros(1)))
    if found.free_m[0] > 0.05:
        assert np.linalg.norm(found.apart[0]) == pytest.approx(1.0)
        moved = gaps(Capsules(first + 1e-4 * found.apart[0], np.zeros(1)), Capsules(second, np.zeros(1)))
        assert moved.free_m[0] - found.free_m[0] == pytest.approx(1e-4, abs=2e-6)


def test_capsules_without_length_are_spheres():
    point, other = np.zeros((1, 2, 3)), np.full((1, 2, 3), [0.0, 3.0, 4.0])
    assert gaps(Capsules(point, np.ones(1)), Capsules(other, np.ones(1))).free_m[0] == pytest.approx(3.0)


@pytest.mark.parametrize("name", ["ffw_sh5", "ffw_sg2", "ffw_bg2", "op3"])
def test_robots_are_clear_of_themselves_at_home_and_when_ready(name):
    robot = load_robot(name)
    tree = load_kinematics(robot)
    right, left = (
        ArmModel(robot, tree, copy) for copy in sorted(robot.imitation.arms, key=lambda copy: copy.side)[::-1]
    )
    body = body_capsules(robot, tree, right)
    for poses in ((right.rest, left.rest), (right.ready, left.ready)):
        own, other = (
            arm.capsules(arm.points.at(arm.chain.forward(pose))) for arm, pose in zip((right, left), poses, strict=True)
        )
        assert gaps_around(own, surroundings(body, other)).free_m.min() > 0.03 * right.measures.reach_m
        assert gaps_around(own, surroundings(body, None)).free_m.min() > 0.03 * right.measures.reach_m


@pytest.mark.parametrize("name", ["ffw_sh5", "ffw_bg2", "op3"])
@given(st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7))
def test_mirrored_joints_make_mirrored_arms(name, angles):
    robot = load_robot(name)
    tree = load_kinematics(robot)
    points = {}
    for copy in robot.imitation.arms:
        arm = ArmModel(robot, tree, copy)
        joints = arm.mirrored * np.array(angles)[: len(arm.rest)]
        points[arm.side] = arm.points.at(arm.chain.forward(joints))
    assert np.allclose(points["right"], points["left"] * [1.0, -1.0, 1.0], atol=1e-6)
