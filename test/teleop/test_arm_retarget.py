# SPDX-License-Identifier: Apache-2.0
"""A robot's arm points where the operator's does, inside its limits, smoothly, clear of the robot, whatever it sees."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from counted import counted
from fences import fenced
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_bodies import (
    FACING,
    FORE_M,
    FRAME_NS,
    HANGING,
    MIRROR,
    OUTWARDS,
    SHOULDERS_M,
    SIDES,
    UPPER_M,
    angle_rad,
    body_view,
    mirrored_limbs,
    natural_limbs,
    rotation,
)

from robots import load_robot
from teleop.arm_collision import surroundings
from teleop.arm_follower import GAP
from teleop.arm_retarget import APART_M, JUMPS, PALM_MEMORY_NS, TOGETHER_M, ArmRetargeter
from teleop.body_calibration import BodyCalibration
from teleop.body_geometry import WRIST, BodyGeometryError

ROBOTS = {name: fenced(load_robot(name), None) for name in ("ffw_sh5", "ffw_sg2", "ffw_bg2", "op3")}
"""Without their fences: all that the joints can do is asked of them. `test_arm_fence` is about the fences."""
WITH_WRIST = ("ffw_sh5", "ffw_sg2", "ffw_bg2")
ARMS = [(name, side) for name in ROBOTS for side in SIDES]
EACH_ARM = pytest.mark.parametrize(("name", "side"), ARMS)
OTHER = {"right": "left", "left": "right"}

POSES = counted(25, 500)


def pose_of(arm, joints_rad):
    """Limb directions (2, 3) and the palm's z and x (2, 3) or None, in the base frame."""
    pose = arm.chain.forward(joints_rad)
    return arm.limbs.at(pose), None if arm.palm is None else arm.palm.at(pose)


def camera_from_palm(palm):
    """What the hand tracker says of a palm's z and x (2, 3) in torso axes."""
    if palm is None:
        return None
    z, x = palm
    return FACING @ np.column_stack([x, np.cross(z, x), z])


def alone(side, limbs):
    """An operator whose other arm is out of view."""
    body = body_view({side: limbs})
    return replace(body, visibility=np.where(np.arange(33) == WRIST[OTHER[side]], 0.0, 1.0))


def follow(retargeter, body, palm=None, frames=45, start_ns=0):
    """The last of many frames that all show the same."""
    for k in range(frames):
        stamp_ns = start_ns + (k + 1) * FRAME_NS
        joints = retargeter.see(replace(body, stamp_ns=stamp_ns), palm, stamp_ns)
    return joints


def smallest_gap_m(retargeter, joints_rad, other=None):
    around = surroundings(retargeter._body, None if other is None else other.capsules)
    return retargeter._follower._free_m(retargeter.arm.chain.forward(joints_rad), around)


@EACH_ARM
def test_a_pose_that_the_robot_can_take_is_taken(name, side):
    """From random joints inside the limits through an operator who shows their directions, and back."""
    arm_of, tried, seed = ArmRetargeter(ROBOTS[name], side), 0, 0
    arm = arm_of.arm
    while tried < POSES:
        draw, seed = np.random.default_rng(seed), seed + 1
        joints = arm.lower + draw.uniform(0.1, 0.9, len(arm.lower)) * (arm.upper - arm.lower)
        if smallest_gap_m(arm_of, joints) <= 2.5 * GAP * arm.measures.reach_m:
            continue
        arm_of.reset(None)
        limbs, palm = pose_of(arm, joints)
        found, _ = pose_of(arm, follow(arm_of, alone(side, limbs), camera_from_palm(palm), 90))
        assert angle_rad(found, limbs).max() < np.radians(6), seed
        tried += 1


