# SPDX-License-Identifier: Apache-2.0
"""Measuring an operator: two still seconds of every posture; what moves or is half out of view is refused and told."""

from dataclasses import replace

import numpy as np
import pytest
from hand_scene import Person
from standing_body import FOREARM_M, UPPER_ARM_M, body
from synthetic_hands import FIST, FRAME_NS, NS_PER_S, OPEN

from teleop.calibrating import STILL_NS, Calibrating, Step
from teleop.operator_profile import check, hand_sizes, load, save
from teleop.operator_view import HandView, OperatorFrame

START = 1_000 * NS_PER_S


class Film:
    """A calibration and what it has been shown."""

    def __init__(self, sides=("right", "left"), with_body=True):
        self.calibrating, self.now_ns = Calibrating(sides, with_body), START
        self.rng = np.random.default_rng(2)
        self.reasons = []

    @property
    def step(self):
        return self.calibrating.step

    def show(self, seconds, hands=("right", "left"), posture=None, move_m=0.0, pose=OPEN, frame_ns=FRAME_NS, v=0.1):
        """Show hands and a body for some time, or until the step is done."""
        before, end = self.step, self.now_ns + int(seconds * NS_PER_S)
        while self.now_ns < end and self.step is before:
            self.now_ns += frame_ns
            t = (self.now_ns - START) * 1e-9
            person = Person(pose={"right": pose, "left": pose})
            person.right = (person.right[0] + move_m * t, v, 0.8)
            person.left = (person.left[0] + move_m * t, v, 0.8)
            views = {
                hand.side: HandView(hand.world_m, hand.image, hand.score)
                for hand in person.hands(self.rng, 0.3)
                if hand.side in hands
            }
            view = None if posture is None else body(self.now_ns, posture, move_m * t, self.rng)
            self.calibrating.see(OperatorFrame(self.now_ns, views, view))
            self.reasons.append(self.calibrating.reason)
        return self.step

    def all(self):
        assert self.show(3) is Step.ARMS_DOWN
        assert self.show(3, (), "down") is Step.ARMS_FORWARD
        assert self.show(3, (), "forward") is Step.DONE
        return self.calibrating


def test_each_posture_is_asked_for_and_takes_two_still_seconds():
    film = Film()
    assert "show the open palms of both hands" in film.calibrating.reason
    film.show(3)
    assert STILL_NS <= film.now_ns - START <= STILL_NS + 2 * FRAME_NS
    assert film.step is Step.ARMS_DOWN and "let both arms hang" in film.calibrating.reason
    film.show(3, (), "down")
    assert film.step is Step.ARMS_FORWARD and "forward" in film.calibrating.reason
    film.show(3, (), "forward")
    assert film.step is Step.DONE and film.calibrating.progress(film.now_ns) == 1.0


def test_what_was_measured_becomes_a_profile_that_knows_the_operator(tmp_path):
    calibrating = Film().all()
    profile = calibrating.profile("anna", "2026-11-21")
    save(profile, tmp_path / "anna.json")
    known = load(tmp_path / "anna.json")
    assert known == profile and set(known.hands) == {"right", "left"}
    assert known.body.limbs_m["right"] == pytest.approx((UPPER_ARM_M, FOREARM_M), abs=0.01)
    assert check(known, {side: hand_sizes(each) for side, each in calibrating.hands.items()}) == []
    assert known.hands["right"].length_m[8] == pytest.approx(0.092, abs=0.003)


def test_quality_is_best_where_nothing_moves():
    quality = Film().all().quality
    assert set(quality) == {"right hand", "left hand", "arms", "depth"}
    assert all(0.9 < each <= 1.0 for each in quality.values())


