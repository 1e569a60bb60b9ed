# SPDX-License-Identifier: Apache-2.0
"""Wrist, hand and fingertips stay in their box whatever is asked, slide along its walls, and come back from outside."""

from dataclasses import replace

import numpy as np
import pytest
from counted import counted
from fences import fenced
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_bodies import FRAME_NS, OUTWARDS, SIDES, body_view, natural_limbs

from robots import load_robot
from robots.hand_reach import hand_points_m
from robots.load_kinematics import load_kinematics
from teleop.arm_collision import surroundings
from teleop.arm_fence import ArmFence, FenceGuard, growth_needed
from teleop.arm_follower import GAP
from teleop.arm_retarget import ArmRetargeter
from teleop.arm_slide import slid

NAMES = ("ffw_sh5", "ffw_bh5", "ffw_sg2", "ffw_bg2", "op3")
ROBOTS = {name: load_robot(name) for name in NAMES}
NARROW = {
    "ffw_sh5": fenced(ROBOTS["ffw_sh5"], ((-0.10, -0.60, -1.00), (0.60, 0.10, 0.20))),
    "op3": fenced(ROBOTS["op3"], ((-0.02, -0.35, -0.16), (0.15, 0.02, 0.16))),
}
"""Nearer walls than the files have, so that they are met often."""
TOLERANCE_M = 0.001
FRAME_S = FRAME_NS * 1e-9


def free_m(arm, joints_rad):
    """Room before the nearest wall [m]; negative outside."""
    return -arm.fence.outside_m(arm.points.at(arm.chain.forward(joints_rad)))


def units(limbs):
    limbs = np.asarray(limbs, dtype=float)
    return limbs / np.linalg.norm(limbs, axis=1, keepdims=True)


def show(retargeter, limbs, frames, start_ns=0):
    """The poses (frames, n) for frames that all show the same limbs (2, 3)."""
    body = body_view({retargeter.side: units(limbs)})
    stamps = [start_ns + (k + 1) * FRAME_NS for k in range(frames)]
    return np.array([retargeter.see(replace(body, stamp_ns=ns), None, ns) for ns in stamps])


def hand_m(retargeter, joints_rad):
    return retargeter.arm.points.at(retargeter.arm.chain.forward(joints_rad))[3]