@pytest.mark.parametrize("name", ROBOTS)
def test_most_poses_are_met_to_a_degree(name):
    retargeter = ArmRetargeter(ROBOTS[name], "right")
    arm, draw, errors, palms = retargeter.arm, np.random.default_rng(1), [], []
    while len(errors) < 40:
        joints = draw.uniform(arm.lower, arm.upper)
        if smallest_gap_m(retargeter, joints) > 0.05 * arm.measures.reach_m:
            limbs, palm = pose_of(arm, joints)
            retargeter.reset(None)
            found, found_palm = pose_of(arm, follow(retargeter, alone("right", limbs), camera_from_palm(palm), 60))
            errors.append(angle_rad(found, limbs).max())
            palms.append(0.0 if palm is None else angle_rad(found_palm, palm).max())
    assert np.median(errors) < np.radians(1)
    assert np.median(palms) < np.radians(2)


@pytest.mark.parametrize("name", WITH_WRIST)
@pytest.mark.parametrize("side", SIDES)
def test_an_arm_that_hangs_hangs_with_its_elbow_and_wrist_straight(name, side):
    retargeter = ArmRetargeter(ROBOTS[name], side)
    joints = follow(retargeter, body_view({side: HANGING}))
    assert np.abs(joints).max() < 0.1


@pytest.mark.parametrize("name", WITH_WRIST)
def test_natural_poses_are_copied_elbow_included(name):
    """Elbows bent by what the operator's are: the angle between the robot's limbs is the operator's."""
    retargeter = ArmRetargeter(ROBOTS[name], "right")
    for bend_rad in np.radians([20, 60, 100, 130]):
        limbs = np.stack([[0.0, -0.2, -0.98], [np.sin(bend_rad), -0.2, -np.cos(bend_rad)]])
        limbs /= np.linalg.norm(limbs, axis=1, keepdims=True)
        retargeter.reset(None)
        joints = follow(retargeter, body_view({"right": limbs}))
        found, _ = pose_of(retargeter.arm, joints)
        assert angle_rad(found, limbs).max() < np.radians(2)
        assert joints[3] == pytest.approx(-angle_rad(*limbs), abs=np.radians(3))


@pytest.mark.parametrize("name", ROBOTS)
@settings(max_examples=counted(25, 1000))
@given(st.data())
def test_left_is_the_mirror_image_of_right(name, data):
    """Directions, not joints: the arms' joints are signed differently on some robots, and so are SG2's limits."""
    limbs = {"right": data.draw(natural_limbs("right")), "left": data.draw(natural_limbs("left"))}
    mirrored = mirrored_limbs(limbs)
    found = {}
    for side in SIDES:
        retargeter = ArmRetargeter(ROBOTS[name], side)
        body = body_view(limbs if side == "right" else mirrored)
        found[side], _ = pose_of(retargeter.arm, follow(retargeter, body, frames=60))
    assert angle_rad(found["right"], found["left"] * MIRROR).max() < np.radians(8)


# ---- wrist ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_WRIST)
@pytest.mark.parametrize("side", SIDES)
def test_the_robots_palm_faces_where_the_operators_does(name, side):
    """Forearm ahead; palm up, down and inwards. z is along the fingers, x out of the palm."""
    ahead = np.array([1.0, 0.0, 0.0])
    limbs = np.stack([[0.1, OUTWARDS[side] * 0.15, -0.98], ahead])
    limbs /= np.linalg.norm(limbs, axis=1, keepdims=True)
    for facing in ([0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.0, -OUTWARDS[side], 0.0]):
        palm = np.array([ahead, facing])
        retargeter = ArmRetargeter(ROBOTS[name], side)
        _, found = pose_of(retargeter.arm, follow(retargeter, body_view({side: limbs}), camera_from_palm(palm), 60))
        assert angle_rad(found, palm).max() < np.radians(3), facing


