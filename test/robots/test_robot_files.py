# SPDX-License-Identifier: Apache-2.0
"""The robots that come with the package are those that ROBOTIS builds."""

from math import pi

import pytest

from robots import RobotFileError, load_robot, robot_names

HAND, OP3 = load_robot("hx5_d20_right"), load_robot("op3")


@pytest.mark.parametrize("name", robot_names())
def test_every_robot_file_loads_under_its_own_name(name):
    robot = load_robot(name)
    assert robot.name == name
    assert robot.sources and robot.title


def test_the_robots_of_the_package():
    assert set(robot_names()) >= {"hx5_d20_right", "op3"}


def test_hand_has_five_digits_of_four_servos_behind_controller_110():
    assert [joint.name for joint in HAND.joints] == [f"finger_r_joint{k}" for k in range(1, 21)]
    assert [joint.id for joint in HAND.joints] == [111 + 5 * digit + k for digit in range(5) for k in range(4)]
    assert {joint.model for joint in HAND.joints} == {"xm335_t323"}
    assert (HAND.controllers[0].id, HAND.buses[0].baud) == (110, 4_000_000)
    assert (HAND.retarget, HAND.hand) == ("hx5_d20", "right")


def test_hand_has_the_limits_of_robotis_urdf():
    thumb = [(-1.57, 1.57), (-3.14, 0.0), (0.0, 1.57), (0.0, 1.57)]
    finger = [(-0.6, 0.6), (0.0, 2.0), (0.0, 1.57), (0.0, 1.57)]
    assert [(joint.min_rad, joint.max_rad) for joint in HAND.joints] == thumb + 4 * finger
    assert HAND.motion.velocity_rad_s == 4.8


def test_hand_turns_only_its_first_thumb_servo_backwards():
    assert [joint.name for joint in HAND.joints if joint.reverse] == ["finger_r_joint1"]


def test_op3_has_twenty_xm430_with_ids_1_to_20_on_one_bus():
    assert [joint.id for joint in OP3.joints] == list(range(1, 21))
    assert {joint.model for joint in OP3.joints} == {"xm430_w350"}
    assert (OP3.controllers, OP3.buses[0].baud) == ((), 2_000_000)
    assert OP3.retarget is None


def test_op3_joints_move_within_nine_tenths_of_a_half_turn():
    for joint in OP3.joints:
        assert (joint.min_rad, joint.max_rad) == pytest.approx((-0.9 * pi, 0.9 * pi), abs=1e-3)


@pytest.mark.parametrize("name", robot_names())
def test_joint_names_are_in_bus_order(name):
    robot = load_robot(name)
    assert robot.joint_names == tuple(joint.name for joint in robot.joints)


@pytest.mark.parametrize("name", ["", "hx5", "HX5_D20_RIGHT", "../robots/op3", "op3.yaml/", "robot", "op3\0"])
def test_unknown_robot_is_refused_with_the_known_names(name):
    with pytest.raises(RobotFileError) as refusal:
        load_robot(name)
    assert refusal.value.exit_code == 2
    for known in robot_names():
        assert known in str(refusal.value)


def test_a_described_robot_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        HAND.buses[0].baud = 57600
