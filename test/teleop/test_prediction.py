# SPDX-License-Identifier: Apache-2.0
"""A prediction is ahead of what moves, changes nothing at rest, and leaves neither limits nor caps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.errors import InputError
from teleop.prediction import LONGEST_STEP_NS, MOST_MS, WINDOW_NS, JointPrediction, ahead, checked_horizon_s

MS = 1_000_000
FRAME_NS = 33 * MS
LOWER, UPPER = np.array([-1.0, 0.0, -2.0]), np.array([1.5, 2.0, 2.0])
CAP_RAD_S = np.array([4.8, 2.0, 3.0])
UNKNOWN = np.full(3, np.nan)
inside = st.tuples(st.floats(-1.0, 1.5), st.floats(0.0, 2.0), st.floats(-2.0, 2.0)).map(np.array)
speeds = st.tuples(*[st.floats(-20.0, 20.0) | st.just(float("nan"))] * 3).map(np.array)
horizons = st.floats(0.0, MOST_MS * 1e-3)


def prediction(horizon_s=0.05, joints=(0, 1)):
    return JointPrediction(horizon_s, np.array(joints, dtype=np.int_), LOWER, UPPER, CAP_RAD_S)


@given(position=inside, speed=inside, horizon_s=horizons)
def test_ahead_moves_with_the_velocity_and_stays_inside_the_limits(position, speed, horizon_s) -> None:
    found = ahead(position, speed, horizon_s, LOWER, UPPER)
    assert ((found >= LOWER) & (found <= UPPER)).all()
    free = (found > LOWER) & (found < UPPER)
    np.testing.assert_allclose((found - position)[free], (horizon_s * speed)[free], atol=1e-12)
    assert ((found - position) * speed >= 0.0).all()


@given(
    frames=st.lists(st.tuples(inside, speeds, st.integers(1, 400)), min_size=1, max_size=30),
    horizon_s=st.floats(1e-3, MOST_MS * 1e-3),
)
def test_limits_and_caps_hold_for_any_targets_and_velocities(frames, horizon_s) -> None:
    predicted, now_ns, last = prediction(horizon_s), 0, None
    for position, velocity, pause_ms in frames:
        now_ns += pause_ms * MS
        found, told = predicted.see(position, velocity, now_ns)
        assert ((found >= LOWER) & (found <= UPPER)).all()
        assert found[2] == position[2]
        np.testing.assert_array_equal(told[2], velocity[2])
        assert (np.abs(told[:2]) <= CAP_RAD_S[:2]).all()
        if last is not None:
            reach = CAP_RAD_S * min(pause_ms * MS, LONGEST_STEP_NS) * 1e-9
            assert (np.abs(found - last)[:2] <= reach[:2] + 1e-12).all()
        last = found


@given(frames=st.lists(st.tuples(inside, speeds), min_size=1, max_size=20))
def test_a_horizon_of_nothing_changes_nothing(frames) -> None:
    predicted = prediction(0.0)
    for count, (position, velocity) in enumerate(frames):
        found, told = predicted.see(position, velocity, count * FRAME_NS)
        np.testing.assert_array_equal(found, position)
        np.testing.assert_array_equal(told, velocity)


@given(rest=inside, known=st.booleans(), horizon_s=horizons)
def test_what_rests_stays_where_it_is(rest, known, horizon_s) -> None:
    predicted = prediction(horizon_s)
    for count in range(10):
        found, _ = predicted.see(rest, np.zeros(3) if known else UNKNOWN, count * FRAME_NS)
        np.testing.assert_array_equal(found, rest)


@pytest.mark.parametrize("known", [True, False])
def test_steady_motion_is_led_by_speed_times_horizon(known) -> None:
    predicted, speed = prediction(0.08), np.array([1.0, 0.5, -1.0])
    for count in range(20):
        position = np.array([-0.5, 0.2, 1.0]) + speed * (count * FRAME_NS * 1e-9)
        found, told = predicted.see(position, speed if known else UNKNOWN, count * FRAME_NS)
    np.testing.assert_allclose(found, position + 0.08 * speed * [1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(told, speed if known else [1.0, 0.5, np.nan], atol=1e-9)


def test_the_velocity_is_zero_where_the_limit_stops_it() -> None:
    predicted, speed = prediction(0.1), np.array([1.0, -1.0, 1.0])
    for count in range(30):
        position = np.clip(np.array([0.9, 0.6, 0.0]) + speed * (count * FRAME_NS * 1e-9), LOWER, UPPER)
        found, told = predicted.see(position, speed, count * FRAME_NS)
    np.testing.assert_array_equal(found[:2], [UPPER[0], LOWER[1]])
    np.testing.assert_array_equal(told, [0.0, 0.0, 1.0])


def test_a_target_that_stops_is_reached_within_the_window() -> None:
    predicted, stop = prediction(0.1), 10
    for count in range(stop + 1 + -(-WINDOW_NS // FRAME_NS)):
        position = np.array([0.05, 0.04, 0.0]) * min(count, stop)
        found, _ = predicted.see(position, UNKNOWN, count * FRAME_NS)
    np.testing.assert_allclose(found, position, atol=1e-12)


def test_a_guard_decides_where_its_joints_may_go() -> None:
    asked = []

    def no_higher_than_half(here, wanted, lower, upper, elapsed_s):
        asked.append((here, wanted, lower, upper, elapsed_s))
        return np.minimum(wanted, 0.5)

    joints, speed = np.array([1]), np.array([1.0, 1.0, 0.0])
    predicted = JointPrediction(0.1, np.array([0, 1]), LOWER, UPPER, CAP_RAD_S, [(joints, no_higher_than_half)])
    for count in range(14):
        found, _ = predicted.see(
            np.array([0.0, 0.05, 0.0]) + speed * (count * FRAME_NS * 1e-9), speed, count * FRAME_NS
        )
    assert found[1] == 0.5 and found[0] > 0.5
    for here, wanted, lower, upper, elapsed_s in asked:
        assert (lower <= wanted - here + 1e-12).all() and (wanted - here <= upper + 1e-12).all()
        assert (upper <= CAP_RAD_S[1] * elapsed_s + 1e-12).all() and (here + upper <= UPPER[1] + 1e-12).all()


def test_after_a_reset_or_a_pause_a_jump_is_no_velocity() -> None:
    predicted = prediction(0.1)
    for count in range(10):
        predicted.see(np.array([0.05 * count, 0.0, 0.0]), UNKNOWN, count * FRAME_NS)
    predicted.reset()
    jumped = np.array([-1.0, 1.0, 0.0])
    np.testing.assert_array_equal(predicted.see(jumped, np.array([3.0, 1.0, 0.0]), 20 * FRAME_NS)[0], jumped)
    later = jumped + np.array([0.1, 0.1, 0.0])
    np.testing.assert_allclose(predicted.see(later, UNKNOWN, 20 * FRAME_NS + 2 * LONGEST_STEP_NS)[0], later)


@pytest.mark.parametrize("wrong", [-1.0, 100.1, float("nan"), float("inf")])
def test_a_horizon_that_makes_no_sense_is_refused(wrong) -> None:
    with pytest.raises(InputError, match=r"between 0 .* and 100 ms"):
        checked_horizon_s(wrong)
    assert checked_horizon_s(100.0) == 0.1
