# SPDX-License-Identifier: Apache-2.0
"""The whole operator side without ROS: the filmed hand engages and its joint angles come out."""

import cv2
import numpy as np
import pytest
from synthetic_hands import FRAME_NS, NS_PER_S

from clips.hand_model import JOINT_NAMES
from robots import load_robot
from teleop.camera import bundled_clip
from teleop.clutch_table import State
from teleop.identity import HandIdentity
from teleop.imitation_session import ImitationSession
from teleop.limbs import build_limbs
from teleop.models import hand_model
from teleop.operator_view import OperatorFrame
from teleop.tracker import HandTracker

FIRST, LAST = 20, 150
"""Frames of the clip: the first open hold and the first finger that bends."""


@pytest.fixture(scope="module")
def truth():
    with np.load(bundled_clip().with_suffix(".npz")) as file:
        return {name: file[name] for name in ("joint_angles_rad", "segment")}


@pytest.fixture(scope="module")
def joints():
    """Frame number -> (20,) joint target [rad] while engaged."""
    robot = load_robot("hx5_d20_right")
    session, identity = ImitationSession(robot, build_limbs(robot, "right_hand")), HandIdentity()
    session.measure(np.array(robot.home_rad))
    film = cv2.VideoCapture(str(bundled_clip()))
    film.set(cv2.CAP_PROP_POS_FRAMES, FIRST)
    targets = {}
    with HandTracker(hand_model()) as tracker:
        for number in range(FIRST, LAST):
            _, image = film.read()
            capture_ns = NS_PER_S + number * FRAME_NS
            hands = identity.see(tracker.detect(image, capture_ns), None, capture_ns)
            target = session.see(OperatorFrame(capture_ns, hands, None))
            if session.state is State.ASKING:
                session.answer(True, "", capture_ns)
            elif session.state is State.ENGAGED and target is not None:
                targets[number] = target.position_rad
    film.release()
    return targets


def test_the_first_open_hold_engages_and_the_hand_is_never_lost(joints, truth):
    first = min(joints)
    assert truth["segment"][first] == "open"
    assert list(joints) == list(range(first, LAST))


def test_joint_angles_are_those_of_the_filmed_hand(joints, truth):
    frames = list(joints)
    error_deg = np.degrees(np.abs(np.array(list(joints.values())) - truth["joint_angles_rad"][frames]))
    assert error_deg.mean() < 12


def test_the_finger_that_bends_is_the_one_that_moves(joints, truth):
    moved_deg = np.degrees(np.ptp(np.array(list(joints.values())), axis=0))
    assert {"index"} < set(truth["segment"][FIRST:LAST])
    bends = [JOINT_NAMES.index("index_mcp"), JOINT_NAMES.index("index_pip")]
    assert (moved_deg[bends] > 40).all()
    others = [k for k, name in enumerate(JOINT_NAMES) if name.split("_")[0] in ("ring", "little")]
    assert moved_deg[others].max() < 30
