# SPDX-License-Identifier: Apache-2.0
"""A kept grasp stands still until the operator's hand has closed as far or stayed open, each finger alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robots import load_robot
from teleop.clutch import MS
from teleop.fingers import Fingers, fingers_of
from teleop.grasp_takeover import FINGER_TABLE, FingerEvent, FingerState, GraspTakeover, TakeoverSettings
from teleop.limbs import build_limbs

NEAR = np.radians(15)
RAMP_NS, LET_GO_NS, FRAME_NS = 1000 * MS, 3000 * MS, 33_333_333
HAND = Fingers(np.eye(3, dtype=bool), np.eye(3), thumb=0)
"""A thumb and two fingers of a joint each, closing with a growing angle."""
SETTINGS = TakeoverSettings(np.full(3, 2.4), RAMP_NS, NEAR, LET_GO_NS)
OPEN = np.zeros(3)
KEPT, TAKING, FREE = FingerState.KEPT, FingerState.TAKING, FingerState.FREE


def takeover(held, shown=OPEN):
    return GraspTakeover(HAND, np.array(held, dtype=float), np.array(shown, dtype=float), 0, SETTINGS)


def show(hand, shown, frames, start_ns=0):
    """What comes out (frames, 3) for frames that show the same."""
    shown = np.array(shown, dtype=float)
    return np.array([hand.mix(shown, shown, start_ns + (k + 1) * FRAME_NS) for k in range(frames)])


def test_every_state_and_event_is_in_the_table():
    assert set(FINGER_TABLE) == set(FingerState)
    reachable = {state for row in FINGER_TABLE.values() for state in row.values()}
    assert reachable == {TAKING, FREE} and not FINGER_TABLE[FREE]
    assert {event for row in FINGER_TABLE.values() for event in row} == set(FingerEvent)


def test_a_robot_hand_that_is_as_open_as_the_operators_is_no_grasp():
    assert takeover([0.2, 0.1, 0.0]).done
    assert takeover([0.2, 0.5, 0.5], [1.0, 1.0, 1.0]).done


def test_the_open_palm_that_lets_in_again_does_not_open_the_grasp():
    hand = takeover([0.5, 1.0, 1.0])
    assert (show(hand, OPEN, 100) == [0.5, 1.0, 1.0]).all()
    assert hand.keeps and hand.states == [KEPT, KEPT, KEPT] and hand.kept.all()


def test_fingers_are_taken_over_one_by_one_as_the_operators_reach_them():
    hand = takeover([0.5, 1.0, 1.4])
    show(hand, OPEN, 5)
    show(hand, [0.2, 1.0 - NEAR + 0.01, 0.9], 1, 5 * FRAME_NS)
    assert hand.states == [KEPT, TAKING, KEPT]
    show(hand, [0.4, 1.0, 1.4], 1, 6 * FRAME_NS)
    assert hand.states == [TAKING, TAKING, TAKING]
    assert show(hand, [0.1, 0.3, 0.2], 60, 7 * FRAME_NS)[-1] == pytest.approx([0.1, 0.3, 0.2])
    assert hand.done and not hand.keeps


def test_the_thumb_holds_from_the_other_side_until_a_finger_is_taken_over():
    """A pinch: the thumb is turned to the finger, but as straight as the operator's."""
    hand = takeover([0.0, 1.0, 0.0])
    assert hand.states == [KEPT, KEPT, FREE] and hand.kept.tolist() == [True, True, False]
    show(hand, [0.5, 0.0, 0.3], 60)
    assert hand.states == [KEPT, KEPT, FREE]
    show(hand, [0.5, 1.0, 0.3], 1, 60 * FRAME_NS)
    assert hand.states == [TAKING, TAKING, FREE]


def test_a_bent_thumb_alone_is_no_grasp():
    """Where the hand relaxed while it was lost."""
    assert takeover([1.0, 0.2, 0.2]).done


