# SPDX-License-Identifier: Apache-2.0
"""Laws of hand geometry: angles come back, no camera pose changes them, and nonsense is refused."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_hands import OPEN, joint_angles, mirrored, rotations, seen, shifts

from clips.hand_model import landmarks_m
from teleop.hand_geometry import (
    LARGEST_PALM_M,
    SMALLEST_PALM_M,
    HandGeometryError,
    bone_directions,
    finger_angles,
    points_in_palm,
    rotation_palm_to_camera,
)

MCP = np.array([5, 9, 13, 17])


def fingers(points_m, side="right"):
    return finger_angles(bone_directions(points_in_palm(points_m, side))[1:])


def abduction_is_plain(angles):
    """Above 0.7 of a first phalanx lies in the palm's plane: there abduction is read in full."""
    return np.cos(angles[MCP]) > 0.7


@given(joint_angles)
def test_fingers_give_back_the_angles_that_made_them(angles):
    plain = abduction_is_plain(angles)
    assert fingers(landmarks_m(angles))[plain] == pytest.approx(angles[4:].reshape(4, 4)[plain], abs=1e-6)


@given(joint_angles)
def test_pip_and_dip_are_read_however_far_the_finger_is_bent(angles):
    angles[4::4] = 0.0
    assert fingers(landmarks_m(angles)) == pytest.approx(angles[4:].reshape(4, 4), abs=1e-6)


@given(joint_angles)
def test_abduction_fades_but_never_grows_on_a_bent_finger(angles):
    read = fingers(landmarks_m(angles))[:, 0]
    assert (np.abs(read) <= np.abs(angles[4::4]) + 1e-9).all()
    bent = np.cos(angles[MCP]) < 0.3
    assert read[bent] == pytest.approx(0.0)


@given(joint_angles, rotations, shifts, st.sampled_from(["right", "left"]))
def test_no_place_or_turn_of_the_hand_changes_its_angles(angles, rotation, shift, side):
    points = landmarks_m(angles) if side == "right" else mirrored(landmarks_m(angles))
    moved = points @ rotation.T + shift
    assert fingers(moved, side) == pytest.approx(fingers(points, side), abs=1e-6)
    assert points_in_palm(moved, side) == pytest.approx(points_in_palm(points, side), abs=1e-9)


@given(joint_angles, rotations)
def test_palm_frame_is_where_the_hand_was_turned_to(angles, rotation):
    found = rotation_palm_to_camera(landmarks_m(angles) @ rotation.T, "right")
    assert found == pytest.approx(rotation, abs=1e-9)
    assert np.linalg.det(found) == pytest.approx(1.0)


@given(joint_angles, rotations)
def test_a_left_hand_has_the_flexions_of_its_mirror_image_and_the_opposite_abductions(angles, rotation):
    """A rotation about x keeps its sense in both palms, and the thumb is on the other side of it."""
    right = seen(angles, rotation)
    as_right, as_left = fingers(right, "right"), fingers(mirrored(right), "left")
    assert as_left[:, 1:] == pytest.approx(as_right[:, 1:], abs=1e-6)
    assert as_left[:, 0] == pytest.approx(-as_right[:, 0], abs=1e-6)


def test_a_left_palm_faces_the_camera_like_a_right_one():
    right = rotation_palm_to_camera(seen(OPEN), "right")
    left = rotation_palm_to_camera(mirrored(seen(OPEN)), "left")
    assert right[:, 0] == pytest.approx([0, 0, -1])
    assert left[:, 0] == pytest.approx([0, 0, -1])


@given(joint_angles, st.floats(0.6, 1.5))
def test_size_of_the_hand_does_not_matter(angles, scale):
    assert fingers(scale * landmarks_m(angles)) == pytest.approx(fingers(landmarks_m(angles)), abs=1e-9)


@given(joint_angles)
def test_bone_directions_have_length_one(angles):
    lengths = np.linalg.norm(bone_directions(landmarks_m(angles)), axis=2)
    assert lengths == pytest.approx(np.ones((5, 3)))


# ---- what is no hand --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("landmark", [0, 4, 9, 20])
def test_one_number_that_is_none_spoils_the_hand(wrong, landmark):
    points = landmarks_m(OPEN)
    points[landmark, 1] = wrong
    with pytest.raises(HandGeometryError, match="NaN or infinity"):
        fingers(points)


@pytest.mark.parametrize("everywhere", [0.0, 0.3, 1e300])
def test_points_that_are_all_the_same_are_no_hand(everywhere):
    with pytest.raises(HandGeometryError, match="wrist to middle knuckle is 0 mm"):
        fingers(np.full((21, 3), everywhere))


@pytest.mark.parametrize("palm_m", [0.30, 0.03, LARGEST_PALM_M + 1e-3, SMALLEST_PALM_M - 1e-3])
def test_a_palm_of_no_human_size_is_refused_with_its_size(palm_m):
    points = landmarks_m(OPEN) * (palm_m / 0.092)
    with pytest.raises(HandGeometryError, match=f"is {palm_m * 1e3:.0f} mm, expected 40 … 160 mm"):
        fingers(points)


def test_a_landmark_far_from_the_hand_is_refused():
    points = landmarks_m(OPEN)
    points[8] = [0.0, 0.0, 3.0]
    with pytest.raises(HandGeometryError, match="a landmark is 3 m from the wrist"):
        fingers(points)


def test_a_collapsed_palm_is_refused():
    points = landmarks_m(OPEN)
    points[[5, 17]] = points[9]
    with pytest.raises(HandGeometryError, match="palm plane collapsed"):
        fingers(points)


@pytest.mark.parametrize("shape", [(20, 3), (21, 2), (21,), (2, 21, 3)])
def test_landmarks_of_another_shape_are_refused_with_both_shapes(shape):
    with pytest.raises(HandGeometryError, match=r"expected landmarks of shape \(21, 3\), found"):
        fingers(np.zeros(shape))


any_numbers = st.one_of(st.floats(), st.floats(-0.2, 0.2), st.just(0.0))


@settings(max_examples=200)
@given(
    joint_angles,
    arrays(np.float64, (21, 3), elements=any_numbers),
    arrays(np.bool_, 21),
    st.sampled_from(["right", "left"]),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_garbage_gives_finite_angles_or_is_refused(angles, garbage, chosen, side):
    points = np.where(chosen[:, None], garbage, landmarks_m(angles))
    try:
        read = fingers(points, side)
    except HandGeometryError:
        return
    assert np.isfinite(read).all()


@given(joint_angles, arrays(np.float64, (15, 3), elements=st.floats(-0.3, 0.3)))
def test_garbage_in_the_digits_alone_gives_finite_angles(angles, garbage):
    """The palm is sound, so nothing is refused: whatever the digits do must come out finite."""
    points = landmarks_m(angles)
    points[[k for k in range(1, 21) if k not in (1, 5, 9, 13, 17)]] = garbage
    assume(np.abs(points).max() <= 0.3)
    assert np.isfinite(fingers(points)).all()


def test_a_finger_without_length_reads_as_straight():
    points = landmarks_m(OPEN)
    points[6:9] = points[5]
    assert fingers(points)[0] == pytest.approx(np.zeros(4))
