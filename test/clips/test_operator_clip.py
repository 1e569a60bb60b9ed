# SPDX-License-Identifier: Apache-2.0
"""The operator clip and its truth agree with the hand model and with each other."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import clips
from clips import choreography, hand_model, render_operator
from clips.choreography import POSES_RAD, perform
from clips.hand_model import BASE_M, BONE_M, DIGITS, JOINT_LIMITS_RAD, JOINT_NAMES, bone_frames, landmarks_m
from clips.hand_shape import Distance, hand_shape

FOLDER = Path(clips.__file__).parent
CLIP, TRUTH = FOLDER / "operator_hand.mp4", FOLDER / "operator_hand.npz"
WIDTH, HEIGHT = 640, 480
FINGERTIP = {"index": 8, "middle": 12}

Truth = dict[str, np.ndarray]

joint_angles = arrays(np.float64, 20, elements=st.floats(0.0, 1.0)).map(
    lambda share: JOINT_LIMITS_RAD[:, 0] + share * np.ptp(JOINT_LIMITS_RAD, axis=1)
)


@pytest.fixture(scope="module")
def truth() -> Truth:
    with np.load(TRUTH) as file:
        return {name: file[name] for name in file.files}


def joint(name: str) -> int:
    return JOINT_NAMES.index(name)


# ---- the hand model -------------------------------------------------------------------------------------


@given(joint_angles)
def test_bones_keep_their_length_at_any_angles(angles: np.ndarray) -> None:
    points = landmarks_m(angles)
    for digit in range(5):
        chain = points[1 + 4 * digit : 5 + 4 * digit]
        assert np.linalg.norm(np.diff(chain, axis=0), axis=1) == pytest.approx(BONE_M[digit], abs=1e-12)


@given(joint_angles)
def test_palm_landmarks_do_not_move_with_the_joints(angles: np.ndarray) -> None:
    points = landmarks_m(angles)
    assert points[[1, 5, 9, 13, 17]] == pytest.approx(BASE_M)
    assert points[[0, 5, 9, 13, 17], 0] == pytest.approx(0.0)
    assert points[9, :2] == pytest.approx(0.0)


@given(joint_angles)
def test_bone_frames_are_rotations(angles: np.ndarray) -> None:
    frames = bone_frames(angles)
    assert frames @ frames.swapaxes(-1, -2) == pytest.approx(np.broadcast_to(np.eye(3), frames.shape), abs=1e-12)
    assert np.linalg.det(frames) == pytest.approx(1.0)


@given(joint_angles)
def test_phalanges_follow_the_stated_rotations(angles: np.ndarray) -> None:
    points, rotation = landmarks_m(angles), hand_model.rotation
    roll, yaw, mp, ip = angles[:4]
    thumb = rotation(0, roll) @ rotation(2, yaw)
    assert points[2] - points[1] == pytest.approx(thumb @ [0, BONE_M[0, 0], 0])
    assert points[3] - points[2] == pytest.approx(thumb @ rotation(0, mp) @ [0, BONE_M[0, 1], 0])
    assert points[4] - points[3] == pytest.approx(thumb @ rotation(0, mp + ip) @ [0, BONE_M[0, 2], 0])
    abduction, f1, f2, f3 = angles[4:8]
    for landmark, bone, bend in ((5, 0, f1), (6, 1, f1 + f2), (7, 2, f1 + f2 + f3)):
        expected = rotation(0, abduction) @ rotation(1, bend) @ [0, 0, BONE_M[1, bone]]
        assert points[landmark + 1] - points[landmark] == pytest.approx(expected)


def test_fingers_at_zero_point_along_z() -> None:
    directions = bone_frames(np.zeros(20))[1:, :, :, 2]
    assert directions == pytest.approx(np.broadcast_to([0.0, 0.0, 1.0], directions.shape))


@given(st.sampled_from(("index", "middle", "ring", "little")), st.floats(0.05, 1.5))
def test_flexion_bends_towards_the_palm(finger: str, flexion: float) -> None:
    angles = np.zeros(20)
    angles[joint(f"{finger}_mcp")] = flexion
    assert landmarks_m(angles)[4 + 4 * DIGITS.index(finger), 0] > 0


@given(st.floats(0.01, 0.5))
def test_positive_abduction_leans_away_from_the_thumb(abduction: float) -> None:
    angles = np.zeros(20)
    angles[joint("index_abduction")] = abduction
    assert landmarks_m(angles)[8, 1] < landmarks_m(np.zeros(20))[8, 1]


def test_many_frames_at_once_equal_one_at_a_time() -> None:
    angles = np.stack(list(POSES_RAD.values()))
    assert landmarks_m(angles) == pytest.approx(np.stack([landmarks_m(row) for row in angles]))


def test_wrong_number_of_angles_is_refused_with_the_expected_order() -> None:
    with pytest.raises(ValueError, match="thumb_cmc_roll"):
        landmarks_m(np.zeros(19))


# ---- the choreography -----------------------------------------------------------------------------------


@pytest.mark.parametrize("finger", ["index", "middle"])
def test_pinch_brings_the_fingertips_together(finger: str) -> None:
    points = landmarks_m(POSES_RAD[f"pinch_{finger}"])
    assert 0.006 < np.linalg.norm(points[4] - points[FINGERTIP[finger]]) < 0.012


@pytest.mark.parametrize("pose", sorted(POSES_RAD))
def test_poses_respect_the_joint_limits(pose: str) -> None:
    angles = POSES_RAD[pose]
    assert (angles >= JOINT_LIMITS_RAD[:, 0]).all() and (angles <= JOINT_LIMITS_RAD[:, 1]).all()


@settings(max_examples=20)
@given(st.sampled_from((30.0, 60.0, 120.0)))
def test_motion_is_as_fast_as_a_person_and_not_faster(fps: float) -> None:
    performance = perform(fps)
    speed_rad_s = np.abs(np.diff(performance.angles_rad, axis=0)) * fps
    assert 1.0 < speed_rad_s.max() < 7.0


@given(st.floats(0.0, 1.0))
def test_minimum_jerk_is_symmetric_and_bounded(progress: float) -> None:
    there, back = choreography.minimum_jerk(np.array([progress, 1.0 - progress]))
    assert there + back == pytest.approx(1.0)
    assert 0.0 <= there <= 1.0


# ---- the drawing ----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(arrays(np.float32, (2, 3), elements=st.floats(-0.125, 0.25, width=32)))
def test_signed_distance_never_oversteps(points: np.ndarray) -> None:
    distance = Distance(hand_shape(POSES_RAD["fist"], np.array([-0.05, 0.0, -0.25])))
    near, far = distance(points)
    assert abs(near - far) <= 1.1 * np.linalg.norm(points[0] - points[1]) + 1e-5


@pytest.mark.parametrize("pose", sorted(POSES_RAD))
def test_every_landmark_lies_under_the_skin(pose: str) -> None:
    distance = Distance(hand_shape(POSES_RAD[pose], np.array([-0.05, 0.0, -0.25])))
    assert (distance(landmarks_m(POSES_RAD[pose]).astype(np.float32)) < 0).all()


def test_film_shows_what_the_code_draws_and_draws_it_the_same_each_time() -> None:
    first, second = render_operator.draw(100), render_operator.draw(100)
    assert (first == second).all()
    film = cv2.VideoCapture(str(CLIP))
    for _ in range(101):
        _, frame = film.read()
    film.release()
    assert cv2.PSNR(first, frame) > 34.0


# ---- the recorded truth ---------------------------------------------------------------------------------


def test_truth_is_what_the_choreography_performs(truth: Truth) -> None:
    performance = perform(float(truth["fps"]))
    assert (truth["segment"] == performance.segment).all()
    for name in ("time_s", "joint_angles_rad", "rotation_palm_to_camera", "wrist_in_camera_m"):
        key = "angles_rad" if name == "joint_angles_rad" else name
        assert truth[name] == pytest.approx(getattr(performance, key), abs=1e-9)


def test_landmarks_follow_from_the_joint_angles(truth: Truth) -> None:
    assert tuple(truth["joint_names"]) == JOINT_NAMES
    assert np.abs(landmarks_m(truth["joint_angles_rad"]) - truth["landmarks_m"]).max() < 1e-6


def test_angles_stay_inside_the_joint_limits(truth: Truth) -> None:
    angles = truth["joint_angles_rad"]
    assert (angles >= JOINT_LIMITS_RAD[:, 0]).all() and (angles <= JOINT_LIMITS_RAD[:, 1]).all()


def test_palm_pose_is_a_rotation_half_a_metre_away(truth: Truth) -> None:
    rotation = truth["rotation_palm_to_camera"]
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert np.abs(rotation @ rotation.swapaxes(1, 2) - np.eye(3)).max() < 1e-9
    assert ((truth["wrist_in_camera_m"][:, 2] > 0.4) & (truth["wrist_in_camera_m"][:, 2] < 0.6)).all()


def test_pixels_are_the_projection_of_the_landmarks(truth: Truth) -> None:
    in_camera = np.einsum("nij,nkj->nki", truth["rotation_palm_to_camera"], truth["landmarks_m"])
    in_camera += truth["wrist_in_camera_m"][:, None]
    pixels = in_camera @ truth["camera_matrix"].T
    assert np.abs(pixels[..., :2] / pixels[..., 2:] - truth["landmarks_px"]).max() < 1e-6


def test_hand_is_visible_exactly_when_every_landmark_is_inside_the_image(truth: Truth) -> None:
    x, y = truth["landmarks_px"][..., 0], truth["landmarks_px"][..., 1]
    inside = (x >= 0) & (x <= WIDTH - 1) & (y >= 0) & (y <= HEIGHT - 1)
    assert (inside.all(axis=1) == truth["visible"]).all()
    assert 0.0 < truth["visible"].mean() < 1.0


def test_right_thumb_is_on_the_right_of_an_unmirrored_open_palm(truth: Truth) -> None:
    still = truth["segment"] == "open"
    assert (truth["landmarks_px"][still, 4, 0] > truth["landmarks_px"][still, 20, 0]).all()
    assert (truth["landmarks_px"][still, 12, 1] < truth["landmarks_px"][still, 0, 1]).all()


def test_open_holds_do_not_move_at_all(truth: Truth) -> None:
    still = truth["segment"] == "open"
    both = still[1:] & still[:-1]
    assert np.abs(np.diff(truth["landmarks_px"], axis=0)[both]).max() < 1e-9


def test_every_digit_and_gesture_is_performed(truth: Truth) -> None:
    wanted = {
        *DIGITS,
        "open",
        "fist",
        "pinch_index",
        "pinch_middle",
        "point",
        "spread",
        "yaw",
        "pitch",
        "roll",
    }
    assert wanted <= set(truth["segment"])


# ---- the film -------------------------------------------------------------------------------------------


def test_film_has_one_frame_for_every_row_of_the_truth(truth: Truth) -> None:
    film = cv2.VideoCapture(str(CLIP))
    count = 0
    while film.grab():
        count += 1
    assert count == len(truth["time_s"])
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(float(truth["fps"]))
    assert float(truth["fps"]) == 30.0
    assert (film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (WIDTH, HEIGHT)
    film.release()


def test_film_is_small_enough_for_the_repository() -> None:
    assert CLIP.stat().st_size <= 4_000_000
