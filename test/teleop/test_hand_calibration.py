# SPDX-License-Identifier: Apache-2.0
"""A still open palm tells lengths, arch and what flat fingers read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hands import FIST, OPEN, mirrored, rotations, seen

from teleop.hand_bones import bone_lengths
from teleop.hand_calibration import HandCalibration, HandCalibrationError, calibrate_hand
from teleop.hand_geometry import bone_directions, points_in_palm
from teleop.hand_posture import finger_posture, straighten

BENT = OPEN + np.array([0.0] * 4 + [0.0, 0.25, 0.3, 0.2] * 4)
"""What a tracker may read on a flat hand."""


def frames(angles, count=12, noise_m=0.0, rotation=None, seed=0):
    points = seen(angles) if rotation is None else seen(angles, rotation)
    return (
        points + np.random.default_rng(seed).normal(0, noise_m, (count, 21, 3))
        if noise_m
        else np.array([points] * count)
    )


@given(rotation=rotations)
def test_lengths_and_angles_are_those_of_the_hand_from_every_side(rotation) -> None:
    calibration = calibrate_hand(frames(BENT, rotation=rotation), "right")
    np.testing.assert_allclose(calibration.length_m, bone_lengths(seen(BENT)), atol=1e-12)
    assert calibration.arch_rad == pytest.approx(0.0, abs=1e-9)  # the model's palm is flat
    np.testing.assert_allclose(np.array(calibration.flat_rad).reshape(4, 3), BENT[4:].reshape(4, 4)[:, 1:], atol=0.03)


def test_both_hands_of_a_person_calibrate_alike() -> None:
    right, left = calibrate_hand(frames(BENT), "right"), calibrate_hand(mirrored(frames(BENT)), "left")
    np.testing.assert_allclose(right.length_m, left.length_m)
    np.testing.assert_allclose(right.flat_rad, left.flat_rad, atol=1e-12)
    assert left.arch_rad == pytest.approx(right.arch_rad, abs=1e-12)


def test_tracking_noise_averages_out() -> None:
    calibration = calibrate_hand(frames(BENT, 40, 0.0015), "right")
    np.testing.assert_allclose(calibration.length_m, bone_lengths(seen(BENT)), atol=0.002)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (lambda: frames(OPEN, 3), "8 needed"),
        (lambda: np.array([seen(OPEN + (FIST - OPEN) * share) for share in np.linspace(0, 1, 12)]), "moved"),
        (lambda: frames(FIST), "bent by"),
        (lambda: np.zeros((12, 21, 3)), "not a hand"),
        (lambda: np.full((12, 21, 3), np.nan), "not a hand"),
        (lambda: np.array([seen(OPEN) * scale for scale in np.linspace(0.6, 1.4, 12)]), "shape"),
    ],
)
def test_what_can_not_calibrate_is_refused(samples, reason: str) -> None:
    with pytest.raises(HandCalibrationError, match=reason):
        calibrate_hand(samples(), "right")


def test_a_calibration_of_another_hand_model_is_refused() -> None:
    with pytest.raises(HandCalibrationError, match="23 lengths"):
        HandCalibration(length_m=(0.1, 0.2))


def posture(angles):
    directions = bone_directions(points_in_palm(seen(angles), "right"))[1:]
    return directions, finger_posture(directions)


def test_flat_reads_as_straight_and_a_right_angle_stays() -> None:
    directions, read = posture(BENT)
    straight = finger_posture(straighten(directions, read, read[:, 1:]))
    assert np.abs(straight[:, 1:]).max() < 0.12  # what fades out with the bend itself is left over
    directions, read = posture(FIST)
    np.testing.assert_allclose(
        finger_posture(straighten(directions, read, np.full((4, 3), 0.3)))[:, 1:][read[:, 1:] > np.pi / 2],
        read[:, 1:][read[:, 1:] > np.pi / 2],
        atol=1e-9,
    )


@given(share=st.floats(0.0, 1.0))
def test_straightened_bones_stay_unit_vectors_and_abduction_stays(share) -> None:
    directions, read = posture(OPEN + (FIST - OPEN) * share)
    after = straighten(directions, read, np.full((4, 3), 0.25))
    np.testing.assert_allclose(np.linalg.norm(after, axis=2), 1.0)
    if share < 0.3:
        np.testing.assert_allclose(finger_posture(after)[:, 0], read[:, 0], atol=0.05)
