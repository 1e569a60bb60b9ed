# SPDX-License-Identifier: Apache-2.0
"""MediaPipe on the bundled clip: sides, axes and origin are what the rest of the product takes them for."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_hands import FRAME_NS, NS_PER_S

from clips.choreography import REST_ROTATION
from teleop import tracker as tracker_module
from teleop import tracker_preview
from teleop.camera import bundled_clip, unmirror
from teleop.gestures import Gesture, classify
from teleop.hand_geometry import rotation_palm_to_camera
from teleop.models import ModelError, hand_model
from teleop.operator_view import BodyView, HandView
from teleop.tracker import HandTracker, self_test


def frame_of_clip(number):
    film = cv2.VideoCapture(str(bundled_clip()))
    film.set(cv2.CAP_PROP_POS_FRAMES, number)
    found, image = film.read()
    film.release()
    assert found
    return image


@pytest.fixture(scope="module")
def image():
    """An open right hand that faces the camera."""
    return frame_of_clip(50)


@pytest.fixture
def tracker():
    with HandTracker(hand_model()) as tracker:
        yield tracker


@pytest.fixture(scope="module")
def hand(image):
    with HandTracker(hand_model()) as tracker:
        (hand,) = tracker.detect(image, 0)
    return hand


# ---- with the model ---------------------------------------------------------------------------------------


def test_the_installed_mediapipe_passes_the_self_test(tracker):
    self_test(tracker)


def test_a_right_hand_is_right_and_its_mirror_image_left(tracker, image):
    assert [hand.side for hand in tracker.detect(image, 0)] == ["right"]
    with HandTracker(hand_model()) as other:
        assert [hand.side for hand in other.detect(unmirror(image), 0)] == ["left"]


def test_unmirroring_a_mirroring_camera_puts_it_right(tracker, image):
    from_mirroring_camera = cv2.flip(image, 1)
    assert [hand.side for hand in tracker.detect(unmirror(from_mirroring_camera), 0)] == ["right"]


def test_landmarks_are_metres_from_the_wrist_in_the_cameras_axes(hand):
    assert (hand.world_m[0] == 0).all()
    turn = rotation_palm_to_camera(hand.world_m, "right")
    off_by = np.arccos(np.clip((np.trace(turn @ REST_ROTATION.T) - 1) / 2, -1, 1))
    assert np.degrees(off_by) < 25
    assert 0.06 < np.linalg.norm(hand.world_m[9]) < 0.13
    assert classify(hand.world_m, "right") is Gesture.OPEN_PALM


def test_landmarks_in_the_image_are_where_the_clip_shows_them(hand):
    with np.load(bundled_clip().with_suffix(".npz")) as truth:
        shown = truth["landmarks_px"][50] / (640, 480)
    assert np.abs(hand.image - shown).max() < 0.06
    assert 0.5 < hand.score <= 1.0


def test_there_is_no_hand_in_a_blank_image(tracker):
    assert tracker.detect(np.full((480, 640, 3), 128, np.uint8), 0) == ()


def test_two_hands_side_by_side_are_one_of_each_side(tracker, image):
    both = np.hstack([image[:, 120:520], unmirror(image)[:, 120:520]])
    hands = tracker.detect(both, 0)
    assert sorted(hand.side for hand in hands) == ["left", "right"]
    on_the_left = min(hands, key=lambda hand: hand.image[0, 0])
    assert on_the_left.side == "right"


def test_stamps_that_stand_still_or_go_back_do_not_stop_it(tracker, image):
    for stamp in (5 * NS_PER_S, 5 * NS_PER_S, 0, 5 * NS_PER_S + FRAME_NS):
        assert len(tracker.detect(image, stamp)) == 1


def test_a_tracker_may_be_closed_twice(image):
    tracker = HandTracker(hand_model())
    tracker.close()
    tracker.close()


def test_a_mediapipe_with_another_idea_of_sides_fails_the_self_test(hand):
    class Swapped:
        def detect(self, *_):
            return (replace(hand, side="left"),)

    with pytest.raises(ModelError, match=r"expected one right hand in the bundled clip, found \['left'\]"):
        self_test(Swapped())


def test_a_clip_that_cannot_be_read_fails_the_self_test(monkeypatch, tmp_path):
    monkeypatch.setattr(tracker_module, "bundled_clip", lambda: tmp_path / "missing.mp4")
    with pytest.raises(ModelError, match="found none"):
        self_test(None)


# ---- the picture for people -------------------------------------------------------------------------------

BLANK = np.full((240, 320, 3), 90, np.uint8)


def spread_hand(side="right"):
    x, y = np.meshgrid(np.linspace(0.2, 0.8, 7), np.linspace(0.2, 0.8, 3))
    return {side: HandView(np.zeros((21, 3)), np.stack([x.ravel(), y.ravel()], axis=1), 0.9)}


def test_preview_marks_every_landmark_and_leaves_the_image_alone():
    image = BLANK.copy()
    picture = tracker_preview.draw(image, spread_hand())
    assert (image == BLANK).all()
    assert picture.shape == image.shape
    for u, v in spread_hand()["right"].image:
        assert (picture[round(v * 240), round(u * 320)] != 90).any()


def test_preview_leaves_the_rest_of_the_image_alone():
    picture = tracker_preview.draw(BLANK, spread_hand())
    assert (picture[:40] == 90).all() and (picture[:, 300:] == 90).all()


def test_preview_of_no_hands_is_a_copy_of_the_image():
    picture = tracker_preview.draw(BLANK, {})
    assert (picture == BLANK).all() and picture is not BLANK


def test_preview_tells_the_sides_apart():
    right, left = (tracker_preview.draw(BLANK, spread_hand(side)) for side in ("right", "left"))
    assert (right != left).any()


def test_preview_writes_the_caption():
    assert (tracker_preview.draw(BLANK, {}, caption="ENGAGED") != BLANK).any()


@given(arrays(np.float64, (21, 2), elements=st.floats(-3, 4)))
def test_preview_of_a_hand_that_reaches_out_of_the_image_is_drawn_as_far_as_it_is_in_it(image):
    picture = tracker_preview.draw(BLANK, {"right": replace(spread_hand()["right"], image=image)})
    assert picture.shape == BLANK.shape


def test_preview_of_the_clip_draws_over_the_hand(image, hand):
    picture = tracker_preview.draw(image, {"right": HandView(hand.world_m, hand.image, hand.score)})
    changed = (picture != image).any(axis=2)
    x, y = (hand.image * (640, 480)).T
    drawn = np.argwhere(changed)
    assert 500 < len(drawn) < 0.2 * changed.size
    assert drawn[:, 1].min() > x.min() - 60 and drawn[:, 1].max() < x.max() + 60
    assert drawn[:, 0].min() > y.min() - 60 and drawn[:, 0].max() < y.max() + 60


def test_preview_draws_the_limbs_that_are_in_view():
    image, seen = np.full((33, 2), 0.5), np.ones(33)
    image[11], image[13] = (0.2, 0.2), (0.2, 0.8)
    body = BodyView(np.zeros((33, 3)), image, seen, 0)
    assert (tracker_preview.draw(BLANK, {}, body)[120, 64] != 90).any()
    seen[13] = 0.1
    assert (tracker_preview.draw(BLANK, {}, body)[120, 64] == 90).all()
