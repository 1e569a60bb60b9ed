# SPDX-License-Identifier: Apache-2.0
"""Limbs behind one interface: which ones a robot has, and that whatever goes wrong is a lost limb with a reason."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from standing_body import body
from synthetic_hands import FRAME_NS, NS_PER_S, OPEN, mirrored, seen

from graph.errors import InputError
from robots import load_robot
from teleop.body_calibration import BodyCalibration
from teleop.hand_calibration import HandCalibration, calibrate_hand
from teleop.limbs import (
    BODY_AGE_NS,
    PARTS,
    ArmLimb,
    HandLimb,
    HeadLimb,
    LiftLimb,
    LimbLostError,
    body_of,
    build_limbs,
    choose_parts,
    learn_body,
    shoulder_height_m,
)
from teleop.operator_view import HandView, OperatorFrame

START = 1_000 * NS_PER_S
BODY_AND_HANDS = load_robot("ffw_sh5")
ALL = "hands+arms+head+lift"
LIMBS = {limb.name: limb for limb in build_limbs(BODY_AND_HANDS, ALL)}


def view(side, points=None):
    """A hand; the open one when no landmarks are given."""
    if points is None:
        points = seen(OPEN) if side == "right" else mirrored(seen(OPEN))
    return HandView(points, np.full((21, 2), 0.5), 0.9)


def frame(stamp_ns=START, hands=("right", "left"), with_body=True, posture="down"):
    """What the camera shows."""
    return OperatorFrame(stamp_ns, {side: view(side) for side in hands}, body(stamp_ns, posture) if with_body else None)


def rest(limb):
    return np.array(BODY_AND_HANDS.ready_rad)[limb.joints]


# ---- which ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("robot", "parts", "limbs"),
    [
        ("hx5_d20_right", "right_hand", ("right_hand",)),
        ("hx5_d20_right", ALL, ("right_hand",)),
        ("hx5_d20_left", "hands", ("left_hand",)),
        ("ffw_sh5", "right_hand", ("right_hand",)),
        ("ffw_sh5", "hands+arms", ("right_hand", "left_hand", "right_arm", "left_arm")),
        ("ffw_sg2", "hands+arms+head", ("right_hand", "left_hand", "right_arm", "left_arm", "head")),
        ("ffw_sg2", ALL, ("right_hand", "left_hand", "right_arm", "left_arm", "head", "lift")),
        ("op3", "hands+arms+head", ("right_arm", "left_arm", "head")),
    ],
)
def test_limbs_are_those_that_were_asked_for_and_that_the_robot_has(robot, parts, limbs):
    loaded = load_robot(robot)
    assert choose_parts(loaded, parts) == limbs
    built = build_limbs(loaded, parts)
    assert tuple(limb.name for limb in built) == limbs
    joints = np.concatenate([limb.joints for limb in built])
    assert len(set(joints.tolist())) == len(joints) and set(joints) <= set(range(len(loaded.joints)))


def test_a_part_that_does_not_exist_is_refused_with_the_allowed_ones():
    with pytest.raises(InputError) as error:
        choose_parts(BODY_AND_HANDS, "legs")
    assert all(part in str(error.value) for part in PARTS) and "legs" in str(error.value)


@pytest.mark.parametrize(("robot", "parts"), [("hx5_d20_right", "left_hand"), ("op3", "hands")])
def test_a_robot_without_the_part_is_refused_with_what_it_has(robot, parts):
    with pytest.raises(InputError, match=f"{robot} has nothing of {parts}.*_(hand|arm)"):
        choose_parts(load_robot(robot), parts)


def test_both_arms_know_each_other():
    right, left = LIMBS["right_arm"].retargeter, LIMBS["left_arm"].retargeter
    assert right.partner is left and left.partner is right
    (arm,) = [limb for limb in build_limbs(load_robot("ffw_sh5"), "hands+arms") if limb.name == "right_arm"]
    assert isinstance(arm, ArmLimb)


# ---- what they show ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIMBS)
def test_a_limb_in_view_gives_finite_positions_inside_its_limits(name):
    limb = LIMBS[name]
    limb.reset()
    for k in range(10):
        shown = frame(START + k * FRAME_NS)
        if name == "lift":
            shown = replace(shown, body=standing(START + k * FRAME_NS))
        position = limb.see(shown, rest(limb))
    limits = np.array([(BODY_AND_HANDS.joints[j].min_rad, BODY_AND_HANDS.joints[j].max_rad) for j in limb.joints])
    assert position.shape == limb.joints.shape and np.isfinite(position).all()
    assert (position >= limits[:, 0] - 1e-9).all() and (position <= limits[:, 1] + 1e-9).all()


@pytest.mark.parametrize("name", [name for name in LIMBS if name != "lift"])
def test_a_limb_that_is_not_in_view_is_lost_with_a_reason(name):
    limb = LIMBS[name]
    with pytest.raises(LimbLostError, match="the camera does not see the"):
        limb.see(frame(hands=(), with_body=False), rest(limb))


@pytest.mark.parametrize("name", ["right_arm", "head", "lift"])
def test_an_old_body_is_none(name):
    shown = replace(frame(START), capture_ns=START + BODY_AGE_NS + 1)
    with pytest.raises(LimbLostError, match="does not see the operator's body"):
        LIMBS[name].see(shown, rest(LIMBS[name]))
    assert body_of(replace(shown, capture_ns=START + BODY_AGE_NS)) is shown.body


@pytest.mark.parametrize("name", LIMBS)
@given(wrong=st.sampled_from([np.nan, np.inf, 1e30, 0.0]))
def test_landmarks_that_are_none_are_a_lost_limb(name, wrong):
    points = np.full((21, 3), wrong)
    broken = replace(body(START), world_m=np.full((33, 3), wrong))
    shown = OperatorFrame(START, {"right": view("right", points), "left": view("left", points)}, broken)
    LIMBS[name].reset()
    with pytest.raises(LimbLostError):
        LIMBS[name].see(shown, rest(LIMBS[name]))


@pytest.mark.parametrize("name", LIMBS)
@given(
    arrays(np.float64, (21, 3), elements=st.floats(-0.3, 0.3)),
    arrays(np.float64, (33, 3), elements=st.floats(-1.5, 1.5)),
    arrays(np.float64, 33, elements=st.floats(0, 1)),
)
def test_any_landmarks_give_positions_or_a_lost_limb(name, points, body_m, visibility):
    limb = LIMBS[name]
    limb.reset()
    hands = {"right": view("right", points), "left": view("left", points)}
    shown = OperatorFrame(START, hands, replace(body(START), world_m=body_m, visibility=visibility))
    try:
        position = limb.see(shown, rest(limb))
    except LimbLostError as error:
        assert str(error)
    else:
        assert np.isfinite(position).all()


def test_an_arm_is_followed_although_its_hand_is_not_seen_or_is_none():
    arm = LIMBS["right_arm"]
    arm.reset()
    arm.see(frame(START, hands=()), rest(arm))
    broken = {"right": view("right", np.full((21, 3), np.nan))}
    arm.see(OperatorFrame(START + FRAME_NS, broken, body(START + FRAME_NS)), rest(arm))


# ---- what they learn --------------------------------------------------------------------------------------


def test_a_hand_learns_from_the_open_palm_and_a_gripper_needs_nothing():
    hand = LIMBS["right_hand"]
    assert isinstance(hand, HandLimb)
    calibration = calibrate_hand(np.array([seen(OPEN)] * 10), "right")
    hand.learn(calibration)
    assert hand.retargeter.calibration == calibration
    hand.learn(HandCalibration())
    gripper = next(limb for limb in build_limbs(load_robot("ffw_sg2"), "hands") if limb.name == "right_hand")
    gripper.learn(calibration)
    assert gripper.see(frame(), np.zeros(1)) == pytest.approx([0.0], abs=0.1)


def test_arms_and_head_learn_the_body():
    calibration = BodyCalibration({"right": (0.3, 0.25), "left": (0.3, 0.25)})
    limbs = build_limbs(BODY_AND_HANDS, ALL)
    learn_body(limbs, calibration)
    learned = [limb for limb in limbs if isinstance(limb, ArmLimb | HeadLimb)]
    assert len(learned) == 3 and all(limb.retargeter.calibration is calibration for limb in learned)


# ---- the lift ---------------------------------------------------------------------------------------------


def standing(stamp_ns, crouch_m=0.0, away_m=0.0):
    """A person on both feet who crouches by so much, so far away."""
    view = body(stamp_ns)
    world = view.world_m.copy()
    world[[27, 28], 1] = 0.8 - crouch_m
    return replace(view, world_m=world, image=(view.image - 0.5) / (2.0 + away_m) + 0.5)


def lift_after(crouch_m, start_m=-0.1, away_m=0.0):
    """Where the lift goes from here when the operator crouches."""
    lift = LiftLimb(BODY_AND_HANDS)
    for k in range(90):
        crouched = standing(START + k * FRAME_NS, crouch_m * min(1.0, k / 30), away_m * k / 30)
        position = lift.see(OperatorFrame(START + k * FRAME_NS, {}, crouched), np.array([start_m]))
    return float(position[0])


@given(st.floats(0.0, 0.3))
def test_the_lift_goes_down_by_as_much_as_the_operator(crouch_m):
    assert lift_after(crouch_m) == pytest.approx(-0.1 - crouch_m, abs=0.01)


def test_the_lift_stays_inside_its_limits():
    assert lift_after(0.7) == pytest.approx(-0.5) and lift_after(-0.3) == pytest.approx(0.0)


@given(st.floats(-0.5, 2.0))
def test_walking_does_not_move_the_lift(away_m):
    assert lift_after(0.0, away_m=away_m) == pytest.approx(-0.1, abs=1e-6)


def test_the_lift_begins_anew_from_where_it_stands():
    lift = LiftLimb(BODY_AND_HANDS)
    lift.see(OperatorFrame(START, {}, standing(START)), np.array([-0.1]))
    lift.reset()
    shown = OperatorFrame(START + FRAME_NS, {}, standing(START + FRAME_NS, 0.3))
    assert lift.see(shown, np.array([-0.2])) == pytest.approx([-0.2])


def test_without_feet_in_view_there_is_no_height():
    view = standing(START)
    visibility = view.visibility.copy()
    visibility[28] = 0.3
    with pytest.raises(LimbLostError, match="both feet"):
        shoulder_height_m(replace(view, visibility=visibility))
    with pytest.raises(InputError, match="has no lift"):
        LiftLimb(load_robot("op3"))