def test_a_wrist_keeps_its_turn_a_moment_after_the_hand_is_lost_and_then_rests():
    retargeter = ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    limbs = np.stack([[0.0, -0.1, -0.995], [1.0, 0.0, 0.0]])
    body = body_view({"right": limbs})
    turned = follow(retargeter, body, camera_from_palm(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])))
    frames = PALM_MEMORY_NS // FRAME_NS
    kept = follow(retargeter, body, None, frames - 2, 45 * FRAME_NS)
    assert np.abs(kept - turned).max() < 0.1
    rested = follow(retargeter, body, None, 90, (45 + frames) * FRAME_NS)
    assert np.abs(rested[4:]).max() < 0.1 < np.abs(turned[4:]).max()


@pytest.mark.parametrize(
    "palm",
    [np.full((3, 3), np.nan), np.zeros((3, 3)), np.eye(3) * 2, np.diag([1.0, 1.0, 0.0]), np.ones(3)],
    ids=["NaN", "zeros", "scaled", "flat", "no matrix"],
)
def test_what_is_no_rotation_is_no_palm(palm):
    with_it, without = ArmRetargeter(ROBOTS["ffw_sh5"], "right"), ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    calibration = BodyCalibration({"right": (UPPER_M, FORE_M)}, shoulders_m=SHOULDERS_M)
    with_it.calibration = without.calibration = calibration
    assert np.array_equal(follow(with_it, body_view(), palm, 5), follow(without, body_view(), None, 5))


# ---- two hands --------------------------------------------------------------------------------------------


def both(name, partners=True):
    arms = {side: ArmRetargeter(ROBOTS[name], side) for side in SIDES}
    if partners:
        arms["right"].partner, arms["left"].partner = arms["left"], arms["right"]
    return arms


def hands_apart(apart_m, ahead_m=0.32, below_m=0.18):
    """Limb directions of an operator whose wrists are so far apart before the chest."""
    limbs = {}
    for side in SIDES:
        target = np.array([ahead_m, OUTWARDS[side] * (apart_m - SHOULDERS_M) / 2, -below_m])
        reach_m = float(np.linalg.norm(target))
        along = target / reach_m
        share = (UPPER_M**2 - FORE_M**2 + reach_m**2) / (2 * reach_m)
        out = np.array([0.0, OUTWARDS[side] * 0.5, -1.0])
        out -= out.dot(along) * along
        elbow = share * along + np.sqrt(UPPER_M**2 - share**2) * out / np.linalg.norm(out)
        limbs[side] = np.stack([elbow / UPPER_M, (target - elbow) / FORE_M])
    return limbs


def follow_both(arms, body, palms=None, frames=60, start_ns=0):
    palms = palms or {}
    for k in range(frames):
        stamp_ns = start_ns + (k + 1) * FRAME_NS
        frame = replace(body, stamp_ns=stamp_ns)
        joints = {side: arm.see(frame, palms.get(side), stamp_ns) for side, arm in arms.items()}
    return joints


AHEAD = {side: np.array([1.0, 0.0, 0.0]) for side in SIDES}
PALMS = {side: camera_from_palm(np.array([AHEAD[side], [0.0, -OUTWARDS[side], 0.0]])) for side in SIDES}


@pytest.mark.parametrize("name", WITH_WRIST)
@pytest.mark.parametrize("apart_m", [0.28, 0.24, 0.2])
def test_hands_that_work_together_keep_their_distance(name, apart_m):
    """As far apart as the operator's, in proportion to the arms; else the robot's broad shoulders would add 11 cm."""
    arms = both(name)
    joints = follow_both(arms, body_view(hands_apart(apart_m), hands=AHEAD), PALMS)
    hands = {side: arms[side].arm.points.at(arms[side].arm.chain.forward(joints[side]))[3] for side in SIDES}
    scale = arms["right"].arm.measures.reach_m / (UPPER_M + FORE_M)
    assert np.linalg.norm(hands["right"] - hands["left"]) == pytest.approx(scale * apart_m, abs=0.02)


