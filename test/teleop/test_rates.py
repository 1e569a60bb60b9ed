# SPDX-License-Identifier: Apache-2.0
"""What the tracker says about itself is what happened."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_hands import NS_PER_S

from teleop.rates import WINDOW, TrackerCounts


def test_a_tracker_that_has_seen_nothing_says_so():
    assert TrackerCounts().summary() == {
        "frames": 0,
        "hand_found_frames": 0,
        "rate_hz": "0",
        "inference_p50_ms": "0.00",
        "inference_p99_ms": "0.00",
    }


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 100)), max_size=2 * WINDOW), st.integers(5, 120))
def test_counts_and_times_are_those_of_the_frames(frames, fps):
    counts = TrackerCounts()
    for k, (found, inference_ms) in enumerate(frames):
        counts.add(k * NS_PER_S // fps, found, inference_ms)
    summary = counts.summary()
    assert summary["frames"] == len(frames)
    assert summary["hand_found_frames"] == sum(found for found, _ in frames)
    if len(frames) > 1:
        assert float(summary["rate_hz"]) == pytest.approx(fps, abs=0.06)
        newest = [inference_ms for _, inference_ms in frames[-WINDOW:]]
        assert float(summary["inference_p50_ms"]) == pytest.approx(np.median(newest), abs=0.006)
        assert float(summary["inference_p99_ms"]) <= max(newest) + 0.006


def test_rate_is_that_of_the_last_frames_not_of_the_whole_day():
    counts = TrackerCounts()
    stamp = 0
    for period in [NS_PER_S] * 100 + [NS_PER_S // 50] * WINDOW:
        stamp += period
        counts.add(stamp, True, 10.0)
    assert float(counts.summary()["rate_hz"]) == pytest.approx(50.0, abs=0.1)


def test_a_clock_that_stands_still_is_no_rate():
    counts = TrackerCounts()
    for _ in range(3):
        counts.add(5, True, 10.0)
    assert counts.summary()["rate_hz"] == "0"
