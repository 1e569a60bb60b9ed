# SPDX-License-Identifier: Apache-2.0
"""Laws of the One-Euro filter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_hands import NS_PER_S

from teleop.filters import LONGEST_STEP_S, OneEuroFilter, OneEuroSettings

vectors = arrays(np.float64, 3, elements=st.floats(-10, 10))
steps_ns = st.lists(st.integers(1, int(LONGEST_STEP_S * NS_PER_S)), min_size=1, max_size=30)
filters = st.builds(
    OneEuroSettings, minimum_hz=st.floats(0.1, 10), beta=st.floats(0, 5), derivative_hz=st.floats(0.1, 10)
).map(OneEuroFilter)
start_ns = st.integers(0, 2**62)


def times(start, steps):
    return [start + sum(steps[:count]) for count in range(1, len(steps) + 1)]


@given(filters, vectors, start_ns, steps_ns)
def test_what_stays_the_same_comes_out_the_same(smooth, value, start, steps):
    for stamp in times(start, steps):
        assert smooth(value, stamp) == pytest.approx(value, abs=1e-12)


@given(filters, vectors, vectors, start_ns, steps_ns)
def test_a_step_is_approached_from_its_own_side_and_never_overshot(smooth, before, after, start, steps):
    last = smooth(before, start)
    for stamp in times(start, steps):
        now = smooth(after, stamp)
        assert (np.abs(after - now) <= np.abs(after - last) + 1e-12).all()
        assert ((after - now) * (after - before) >= -1e-12).all()
        last = now


@settings(max_examples=20)
@given(filters, vectors, vectors)
def test_a_step_is_reached_in_the_end(smooth, before, after):
    smooth(before, 0)
    for k in range(1, 400):
        out = smooth(after, k * NS_PER_S // 10)
    assert out == pytest.approx(after, abs=1e-3)


@given(filters, arrays(np.float64, (20, 3), elements=st.floats(-10, 10)), steps_ns)
def test_output_stays_within_what_came_in(smooth, values, steps):
    for value, stamp in zip(values, times(0, steps), strict=False):
        out = smooth(value, stamp)
        assert (out >= values.min(axis=0) - 1e-9).all() and (out <= values.max(axis=0) + 1e-9).all()


@given(filters, vectors, vectors, start_ns)
def test_after_a_pause_the_new_value_passes_unchanged(smooth, before, after, start):
    smooth(before, start)
    pause_ns = int(LONGEST_STEP_S * NS_PER_S) + 1000
    assert smooth(after, start + pause_ns) == pytest.approx(after, abs=0)


def test_the_longest_step_is_still_smoothed():
    smooth = OneEuroFilter()
    smooth(np.zeros(1), 0)
    assert 0.0 < smooth(np.ones(1), int(LONGEST_STEP_S * NS_PER_S))[0] < 1.0


@given(filters, vectors, vectors, start_ns)
def test_after_a_reset_the_next_value_passes_unchanged(smooth, before, after, start):
    smooth(before, start)
    smooth.reset()
    assert smooth(after, start + 1) == pytest.approx(after, abs=0)


@given(filters, vectors, vectors, vectors, st.integers(0, 10**12))
def test_a_stamp_that_does_not_advance_returns_the_last_output(smooth, first, second, third, back):
    smooth(first, 10**12)
    last = smooth(second, 10**12 + 10_000_000)
    assert smooth(third, 10**12 + 10_000_000 - back) == pytest.approx(last, abs=0)
    again = OneEuroFilter(smooth._settings)
    again(first, 10**12)
    again(second, 10**12 + 10_000_000)
    after = 10**12 + 20_000_000
    assert smooth(third, after) == pytest.approx(again(third, after), abs=0)


def test_it_smooths_a_hand_at_rest_and_follows_a_fast_one():
    noise = np.random.default_rng(0).normal(0, 0.01, 300)

    def lag_and_noise(speed):
        smooth = OneEuroFilter()
        stamps = [k * NS_PER_S // 30 for k in range(300)]
        wanted = speed * np.array(stamps) / NS_PER_S
        out = np.array([smooth(np.array([w + n]), s)[0] for w, n, s in zip(wanted, noise, stamps, strict=True)])
        error = (out - wanted)[60:]
        return abs(error.mean()) / max(speed, 1e-9), error.std()

    assert lag_and_noise(0.0)[1] < 0.6 * noise.std()
    assert lag_and_noise(4.0)[0] < 0.6 * lag_and_noise(0.4)[0]


@given(st.floats(0.5, 5), st.floats(0.1, 3))
def test_the_faster_the_motion_the_larger_the_share_of_the_new_value(minimum_hz, beta):
    def share(distance):
        smooth = OneEuroFilter(OneEuroSettings(minimum_hz=minimum_hz, beta=beta))
        smooth(np.zeros(1), 0)
        return smooth(np.array([distance]), NS_PER_S // 30)[0] / distance

    assert share(0.01) < share(0.1) < share(1.0) < 1.0


def test_every_element_has_its_own_cut_off():
    alone, together = OneEuroFilter(), OneEuroFilter()
    for k in range(20):
        stamp = k * NS_PER_S // 30
        slow = 0.01 * k
        assert together(np.array([slow, 5.0 * (k % 2)]), stamp)[0] == pytest.approx(alone(np.array([slow]), stamp)[0])


def test_what_was_handed_out_or_in_may_be_changed_by_its_owner():
    smooth = OneEuroFilter()
    value = np.zeros(2)
    out = smooth(value, 0)
    value += 5.0
    out += 5.0
    assert smooth(np.zeros(2), NS_PER_S // 30) == pytest.approx(np.zeros(2), abs=0)
