# SPDX-License-Identifier: Apache-2.0
"""Eight hours in one recorder: every take is an episode, nothing grows, nothing slows down."""

import sys

import pytest
from counted import counted
from working_day import WorkingDay

HOURS, MINUTES = counted(3, 8), counted(2.0, 60.0)
MOST_GROWTH_MB = 20.0


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> WorkingDay:
    """It is over."""
    day = WorkingDay(tmp_path_factory.mktemp("day"))
    day.work(HOURS, MINUTES)
    return day


def test_every_take_that_was_not_discarded_is_an_episode(day: WorkingDay) -> None:
    assert day.counts["started"] >= 3
    assert day.counts["made"] == day.counts["started"] - day.counts["discarded"] + day.counts["restored"]


def test_every_episode_is_whole_and_agrees_with_its_manifest(day: WorkingDay) -> None:
    assert (day.counts["failed"], day.counts["changed"], day.counts["dropped rows"]) == (0, 0, 0)


def test_nothing_grows(day: WorkingDay) -> None:
    first, last = day.hours[0], day.hours[-1]
    assert last.memory_mb - first.memory_mb < MOST_GROWTH_MB
    assert last.descriptors <= first.descriptors  # fewer: what other tests of this process had left open
    assert last.threads <= first.threads


def test_the_last_hour_is_as_quick_as_the_first(day: WorkingDay, capsys: pytest.CaptureFixture[str]) -> None:
    """How quick is the benchmark's business: the figures are told, and only a recorder that slows down fails."""
    first, last = day.hours[0], day.hours[-1]
    with capsys.disabled():
        sys.stdout.write(f"\n{HOURS} hours of {MINUTES:.0f} minutes: {dict(day.counts)}\n")
        sys.stdout.writelines(f"memory {hour.memory_mb:.1f} MB, {hour.descriptors} files\n" for hour in day.hours)
        for call, median_us in last.median_us.items():
            sys.stdout.write(
                f"{call}: median {first.median_us.get(call, 0):.1f} to {median_us:.1f} us,"
                f" p99 {first.p99_us.get(call, 0):.0f} to {last.p99_us[call]:.0f} us\n"
            )
    assert last.median_us["message"] < 3 * first.median_us["message"]
