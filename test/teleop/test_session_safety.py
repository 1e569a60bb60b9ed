# SPDX-License-Identifier: Apache-2.0
"""A session with the real hands and arms of a robot: grasps that are kept, fences that are told."""

import numpy as np
import pytest
from fake_limbs import FRAME_NS, START, operator_frame
from fences import fenced
from synthetic_bodies import body_view
from synthetic_hands import FIST, NS_PER_S, OPEN

from robots import load_robot
from teleop.clutch import ClutchSettings
from teleop.clutch_table import LimbState, State
from teleop.imitation_session import ImitationSession
from teleop.limbs import build_limbs

ROBOT = load_robot("ffw_sh5")
GRIPPERS = load_robot("ffw_sg2")
SETTINGS = ClutchSettings()


def fingers(robot, side):
    prefix = f"finger_{side[0]}_" if robot is ROBOT else f"gripper_{side[0]}_"
    flexions = [k for k, joint in enumerate(robot.joints) if joint.name.startswith(prefix)]
    return [k for k in flexions if robot is not ROBOT or "flexion" in robot.joints[k].label]


class Session:
    """A session of real limbs and what it has asked for; hands are shown by pose, None: not in view."""

    def __init__(self, robot=ROBOT, parts="hands", measured=None, body=None):
        self.robot, self.body = robot, body
        self.session = ImitationSession(robot, build_limbs(robot, parts))
        self.session.measure(np.array(robot.ready_rad) if measured is None else measured)
        self.rng, self.now_ns, self.asked = np.random.default_rng(5), START, []

    def show(self, right, left, seconds):
        """Show hands for a time; returns the last target."""
        for _ in range(round(seconds * NS_PER_S / FRAME_NS)):
            self.now_ns += FRAME_NS
            poses = {side: pose for side, pose in (("right", right), ("left", left)) if pose is not None}
            body = None if self.body is None else body_view(self.body, stamp_ns=self.now_ns)
            target = self.session.see(operator_frame(self.now_ns, self.rng, body, **poses))
            if target is not None:
                self.asked.append(target.position_rad)
        return self.asked[-1] if self.asked else None

    def engage(self):
        self.show(OPEN, OPEN, 1.5)
        assert self.session.state is State.ASKING, self.session.reason
        self.session.answer(True, "", self.now_ns)
        while self.session.state is not State.ENGAGED:
            assert self.now_ns < START + 20 * NS_PER_S, self.session.reason
            self.show(OPEN, OPEN, 0.5)
        return self

    def is_shown(self, side):
        """Whether the robot's hand is as the operator's."""
        shown = self.session.limbs[f"{side}_hand"]
        return shown.position_rad == pytest.approx(shown.wanted_rad, abs=0.05)

    def lose_a_grasp(self):
        """Close the left hand about something, and hide it; returns the kept grasp."""
        self.show(OPEN, FIST, 2.0)
        grasp = self.show(OPEN, None, 1.0)[fingers(self.robot, "left")]
        assert self.session.limbs["left_hand"].state is LimbState.HELD
        return grasp

    def of(self, side):
        return self.asked[-1][fingers(self.robot, side)]


@pytest.mark.parametrize("robot", [ROBOT, GRIPPERS], ids=["hand", "gripper"])
def test_the_palm_that_lets_a_lost_hand_in_again_does_not_drop_what_it_holds(robot):
    film = Session(robot).engage()
    grasp = film.lose_a_grasp()
    assert np.abs(grasp).mean() > 0.8
    film.show(OPEN, OPEN, 3.0)
    assert film.session.limbs["left_hand"].state is LimbState.FOLLOWING
    assert film.of("left") == pytest.approx(grasp, abs=0)
    assert film.session.reason == "left hand: close your hand to take over the grasp, or keep it open to let go"
    assert film.session.status(film.now_ns)["left_hand_reason"] == film.session.reason
    film.show(OPEN, FIST, 2.0)
    assert film.session.reason == "" and np.abs(film.of("left") - grasp).mean() < 0.2
    film.show(OPEN, OPEN, 2.0)
    assert film.is_shown("left") and np.abs(film.of("left") - grasp).mean() > 0.3


