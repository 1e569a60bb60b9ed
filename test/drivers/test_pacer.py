# SPDX-License-Identifier: Apache-2.0
"""Deadlines that stay where they are, and news that need not wait for them. Order and counts; no timings."""

import time

from drivers.pacer import NS_PER_S, Pacer

PERIOD_S = 0.2


def starts(pacer: Pacer, count: int) -> list[int]:
    """When the next cycles start [ns]."""
    out = []
    for _ in range(count):
        pacer.wait()
        out.append(time.monotonic_ns())
    return out


def test_nobody_in_a_hurry_waits_for_every_deadline() -> None:
    first, second = starts(Pacer(1.0 / PERIOD_S), 2)
    assert second - first >= 0.5 * PERIOD_S * NS_PER_S


def test_news_starts_a_cycle_before_its_deadline_and_deadlines_count_from_there() -> None:
    pacer = Pacer(1.0 / 20.0, least_s=0.01)
    pacer.hurry()
    begin_ns = time.monotonic_ns()
    (started_ns,) = starts(pacer, 1)
    assert started_ns - begin_ns < 10 * NS_PER_S
    pacer.hurry()
    (again_ns,) = starts(pacer, 1)
    assert 0.01 * NS_PER_S <= again_ns - started_ns + 1_000_000 < 10 * NS_PER_S
    assert pacer.overruns == 0


def test_two_cycles_are_never_closer_than_the_least_however_much_news_comes() -> None:
    pacer = Pacer(100.0, least_s=0.004)
    pacer.wait()
    before_ns = time.monotonic_ns()
    for _ in range(20):
        pacer.hurry()
        pacer.wait()
    assert time.monotonic_ns() - before_ns >= 20 * 3_900_000


def test_without_a_least_nobody_may_hurry() -> None:
    pacer = Pacer(1.0 / PERIOD_S)
    pacer.wait()
    begin_ns = time.monotonic_ns()
    pacer.hurry()
    pacer.wait()
    assert time.monotonic_ns() - begin_ns >= 0.5 * PERIOD_S * NS_PER_S


def test_a_missed_deadline_is_counted_and_not_caught_up() -> None:
    pacer = Pacer(1000.0)
    time.sleep(0.02)
    pacer.wait()
    assert pacer.overruns >= 15
    before = pacer.overruns
    starts(pacer, 3)
    assert pacer.punctuality().overruns < before + 15