def test_hands_that_do_not_work_together_follow_their_directions():
    assert TOGETHER_M < APART_M < 0.6
    arms = both("ffw_sh5")
    limbs = hands_apart(0.6)
    joints = follow_both(arms, body_view(limbs, hands=AHEAD), PALMS)
    for side in SIDES:
        found, _ = pose_of(arms[side].arm, joints[side])
        assert angle_rad(found, limbs[side]).max() < np.radians(1.5)


@pytest.mark.parametrize("partners", [True, False])
@pytest.mark.parametrize("name", ROBOTS)
def test_hands_never_touch_each_other_or_the_body(name, partners):
    """The operator claps, folds the arms and scratches the head; every pose on the way keeps its gap."""
    arms = both(name, partners)
    least_m = GAP * arms["right"].arm.measures.reach_m
    across = {side: np.array([[0.3, 0.0, -0.95], [0.5, -OUTWARDS[side] * 0.85, 0.1]]) for side in SIDES}
    overhead = {
        side: np.array([[0.3, OUTWARDS[side] * 0.3, 0.9], [-0.2, -OUTWARDS[side] * 0.95, 0.2]]) for side in SIDES
    }
    shown = [hands_apart(0.4), hands_apart(0.02), across, overhead, {}, hands_apart(0.05, 0.15)]
    start_ns = 0
    for limbs in shown:
        limbs = {side: each / np.linalg.norm(each, axis=1, keepdims=True) for side, each in limbs.items()}
        for _ in range(50):
            start_ns += FRAME_NS
            for side in SIDES:
                with suppress(BodyGeometryError):
                    arms[side].see(body_view(limbs, stamp_ns=start_ns), None, start_ns)
                joints = arms[side]._follower.joints
                other = arms[OTHER[side]] if partners else None
                assert smallest_gap_m(arms[side], joints, other) > least_m - 1e-9


# ---- limits, singular poses, speed ------------------------------------------------------------------------


@EACH_ARM
def test_poses_beyond_the_robots_limits_end_at_them(name, side):
    """An elbow that overstretches and an upper arm across the chest, which no such robot can do."""
    retargeter = ArmRetargeter(ROBOTS[name], side)
    inwards = -OUTWARDS[side]
    limbs = np.array([[0.3, inwards * 0.9, -0.3], [-0.6, inwards * 0.7, 0.4]])
    limbs /= np.linalg.norm(limbs, axis=1, keepdims=True)
    joints = follow(retargeter, body_view({side: limbs}))
    assert (joints >= retargeter.arm.lower).all()
    assert (joints <= retargeter.arm.upper).all()


@EACH_ARM
def test_singular_poses_do_not_jump(name, side):
    """Arm stretched, hanging, held out or ahead, before a trembling tracker: joints stay within its tremble."""
    draw = np.random.default_rng(5)
    out = np.array([0.0, OUTWARDS[side], 0.0])
    for along in ([0.0, 0.0, -1.0], out, [1.0, 0.0, 0.0]):
        retargeter = ArmRetargeter(ROBOTS[name], side)
        limbs = np.array([along, along], dtype=float)
        before = follow(retargeter, body_view({side: limbs}), frames=30)
        largest = 0.0
        for k in range(31, 150):
            shaken = limbs + draw.normal(0.0, 0.02, (2, 3))
            shaken /= np.linalg.norm(shaken, axis=1, keepdims=True)
            joints = retargeter.see(body_view({side: shaken}, stamp_ns=k * FRAME_NS), None, k * FRAME_NS)
            largest = max(largest, float(np.abs(joints - before).max()))
            before = joints
        assert largest < 0.05, along


@EACH_ARM
@settings(max_examples=counted(15, 500))
@given(st.data())
def test_no_joint_goes_faster_than_the_robots_own_limit(name, side, data):
    """Even where the operator's arm is somewhere else in every frame."""
    retargeter = ArmRetargeter(ROBOTS[name], side)
    speed = np.array(ROBOTS[name].velocity_rad_s)[retargeter.joints]
    before = follow(retargeter, body_view(), frames=1)
    for k in range(2, 12):
        stamp_ns = k * FRAME_NS
        with suppress(BodyGeometryError):
            limbs = {side: data.draw(natural_limbs(side))}
            joints = retargeter.see(body_view(limbs, stamp_ns=stamp_ns), None, stamp_ns)
            assert (np.abs(joints - before) <= 3 * speed * FRAME_NS * 1e-9 + 1e-9).all()
            before = joints


