# SPDX-License-Identifier: Apache-2.0
"""Topic health as the page shows it."""

import pytest

from booth.page.rates import Rate

MS = 1_000_000


def run(rate_hz: float, seconds: float, rate: Rate, start_ns: int = 0) -> tuple[float, str]:
    """Messages at a rate, a look ten times a second; the last look."""
    looked = (0.0, "")
    for tick in range(int(seconds * 1000)):
        now_ns = start_ns + tick * MS
        if rate_hz and tick % round(1000 / rate_hz) == 0:
            rate.add(now_ns)
        if tick % 100 == 0:
            looked = rate.look(now_ns)
    return looked


@pytest.mark.parametrize(
    ("rate_hz", "health"), [(30.0, "OK"), (20.0, "OK"), (10.0, "SLOW"), (2.0, "SLOW"), (0.0, "STALLED")]
)
def test_a_stream_is_judged_by_what_it_should_be(rate_hz: float, health: str) -> None:
    measured_hz, judged = run(rate_hz, 5.0, Rate(30.0))
    assert judged == health
    assert measured_hz == pytest.approx(rate_hz, abs=1.5)


def test_a_stream_that_ends_is_stalled_within_two_seconds_and_well_again_when_it_comes_back() -> None:
    rate = Rate(30.0)
    assert run(30.0, 3.0, rate)[1] == "OK"
    assert run(0.0, 1.3, rate, 3000 * MS)[1] == "STALLED"
    assert run(30.0, 4.0, rate, 4300 * MS)[1] == "OK"
