# SPDX-License-Identifier: Apache-2.0
"""What is no hand is refused with the reason, and costs nothing but that frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hands import FIST, FRAME_NS, OPEN, joint_angles, mirrored, rotations, seen, shifts, turned

from teleop.hand_bones import bone_lengths
from teleop.hand_geometry import HandGeometryError
from teleop.plausible_hand import FORGET_S, PlausibleHand


def with_tip_far_away(points):
    far = points.copy()
    far[12] += 0.1 * (far[12] - far[9]) / np.linalg.norm(far[12] - far[9])
    return far


def with_nan(points):
    holed = points.copy()
    holed[8, 1] = np.nan
    return holed


def with_folded_middle(points):
    folded = points.copy()
    folded[10:13] = folded[9] + 1e-3
    return folded


FAULTS = {
    "NaN": (with_nan, "NaN"),
    "infinite": (lambda points: np.full_like(points, np.inf), "NaN or infinity"),
    "all zero": (np.zeros_like, "0 mm"),
    "huge": (lambda points: points * 40.0, "expected 40"),
    "tip 100 mm off": (with_tip_far_away, "11 and 12 are"),
    "other side": (mirrored, "behind the palm"),
    "collapsed digit": (with_folded_middle, "digit 3"),
    "on a line": (lambda points: points * np.array([0.0, 1.0, 0.0]), "collapsed|apart|long"),
    "other shape": (lambda points: points[:20], "shape"),
}


@given(angles=joint_angles, rotation=rotations, shift=shifts)
def test_every_posture_in_every_direction_is_plausible(angles, rotation, shift) -> None:
    points = seen(angles, rotation)
    taken = PlausibleHand("right").see(points + shift, 0)
    np.testing.assert_allclose(taken, points - points[0], atol=1e-12)


@given(angles=joint_angles)
def test_a_mirrored_right_hand_is_a_left_hand(angles) -> None:
    PlausibleHand("left").see(mirrored(seen(angles)), 0)
    with pytest.raises(HandGeometryError, match="expected a left hand"):
        PlausibleHand("left").see(seen(angles), 0)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("known", [False, True])
def test_a_fault_is_refused_with_its_reason_and_the_next_frame_passes(name: str, known: bool) -> None:
    spoil, reason = FAULTS[name]
    gate, good = PlausibleHand("right"), seen(OPEN)
    lengths = bone_lengths(good) if known else None
    gate.see(good, 0, lengths)
    with pytest.raises(HandGeometryError, match=reason):
        gate.see(spoil(good), FRAME_NS, lengths)
    np.testing.assert_allclose(gate.see(good, 2 * FRAME_NS, lengths), good - good[0])


def test_a_palm_that_flips_over_within_a_frame_is_refused_until_it_stays() -> None:
    gate, flipped = PlausibleHand("right"), turned(seen(OPEN), 1, 170.0)
    gate.see(seen(OPEN), 0)
    with pytest.raises(HandGeometryError, match="turned by 170 degrees"):
        gate.see(flipped, FRAME_NS)
    gate.see(flipped, int((FORGET_S + 0.01) * 1e9))


def test_a_landmark_that_jumps_is_refused_until_it_stays() -> None:
    gate = PlausibleHand("right")
    gate.see(seen(OPEN), 0)
    with pytest.raises(HandGeometryError, match="jumped"):
        gate.see(turned(seen(OPEN), 2, 38.0), FRAME_NS // 8)
    gate.see(turned(seen(OPEN), 2, 38.0), int((FORGET_S + 0.01) * 1e9))


@given(degrees=st.floats(-30.0, 30.0), axis=st.integers(0, 2))
def test_an_ordinary_motion_passes(degrees, axis) -> None:
    gate = PlausibleHand("right")
    gate.see(seen(OPEN), 0)
    gate.see(turned(seen(FIST), axis, degrees), FRAME_NS)


def test_a_clock_that_runs_back_shuts_nothing_out() -> None:
    gate = PlausibleHand("right")
    gate.see(seen(OPEN), 10**9)
    gate.see(turned(seen(OPEN), 1, 170.0), 0)
