# SPDX-License-Identifier: Apache-2.0
"""A pinch snaps shut, holds through noise, and opens later than it closed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from teleop.hand_pinch import CLOSE_M, CLOSE_S, CLOSED_WEIGHT, NEAR_M, OPEN_M, Pinch

FRAME_S = 1 / 30
gaps = st.lists(st.lists(st.floats(0.0, 0.15), min_size=4, max_size=4), min_size=1, max_size=30)


def shown(pinch: Pinch, *gap_m: float, frames: int = 10, extension: float = 0.9):
    for _ in range(frames):
        found = pinch.see(np.array([*gap_m]), np.full(len(gap_m), extension), FRAME_S)
    return found


def test_a_gap_below_the_threshold_closes_and_is_held_until_well_above_it() -> None:
    pinch = Pinch(1)
    weight, left = shown(pinch, CLOSE_M - 0.001)
    assert pinch.closed[0]
    assert weight[0] == CLOSED_WEIGHT
    assert left[0] == 0.0
    shown(pinch, 0.5 * (CLOSE_M + OPEN_M))
    assert pinch.closed[0]
    shown(pinch, OPEN_M + 0.001)
    assert not pinch.closed[0]
    shown(pinch, 0.5 * (CLOSE_M + OPEN_M))
    assert not pinch.closed[0]


def test_noise_around_the_threshold_does_not_chatter() -> None:
    rng, pinch, changes = np.random.default_rng(1), Pinch(1), 0
    for _ in range(300):
        before = bool(pinch.closed[0])
        shown(pinch, CLOSE_M + rng.normal(0.0, 0.002), frames=1)
        changes += bool(pinch.closed[0]) != before
    assert changes <= 4


def test_a_finger_that_is_far_does_not_count() -> None:
    weight, left = shown(Pinch(2), NEAR_M, 0.1)
    assert weight.tolist() == [0.0, 0.0]
    assert left.tolist() == [1.0, 1.0]


def test_a_folded_finger_does_not_pinch() -> None:
    pinch = Pinch(1)
    assert shown(pinch, 0.005, extension=0.4)[0][0] == 0.0
    assert not pinch.closed[0]


def test_two_fingers_on_the_thumb_both_close() -> None:
    pinch = Pinch(4)
    shown(pinch, 0.008, 0.012, 0.06, 0.09)
    assert pinch.closed.tolist() == [True, True, False, False]


@given(frames=gaps)
def test_what_is_asked_of_the_solver_stays_in_range_and_moves_in_steps(frames) -> None:
    pinch, before = Pinch(4), np.ones(4)
    for gap in frames:
        weight, left = pinch.see(np.array(gap), np.full(4, 0.9), FRAME_S)
        assert ((weight >= 0.0) & (weight <= CLOSED_WEIGHT)).all()
        assert ((left >= 0.0) & (left <= 1.0)).all()
        assert np.abs(left - before).max() <= FRAME_S / CLOSE_S + 1e-12
        before = left


def test_a_reset_opens_all() -> None:
    pinch = Pinch(1)
    shown(pinch, 0.001)
    pinch.reset()
    assert not pinch.closed[0]
    assert shown(pinch, 0.1, frames=1)[1][0] == 1.0
