# SPDX-License-Identifier: Apache-2.0
"""Signs are read from the shape of the hand, for either hand and however it is turned in the image."""

from collections import Counter
from pathlib import Path

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
from clips.hand_model import rotation
from teleop.gestures import Gesture, classify, shape_of, stretch
from teleop.hand_geometry import HandGeometryError

RIGHT, DOWN, AWAY = range(3)
THUMB_BELOW = rotation(AWAY, np.pi) @ THUMB_ABOVE

SIGNS = {
    Gesture.OPEN_PALM: seen(OPEN),
    Gesture.FIST: seen(FIST),
    Gesture.POINTING: seen(POINTING),
    Gesture.PINCH: seen(POSES_RAD["pinch_index"]),
    Gesture.VICTORY: seen(VICTORY),
    Gesture.THUMB_UP: seen(THUMB_UP, THUMB_ABOVE),
    Gesture.THUMB_DOWN: seen(THUMB_UP, THUMB_BELOW),
}
THUMBS = (Gesture.THUMB_UP, Gesture.THUMB_DOWN)
SHAPES = [sign for sign in SIGNS if sign not in (*THUMBS, Gesture.OPEN_PALM)]
FLEXIONS = [4 * digit + joint for digit in range(1, 5) for joint in (1, 2, 3)]


def bent(*flexion_rad):
    """The open hand with all fingers bent alike."""
    pose = OPEN.copy()
    pose[FLEXIONS] = np.tile(flexion_rad, 4)
    return pose


def both_hands(points):
    """The sign of these points as a right hand, and of their mirror image as a left one."""
    return {classify(points, "right"), classify(mirrored(points), "left")}


@pytest.mark.parametrize("sign", SIGNS)
def test_sign_is_read_from_either_hand(sign):
    assert both_hands(SIGNS[sign]) == {sign}


@pytest.mark.parametrize("sign", [sign for sign in SIGNS if sign not in THUMBS])
@given(degrees=st.floats(-50, 50), axis=st.sampled_from([RIGHT, DOWN, AWAY]), scale=st.floats(0.7, 1.4))
def test_sign_is_read_from_a_hand_that_is_tilted_any_way(sign, degrees, axis, scale):
    assert both_hands(scale * turned(SIGNS[sign], axis, degrees)) == {sign}


@pytest.mark.parametrize("sign", THUMBS)
@given(degrees=st.floats(-35, 35), axis=st.sampled_from([RIGHT, AWAY]), turn=st.floats(-50, 50))
def test_a_thumb_may_lean_a_little_and_turn_about_itself(sign, degrees, axis, turn):
    assert both_hands(turned(turned(SIGNS[sign], DOWN, turn), axis, degrees)) == {sign}


@pytest.mark.parametrize("sign", THUMBS)
@given(st.floats(50, 130), st.booleans())
def test_a_thumb_that_points_sideways_is_a_fist(sign, degrees, clockwise):
    assert both_hands(turned(SIGNS[sign], AWAY, degrees if clockwise else -degrees)) == {Gesture.FIST}


@given(st.sampled_from(SHAPES), rotations, shifts)
def test_no_turn_of_the_hand_changes_what_its_shape_says(sign, rotation, shift):
    found = classify(SIGNS[sign] @ rotation.T + shift, "right")
    assert found is sign or (sign is Gesture.FIST and found in THUMBS)


@given(st.floats(62, 298), st.sampled_from([RIGHT, DOWN]), st.floats(-180, 180))
def test_an_open_hand_that_does_not_face_the_camera_is_no_open_palm(degrees, axis, lean):
    away = turned(turned(SIGNS[Gesture.OPEN_PALM], axis, degrees), AWAY, lean)
    assert Gesture.OPEN_PALM not in both_hands(away)


def test_a_left_palm_that_is_taken_for_a_right_one_is_its_back():
    assert classify(mirrored(SIGNS[Gesture.OPEN_PALM]), "right") is Gesture.NONE


@pytest.mark.parametrize("finger", ["index", "middle", "ring", "little", "thumb"])
def test_one_bent_digit_is_no_open_palm(finger):
    assert both_hands(seen(POSES_RAD[finger])) == {Gesture.NONE}


@given(rotations)
def test_a_thumb_across_the_palm_is_no_open_palm_however_the_hand_is_held(rotation):
    assert classify(seen(POSES_RAD["thumb"], rotation), "right") is Gesture.NONE


@pytest.mark.parametrize("thumb", [(1.4, -0.8, 0.1, 0.1), (1.2, -1.4, 0.1, 0.1)])
def test_a_straight_thumb_along_or_across_the_palm_is_no_open_palm(thumb):
    pose = OPEN.copy()
    pose[:4] = thumb
    assert shape_of(seen(pose), "right").stretch[0] > 0.99
    assert both_hands(seen(pose)) == {Gesture.NONE}


@pytest.mark.parametrize(("share", "sign"), [(0.5, Gesture.OPEN_PALM), (0.65, Gesture.NONE), (0.9, Gesture.PINCH)])
def test_between_an_open_palm_and_a_pinch_lies_neither(share, sign):
    pose = OPEN + share * (POSES_RAD["pinch_index"] - OPEN)
    assert both_hands(seen(pose)) == {sign}