# ---- geometry ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_robot_files_check_the_points_that_the_retargeter_keeps_inside(name):
    robot = ROBOTS[name]
    tree = load_kinematics(robot)
    for copy in robot.imitation.arms:
        arm = ArmRetargeter(robot, copy.side).arm
        for pose in (robot.home_rad, robot.ready_rad):
            positions = dict(zip(robot.joint_names, pose, strict=True))
            ours = arm.points.at(arm.chain.forward(np.array([positions[joint] for joint in arm.chain.joint_names])))[2:]
            assert np.allclose(ours, hand_points_m(tree, copy, positions), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_both_arms_have_a_fence_and_they_are_mirror_images(name):
    boxes = {copy.side: copy.fence_m for copy in ROBOTS[name].imitation.arms}
    (x, y, z), (far_x, far_y, far_z) = boxes["right"].lower, boxes["right"].upper
    assert (boxes["left"].lower, boxes["left"].upper) == ((x, -far_y, z), (far_x, -y, far_z))


@pytest.mark.parametrize("name", NAMES)
def test_what_an_operator_shows_at_work_is_inside(name):
    """Palms raised to engage, arms hanging, held out, ahead, folded, bent: the file's own fence takes nothing away."""
    for side in SIDES:
        out = OUTWARDS[side]
        shown = [
            [[0.0, 0.0, -1.0], [0.0, 0.0, -1.0]],
            [[0.0, out, 0.0], [0.0, out, 0.0]],
            [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
            [[0.2, out * 0.3, -0.95], [0.3, out * 0.1, 0.95]],
            [[0.4, out * 0.1, -0.9], [0.6, -out * 0.8, 0.0]],
        ]
        with_it, without = ArmRetargeter(ROBOTS[name], side), ArmRetargeter(fenced(ROBOTS[name], None), side)
        for limbs in shown:
            for retargeter in (with_it, without):
                retargeter.reset(None)
            assert np.allclose(show(with_it, limbs, 30), show(without, limbs, 30), atol=1e-3), (side, limbs)
            assert with_it.obstacle != "fence"


# ---- inside -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NARROW)
@settings(max_examples=counted(15, 500))
@given(st.data())
def test_no_target_leads_out(name, data):
    side = data.draw(st.sampled_from(SIDES))
    retargeter, start_ns = ArmRetargeter(NARROW[name], side), 0
    for _ in range(4):
        frames = data.draw(st.integers(1, 25))
        for joints in show(retargeter, data.draw(natural_limbs(side)), frames, start_ns):
            assert free_m(retargeter.arm, joints) > -TOLERANCE_M
        start_ns += frames * FRAME_NS + 600_000_000


@pytest.mark.parametrize("name", NARROW)
def test_ten_thousand_wild_frames_stay_inside_and_clear(name):
    draw = np.random.default_rng(3)
    arms = {side: ArmRetargeter(NARROW[name], side) for side in SIDES}
    arms["right"].partner, arms["left"].partner = arms["left"], arms["right"]
    least_m = GAP * arms["right"].arm.measures.reach_m
    limbs = {side: draw.normal(0.0, 1.0, (2, 3)) for side in SIDES}
    for k in range(1, counted(1_500, 100_000)):
        if k % 20 == 0:
            limbs = {side: draw.normal(0.0, 1.0, (2, 3)) for side in SIDES}
        for side, retargeter in arms.items():
            body = body_view({each: units(limbs[each]) for each in SIDES}, stamp_ns=k * FRAME_NS)
            try:
                joints = retargeter.see(body, None, k * FRAME_NS)
            except ValueError:
                continue
            assert free_m(retargeter.arm, joints) > -TOLERANCE_M
            around = surroundings(retargeter._body, arms["left" if side == "right" else "right"].capsules)
            gap_m = retargeter._follower._free_m(retargeter.arm.chain.forward(joints), around)
            assert gap_m > least_m - 1e-9


@pytest.mark.parametrize("side", SIDES)
def test_a_hand_slides_along_a_wall(side):
    """The operator's hand is 20 cm beyond the wall ahead and goes from down to up: the robot's goes up, at the wall."""
    robot, out = NARROW["ffw_sh5"], OUTWARDS[side]
    retargeter, start_ns, places = ArmRetargeter(robot, side), 60 * FRAME_NS, []
    show(retargeter, [[0.9, out * 0.1, -0.5], [1.0, out * 0.05, -0.5]], 60)
    for height in np.linspace(-0.5, 0.0, 60):
        limbs = [[0.9, out * 0.1, height], [1.0, out * 0.05, height]]
        poses = show(retargeter, limbs, 2, start_ns)
        start_ns += 2 * FRAME_NS
        places.append(hand_m(retargeter, poses[-1]))
        assert free_m(retargeter.arm, poses[-1]) > -TOLERANCE_M
        assert retargeter.obstacle == "fence"
    heights = np.array(places)[:, 2]
    assert heights[-1] - heights[0] > 0.2
    assert np.diff(heights).min() > -0.01 and np.abs(np.diff(heights)).max() < 0.08
    tips = retargeter.arm.points.at(retargeter.arm.chain.forward(poses[-1]))[4]
    assert tips[0] == pytest.approx(0.60, abs=0.03)


def test_a_hand_that_comes_back_from_the_wall_is_followed_at_once_and_no_longer_told():
    retargeter = ArmRetargeter(NARROW["ffw_sh5"], "right")
    show(retargeter, [[0.8, -0.1, -0.3], [1.0, 0.0, 0.1]], 60)
    assert retargeter.obstacle == "fence"
    inside = [[0.0, -0.2, -0.95], [0.6, 0.0, -0.6]]
    joints = show(retargeter, inside, 60, 60 * FRAME_NS)[-1]
    found = retargeter.arm.limbs.at(retargeter.arm.chain.forward(joints))
    assert np.degrees(np.arccos(np.clip((found * units(inside)).sum(axis=1), -1, 1))).max() < 3
    assert retargeter.obstacle == ""


def test_an_arm_kept_from_its_goal_by_the_body_is_told():
    retargeter = ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    show(retargeter, [[0.2, -0.2, -0.95], [0.9, 0.0, 0.1]], 30)
    show(retargeter, [[-0.1, 0.35, -0.95], [-0.1, 0.98, -0.2]], 60, 30 * FRAME_NS + 600_000_000)
    assert retargeter.obstacle == "body"


# ---- outside ----------------------------------------------------------------------------------------------


def walk(arm, here, towards, steps):
    """Poses of an arm that is asked to go somewhere at its speed, and the guard; every step at most a frame's."""
    guard = FenceGuard(arm.fence, arm.chain, arm.points)
    reach, poses = np.full(len(here), 2.0 * FRAME_S), [here]
    for _ in range(steps):
        wanted = here + np.clip(towards - here, -reach, reach)
        lower, upper = np.maximum(arm.lower - here, -reach), np.minimum(arm.upper - here, reach)
        here = guard.step(here, wanted, np.minimum(lower, 0.0), np.maximum(upper, 0.0), FRAME_S)
        poses.append(here)
    return poses, guard


@pytest.mark.parametrize("name", NARROW)
@settings(max_examples=counted(25, 1000))
@given(st.data())
def test_an_arm_that_starts_outside_only_comes_back_and_does(name, data):
    """From where an operator could have put it without a fence, to where he puts it with one."""
    poses = []
    for robot in (fenced(NARROW[name], None), NARROW[name]):
        retargeter = ArmRetargeter(robot, "right")
        poses.append(show(retargeter, data.draw(natural_limbs("right")), 1)[0])
    arm = retargeter.arm
    poses, _ = walk(arm, *poses, 600)
    room = np.array([free_m(arm, pose) for pose in poses])
    assert (room[1:] >= np.minimum(room[:-1], 0.0) - 1e-8).all()
    assert (np.abs(np.diff(poses, axis=0)) <= 2.0 * FRAME_S + 1e-9).all()
    assert free_m(arm, poses[-1]) > -TOLERANCE_M


def test_an_arm_outside_that_is_asked_to_stay_there_comes_back_all_the_same():
    arm = ArmRetargeter(NARROW["ffw_sh5"], "right").arm
    here = np.array([-1.3, -0.2, 0.0, -0.3, 0.0, 0.0, 0.0])
    farther = here + np.array([-0.4, 0.0, 0.0, 0.2, 0.0, 0.0, 0.0])
    assert free_m(arm, here) < -0.1
    poses, _ = walk(arm, here, farther, 600)
    assert free_m(arm, poses[-1]) > -TOLERANCE_M


def test_a_step_that_is_all_lost_at_a_wall_is_told():
    arm = ArmRetargeter(NARROW["ffw_sh5"], "right").arm
    poses, guard = walk(arm, arm.ready, np.clip(arm.ready + np.array([-3.0, 0, 0, 1.5, 0, 0, 0]), -3, 3), 200)
    assert guard.stopped and free_m(arm, poses[-1]) == pytest.approx(0.0, abs=0.01)
    assert not walk(arm, poses[-1], arm.ready, 1)[1].stopped


# ---- laws -------------------------------------------------------------------------------------------------


rows = st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=0, max_size=3)


@given(st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3), rows)
def test_a_slide_stays_in_its_box_and_changes_nothing_that_is_allowed(step, away):
    step, away = np.array(step), np.array(away, dtype=float).reshape(-1, 3)
    box = np.full(3, 0.1)
    assert (np.abs(slid(step, away, np.zeros(len(away)), -box, box)) <= 0.1 + 1e-12).all()
    assert np.array_equal(slid(step, away, np.full(len(away), -1.0), -box, box), step)


def test_a_slide_keeps_what_leads_along_the_wall():
    moved = slid(
        np.array([1.0, 1.0, 0.0]), np.array([[0.0, -1.0, 0.0]]), np.zeros(1), np.full(3, -2.0), np.full(3, 2.0)
    )
    assert moved == pytest.approx([1.0, 0.0, 0.0])


@given(st.floats(-1.0, 1.0), st.floats(1e-3, 0.1))
def test_what_is_outside_must_come_nearer_but_never_beyond_the_wall(free, elapsed_s):
    (needed,) = growth_needed(np.array([free]), elapsed_s)
    if free < 0.0:
        assert 0.0 < needed <= -free + 1e-12
    else:
        assert needed <= 0.001


def test_outside_is_the_worst_points_distance_from_the_box_and_negative_inside():
    fence = ArmFence((-1, -1, -1), (1, 1, 1))
    points = np.zeros((5, 3))
    assert fence.outside_m(points) == -1.0
    points[4, 2], points[0, 0] = 0.75, 9.0
    assert fence.outside_m(points) == -0.25
    points[3] = [1.3, 0.0, -1.4]
    assert fence.outside_m(points) == pytest.approx(0.5)
