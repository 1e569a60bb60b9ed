# SPDX-License-Identifier: Apache-2.0
"""Laws of the waiting time: bounded, patient with what is usual, soon used to a new adapter."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.latency import CEILING_NS, FLOOR_NS, Latency

MS = 1_000_000


@given(st.lists(st.floats(0, 1e9), max_size=100))
def test_it_never_leaves_its_bounds(extras: list[float]) -> None:
    latency = Latency()
    assert latency.allowance_ns == CEILING_NS, "nothing is known yet"
    for extra_ns in extras:
        latency.observe(extra_ns)
        assert FLOOR_NS <= latency.allowance_ns <= CEILING_NS


@given(st.floats(0.1, 10), st.floats(0, 0.2), st.randoms())
def test_after_a_while_it_waits_longer_than_the_usual_answer_needs(usual_ms: float, jitter: float, rng) -> None:
    latency = Latency()
    for _ in range(200):
        latency.observe(usual_ms * MS * (1 + jitter * (2 * rng.random() - 1)))
    assert latency.allowance_ns >= min(usual_ms * (1 + jitter) * MS * 0.99, CEILING_NS)
    assert abs(latency.mean_ns - usual_ms * MS) <= (jitter + 0.01) * usual_ms * MS
