# SPDX-License-Identifier: Apache-2.0
"""Another operator's calibration is taken while nothing moves, and one that can't be read changes nothing."""

import json

import numpy as np
import pytest
from fake_limbs import FRAME_NS, START, operator_frame
from synthetic_hands import FIST, OPEN

from robots import load_robot
from teleop.body_calibration import BodyCalibration, average_adult
from teleop.clutch_table import State
from teleop.imitation_session import ImitationSession
from teleop.limbs import build_limbs
from teleop.operator_profile import OperatorProfile, ProfileError, body_profile
from teleop.profile_choice import ProfileChoice

HAND, OP3 = load_robot("hx5_d20_right"), load_robot("op3")
LONG_ARMS = BodyCalibration({"right": (0.33, 0.28), "left": (0.33, 0.28)}, shoulders_m=0.40)
KNOWN = {
    "anna": OperatorProfile(name="anna", body=body_profile(LONG_ARMS)),
    "ben": OperatorProfile(name="ben"),
}


def read(name):
    if name not in KNOWN:
        raise ProfileError(f"{name} has no profile: measure the operator again")
    return KNOWN[name]


def labels(profile):
    return json.dumps({"operator": "x", "profile": profile})


class Driven:
    """One hand at work, and whose calibration its session takes."""

    def __init__(self, profile=None):
        self.session = ImitationSession(HAND, build_limbs(HAND, "hands"), profile=profile)
        self.choice = ProfileChoice(self.session, read)
        self.session.measure(np.array(HAND.ready_rad))
        self.now_ns, self.rng = START, np.random.default_rng(2)

    def show(self, frames, **poses):
        for _ in range(frames):
            self.now_ns += FRAME_NS
            self.session.see(operator_frame(self.now_ns, self.rng, **poses))
            if self.session.state is State.ASKING:
                self.session.answer(True, "", self.now_ns)

    def engage(self):
        self.show(90, right=OPEN)
        assert self.session.clutch.following
        return self


def test_a_profile_is_taken_at_once_while_nothing_moves_and_cleared_again():
    driven = Driven()
    driven.choice.hear(labels("anna"))
    assert (driven.choice.name, driven.choice.note) == ("anna", "")
    driven.choice.hear(labels(""))
    assert driven.choice.name == "" and driven.session.profile is None


def test_while_the_robot_follows_a_profile_waits_until_it_is_let_go():
    driven = Driven().engage()
    driven.choice.hear(labels("anna"))
    assert driven.choice.name == ""
    driven.show(30, right=OPEN)
    assert driven.choice.name == "" and driven.session.clutch.following
    driven.session.drop("the driver holds", driven.now_ns)
    assert driven.choice.name == "anna"


@pytest.mark.parametrize("ends", ["released", "lost", "silent"])
def test_however_it_ends_the_last_wish_counts(ends):
    driven = Driven().engage()
    for name in ("anna", "ben"):
        driven.choice.hear(labels(name))
    if ends == "released":
        driven.session.press(False, driven.now_ns)
    elif ends == "lost":
        driven.show(10)
    else:
        driven.session.tick(driven.now_ns + 10**9)
    assert driven.session.state is State.WAITING and driven.choice.name == "ben"


def test_the_session_says_whether_a_profile_counts_already():
    driven = Driven()
    assert driven.session.use_profile(KNOWN["ben"])
    driven.engage()
    assert not driven.session.use_profile(KNOWN["anna"]) and driven.session.use_profile(KNOWN["ben"])
    driven.session.drop("the driver holds", driven.now_ns)
    assert driven.session.profile is KNOWN["ben"]


def test_arms_and_head_take_the_bodys_measures_and_forget_them():
    limbs = build_limbs(OP3, "hands+arms+head")
    session = ImitationSession(OP3, limbs)
    assert all(limb.retargeter.calibration == average_adult() for limb in limbs)
    session.use_profile(KNOWN["anna"])
    assert all(limb.retargeter.calibration == LONG_ARMS for limb in limbs)
    session.use_profile(KNOWN["ben"])
    assert all(limb.retargeter.calibration == average_adult() for limb in limbs)


def test_a_profile_that_cannot_be_read_is_told_and_the_old_one_stays():
    driven = Driven()
    driven.choice.hear(labels("anna"))
    driven.choice.hear(labels("nobody"))
    assert driven.choice.name == "anna"
    assert "calibration of nobody is not used" in driven.choice.note and "still anna's counts" in driven.choice.note
    driven.choice.hear(labels("ben"))
    assert (driven.choice.name, driven.choice.note) == ("ben", "")


def test_a_bad_name_is_told():
    choice = ProfileChoice(Driven().session)
    choice.hear(labels("../../etc"))
    assert choice.name == "" and "no calibration counts" in choice.note


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"operator": "x"}', '{"profile": null}', '{"profile": 3}'])
def test_labels_that_name_no_profile_change_nothing(text):
    driven = Driven()
    driven.choice.hear(labels("anna"))
    driven.choice.hear(text)
    assert (driven.choice.name, driven.choice.note) == ("anna", "")


def test_the_profile_of_the_start_counts_until_the_labels_name_one():
    driven = Driven(KNOWN["ben"])
    driven.choice.hear(labels(""))
    assert driven.choice.name == "ben"
    driven.choice.hear(labels("anna"))
    driven.choice.hear(labels(""))
    assert driven.choice.name == ""


def test_notes_on_the_last_operators_hand_go_with_the_profile():
    driven = Driven()
    driven.session.notes = ("this right hand does not look like anna's",)
    driven.show(5, right=FIST)
    driven.choice.hear(labels("ben"))
    assert driven.session.notes == ()
