# SPDX-License-Identifier: Apache-2.0
"""A gripper closes with a pinch or a fist, whatever the hand's size and turn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hands import FIST, FRAME_NS, OPEN, POSES_RAD, joint_angles, mirrored, rotations, seen

from robots import load_robot
from robots.robot import RobotFileError
from teleop.gripper_retarget import GripperRetargeter, closing
from teleop.hand_geometry import HandGeometryError


def test_open_hand_pinch_and_fist():
    assert closing(seen(OPEN)) < 0.1
    assert closing(seen(POSES_RAD["pinch_index"])) > 0.85
    assert closing(seen(FIST)) > 0.85


@given(joint_angles, rotations, st.floats(0.7, 1.4))
def test_size_turn_and_side_of_the_hand_change_nothing(angles, rotation, size):
    points = seen(angles)
    assert closing(size * points @ rotation.T) == pytest.approx(closing(points), abs=1e-9)
    assert closing(mirrored(points)) == pytest.approx(closing(points), abs=1e-9)


@pytest.mark.parametrize("name", ["ffw_sg2", "ffw_bg2"])
def test_the_gripper_closes_to_its_own_limits(name):
    robot = load_robot(name)
    gripper = GripperRetargeter(robot, "left")
    joint = robot.joints[int(gripper.joints[0])]
    assert joint.name == "gripper_l_joint1"
    for frame in range(30):
        closed = gripper.see(seen(FIST), frame * FRAME_NS)
    assert joint.max_rad - 0.2 < float(closed[0]) <= joint.max_rad
    gripper.reset()
    assert float(gripper.see(seen(OPEN), 31 * FRAME_NS)[0]) < 0.15


def test_a_robot_without_a_gripper_is_refused():
    with pytest.raises(RobotFileError, match="op3 has no right gripper"):
        GripperRetargeter(load_robot("op3"), "right")


@pytest.mark.parametrize("points", [np.full((21, 3), np.nan), np.zeros((21, 3)), np.full((21, 3), 1e9)])
def test_what_is_no_hand_moves_nothing(points):
    gripper = GripperRetargeter(load_robot("ffw_sg2"), "right")
    before = gripper.see(seen(OPEN), 0)
    with pytest.raises(HandGeometryError):
        gripper.see(points, FRAME_NS)
    assert gripper.see(seen(OPEN), 2 * FRAME_NS) == pytest.approx(before)
