# SPDX-License-Identifier: Apache-2.0
"""The robots that come with the package are those that ROBOTIS builds."""

import re
from math import pi

import pytest

from robots import RobotFileError, load_robot, robot_names
from robots.robot import parse_robot

ROBOTS = {name: load_robot(name) for name in robot_names()}
HAND, OP3, CLASSROOM = ROBOTS["hx5_d20_right"], ROBOTS["op3"], ROBOTS["xl330_hand"]
BODIES = ("ffw_bg2", "ffw_sg2", "ffw_sh5")
COUNTS = {
    "hx5_d20_right": 20,
    "hx5_d20_left": 20,
    "op3": 20,
    "xl330_hand": 11,
    "ffw_bg2": 19,
    "ffw_sg2": 19,
    "ffw_sh5": 57,
    "ffw_bh5": 57,
}
MIRRORED_AXES = {"ffw": (2, 3, 5, 7), "finger": (1, 2, 3, 4, 5, 9, 13, 17)}
"""Joints that turn about x or z: on the other side of the body they count the other way."""

Y_VELOCITY_RAD_S = 20.2 / 60 * 2 * pi
VELOCITY_LIMIT_RAD_S = {
    "ym080_230_r099": Y_VELOCITY_RAD_S,
    "ym070_210_r099": Y_VELOCITY_RAD_S,
    "ph42_020_s300": 29.2 / 60 * 2 * pi,
    "ym080_230_b001": 3.0 / 60 * 2 * pi * 0.8344303,
    "xm335_t323": 280 * 0.229 / 60 * 2 * pi,
    "xm430_w350": 46 / 60 * 2 * pi,
    "xl330_m288": 445 * 0.229 / 60 * 2 * pi,
    "rh_p12_rn": 29.7 / 60 * 2 * pi,
    "xh430_v210": 52 / 60 * 2 * pi,
    "xh540_v150": 60 / 60 * 2 * pi,
}
"""Velocity Limit registers (ROBOTIS's bring-up for Y and PH, e-Manual defaults) or no-load speeds; the lift in m/s."""


def of(robot, name):
    return next(joint for joint in robot.joints if joint.name == name)


@pytest.mark.parametrize("name", robot_names())
def test_every_robot_file_loads_under_its_own_name(name):
    robot = ROBOTS[name]
    assert robot.name == name
    assert robot.title and robot.urdf == f"{name}.urdf"


@pytest.mark.parametrize("name", robot_names())
def test_every_robot_cites_what_its_numbers_come_from(name):
    assert len(ROBOTS[name].sources) >= 2
    assert all(len(source) > 15 for source in ROBOTS[name].sources)


@pytest.mark.parametrize("name", BODIES)
def test_sources_of_the_bodies_name_the_commit(name):
    for source in ROBOTS[name].sources:
        if source.startswith(("ai_worker ", "robotis_hand")):
            assert re.search(r"\b[0-9a-f]{7}\b", source), source


def test_the_robots_of_the_package_and_how_many_joints_they_have():
    assert {name: len(robot.joints) for name, robot in ROBOTS.items()} == COUNTS


@pytest.mark.parametrize("name", robot_names())
def test_home_and_ready_are_inside_the_limits(name):
    robot = ROBOTS[name]
    for joint, home, ready in zip(robot.joints, robot.home_rad, robot.ready_rad, strict=True):
        assert joint.min_rad <= home <= joint.max_rad
        assert joint.min_rad <= ready <= joint.max_rad


@pytest.mark.parametrize("name", robot_names())
def test_no_joint_is_asked_for_more_speed_than_its_servo_allows(name):
    robot = ROBOTS[name]
    for joint, velocity in zip(robot.joints, robot.velocity_rad_s, strict=True):
        assert velocity < VELOCITY_LIMIT_RAD_S[joint.model], joint.name


@pytest.mark.parametrize("name", robot_names())
def test_every_joint_gets_its_full_speed_and_acceleration_within_a_second(name):
    robot = ROBOTS[name]
    for velocity, acceleration, jerk in zip(
        robot.velocity_rad_s, robot.acceleration_rad_s2, robot.jerk_rad_s3, strict=True
    ):
        assert acceleration / jerk < 0.2
        assert velocity / acceleration < 0.6


# ---- HX5-D20 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "side", "first"), [("hx5_d20_right", "r", 111), ("hx5_d20_left", "l", 141)])
def test_hand_has_five_digits_of_four_servos_behind_its_controller(name, side, first):
    hand = ROBOTS[name]
    assert [joint.name for joint in hand.joints] == [f"finger_{side}_joint{k}" for k in range(1, 21)]
    assert [joint.id for joint in hand.joints] == [first + 5 * digit + k for digit in range(5) for k in range(4)]
    assert {joint.model for joint in hand.joints} == {"xm335_t323"}
    assert (hand.controllers[0].id, hand.controllers[0].model) == (first - 1, name)
    assert hand.buses[0].baud == 4_000_000
    assert hand.imitation.hands[0].side == name.removeprefix("hx5_d20_")
    assert list(hand.imitation.hands[0].tips) == ["thumb", "index", "middle", "ring", "little"]