@pytest.mark.parametrize("robot", [ROBOT, GRIPPERS], ids=["hand", "gripper"])
def test_who_goes_on_showing_the_open_palm_lets_go_slowly(robot):
    film = Session(robot).engage()
    grasp = film.lose_a_grasp()
    film.show(OPEN, OPEN, 0.8)
    film.show(OPEN, OPEN, 1.0 + SETTINGS.let_go_ns / NS_PER_S - 0.3)
    assert film.of("left") == pytest.approx(grasp, abs=0)
    begun = len(film.asked)
    film.show(OPEN, OPEN, 4.0)
    assert film.session.reason == ""
    assert film.is_shown("left") and np.abs(film.of("left") - grasp).mean() > 0.3
    opening = np.array(film.asked[begun - 1 :])[:, fingers(robot, "left")]
    fastest = np.array(robot.velocity_rad_s)[fingers(robot, "left")]
    assert (np.abs(np.diff(opening, axis=0)) <= 0.5 * 1.05 * fastest * FRAME_NS / NS_PER_S).all()


def test_the_other_hand_goes_on_all_the_while():
    film = Session().engage()
    grasp = film.lose_a_grasp()
    film.show(OPEN, OPEN, 1.0)
    film.show(FIST, OPEN, 1.5)
    assert film.of("left") == pytest.approx(grasp, abs=0)
    assert np.abs(film.of("right")).mean() > 0.8


def test_a_robot_that_holds_something_at_the_first_engagement_keeps_it_too():
    measured = np.array(ROBOT.ready_rad)
    measured[fingers(ROBOT, "right")] = 1.0
    film = Session(measured=measured)
    film.engage()
    assert film.of("right") == pytest.approx(1.0, abs=0)
    assert "right hand: close your hand to take over" in film.session.reason
    assert np.abs(film.of("left")).mean() < 0.3, "an open hand follows as ever"


def test_an_open_robot_hand_follows_at_once():
    film = Session().engage()
    film.show(OPEN, None, 1.0)
    film.show(OPEN, OPEN, 2.5)
    assert film.session.reason == ""
    film.show(OPEN, FIST, 1.5)
    assert np.abs(film.of("left")).mean() > 0.8


def test_a_grasp_that_is_lost_twice_is_kept_twice():
    film = Session().engage()
    grasp = film.lose_a_grasp()
    film.show(OPEN, OPEN, 2.0)
    film.show(OPEN, None, 1.0)
    film.show(OPEN, OPEN, 3.0)
    assert film.of("left") == pytest.approx(grasp, abs=0)


# ---- the fence --------------------------------------------------------------------------------------------

BENT = {
    "right": np.array([[0.1, -0.2, -0.97], [0.9, 0.1, 0.3]]),
    "left": np.array([[0.1, 0.2, -0.97], [0.9, -0.1, 0.3]]),
}
AHEAD = {**BENT, "right": np.array([[0.95, -0.1, -0.1], [0.98, 0.0, 0.1]])}
BEHIND_WALL = fenced(ROBOT, ((-0.25, -1.25, -1.0), (0.58, 0.5, 0.75)))


def limbs_of(shown):
    return {side: limbs / np.linalg.norm(limbs, axis=1, keepdims=True) for side, limbs in shown.items()}


def outside_m(film, position_rad):
    return max(
        arm.fence.outside_m(arm.points.at(arm.chain.forward(position_rad[limb.limb.joints])))
        for limb in film.session.limbs.values()
        if limb.limb.name.endswith("arm")
        for arm in [limb.limb.retargeter.arm]
    )


def test_a_hand_at_the_fence_is_told_goes_no_farther_and_is_not_held():
    film = Session(BEHIND_WALL, "hands+arms", body=limbs_of(BENT)).engage()
    film.body = limbs_of(AHEAD)
    film.show(OPEN, OPEN, 2.0)
    assert film.session.reason == "right hand at the fence: bring it back"
    assert film.session.limbs["right_arm"].state is LimbState.FOLLOWING and film.session.state is State.ENGAGED
    assert max(outside_m(film, asked) for asked in film.asked) < 0.001
    film.body = limbs_of(BENT | {"right": np.array([[0.0, -0.2, -0.97], [0.5, 0.0, -0.6]])})
    film.show(OPEN, OPEN, 2.0)
    assert film.session.reason == ""


def test_a_robot_that_stands_outside_its_fence_is_led_in_by_the_engagement():
    measured = np.array(ROBOT.ready_rad)
    names = list(ROBOT.joint_names)
    for joint, rad in (("arm_r_joint1", -0.9), ("arm_r_joint4", -0.9)):
        measured[names.index(joint)] = rad
    film = Session(BEHIND_WALL, "hands+arms", measured, limbs_of(BENT))
    film.engage()
    room = [outside_m(film, asked) for asked in film.asked]
    assert room[0] > 0.1 and room[-1] < 0.001
    assert np.diff(np.maximum(room, 0.0)).max() < 1e-6
