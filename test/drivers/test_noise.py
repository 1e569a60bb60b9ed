# SPDX-License-Identifier: Apache-2.0
"""Laws of the noise meter: a share of the last second, against a plain recount."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.noise import ENOUGH, WINDOW_NS, NoiseMeter

READS = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60), st.integers(0, 60)), max_size=80)


@given(READS)
def test_it_is_the_share_of_damaged_answers_of_the_last_second(reads) -> None:
    meter, now_ns, history = NoiseMeter(), 10**12, []
    for step_ms, packets, damaged in reads:
        now_ns += step_ms * 1_000_000
        damaged = min(damaged, packets)
        meter.count(packets, damaged, now_ns)
        history.append((now_ns, packets, damaged))
        recent = [item for item in history if now_ns - item[0] <= WINDOW_NS]
        total = sum(item[1] for item in recent)
        share = sum(item[2] for item in recent) / total if total >= ENOUGH else 0.0
        assert meter.share == share
        assert 0.0 <= meter.share <= 1.0