def test_a_robot_based_on_another_differs_in_its_own_keys_only():
    sh5, bh5 = ROBOTS["ffw_sh5"], ROBOTS["ffw_bh5"]
    same = {"name", "title", "sources", "urdf"}
    assert sh5.model_dump(exclude=same) == bh5.model_dump(exclude=same)
    with pytest.raises(RobotFileError, match=r"based_on should be one of .*found 'ffw_sh6'"):
        parse_robot("based_on: ffw_sh6\n", "mine.yaml")
    with pytest.raises(RobotFileError, match="ffw_bh5 is based on another robot itself"):
        parse_robot("based_on: ffw_bh5\n", "mine.yaml")


def test_hand_has_the_limits_of_robotis_urdf():
    thumb = [(-1.57, 1.57), (-3.14, 0.0), (0.0, 1.57), (0.0, 1.57)]
    finger = [(-0.6, 0.6), (0.0, 2.0), (0.0, 1.57), (0.0, 1.57)]
    assert [(joint.min_rad, joint.max_rad) for joint in HAND.joints] == thumb + 4 * finger
    assert HAND.motion.velocity_rad_s == 4.8


def test_hands_turn_these_servos_backwards():
    assert [joint.id for joint in HAND.joints if joint.reverse] == [111]
    assert [joint.id for joint in ROBOTS["hx5_d20_left"].joints if joint.reverse] == [141, 143, 144]


def test_homing_offsets_are_those_of_robotis_bring_up():
    def offsets(name):
        return {joint.id: joint.homing_offset_ticks for joint in ROBOTS[name].joints if joint.homing_offset_ticks}

    right = {112: -1024, 117: 1024, 121: 171, 122: 1024, 126: 341, 127: 1024, 131: 682, 132: 1024}
    left = {142: 1024, 147: 1024, 151: -171, 152: 1024, 156: -341, 157: 1024, 161: -682, 162: 1024}
    assert (offsets("hx5_d20_right"), offsets("hx5_d20_left")) == (right, left)


# ---- AI Worker --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BODIES)
def test_bodies_have_the_ids_and_servos_of_robotis(name):
    body = ROBOTS[name]
    assert [(bus.port, bus.baud) for bus in body.buses] == [("/dev/follower", 4_000_000)]
    for side, first in (("r", 1), ("l", 31)):
        arm = [of(body, f"arm_{side}_joint{k}") for k in range(1, 8)]
        assert [joint.id for joint in arm] == list(range(first, first + 7))
        assert [joint.model for joint in arm] == 3 * ["ym080_230_r099"] + 3 * ["ym070_210_r099"] + ["ph42_020_s300"]
    assert [of(body, f"head_joint{k}").id for k in (1, 2)] == [61, 62]
    assert of(body, "lift_joint").id == 81


@pytest.mark.parametrize("name", BODIES)
def test_bodies_turn_the_servos_backwards_whose_drive_mode_has_bit_0(name):
    reverse = [joint.id for joint in ROBOTS[name].joints if joint.reverse and joint.controller is None]
    assert reverse == [1, 3, 4, 5, 6, 33, 35, 61, 62]


@pytest.mark.parametrize("name", BODIES)
def test_bodies_hold_before_they_let_go(name):
    assert (ROBOTS[name].motion.stop_hold_s, ROBOTS[name].motion.release_s) == (60, 3)


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_commanded_on_the_topics_of_the_ai_worker(name):
    left = "/leader/joint_trajectory_command_broadcaster_left"
    groups = dict(ROBOTS[name].groups)
    hands = {f"{left}_hand/joint_trajectory", f"{left}_hand/joint_trajectory".replace("left", "right")}
    arms = {f"{left}/joint_trajectory", f"{left}/joint_trajectory".replace("left", "right")}
    rest = {f"/leader/joystick_controller_{side}/joint_trajectory" for side in ("left", "right")}
    assert set(groups) == arms | rest | (hands if name == "ffw_sh5" else set())
    assert {len(groups[topic]) for topic in arms} == {7 if name == "ffw_sh5" else 8}


def test_lift_slides_half_a_metre_in_robotis_own_unit():
    for name in BODIES:
        lift = of(ROBOTS[name], "lift_joint")
        assert lift.prismatic and (lift.min_rad, lift.max_rad) == (-0.5, 0.0)
        assert lift.metres_per_rad * 2 * pi / 524_288 == pytest.approx(1e-5, rel=1e-6)


