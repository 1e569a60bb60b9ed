# SPDX-License-Identifier: Apache-2.0
"""Sessions end with a break; a shift's sums are those of its attempts, each counted once."""

import json
from datetime import UTC

import pytest
from library_episodes import facts_row

from recorder.library_sessions import BREAK_S, sessions
from recorder.library_stats import TOTAL, attempts, shifts


def test_a_session_ends_with_a_break_another_operator_or_another_booth():
    def episode(path, start_s, **facts):
        return {"path": path, "operator": "ada", "booth": "b", "created_s": start_s, "length_s": 100.0, **facts}

    named = sessions(
        [
            episode("late", 100 + BREAK_S - 1 + 100 + BREAK_S),
            episode("near", 100 + BREAK_S - 1),
            episode("first", 0.0),
            episode("bob", 50.0, operator="bob"),
            episode("there", 60.0, booth="c"),
        ]
    )
    assert named["first"] == named["near"] == "19700101T000000Z ada at b"
    assert len(set(named.values())) == 4 and named["late"] != named["near"]
    assert named["bob"] == "19700101T000050Z bob at b"


def test_a_session_of_the_booth_goes_on_after_a_break():
    def episode(number, start_s, session_id):
        return {**facts_row(number, created_s=start_s, length_s=100.0), "session_id": session_id}

    lunch_s = 3 * BREAK_S
    rows = [episode(0, 0.0, "a"), episode(1, lunch_s, "a"), episode(2, lunch_s + 200.0, "b"), episode(3, 9e5, "c")]
    named = sessions(rows)
    before, after, neighbour, other = (named[row["path"]] for row in rows)
    assert before == after == neighbour
    assert other != before


def test_a_session_goes_on_past_midnight():
    rows = [facts_row(n, created_s=86_400.0 * 3 + (n - 5) * 600) for n in range(10)]
    assert len(set(sessions(rows).values())) == 1


def test_a_shift_is_summed_up():
    rows = [
        facts_row(0, created_s=0.0, length_s=60.0),
        facts_row(1, created_s=120.0, length_s=60.0, verdict="fail"),
        facts_row(2, created_s=240.0, length_s=60.0, success=0),
        facts_row(3, created_s=600.0, length_s=60.0, task="pour", success=1),
        facts_row(4, created_s=660.0 + BREAK_S, length_s=60.0, complete=0),
    ]
    thrown = [facts_row(9, created_s=400.0, length_s=30.0)]
    (ada, total) = shifts(attempts(rows, thrown), "operator", UTC)
    assert (ada.name, total.name) == ("ada", TOTAL)
    assert (total.takes, total.good, total.discarded) == (6, 2, 1)
    assert (total.recorded_s, total.worked_s) == (330.0, 660.0 + 60.0)
    assert total.good_per_hour == pytest.approx(10.0)
    assert (total.redo_share, total.idle_share) == (pytest.approx(4 / 6), pytest.approx(390 / 720))
    by_task = {shift.name: shift for shift in shifts(attempts(rows, thrown), "task", UTC)}
    assert (by_task["pour"].takes, by_task["pour"].worked_s) == (1, 60.0 + 170.0)
    assert by_task["wave"].worked_s + by_task["pour"].worked_s == total.worked_s


def test_two_operators_do_not_share_their_idle_time():
    rows = [
        facts_row(0, created_s=0.0),
        facts_row(1, created_s=5.0, operator="bob"),
        facts_row(2, created_s=100.0),
        facts_row(3, created_s=105.0, operator="bob"),
    ]
    ada, bob, total = shifts(attempts(rows, []), "operator", UTC)
    assert (ada.worked_s, bob.worked_s, total.worked_s) == (110.0, 110.0, 220.0)


def test_days_are_those_of_the_zone():
    rows = [facts_row(0, created_s=86_400.0 - 10), facts_row(1, created_s=86_400.0 + 10)]
    assert [shift.name for shift in shifts(attempts(rows, []), "day", UTC)] == ["1970-01-01", "1970-01-02", TOTAL]


def test_cuts_do_not_count_beside_their_source_and_once_without_it():
    source = facts_row(1, created_s=0.0, length_s=100.0)
    cuts = [
        facts_row(n, created_s=(n - 2) * 40.0, length_s=40.0, derived_from=json.dumps([source["episode_id"]]))
        for n in (2, 3)
    ]
    again = facts_row(4, created_s=5.0, length_s=10.0, derived_from=json.dumps([cuts[0]["episode_id"]]))
    (with_source,) = attempts([source, *cuts, again], [])
    assert with_source.length_s == 100.0
    (without,) = attempts([*cuts, again], [])
    assert (without.start_s, without.length_s) == (0.0, 80.0)


def test_nothing_recorded_is_no_division_by_zero():
    (total,) = shifts([], "day", UTC)
    assert (total.takes, total.good_per_hour, total.redo_share, total.idle_share) == (0, 0.0, 0.0, 0.0)
