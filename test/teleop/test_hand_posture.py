# SPDX-License-Identifier: Apache-2.0
"""What finger joints read, and what becomes of it on a hand whose flat fingers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleop.hand_posture import COUPLED, DIP_PER_PIP, LEAST_BEND_RAD, finger_posture, straighten

bends = st.tuples(st.floats(-0.3, 1.9), st.floats(-0.3, 1.9), st.floats(-0.3, 1.5))
offsets = st.tuples(*3 * [st.floats(0.0, 0.8)])


def finger(*angles_rad: float, abduction_rad: float = 0.0) -> np.ndarray:
    """(1, 3, 3) phalanges of a finger with these MCP, PIP and DIP."""
    lean = np.cumsum(angles_rad)
    ahead = np.array([0.0, -np.sin(abduction_rad), np.cos(abduction_rad)])
    return (np.sin(lean)[:, None] * np.array([1.0, 0.0, 0.0]) + np.cos(lean)[:, None] * ahead)[None]


def corrected(angles_rad, flat_rad=(0.0, 0.0, 0.0)) -> np.ndarray:
    directions = finger(*angles_rad)
    return finger_posture(straighten(directions, finger_posture(directions), np.array([flat_rad])))[0]


@given(angles=bends, abduction=st.floats(-0.4, 0.4))
def test_a_finger_reads_as_it_was_bent(angles, abduction) -> None:
    np.testing.assert_allclose(finger_posture(finger(*angles))[0, 1:], angles, atol=1e-9)
    assert np.abs(finger_posture(finger(0.3, 0.2, 0.1, abduction_rad=abduction))[0, 0]) <= abs(abduction) + 1e-9


@pytest.mark.parametrize("back_rad", [-0.8, -1.2])
def test_a_joint_that_is_read_far_back_is_not_read_as_folded(back_rad: float) -> None:
    """A tracker's error of 60 degrees is likelier than a finger that bends by 300."""
    assert finger_posture(finger(0.2, 0.3, back_rad))[0, 3] == pytest.approx(back_rad)


@given(angles=bends, flat=offsets)
def test_no_joint_is_left_bent_back_and_phalanges_stay_unit_vectors(angles, flat) -> None:
    directions = finger(*angles)
    found = straighten(directions, finger_posture(directions), np.array([flat]))
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1.0)
    assert (finger_posture(found)[0, 1:] >= LEAST_BEND_RAD - 1e-9).all()


@given(flat=offsets)
def test_a_flat_finger_is_straight_whatever_it_reads(flat) -> None:
    np.testing.assert_allclose(corrected(flat, flat), 0.0, atol=1e-9)


def test_a_right_angle_stays_one() -> None:
    found = corrected((np.pi / 2, np.pi / 2, 0.5), (0.5, 0.4, 0.3))
    np.testing.assert_allclose(found[1:3], np.pi / 2, atol=1e-9)


def test_an_end_joint_is_drawn_half_way_to_what_its_middle_joint_tells() -> None:
    found = corrected((0.4, 1.2, 0.2))
    np.testing.assert_allclose(found[1:3], (0.4, 1.2))
    assert found[3] == pytest.approx((1 - COUPLED) * 0.2 + COUPLED * DIP_PER_PIP * 1.2)