def test_rates_are_those_of_the_control_loops():
    assert {name: robot.rate_hz for name, robot in ROBOTS.items() if robot.rate_hz != 100} == {
        "ffw_sh5": 200,
        "ffw_bh5": 200,
    }


def test_branches_of_the_body_with_hands():
    body = ROBOTS["ffw_sh5"]
    assert {body.branch_of(joint) for joint in body.joints} == {"arm_r", "arm_l", "hand_r", "hand_l", "head", "lift"}


@pytest.mark.parametrize("side", ["right", "left"])
def test_body_has_the_same_fingers_as_the_hand_alone(side):
    alone = {joint.name: joint for joint in ROBOTS[f"hx5_d20_{side}"].joints}
    own_caps = {"velocity_rad_s", "acceleration_rad_s2", "jerk_rad_s3", "engage_distance_rad"}
    body = ROBOTS["ffw_sh5"]
    for index, joint in enumerate(body.joints):
        if joint.name in alone:
            assert joint.model_dump(exclude=own_caps) == alone[joint.name].model_dump(exclude=own_caps)
            assert body.velocity_rad_s[index] == HAND.motion.velocity_rad_s


def test_grippers_are_strong_enough_to_hold_and_weak_enough_for_fingers():
    for name in ("ffw_bg2", "ffw_sg2"):
        for side in "rl":
            gripper = of(ROBOTS[name], f"gripper_{side}_joint1")
            assert (gripper.model, gripper.min_rad, gripper.max_rad) == ("rh_p12_rn", 0.0, 1.1)
            assert gripper.goal_current_ma is not None and gripper.goal_current_ma < 1984 / 2


@pytest.mark.parametrize("name", [*BODIES, "hx5_d20_right", "op3"])
def test_left_and_right_have_mirrored_limits_and_poses(name):
    robot = ROBOTS[name]
    other = {joint.name: joint for joint in ROBOTS["hx5_d20_left" if name == "hx5_d20_right" else name].joints}
    ready = dict(zip(robot.joint_names, robot.ready_rad, strict=True))
    for joint in robot.joints:
        twin = other.get(re.sub(r"^(arm|finger|gripper)_r_", r"\1_l_", re.sub(r"^r_", "l_", joint.name)))
        if twin is None or twin.name == joint.name:
            continue
        if same_way(joint.name):
            assert (twin.min_rad, twin.max_rad) == (joint.min_rad, joint.max_rad), joint.name
        else:
            assert (twin.min_rad, twin.max_rad) == (-joint.max_rad, -joint.min_rad), joint.name
        if twin.name in ready and joint.name.startswith("arm"):
            assert ready[twin.name] == (ready[joint.name] if same_way(joint.name) else -ready[joint.name])


def same_way(name):
    """Whether the joint and its mirror image count the same way: it turns about y. OP3's pitch joints do not: their
    axes point away from each other."""
    number = int(re.sub(r"\D", "", name) or 0)
    if name.startswith("arm_"):
        return number not in MIRRORED_AXES["ffw"]
    if name.startswith("finger_"):
        return number not in MIRRORED_AXES["finger"]
    return name.startswith("gripper_")


# ---- OP3, classroom hand ----------------------------------------------------------------------------------


def test_op3_has_twenty_xm430_with_ids_1_to_20_on_one_bus():
    assert [joint.id for joint in OP3.joints] == list(range(1, 21))
    assert {joint.model for joint in OP3.joints} == {"xm430_w350"}
    assert (OP3.controllers, OP3.buses[0].baud) == ((), 2_000_000)
    assert OP3.imitation.limbs == ("right_arm", "left_arm", "head")


def test_op3_joints_move_within_both_of_robotis_tables():
    for joint in OP3.joints:
        assert -0.9 * pi <= joint.min_rad < joint.max_rad <= 0.9 * pi
    assert (of(OP3, "r_knee").min_rad, of(OP3, "r_knee").max_rad) == pytest.approx((-0.7 * pi, 0.1 * pi), abs=1e-3)


def test_classroom_hand_numbers_its_servos_by_digit():
    assert [joint.id for joint in CLASSROOM.joints] == [11, 12, 13, 21, 22, 31, 32, 41, 42, 51, 52]
    assert {joint.model for joint in CLASSROOM.joints} == {"xl330_m288"}
    assert CLASSROOM.buses[0].baud == 1_000_000
    assert sum(joint.goal_current_ma or 0 for joint in CLASSROOM.joints) < 5000


# ---- all --------------------------------------------------------------------------------------------------


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
