# SPDX-License-Identifier: Apache-2.0
"""Laws of the plausibility gate."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.state_arrays import ALWAYS_RAD, FASTER, StateArrays

MS = 1_000_000
CAP = 2.0
INDEX = np.array([0, 1])


def note(state: StateArrays, now_ns: int, first: float, good=(True, True), alert=(False, False)) -> None:
    state.begin(now_ns)
    state.note(INDEX, np.array([first, 0.0]), np.zeros(2), np.zeros(2), np.array(good), np.array(alert))


@given(st.floats(-6, 6), st.floats(-6, 6), st.integers(1, 3000))
def test_a_step_is_believed_exactly_when_the_joint_can_have_made_it(before: float, after: float, ms: int) -> None:
    state = StateArrays(np.full(2, CAP))
    note(state, MS, before)
    note(state, MS + ms * MS, after)
    reach = ALWAYS_RAD + FASTER * CAP * ms * 1e-3
    if abs(abs(after - before) - reach) < 1e-9:
        return
    possible = abs(after - before) <= reach
    assert state.fresh.tolist() == [possible, True]
    assert np.isnan(state.position_rad[0]) == (not possible)
    assert state.rejected == (not possible)


@given(st.floats(-6, 6))
def test_a_joint_that_was_really_moved_is_believed_again_within_the_time_of_the_way(where: float) -> None:
    state = StateArrays(np.full(2, CAP))
    note(state, 0, 0.0)
    needed_ms = int(abs(where) / (FASTER * CAP) * 1e3) + 1
    for k in range(needed_ms // 10 + 1):
        note(state, (k + 1) * 10 * MS, where)
    assert state.fresh[0]


def test_what_did_not_answer_is_unknown_not_zero_and_a_new_set_up_believes_anything() -> None:
    state = StateArrays(np.full(2, CAP))
    note(state, MS, 1.0, good=(False, True))
    assert np.isnan(state.position_rad[0])
    assert state.fresh.tolist() == [False, True]
    assert state.rejected == 0
    note(state, 2 * MS, 0.0)
    state.forget()
    note(state, 3 * MS, 3.0)
    assert state.position_rad[0] == 3.0


def test_a_missing_answer_is_no_rejected_one() -> None:
    state = StateArrays(np.full(2, CAP))
    note(state, MS, 3.0)
    note(state, 2 * MS, 0.0, good=(False, True))  # zeros stand where nothing came
    assert state.rejected == 0


def test_an_alert_is_passed_on() -> None:
    state = StateArrays(np.full(2, CAP))
    note(state, MS, 0.0, alert=(False, True))
    assert state.alert.tolist() == [False, True]
    state.begin(2 * MS)
    assert not state.alert.any()
