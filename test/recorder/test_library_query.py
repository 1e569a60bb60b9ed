# SPDX-License-Identifier: Apache-2.0
"""Filters find what they say, free SQL only reads, names find one episode."""

import pytest
from library_episodes import add_episode, identity

from recorder.library_errors import LibraryError
from recorder.library_index import LibraryIndex
from recorder.library_labels import Labels, write_labels
from recorder.library_query import Filters, find, select

HOUR_S = 3600.0


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    for number, (task, operator, verdict) in enumerate(
        [("pick cup", "ada", "ok"), ("pick box", "bob", "warn"), ("pour", "ada", "fail"), ("pick cup", "bob", "ok")]
    ):
        add_episode(folder, number, 24 * HOUR_S * number, task=task, operator=operator, verdict=verdict)
    write_labels(folder / "e0000.h5", Labels(tags=("good", "kitchen"), success=True))
    write_labels(folder / "e0003.h5", Labels(tags=("goods",), success=False))
    with LibraryIndex(folder) as index:
        index.refresh(hashes=True)
        yield index


def numbers(index, **filters):
    return [int(row["path"][1:5]) for row in select(index, Filters(**filters))]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"task": "pick*"}, [0, 1, 3]),
        ({"task": "pick"}, []),
        ({"task": "pick*", "operator": "bob"}, [1, 3]),
        ({"booth": "booth-?"}, [0, 1, 2, 3]),
        ({"robot": "op3"}, []),
        ({"verdict": ("ok", "warn")}, [0, 1, 3]),
        ({"tags": ("good",)}, [0]),
        ({"tags": ("good", "kitchen")}, [0]),
        ({"tags": ("good", "goods")}, []),
        ({"success": True}, [0]),
        ({"success": False}, [3]),
        ({"min_length_s": 0.6}, [0, 1, 2, 3]),
        ({"min_length_s": 0.61}, []),
        ({"since": "2027-01-16T08:00:00+00:00"}, [1, 2, 3]),
        ({"until": "2027-01-16T08:00:00+00:00"}, [0]),
        ({"where": "rows > 17 AND operator = 'ada' OR 0"}, [0, 2]),
        ({"task": "pour", "where": "1 OR 1"}, [2]),
        ({"where": "verdict = 'ok' -- and so on"}, [0, 3]),
        ({"where": "EXISTS (SELECT 1 FROM json_each(tags) WHERE value LIKE 'kit%')"}, [0]),
    ],
)
def test_filters(index, filters, expected):
    assert numbers(index, **filters) == expected


def test_a_date_until_is_the_end_of_that_day_where_the_reader_lives(index, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        assert numbers(index, until="2027-01-16") == [0, 1]  # recorded at 17:00 in Seoul
        assert numbers(index, since="2027-01-16T17:00", until="2027-01-16T17:01") == [1]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_order_and_limit(index):
    rows = select(index, Filters(), "-created_s", 2)
    assert [row["path"] for row in rows] == ["e0003.h5", "e0002.h5"]
    with pytest.raises(LibraryError, match="can't order by 'rows; drop'"):
        select(index, Filters(), "rows; drop")


@pytest.mark.parametrize(
    "where",
    [
        "1); DELETE FROM files; --",
        "load_extension('x')",
        "path IN (SELECT path FROM nowhere)",
        "rows >",
        "1) UNION SELECT writefile('x', 'y') --",
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n) > 0",
    ],
)
def test_sql_that_writes_runs_on_or_makes_no_sense_is_refused(index, where, monkeypatch):
    monkeypatch.setattr("recorder.library_query.PATIENCE_S", 0.2)
    with pytest.raises(LibraryError, match="can't answer --where"):
        select(index, Filters(where=where))
    assert numbers(index) == [0, 1, 2, 3]


def test_the_connection_for_questions_can_not_write(index):
    import sqlite3

    from recorder.library_query import _read_only

    database = _read_only(index.path)
    for statement in ("DELETE FROM files", "ATTACH 'x.db' AS x", "PRAGMA user_version = 3", "CREATE TABLE t (a)"):
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            database.execute(statement)
    database.close()


@pytest.mark.parametrize("text", ["tomorrow", "2027-13-01", ""])
def test_a_time_that_is_none_is_refused(index, text):
    with pytest.raises(LibraryError, match="expected a date or time such as"):
        numbers(index, since=text)


def test_an_episode_is_found_by_path_name_stem_id_and_the_ids_last_digits(index):
    for name in ("e0002.h5", "e0002", str(index.folder / "e0002.h5"), identity(2), identity(2)[-8:]):
        assert [row["path"] for row in find(index, [name])] == ["e0002.h5"]


def test_a_name_of_none_or_of_several_is_refused_with_what_fits(index):
    with pytest.raises(LibraryError, match=r"'e9' names 0 of the 4 episodes"):
        find(index, ["e9"])


def test_a_name_of_several_is_refused_with_what_fits(tmp_path):
    for place in ("a", "b"):
        add_episode(tmp_path / place, 1)
    with LibraryIndex(tmp_path) as index:
        index.refresh()
        with pytest.raises(LibraryError, match=r"names 2 of the 2 episodes.*a/e0001\.h5, b/e0001\.h5"):
            find(index, ["e0001"])
        assert [row["path"] for row in find(index, ["b/e0001"])] == ["b/e0001.h5"]


def test_an_episode_that_is_named_twice_is_found_once(index):
    assert len(find(index, ["e0001", identity(1), "e0000"])) == 2
