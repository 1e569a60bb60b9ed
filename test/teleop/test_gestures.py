# SPDX-License-Identifier: Apache-2.0
"""Signs are read from the shape of the hand, for either hand and however it is turned in the image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hands import (
    FIST,
    OPEN,
    POINTING,
    THUMB_ABOVE,
    THUMB_UP,
    VICTORY,
    joint_angles,
    mirrored,
    rotations,
    seen,
    shifts,
    turned,
)

from clips.choreography import POSES_RAD, REST_ROTATION
from teleop.gestures import Gesture, classify, stretch
from teleop.hand_geometry import HandGeometryError

SIGNS = {
    Gesture.OPEN_PALM: seen(OPEN),
    Gesture.FIST: seen(FIST),
    Gesture.POINTING: seen(POINTING),
    Gesture.VICTORY: seen(VICTORY),
    Gesture.THUMB_UP: seen(THUMB_UP, THUMB_ABOVE),
}
RIGHT, DOWN, AWAY = range(3)


def both_hands(points):
    """The sign of these points as a right hand, and of their mirror image as a left one."""
    return {classify(points, "right"), classify(mirrored(points), "left")}


@pytest.mark.parametrize("sign", SIGNS)
def test_sign_is_read_from_either_hand(sign):
    assert both_hands(SIGNS[sign]) == {sign}


@pytest.mark.parametrize("sign", [sign for sign in SIGNS if sign is not Gesture.THUMB_UP])
@given(degrees=st.floats(-40, 40), scale=st.floats(0.7, 1.4))
def test_sign_is_read_from_a_hand_that_leans_in_the_image(sign, degrees, scale):
    assert both_hands(scale * turned(SIGNS[sign], AWAY, degrees)) == {sign}


@given(st.floats(-25, 25))
def test_thumb_up_leans_less_far(degrees):
    assert both_hands(turned(SIGNS[Gesture.THUMB_UP], AWAY, degrees)) == {Gesture.THUMB_UP}


@given(st.floats(50, 310))
def test_a_thumb_that_does_not_point_up_is_a_fist(degrees):
    assert both_hands(turned(SIGNS[Gesture.THUMB_UP], AWAY, degrees)) == {Gesture.FIST}


@given(st.sampled_from([Gesture.FIST, Gesture.POINTING, Gesture.VICTORY]), rotations, shifts)
def test_no_turn_of_the_hand_changes_fist_pointing_and_victory_into_an_open_palm(sign, rotation, shift):
    found = classify(SIGNS[sign] @ rotation.T + shift, "right")
    assert found is sign or (sign is Gesture.FIST and found is Gesture.THUMB_UP)


@given(st.floats(-55, 55), st.sampled_from([RIGHT, DOWN]))
def test_an_open_palm_may_be_turned_a_little(degrees, axis):
    assert both_hands(turned(SIGNS[Gesture.OPEN_PALM], axis, degrees)) == {Gesture.OPEN_PALM}


@given(st.floats(62, 298), st.sampled_from([RIGHT, DOWN]), st.floats(-180, 180))
def test_an_open_hand_that_does_not_face_the_camera_is_no_open_palm(degrees, axis, lean):
    away = turned(turned(SIGNS[Gesture.OPEN_PALM], axis, degrees), AWAY, lean)
    assert Gesture.OPEN_PALM not in both_hands(away)


def test_the_back_of_the_hand_is_no_open_palm():
    assert both_hands(turned(SIGNS[Gesture.OPEN_PALM], DOWN, 180)) == {Gesture.NONE}


def test_a_left_palm_that_is_taken_for_a_right_one_is_its_back():
    assert classify(mirrored(SIGNS[Gesture.OPEN_PALM]), "right") is Gesture.NONE


@pytest.mark.parametrize("finger", ["index", "middle", "ring", "little", "thumb"])
def test_one_bent_digit_is_no_open_palm(finger):
    assert both_hands(seen(POSES_RAD[finger])) == {Gesture.NONE}


@given(joint_angles, rotations)
def test_how_far_a_digit_is_stretched_is_a_share_and_no_turn_changes_it(angles, rotation):
    shares = stretch(seen(angles, rotation))
    assert (shares >= 0).all() and (shares <= 1 + 1e-12).all()
    assert shares == pytest.approx(stretch(seen(angles)), abs=1e-9)


def test_straight_digits_are_fully_stretched():
    assert stretch(seen(np.zeros(20))) == pytest.approx(np.ones(5))


@given(joint_angles, rotations, st.sampled_from(["right", "left"]))
def test_every_hand_shows_something_or_nothing_but_never_fails(angles, rotation, side):
    assert classify(seen(angles, rotation @ REST_ROTATION), side) in Gesture


@given(st.sampled_from([np.nan, np.inf]), st.integers(0, 20))
def test_landmarks_that_are_no_hand_are_refused(wrong, landmark):
    points = seen(OPEN)
    points[landmark] = wrong
    with pytest.raises(HandGeometryError):
        classify(points, "right")