def test_a_bad_branch_is_left_for_a_good_one():
    """Started with elbow and shoulder wound the wrong way, the arm still gets there within ten degrees."""
    retargeter = ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    retargeter.reset(np.array([3.1, -3.0, 3.0, 0.0, 3.0, 1.5, 1.5]))
    limbs = np.stack([[0.3, -0.3, -0.9], [0.9, 0.1, 0.2]])
    limbs /= np.linalg.norm(limbs, axis=1, keepdims=True)
    found, _ = pose_of(retargeter.arm, follow(retargeter, body_view({"right": limbs}), frames=150))
    assert angle_rad(found, limbs).max() < np.radians(10)


# ---- state ------------------------------------------------------------------------------------------------


@EACH_ARM
def test_from_a_given_pose_the_arm_sets_out_and_from_none_it_arrives(name, side):
    limbs = {side: np.array([[0.6, OUTWARDS[side] * 0.3, -0.74], [0.8, OUTWARDS[side] * 0.1, 0.59]])}
    limbs[side] /= np.linalg.norm(limbs[side], axis=1, keepdims=True)
    body = body_view(limbs)
    arrived, started = ArmRetargeter(ROBOTS[name], side), ArmRetargeter(ROBOTS[name], side)
    ready = np.array(ROBOTS[name].ready_rad)[started.joints]
    started.reset(ready)
    speed = np.array(ROBOTS[name].velocity_rad_s)[started.joints]
    assert (np.abs(started.see(body, None, FRAME_NS) - ready) <= speed / 29).all()
    first, last = arrived.see(body, None, FRAME_NS), follow(started, body, frames=120, start_ns=FRAME_NS)
    assert angle_rad(pose_of(arrived.arm, first)[0], pose_of(started.arm, last)[0]).max() < np.radians(4)


def test_a_measured_pose_with_a_silent_joint_is_no_reason_to_stop():
    retargeter = ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    retargeter.reset(np.array([np.nan, -1.0, 0.0, -1.0, np.inf, 0.0, 99.0]))
    assert np.isfinite(follow(retargeter, body_view(), frames=1)).all()


def test_a_stamp_that_does_not_advance_changes_nothing():
    retargeter = ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    before = follow(retargeter, body_view(), frames=3)
    other = body_view({"right": np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])})
    assert np.array_equal(retargeter.see(other, None, 3 * FRAME_NS), before)
    assert np.array_equal(retargeter.see(other, None, 0), before)
    before[:] = 9.0
    assert (retargeter.see(other, None, 0) < 9.0).all(), "the answer is the caller's own"


def test_one_wild_frame_is_refused_and_several_are_the_truth():
    retargeter = ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    before = follow(retargeter, body_view(), frames=3)
    up = body_view({"right": -HANGING})
    for k in range(JUMPS - 1):
        with pytest.raises(BodyGeometryError, match="the right arm jumped by 180 deg between two frames"):
            retargeter.see(up, None, (4 + k) * FRAME_NS)
    assert np.array_equal(retargeter.see(up, None, 0), before)
    after = follow(retargeter, up, frames=60, start_ns=(3 + JUMPS) * FRAME_NS)
    assert pose_of(retargeter.arm, after)[0][:, 2].min() > 0.95


