# SPDX-License-Identifier: Apache-2.0
"""Bones keep their lengths, noise goes, motion stays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hands import FIST, FRAME_NS, OPEN, joint_angles, rotations, seen

from teleop.hand_bones import bone_lengths
from teleop.landmark_filter import LandmarkFilter, LandmarkSettings, LearnedLengths

seeds = st.integers(0, 2**32 - 1)


@given(angles=joint_angles, rotation=rotations)
def test_landmarks_with_the_right_lengths_are_left_alone(angles, rotation) -> None:
    points = seen(angles, rotation)
    mended = LandmarkFilter().keep_lengths(points, bone_lengths(points))
    np.testing.assert_allclose(mended, points, atol=1e-9)


@given(angles=joint_angles, rotation=rotations, seed=seeds)
def test_bones_come_nearer_to_their_lengths(angles, rotation, seed) -> None:
    points = seen(angles, rotation)
    noise = np.random.default_rng(seed).normal(0, 0.002, (21, 3))
    noise[0] = 0.0
    lengths = bone_lengths(points)
    noisy = points + noise
    mended = LandmarkFilter(LandmarkSettings(length_m=0.001)).keep_lengths(noisy, lengths)
    before = np.abs(bone_lengths(noisy) - lengths)
    after = np.abs(bone_lengths(mended) - lengths)
    assert np.sqrt((after**2).mean()) < 0.7 * np.sqrt((before**2).mean())
    np.testing.assert_array_equal(mended[0], 0.0)


def test_a_wrong_length_is_mended_along_the_depth_first() -> None:
    rotation = np.array([[0.0, 0.8, 0.6], [0.0, -0.6, 0.8], [1.0, 0.0, 0.0]])  # fingers oblique to the optical axis
    points = seen(OPEN, rotation)
    far = points.copy()
    towards = far[8] - far[7]
    tilted = np.array([0.0, 0.5, 0.5])
    far[8] = far[7] + tilted * np.linalg.norm(towards) * 1.6
    moved = LandmarkFilter().keep_lengths(far, bone_lengths(points))[8] - far[8]
    assert abs(moved[2]) > 2.0 * abs(moved[1])


@given(angles=joint_angles, rotation=rotations)
def test_a_still_hand_passes_unchanged(angles, rotation) -> None:
    points, calm = seen(angles, rotation), LandmarkFilter()
    for frame in range(5):
        np.testing.assert_allclose(calm(points, frame * FRAME_NS), points, atol=1e-12)


def test_noise_of_a_still_hand_shrinks_to_a_fifth() -> None:
    rng, calm, points = np.random.default_rng(5), LandmarkFilter(), seen(OPEN)
    out = []
    for frame in range(300):
        noise = rng.normal(0, 0.002, (21, 3))
        noise[0] = 0.0
        out.append(calm(points + noise, frame * FRAME_NS))
    assert np.array(out)[100:, 1:].std(0).mean() < 0.2 * 0.002


def test_a_fist_is_there_after_two_frames() -> None:
    calm, way = LandmarkFilter(), np.linalg.norm(seen(FIST) - seen(OPEN), axis=1)[8]
    calm(seen(OPEN), 0)
    first = calm(seen(FIST), FRAME_NS)
    second = calm(seen(FIST), 2 * FRAME_NS)
    assert np.linalg.norm(first - seen(FIST), axis=1)[8] < 0.37 * way
    assert np.linalg.norm(second - seen(FIST), axis=1)[8] < 0.10 * way


def test_after_a_pause_the_past_counts_no_more() -> None:
    calm = LandmarkFilter()
    calm(seen(OPEN), 0)
    np.testing.assert_array_equal(calm(seen(FIST), 10**9), seen(FIST) - seen(FIST)[0])


def test_a_stamp_that_does_not_advance_changes_nothing() -> None:
    calm = LandmarkFilter()
    before = calm(seen(OPEN), FRAME_NS)
    np.testing.assert_array_equal(calm(seen(FIST), FRAME_NS), before)
    np.testing.assert_array_equal(calm(seen(FIST), 0), before)


def test_learned_lengths_are_the_median_in_spite_of_outliers() -> None:
    rng, learned, points = np.random.default_rng(2), LearnedLengths(), seen(OPEN)
    for frame in range(400):
        wrong = points * 1.4 if frame % 4 == 0 else points  # a quarter of the frames is far off
        lengths = learned.see(wrong * (1.0 + rng.normal(0, 0.03)))
    np.testing.assert_allclose(lengths, bone_lengths(points), rtol=0.05)
