# SPDX-License-Identifier: Apache-2.0
"""No session, no copy and no cut ever stands on both sides; the tasks get their shares; the seed decides the rest."""

import json
from collections import Counter

import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from library_episodes import facts_row

from recorder.library_errors import LibraryError
from recorder.library_trainval import divide, manifest, tied_groups


def rows_of(count, per_session=5, tasks=("a", "b"), **facts):
    """Episodes in sessions of ``per_session``, their tasks by turns."""
    return [
        facts_row(number, session=f"s{number // per_session:03}", task=tasks[number % len(tasks)], **facts)
        for number in range(count)
    ]


@settings(max_examples=counted(25, 500))
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=25),
    val=st.floats(0.05, 0.6),
    seed=st.integers(0, 2**31),
    copies=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=4),
)
def test_nothing_that_shares_data_is_on_both_sides(sizes, val, seed, copies):
    rows = [
        facts_row(len(sizes) * place + number, session=f"s{number:02}", task=f"t{place % 3}")
        for number, size in enumerate(sizes)
        for place in range(size)
    ]
    for one, other in copies:
        rows[one % len(rows)]["content_sha256"] = rows[other % len(rows)]["content_sha256"]
    try:
        division = divide(rows, rows, val, seed)
    except LibraryError:
        assert len(tied_groups(rows, rows)) == 1
        return
    assert len(division.train) + len(division.val) == len(rows)
    for key in ("path", "session", "content_sha256"):
        assert not {row[key] for row in division.train} & {row[key] for row in division.val}
    assert division == divide(rows[::-1], rows, val, seed)


def test_each_task_gets_its_share():
    rows = rows_of(1000, per_session=4, tasks=("a", "a", "b", "c"))
    division = divide(rows, rows, 0.2, 1)
    assert len(division.val) == pytest.approx(200, abs=4)
    counts = Counter(row["task"] for row in division.val)
    assert [counts[task] for task in "abc"] == [pytest.approx(100, abs=2), *[pytest.approx(50, abs=1)] * 2]
    assert division.warnings == ()


def test_tasks_of_one_operator_each_are_stratified_too():
    rows = [facts_row(n, session=f"s{n // 3:03}", task=f"t{n // 60}") for n in range(300)]
    counts = Counter(row["task"] for row in divide(rows, rows, 0.2, 5).val)
    assert counts == {f"t{k}": 12 for k in range(5)}


def test_a_task_in_few_sessions_is_validated_all_the_same():
    rows = rows_of(100, tasks=("a",)) + [facts_row(200 + n, session=f"rare {n // 3}", task="rare") for n in range(6)]
    division = divide(rows, rows, 0.1, 3)
    assert Counter(row["task"] for row in division.val)["rare"] == 3


def test_a_task_of_one_session_is_named():
    rows = [*rows_of(50, tasks=("a",)), facts_row(99, session="only", task="lonely")]
    division = divide(rows, rows, 0.2, 0)
    assert any("'lonely'" in warning for warning in division.warnings)


def test_seeds_choose_differently_and_repeat_themselves():
    rows = rows_of(200)
    chosen = [frozenset(row["path"] for row in divide(rows, rows, 0.2, seed).val) for seed in (0, 0, 1, 2)]
    assert chosen[0] == chosen[1] and len(set(chosen)) == 3


def test_what_is_not_chosen_still_ties_sessions_together():
    rows = [facts_row(n) for n in range(4)]
    link = facts_row(9, session="s0", derived_from=json.dumps([rows[1]["episode_id"]]), verdict="fail")
    assert len(tied_groups(rows, rows)) == 4
    assert len(tied_groups(rows, [*rows, link])) == 3


def test_cuts_of_a_source_that_is_gone_stay_together():
    gone = json.dumps(["gone"])
    rows = [facts_row(1, derived_from=gone), facts_row(2, derived_from=gone), facts_row(3)]
    assert [len(group.episodes) for group in tied_groups(rows, rows)] == [2, 1]


def test_one_group_can_not_be_divided():
    rows = [facts_row(n, session="s") for n in range(9)]
    with pytest.raises(LibraryError, match="any split would leak"):
        divide(rows, rows, 0.2, 0)
    with pytest.raises(LibraryError, match="0 episodes form 0"):
        divide([], rows, 0.2, 0)


@pytest.mark.parametrize("val", [0.0, 1.0, -0.1, 20.0, float("nan")])
def test_a_share_that_is_none_is_refused(val):
    rows = rows_of(20)
    with pytest.raises(LibraryError, match="between 0 and 1"):
        divide(rows, rows, val, 0)


def test_the_manifest_lists_each_episode_once_and_is_the_same_every_time():
    rows = rows_of(60)
    values = manifest(divide(rows, rows, 0.25, 7), 0.25, 7)
    assert values == manifest(divide(rows, rows, 0.25, 7), 0.25, 7) == json.loads(json.dumps(values))
    listed = [item["path"] for part in ("train", "val") for item in values[part]]
    assert sorted(listed) == sorted(row["path"] for row in rows)
    assert values["tasks"]["a"]["train"] + values["tasks"]["a"]["val"] == 30