def test_bad_frames_leave_no_trace():
    """Between good frames or not: the poses after are the same."""
    clean, disturbed = ArmRetargeter(ROBOTS["ffw_sh5"], "right"), ArmRetargeter(ROBOTS["ffw_sh5"], "right")
    good = body_view({"right": np.array([[0.6, 0.0, -0.8], [0.8, 0.0, 0.6]])})
    bad = [
        replace(good, world_m=good.world_m * np.nan),
        replace(good, world_m=np.zeros((33, 3))),
        replace(good, visibility=np.where(np.arange(33) == WRIST["right"], 0.0, 1.0)),
        body_view({"right": HANGING}, turn=FACING @ rotation(2, 2.0)),
    ]
    for k in range(1, 60):
        stamp_ns = 2 * k * FRAME_NS
        expected = clean.see(replace(good, stamp_ns=stamp_ns), None, stamp_ns)
        with pytest.raises(BodyGeometryError):
            disturbed.see(bad[k % len(bad)], None, stamp_ns - FRAME_NS)
        assert np.array_equal(disturbed.see(replace(good, stamp_ns=stamp_ns), None, stamp_ns), expected)


anything = st.floats(allow_nan=True, allow_infinity=True, width=64)
bodies = st.tuples(
    arrays(np.float64, (33, 3), elements=st.one_of(st.floats(-1, 1), anything)),
    arrays(np.float64, (33, 2), elements=st.one_of(st.floats(0, 1), anything)),
    st.integers(0, 2**40),
)


@pytest.mark.parametrize("name", ["ffw_sh5", "op3"])
@settings(max_examples=counted(100, 3000))
@given(st.lists(bodies, min_size=1, max_size=8), st.booleans())
def test_whatever_is_seen_joints_are_finite_and_inside_the_limits_or_the_frame_is_refused(name, seen, calibrated):
    arms = both(name)
    for retargeter in arms.values():
        if calibrated:
            retargeter.calibration = BodyCalibration(dict.fromkeys(SIDES, (UPPER_M, FORE_M)))
    good = body_view()
    for world, image, stamp_ns in seen:
        for retargeter in arms.values():
            with suppress(BodyGeometryError):
                joints = retargeter.see(replace(good, world_m=world, image=image, stamp_ns=stamp_ns), None, stamp_ns)
                assert np.isfinite(joints).all()
                assert (joints >= retargeter.arm.lower).all()
                assert (joints <= retargeter.arm.upper).all()


@pytest.mark.parametrize("name", ["ffw_sh5", "op3"])
def test_ten_thousand_noisy_frames_stay_inside_limits_and_clear(name):
    """A tracker that reports noise, mirrored arms, swapped sides, huge and missing numbers among good frames."""
    draw = np.random.default_rng(11)
    arms = both(name)
    least_m = GAP * arms["right"].arm.measures.reach_m
    for k in range(1, counted(2_500, 250_000)):
        stamp_ns = k * FRAME_NS
        limbs = {side: draw.normal(0.0, 1.0, (2, 3)) + 2 * HANGING for side in SIDES}
        limbs = {side: each / np.linalg.norm(each, axis=1, keepdims=True) for side, each in limbs.items()}
        body = body_view(limbs, stamp_ns=stamp_ns)
        world = body.world_m + draw.normal(0.0, 0.05, (33, 3)) * (draw.random() < 0.5)
        kind = k % 9
        if kind == 0:
            world[draw.integers(0, 33)] = draw.choice([np.nan, np.inf, 1e300])
        if kind == 1:
            world[:, 0] *= -1.0
        for side, retargeter in arms.items():
            with suppress(BodyGeometryError):
                joints = retargeter.see(replace(body, world_m=world), None, stamp_ns)
                assert (joints >= retargeter.arm.lower).all()
                assert (joints <= retargeter.arm.upper).all()
                assert smallest_gap_m(retargeter, joints, arms[OTHER[side]]) > least_m - 1e-9


def test_a_robot_without_such_an_arm_is_refused_by_name():
    with pytest.raises(ValueError, match="hx5_d20_right has no right arm that copies the operator's"):
        ArmRetargeter(load_robot("hx5_d20_right"), "right")
