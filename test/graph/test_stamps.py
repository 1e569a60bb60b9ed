# SPDX-License-Identifier: Apache-2.0
"""Graph time is one clock for all processes of a graph."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import stamps
from graph.errors import EXIT_INPUT, InputError
from graph.stamps import ENV_OFFSET, GraphClock, graph_clock, join, measure_offset_ns, split

stamps_ns = st.integers(-(2**62), 2**62)


@given(stamps_ns)
def test_join_undoes_split_and_nanoseconds_stay_below_a_second(stamp_ns):
    sec, nanosec = split(stamp_ns)
    assert join(sec, nanosec) == stamp_ns
    assert 0 <= nanosec < 1_000_000_000


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 999_999_999))
def test_split_undoes_join(sec, nanosec):
    assert split(join(sec, nanosec)) == (sec, nanosec)


@given(stamps_ns, st.integers(0, 2**62))
def test_all_processes_with_the_same_offset_read_the_same_time(offset_ns, now_ns):
    environ = {ENV_OFFSET: str(offset_ns)}
    first, second = graph_clock(environ), graph_clock(environ)
    assert first == second and first.shared
    assert GraphClock(first.offset_ns, monotonic_ns=lambda: now_ns).now_ns() == now_ns + offset_ns


def test_a_process_of_its_own_measures_its_offset_and_says_so():
    clock = graph_clock({})
    assert not clock.shared
    assert abs(clock.drift_ns()) < 60_000_000_000


def test_offset_comes_from_this_processs_environment_by_default(monkeypatch):
    monkeypatch.setenv(ENV_OFFSET, "123456789")
    assert graph_clock() == GraphClock(123456789, shared=True)


@pytest.mark.parametrize("text", ["", "soon", "1.5", "1e18", "0x10"])
def test_an_offset_that_is_no_integer_is_refused_with_what_to_do(text):
    with pytest.raises(InputError, match=rf"{ENV_OFFSET} should be nanoseconds as an integer, found .*: unset it") as e:
        graph_clock({ENV_OFFSET: text})
    assert e.value.exit_code == EXIT_INPUT
    assert repr(text) in str(e.value)


@given(stamps_ns, st.integers(0, 2**60), st.integers(-(2**50), 2**50))
def test_drift_is_how_far_the_wall_clock_was_set_since_the_start(offset_ns, elapsed_ns, step_ns):
    clock = GraphClock(offset_ns, monotonic_ns=lambda: elapsed_ns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stamps.time, "time_ns", lambda: offset_ns + elapsed_ns + step_ns)
        assert clock.drift_ns() == step_ns


def test_a_step_of_the_wall_clock_does_not_move_graph_time(monkeypatch):
    clock = GraphClock(measure_offset_ns(), monotonic_ns=lambda: 5_000_000_000)
    before = clock.now_ns()
    monkeypatch.setattr(stamps.time, "time_ns", lambda: 0)
    assert clock.now_ns() == before


def test_offset_is_taken_from_the_tightest_of_five_readings(monkeypatch):
    wall_offset = 1_700_000_000_000_000_000
    # (before, wall, after): only the third pair brackets the wall clock closely
    readings = [(0, 900, 1000), (2000, 2100, 2900), (4000, 4005, 4010), (6000, 6999, 7000), (8000, 8001, 8900)]
    now = iter([value for before, _, after in readings for value in (before, after)])
    wall = iter([wall_offset + value for _, value, _ in readings])
    monkeypatch.setattr(stamps.time, "monotonic_ns", lambda: next(now))
    monkeypatch.setattr(stamps.time, "time_ns", lambda: next(wall))
    assert measure_offset_ns() == wall_offset


def test_clock_reads_the_monotonic_clock_of_the_machine():
    before = time.monotonic_ns()
    now = GraphClock(0).now_ns()
    assert before <= now <= time.monotonic_ns()