def test_who_keeps_his_hand_open_after_the_ramp_lets_go_at_the_ramps_speed():
    hand, held = takeover([0.5, 1.5, 1.5]), np.array([0.5, 1.5, 1.5])
    frames = (RAMP_NS + LET_GO_NS) // FRAME_NS
    assert (show(hand, OPEN, frames) == held).all()
    opening = show(hand, OPEN, 60, frames * FRAME_NS)
    assert hand.done and opening[-1] == pytest.approx(OPEN)
    steps = np.abs(np.diff(np.vstack([held, opening]), axis=0))
    assert steps.max() <= 2.4 * FRAME_NS * 1e-9 * 1.001


def test_a_hand_that_moves_towards_the_grasp_begins_to_wait_anew():
    hand = takeover([0.5, 1.5, 1.5])
    show(hand, OPEN, 110)
    show(hand, [0.3, 0.8, 0.8], 5, 110 * FRAME_NS)
    show(hand, OPEN, 80, 115 * FRAME_NS)
    assert hand.states == [KEPT] * 3
    show(hand, OPEN, 15, 195 * FRAME_NS)
    assert hand.states == [TAKING] * 3


angles = st.lists(st.floats(0.0, 2.0), min_size=3, max_size=3).map(np.array)


@given(angles, angles, st.lists(st.tuples(angles, st.integers(1, 30)), max_size=12))
def test_whatever_he_does_a_finger_leaves_the_grasp_only_when_reached_or_let_go_and_never_jumps(held, begin, shown):
    hand, stamp_ns, open_ns = GraspTakeover(HAND, held, begin, 0, SETTINGS), 0, RAMP_NS
    before, reached = held, np.zeros(3, dtype=bool)
    grasp = np.array([state is KEPT for state in hand.states])
    for pose, frames in shown:
        for _ in range(frames):
            stamp_ns += FRAME_NS
            states = list(hand.states)
            now = hand.mix(pose, pose, stamp_ns)
            reached |= pose >= held - NEAR
            kept = np.array([state is KEPT for state in hand.states])
            if (pose[kept] > begin[kept] + NEAR).any():
                open_ns = max(stamp_ns, RAMP_NS)
            for k in np.flatnonzero(grasp):
                if hand.states[k] is KEPT:
                    assert now[k] == held[k]
                elif states[k] is KEPT:
                    assert now[k] == pytest.approx(held[k], abs=1e-9), "a finger sets out from where it stood"
                    assert reached[k] or stamp_ns - open_ns >= LET_GO_NS
                elif hand.states[k] is FREE:
                    assert now[k] == pytest.approx(pose[k])
            assert (now[~grasp] == pose[~grasp]).all()
            order = {KEPT: 0, TAKING: 1, FREE: 2}
            assert all(order[a] <= order[b] for a, b in zip(states, hand.states, strict=True))
            before = now
    assert np.isfinite(before).all()


# ---- hands ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ffw_sh5", "hx5_d20_right", "hx5_d20_left", "xl330_hand", "ffw_sg2", "ffw_bg2"])
def test_a_fist_is_more_closed_than_an_open_hand_in_every_digit(name):
    robot = load_robot(name)
    for limb in build_limbs(robot, "hands"):
        home = np.array(robot.home_rad)[limb.joints]
        fingers = fingers_of(limb.retargeter, home)
        ends = np.array([(robot.joints[k].min_rad, robot.joints[k].max_rad) for k in limb.joints])
        fist = np.where(np.abs(ends[:, 1] - home) > np.abs(ends[:, 0] - home), ends[:, 1], ends[:, 0])
        closed = fingers.closure_rad(fist) - fingers.closure_rad(home)
        assert (closed > np.radians(80)).all()
        assert fingers.members.any(axis=0).all(), "no joint is without a digit"
        if fingers.thumb is not None:
            assert limb.retargeter.model.digits[fingers.thumb] == 0


def test_leaning_and_turning_joints_do_not_count_as_closed():
    robot = load_robot("hx5_d20_right")
    (limb,) = build_limbs(robot, "right_hand")
    home = np.array(robot.home_rad)[limb.joints]
    fingers = fingers_of(limb.retargeter, home)
    for index, name in enumerate(limb.retargeter.model.joint_names):
        moved = home.copy()
        moved[index] += 0.3
        changed = np.abs(fingers.closure_rad(moved) - fingers.closure_rad(home)).max()
        label = robot.joints[robot.joint_names.index(name)].label
        assert (changed > 0.05) == ("flexion" in label), label
