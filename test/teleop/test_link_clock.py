# SPDX-License-Identifier: Apache-2.0
"""The clock of the other side: the truth is inside what the estimate says, whatever the network does."""

import numpy as np
import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st

from teleop.link_clock import DRIFT, WINDOW_NS, OffsetEstimate

MS = 1_000_000
NOW = 10**15


def exchange(
    estimate: OffsetEstimate, at_ns: int, ahead_ns: int, there_ns: int, back_ns: int, held_ns: int = 0
) -> None:
    """A round trip that ends at ``at_ns``: my message took ``there_ns``, the answer ``back_ns``."""
    echo_ns = at_ns - back_ns - held_ns - there_ns
    estimate.see(at_ns - back_ns + ahead_ns, echo_ns, held_ns, at_ns)


ways = st.integers(0, 500 * MS)


@settings(max_examples=counted(200, 5000))
@given(
    st.integers(-(10**14), 10**14),
    st.floats(-DRIFT, DRIFT),
    st.lists(st.tuples(st.integers(1 * MS, 2000 * MS), ways, ways, ways), min_size=1, max_size=40),
)
def test_the_true_offset_is_within_the_uncertainty(ahead_ns: int, drift: float, trips) -> None:
    estimate, at_ns = OffsetEstimate(), NOW
    for wait_ns, there_ns, back_ns, held_ns in trips:
        at_ns += wait_ns
        true_ns = ahead_ns + round(drift * (at_ns - NOW))
        exchange(estimate, at_ns, true_ns, there_ns, back_ns, held_ns)
        found = estimate.at(at_ns)
        assert found is not None
        assert abs(found.offset_ns - true_ns) <= found.uncertainty_ns + 1000
        assert found.round_trip_ns <= there_ns + back_ns
    assert estimate.steps == 0


def test_the_shortest_of_the_last_seconds_is_believed() -> None:
    estimate = OffsetEstimate()
    rng = np.random.default_rng(5)
    for k in range(300):
        exchange(estimate, NOW + k * 10 * MS, 7_000 * MS, *(rng.integers(MS, 80 * MS, 2).tolist()))
    exchange(estimate, NOW + 3100 * MS, 7_000 * MS, 200_000, 200_000)
    found = estimate.at(NOW + 3100 * MS)
    assert found is not None
    assert (found.offset_ns, found.round_trip_ns) == (7_000 * MS, 400_000)
    assert found.uncertainty_ns == 200_001
    later_ns = NOW + 3100 * MS + WINDOW_NS + 1
    exchange(estimate, later_ns, 7_000 * MS, 30 * MS, 10 * MS)
    found = estimate.at(later_ns)
    assert found is not None and found.round_trip_ns == 40 * MS


@pytest.mark.parametrize("step_ns", [-3600 * 10**9, 3600 * 10**9, 500 * MS])
def test_a_laptop_that_slept_is_measured_anew_after_three_exchanges(step_ns: int) -> None:
    estimate = OffsetEstimate()
    for k in range(50):
        exchange(estimate, NOW + k * 10 * MS, 0, MS, MS)
    for k in range(50, 53):
        found = estimate.at(NOW + k * 10 * MS)
        assert found is not None and abs(found.offset_ns) <= 2 * MS
        exchange(estimate, NOW + k * 10 * MS, step_ns, MS, MS)
    found = estimate.at(NOW + 530 * MS)
    assert found is not None and abs(found.offset_ns - step_ns) <= MS
    assert estimate.steps == 1


def test_without_an_exchange_nothing_is_known() -> None:
    estimate = OffsetEstimate()
    estimate.see(NOW, 0, 0, NOW)
    estimate.see(NOW, NOW + 5, 0, NOW)
    assert estimate.at(NOW) is None


def test_a_coarse_clock_is_as_uncertain_as_it_counts() -> None:
    estimate = OffsetEstimate(resolution_ns=16 * MS)
    exchange(estimate, NOW, 0, MS, MS)
    found = estimate.at(NOW)
    assert found is not None and found.uncertainty_ns >= 16 * MS
