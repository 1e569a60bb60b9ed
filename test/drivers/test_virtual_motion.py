# SPDX-License-Identifier: Apache-2.0
"""Laws of the virtual shaft: it arrives, it keeps its velocity cap, and it doesn't matter how often somebody looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.virtual_motion import LAG_S, Phase, Shaft, plan_by_time, plan_by_velocity

distances = st.floats(-4096, 4096).filter(lambda d: abs(d) > 0.1)
tops = st.floats(10, 5000)
accelerations = st.one_of(st.just(0.0), st.floats(10, 50_000))
starts = st.floats(-1, 1)


def way(phases: tuple[Phase, ...]) -> float:
    return sum(p.duration_s * (p.start_ticks_s + p.end_ticks_s) / 2.0 for p in phases)


@given(distances, starts, tops, accelerations)
def test_velocity_profile_covers_the_distance_within_its_top_velocity(distance, start, top, acceleration):
    phases = plan_by_velocity(distance, start * top, top, acceleration)
    assert way(phases) == pytest.approx(distance, abs=1e-3)
    assert all(abs(p.end_ticks_s) <= top * (1 + 1e-9) and p.duration_s >= 0 for p in phases)


@given(distances, starts, tops, st.floats(0.01, 5), st.floats(0, 5))
def test_time_profile_covers_the_distance_in_time_unless_the_top_velocity_forbids(distance, start, top, total, ramp):
    phases = plan_by_time(distance, start * top, top, total, ramp)
    assert way(phases) == pytest.approx(distance, abs=1e-3)
    assert all(abs(p.end_ticks_s) <= top * (1 + 1e-9) and p.duration_s >= -1e-9 for p in phases)
    took = sum(p.duration_s for p in phases)
    assert took == pytest.approx(total) or (took > total and abs(phases[1].end_ticks_s) == pytest.approx(top))


def test_time_profile_takes_its_time():
    assert sum(p.duration_s for p in plan_by_time(200.0, 0.0, 5000.0, 0.100, 0.050)) == pytest.approx(0.1)


@given(distances, tops, accelerations, st.lists(st.integers(0, 400_000_000), max_size=12))
def test_how_often_somebody_looks_changes_nothing(distance, top, acceleration, looks):
    seldom, often = Shaft(100.0), Shaft(100.0)
    for shaft in (seldom, often):
        shaft.follow(100.0 + distance, plan_by_velocity(distance, 0.0, top, acceleration))
    for look_ns in sorted(looks):
        often.advance(look_ns)
    for shaft in (seldom, often):
        shaft.advance(400_000_000)
    assert often.position == pytest.approx(seldom.position, abs=1e-2)
    assert often.reference == pytest.approx(seldom.reference, abs=1e-6)


@given(distances, tops, accelerations)
def test_shaft_from_rest_arrives_exactly_never_overshoots_and_keeps_its_velocity(distance, top, acceleration):
    shaft = Shaft(0.0)
    phases = plan_by_velocity(distance, 0.0, top, acceleration)
    shaft.follow(distance, phases)
    end_ns = int((sum(p.duration_s for p in phases) + 1.0) * 1e9)
    for step in range(21):
        shaft.advance(end_ns * step // 20)
        assert 0.0 <= shaft.position / distance <= 1.0 + 1e-9
        assert abs(shaft.velocity) <= top * (1 + 1e-6)
    assert shaft.position == distance
    assert shaft.velocity == 0.0


def test_shaft_lags_its_profile():
    shaft = Shaft(0.0)
    shaft.follow(1000.0, plan_by_velocity(1000.0, 0.0, 1000.0, 0.0))
    shaft.advance(500_000_000)
    assert shaft.reference == pytest.approx(500.0)
    assert shaft.reference - shaft.position == pytest.approx(1000.0 * LAG_S)


def test_time_does_not_run_backwards():
    shaft = Shaft(0.0)
    shaft.follow(1000.0, plan_by_velocity(1000.0, 0.0, 1000.0, 0.0))
    shaft.advance(500_000_000)
    there = shaft.position
    shaft.advance(100_000_000)
    assert shaft.position == there


def test_stop_stands_where_the_shaft_is():
    shaft = Shaft(0.0)
    shaft.follow(1000.0, plan_by_velocity(1000.0, 0.0, 1000.0, 0.0))
    shaft.advance(500_000_000)
    there = shaft.position
    shaft.stop()
    shaft.advance(2_000_000_000)
    assert (shaft.position, shaft.velocity, shaft.profile_runs) == (there, 0.0, False)