def test_a_relaxed_hand_is_no_open_palm():
    assert both_hands(seen(bent(0.6, 0.7, 0.5))) == {Gesture.NONE}


def test_only_thumb_and_index_pinch():
    assert both_hands(seen(POSES_RAD["pinch_middle"])) == {Gesture.NONE}


def test_a_fist_is_no_pinch_although_the_thumb_is_near_the_index():
    assert shape_of(SIGNS[Gesture.FIST], "right").pinch < 0.55
    assert both_hands(SIGNS[Gesture.FIST]) == {Gesture.FIST}


@given(joint_angles, rotations)
def test_how_far_a_digit_is_stretched_is_a_share_and_no_turn_changes_it(angles, rotation):
    shares = stretch(seen(angles, rotation))
    assert (shares >= 0).all() and (shares <= 1 + 1e-12).all()
    assert shares == pytest.approx(stretch(seen(angles)), abs=1e-9)


@given(joint_angles, rotations, st.floats(0.7, 1.4))
def test_neither_turn_nor_size_changes_the_shape(angles, rotation, scale):
    before, after = shape_of(seen(angles), "right"), shape_of(scale * seen(angles, rotation), "right")
    for name in ("lean_rad", "thumb_out", "thumb_free", "pinch"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-6)


@given(joint_angles, rotations, st.sampled_from(["right", "left"]))
def test_every_hand_shows_something_or_nothing_but_never_fails(angles, rotation, side):
    assert classify(seen(angles, rotation @ REST_ROTATION), side) in Gesture


@given(st.sampled_from([np.nan, np.inf]), st.integers(0, 20))
def test_landmarks_that_are_no_hand_are_refused(wrong, landmark):
    points = seen(OPEN)
    points[landmark] = wrong
    with pytest.raises(HandGeometryError):
        classify(points, "right")


# ---- many hands -------------------------------------------------------------------------------------------

POSTURES = {
    Gesture.OPEN_PALM: [OPEN, POSES_RAD["spread"], bent(0.15, 0.2, 0.1)],
    Gesture.FIST: [FIST],
    Gesture.POINTING: [POINTING],
    Gesture.PINCH: [POSES_RAD["pinch_index"]],
    Gesture.VICTORY: [VICTORY],
    Gesture.THUMB_UP: [THUMB_UP],
    Gesture.THUMB_DOWN: [THUMB_UP],
    Gesture.NONE: [
        *(POSES_RAD[name] for name in ("index", "middle", "ring", "little", "thumb", "pinch_middle")),
        bent(0.7, 0.8, 0.5),
        bent(0.1, 1.1, 0.9),
    ],
}
NOISE_M = np.array([1.5e-3, 1.5e-3, 3e-3])
"""Of a landmark from frame to frame, as measured on a real hand."""


def random_hand(rng, sign):
    """A hand of any size and tilt that shows this, with noise; its points and side."""
    pose = POSTURES[sign][rng.integers(len(POSTURES[sign]))] + rng.normal(0, 0.05, 20)
    rest = {Gesture.THUMB_UP: THUMB_ABOVE, Gesture.THUMB_DOWN: THUMB_BELOW}.get(sign, REST_ROTATION)
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    angle = np.radians(25 if sign in THUMBS else 50) * rng.uniform()
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    tilt = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    points = seen(pose, tilt @ rest) * rng.uniform(0.75, 1.25)
    side = "right" if rng.uniform() < 0.5 else "left"
    points = points if side == "right" else mirrored(points)
    return points + rng.normal(0, 1, (21, 3)) * NOISE_M, side


def test_hardly_any_sign_of_many_hands_is_mistaken():
    rng = np.random.default_rng(7)
    found = {sign: Counter(classify(*random_hand(rng, sign)) for _ in range(400)) for sign in POSTURES}
    for sign in SIGNS:
        of_all = sum(counts[sign] for counts in found.values())
        assert found[sign][sign] / 400 >= 0.99, (sign, found[sign])
        assert found[sign][sign] / of_all >= 0.99, (sign, {shown: counts[sign] for shown, counts in found.items()})


SHARED = Path(__file__).parents[3] / "shared" / "media" / "human_joint_right.npz"
STRETCHES = {
    (0, 10): Gesture.OPEN_PALM,
    (14, 32): Gesture.NONE,  # thumb across the palm
    (36, 54): Gesture.OPEN_PALM,
    (106, 125): Gesture.NONE,  # middle finger bent
    (177, 203): Gesture.OPEN_PALM,
    (258, 276): Gesture.FIST,
    (312, 330): Gesture.PINCH,
    (336, 358): Gesture.OPEN_PALM,
    (412, 438): Gesture.NONE,  # ring finger to the thumb
    (479, 500): Gesture.OPEN_PALM,
    (610, 620): Gesture.FIST,
}
"""What a real hand shows in the frames of a film, as a person sees it."""


if SHARED.is_file():  # elsewhere there is no such test

    @pytest.mark.parametrize("frames", STRETCHES, ids=str)
    def test_a_real_hand_is_read_as_a_person_reads_it(frames):
        points = np.load(SHARED)["points"][slice(*frames)] @ REST_ROTATION.T
        assert {classify(each, "right") for each in points} == {STRETCHES[frames]}
