# SPDX-License-Identifier: Apache-2.0
"""Laws of the calibration: flat reads as flat, a right angle stays one, and only a flat, still hand calibrates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robots import load_robot
from teleop.calibration import (
    FLEXION,
    LARGEST_OFFSET_RAD,
    LARGEST_SPREAD_RAD,
    SMALLEST_SAMPLES,
    Calibration,
    CalibrationError,
    calibrate,
)

flat_readings = arrays(np.float64, 20, elements=st.floats(0.0, LARGEST_OFFSET_RAD))
angles = arrays(np.float64, 20, elements=st.floats(-0.5, 2.0))
counts = st.integers(SMALLEST_SAMPLES, 40)


def held(reading, count=20):
    """A hand that reads the same in every frame."""
    return np.tile(reading, (count, 1))


def test_flexions_are_the_joints_that_the_robot_calls_so():
    labels = [joint.label for joint in load_robot("hx5_d20_right").joints]
    assert FLEXION.tolist() == ["flexion" in label for label in labels]


@given(flat_readings, counts)
def test_a_flat_hand_reads_zero_afterwards(reading, count):
    corrected = calibrate(held(reading, count)).apply(reading)
    assert corrected[FLEXION] == pytest.approx(np.zeros(FLEXION.sum()), abs=1e-12)


@given(flat_readings)
def test_a_right_angle_reads_as_before(reading):
    bent = np.full(20, np.pi / 2)
    assert calibrate(held(reading)).apply(bent) == pytest.approx(bent)


@given(flat_readings, angles)
def test_abductions_and_the_thumbs_base_are_untouched(reading, seen):
    assert (calibrate(held(reading)).apply(seen)[~FLEXION] == seen[~FLEXION]).all()


@given(flat_readings, angles, angles)
def test_more_bent_never_reads_as_less_bent(reading, first, second):
    calibration = calibrate(held(reading))
    low, high = np.minimum(first, second), np.maximum(first, second)
    assert (calibration.apply(low) <= calibration.apply(high) + 1e-12).all()


@given(flat_readings, angles)
def test_between_flat_and_a_right_angle_the_correction_only_takes_away(reading, seen):
    seen = np.clip(seen, reading, np.pi / 2)
    corrected = calibrate(held(reading)).apply(seen)
    assert (corrected[FLEXION] <= seen[FLEXION] + 1e-12).all()
    assert (corrected[FLEXION] >= -1e-12).all()


@given(angles)
def test_without_a_calibration_angles_are_as_seen(seen):
    assert Calibration().apply(seen) == pytest.approx(seen, abs=1e-12)


@given(arrays(np.float64, 20, elements=st.floats(-0.9, 0.0)))
def test_fingers_bent_backwards_are_not_corrected(reading):
    assert calibrate(held(reading)).offset_rad == (0.0,) * 20


@given(flat_readings, st.integers(0, 2**32 - 1))
def test_a_few_wild_frames_do_not_spoil_it(reading, seed):
    samples = held(reading, 20)
    rng = np.random.default_rng(seed)
    samples[rng.choice(20, 6, replace=False)] = rng.uniform(-1.5, 1.5, (6, 20))
    assert calibrate(samples) == calibrate(held(reading))


@pytest.mark.parametrize("count", [0, 1, SMALLEST_SAMPLES - 1])
def test_too_few_frames_are_refused_with_how_many_there_were(count):
    with pytest.raises(CalibrationError, match=f"{count} frames of open palm, {SMALLEST_SAMPLES} needed"):
        calibrate(np.zeros((count, 20)))


def test_as_many_frames_as_needed_are_enough():
    assert calibrate(np.zeros((SMALLEST_SAMPLES, 20))) == Calibration()


@given(st.sampled_from(np.flatnonzero(FLEXION).tolist()), st.floats(1.1 * LARGEST_SPREAD_RAD, 0.8))
def test_one_moving_finger_is_refused(joint, swing):
    samples = held(np.full(20, 0.1))
    samples[::2, joint] += 2 * swing
    with pytest.raises(CalibrationError, match="hold the open palm still"):
        calibrate(samples)


@given(st.sampled_from(np.flatnonzero(~FLEXION).tolist()), st.floats(0.0, 3.0))
def test_what_is_not_calibrated_may_move(joint, swing):
    samples = held(np.full(20, 0.1))
    samples[::2, joint] += swing
    assert calibrate(samples) == calibrate(held(np.full(20, 0.1)))


@given(st.sampled_from(np.flatnonzero(FLEXION).tolist()), st.floats(LARGEST_OFFSET_RAD + 0.01, 1.5))
def test_one_bent_finger_is_refused_with_how_far_it_is_bent(joint, bend):
    reading = np.zeros(20)
    reading[joint] = bend
    with pytest.raises(CalibrationError, match=f"bent by {np.degrees(bend):.0f} degrees: stretch all fingers"):
        calibrate(held(reading))