@pytest.mark.parametrize(
    ("sides", "with_body", "steps"),
    [
        (("right",), False, [Step.HANDS, Step.DONE]),
        (("right", "left"), False, [Step.HANDS, Step.DONE]),
        ((), True, [Step.ARMS_DOWN, Step.ARMS_FORWARD, Step.DONE]),
    ],
)
def test_only_what_copies_is_measured(sides, with_body, steps):
    film = Film(sides, with_body)
    assert film.calibrating._steps == steps
    if sides == ("right",):
        assert "the open palm of the right hand" in film.calibrating.reason
        assert film.show(3, ("right",)) is Step.DONE
        assert film.calibrating.profile("bob").body is None


def test_a_moving_hand_is_refused_and_told():
    film = Film()
    assert film.show(6, move_m=0.05) is Step.HANDS
    assert "the hand moves: hold still for two seconds" in film.reasons


def test_one_hand_is_not_two():
    film = Film()
    assert film.show(4, hands=("right",)) is Step.HANDS
    assert film.calibrating.reason == "show the open palm of the left hand to the camera"


def test_a_half_visible_hand_is_refused_and_told():
    film = Film()
    assert film.show(4, v=0.36) is Step.HANDS
    assert film.calibrating.reason == "the right hand is only half in view: move it to the middle of the image"


def test_a_closed_hand_is_refused_and_told():
    film = Film()
    assert film.show(4, pose=FIST) is Step.HANDS
    assert film.calibrating.reason == "open the right hand and turn its palm to the camera"


def test_a_pause_of_the_camera_starts_anew():
    film = Film()
    film.show(1.5)
    film.now_ns += NS_PER_S
    film.show(1.5)
    assert film.step is Step.HANDS
    assert "the camera paused: hold still once more" in film.reasons


def test_a_slow_camera_takes_longer_but_works():
    film = Film()
    assert film.show(6, frame_ns=NS_PER_S // 6) is Step.ARMS_DOWN


@pytest.mark.parametrize("posture", [None, "forward"])
def test_another_posture_than_the_one_that_is_asked_for_is_told(posture):
    film = Film((), True)
    assert film.show(3, (), posture) is Step.ARMS_DOWN
    wanted = "does not see the operator's body" if posture is None else "let the left arm hang"
    assert wanted in film.calibrating.reason


def test_arms_that_hang_are_not_forward():
    film = Film((), True)
    film.show(3, (), "down")
    assert film.show(3, (), "down") is Step.ARMS_FORWARD
    assert film.calibrating.reason == "stretch the left arm forward, to the camera"


def test_a_moving_body_is_refused_and_told():
    film = Film((), True)
    assert film.show(4, (), "down", move_m=0.08) is Step.ARMS_DOWN
    assert "the body moves: hold still for two seconds" in film.reasons


@pytest.mark.parametrize("landmark", [15, 13, 24])
def test_a_half_visible_body_is_refused_and_told(landmark):
    calibrating = Calibrating((), True)
    for k in range(90):
        view = body(START + k * FRAME_NS)
        visibility = view.visibility.copy()
        visibility[landmark] = 0.2
        calibrating.see(OperatorFrame(view.stamp_ns, {}, replace(view, visibility=visibility)))
    assert calibrating.step is Step.ARMS_DOWN and "is not in view: stand back" in calibrating.reason


def test_a_view_of_the_body_counts_once():
    calibrating, view = Calibrating((), True), body(START)
    for k in range(6):
        calibrating.see(OperatorFrame(START + k * FRAME_NS, {}, view))
    assert calibrating.progress(START + 5 * FRAME_NS) <= 1 / 16


def test_frames_out_of_order_are_ignored():
    film = Film(("right",), False)
    film.show(1, ("right",))
    progress = film.calibrating.progress(film.now_ns)
    film.calibrating.see(OperatorFrame(film.now_ns - FRAME_NS, {}, None))
    assert film.calibrating.progress(film.now_ns) == progress


def test_no_number_gets_in():
    film = Film()
    nan = HandView(np.full((21, 3), np.nan), np.full((21, 2), 0.5), 0.9)
    film.calibrating.see(OperatorFrame(START + FRAME_NS, {"right": nan, "left": nan}, None))
    assert "not recognised" in film.calibrating.reason
