# SPDX-License-Identifier: Apache-2.0
"""Laws of the alignment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.align import NONE, lost_per_row, lost_rows, make_ticks, newest_at, spacing

stamps = st.lists(st.integers(0, 10_000), max_size=60).map(lambda values: np.array(sorted(values), np.int64))
ticks = st.lists(st.integers(-100, 10_100), min_size=1, max_size=60).map(lambda v: np.array(sorted(v), np.int64))


@given(stamps, ticks)
def test_no_row_holds_a_sample_from_its_future(stamp, tick):
    rows = newest_at(stamp, tick)
    assert (stamp[rows.index[rows.present]] <= tick[rows.present]).all()


@given(stamps, ticks)
def test_ages_are_never_negative_and_minus_one_only_without_a_sample(stamp, tick):
    rows = newest_at(stamp, tick)
    assert (rows.age_ns[rows.present] >= 0).all()
    assert (rows.age_ns[~rows.present] == NONE).all()
    assert (rows.index[~rows.present] == NONE).all()


@given(stamps, ticks)
def test_rows_never_step_back_in_a_stream(stamp, tick):
    assert (np.diff(newest_at(stamp, tick).index) >= 0).all()


@given(stamps, ticks)
def test_alignment_equals_brute_force(stamp, tick):
    expected = [max((i for i, s in enumerate(stamp) if s <= t), default=NONE) for t in tick]
    assert newest_at(stamp, tick).index.tolist() == expected


@given(st.integers(0, 2**60), st.integers(0, 10**11), st.floats(1.0, 200.0))
def test_ticks_start_at_the_first_moment_and_stay_on_the_grid(first, length, rate):
    tick = make_ticks(first, first + length, rate)
    assert tick[0] == first
    assert tick[-1] <= first + length < tick[-1] + 1e9 / rate + 2
    assert np.abs(tick - first - np.arange(len(tick)) * (1e9 / rate)).max() <= 1.0


def test_no_time_gives_no_ticks():
    assert len(make_ticks(10, 9, 30.0)) == 0


@given(stamps, ticks, st.data())
def test_losses_per_row_add_up_to_the_losses_between_first_and_last_tick(stamp, tick, data):
    lost = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(stamp), max_size=len(stamp))), np.int64)
    inside = (stamp > tick[0]) & (stamp <= tick[-1])
    assert lost_per_row(stamp, lost, tick).sum() == lost[inside].sum()


@pytest.mark.parametrize(("missing", "dropped"), [([], 0), ([10], 1), ([10, 11, 12], 3)])
def test_each_lost_camera_frame_drops_one_row(missing, dropped):
    kept = [n for n in range(30) if n not in missing]
    stamp = np.array([n * 33 + 5 for n in kept], np.int64)
    lost = np.diff(np.array([-1, *kept])) - 1
    rows = newest_at(stamp, np.arange(30, dtype=np.int64) * 33 + 10)
    assert lost_rows(rows, stamp, lost, 33).sum() == dropped


def test_a_lost_message_of_a_fast_stream_drops_no_row():
    kept = [n for n in range(100) if n != 50]
    stamp = np.array(kept, np.int64) * 10
    lost = np.diff(np.array([-1, *kept])) - 1
    rows = newest_at(stamp, np.arange(30, dtype=np.int64) * 33)
    assert lost.sum() == 1
    assert lost_rows(rows, stamp, lost, 33).sum() == 0


def test_a_long_interval_is_a_gap():
    even = spacing(np.arange(10, dtype=np.int64) * 10, 0, 90)
    torn = spacing(np.array([0, 10, 20, 60, 70, 80], np.int64), 0, 90)
    assert (even.usual_ns, even.largest_ns, even.gaps) == (10, 10, 0)
    assert (torn.usual_ns, torn.largest_ns, torn.gaps) == (10, 40, 1)
