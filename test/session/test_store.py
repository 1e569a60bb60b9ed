# SPDX-License-Identifier: Apache-2.0
"""The store: what it keeps, what it refuses, and that it never harms a file."""

import sqlite3
from pathlib import Path

import pytest
from pydantic import ValidationError

from booth.session.consent import CONSENT_VERSION
from booth.session.database import Database
from booth.session.errors import SessionError, StoreError
from booth.session.records import Decision, Discard, Operator, Task
from booth.session.schema import MIGRATIONS
from booth.session.store import Store, store_path

ANA = Operator(id="ana", name="Ana Kim", badge="0042", language="ko", handedness="left", profile="ana")
CUPS = Task(id="cups", name="Cups", instruction="Put the red cup on the blue one.", target=3)
NOW = 1_795_000_000_000_000_000


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "data" / "booth.sqlite") as opened:
        yield opened


def test_operators_tasks_and_scores_come_back_as_they_went(store):
    store.operators.add(ANA, NOW)
    store.tasks.add(CUPS)
    store.add_score("ana", "reach", 87.5, {"hits": [1, 2], "hand": "왼손"}, NOW + 1)
    store.add_score("ana", "pinch", 60, {}, NOW)
    again = Store(store.path)
    assert again.operators.all() == [ANA]
    assert again.tasks.all() == [CUPS]
    assert [(score.exercise, score.score) for score in again.scores("ana")] == [("pinch", 60.0), ("reach", 87.5)]
    assert again.scores("ana")[1].details == {"hits": [1, 2], "hand": "왼손"}
    assert again.scores("ben") == []
    again.close()


def test_only_its_owner_may_read_the_file(store):
    assert store.path.stat().st_mode & 0o077 == 0
    assert store.path.parent.stat().st_mode & 0o077 == 0


def test_unknown_names_are_answered_with_the_known_ones(store):
    with pytest.raises(SessionError, match=r"no operator 'bo'; there are none yet: booth operator add"):
        store.operators.get("bo")
    with pytest.raises(SessionError, match=r"no task 'x'; there are none yet: booth task add"):
        store.tasks.get("x")
    store.operators.add(ANA, NOW)
    with pytest.raises(SessionError, match=r"no operator 'bo'; there are: ana"):
        store.add_score("bo", "reach", 1, {}, NOW)
    with pytest.raises(SessionError, match="ana is there already"):
        store.operators.add(ANA, NOW)


@pytest.mark.parametrize("score", [-0.1, 100.1, float("nan")])
def test_a_score_outside_of_0_to_100_is_refused(store, score):
    store.operators.add(ANA, NOW)
    with pytest.raises(SessionError, match="0 … 100"):
        store.add_score("ana", "reach", score, {}, NOW)


def test_a_score_without_a_time_is_of_now(tmp_path):
    with Store(tmp_path / "booth.sqlite", now_ns=lambda: NOW) as store:
        store.operators.add(ANA, NOW)
        store.add_score("ana", "hold", 70, {})
        assert [score.wall_ns for score in store.scores("ana")] == [NOW]


def test_the_language_of_an_operator_is_one_of_those_there_are(store):
    store.operators.add(ANA, NOW)
    store.set_language("ana", "uz")
    assert store.operators.get("ana") == ANA.model_copy(update={"language": "uz"})
    with pytest.raises(SessionError, match=r"operator 'ana' can't be used: language: .*'uz'.*found 'xx'"):
        store.set_language("ana", "xx")


def test_what_is_removed_is_marked_and_comes_back(store):
    store.operators.add(ANA, NOW)
    store.tasks.add(CUPS)
    store.operators.remove("ana", NOW + 5)
    store.tasks.remove("cups", NOW + 5)
    assert (store.operators.all(), store.tasks.all()) == ([], [])
    assert store.operators.all(removed=True)[0].removed_ns == NOW + 5
    with pytest.raises(SessionError, match="was removed: booth operator remove ana --undo"):
        store.operators.get("ana")
    with pytest.raises(SessionError, match="was removed: booth task remove cups --undo"):
        store.tasks.get("cups")
    store.operators.remove("ana", 0)
    store.tasks.remove("cups", 0)
    assert (store.operators.get("ana"), store.tasks.get("cups")) == (ANA, CUPS)


def test_consent_is_dated_withdrawn_and_given_anew(store):
    store.operators.add(ANA, NOW)
    assert not store.operators.get("ana").consented
    store.operators.consent("ana", NOW + 1)
    store.operators.consent("ana", NOW + 2)
    given = store.operators.get("ana")
    assert (given.consented, given.consent_version, given.consent_ns) == (True, CONSENT_VERSION, NOW + 1)
    store.operators.withdraw("ana", NOW + 3)
    assert not store.operators.get("ana").consented
    store.operators.consent("ana", NOW + 4)
    assert store.operators.get("ana").consent_ns == NOW + 4
    store.operators.put(ANA.model_copy(update={"name": "Ana"}))
    assert store.operators.get("ana").consented


def test_consent_to_an_older_text_is_none_to_todays(store):
    store.operators.add(ANA, NOW)
    with store.transaction():
        store._database.change("INSERT INTO consents (operator, version, given_ns) VALUES ('ana', '0', 1)")
    assert not store.operators.get("ana").consented


def test_forgetting_leaves_the_id_and_the_episodes_and_nothing_else_of_the_person(store):
    store.operators.add(ANA, NOW)
    store.operators.consent("ana", NOW)
    store.tasks.add(CUPS)
    session = store.sessions.begin(store.operators.get("ana"), CUPS, "b1", "op3", NOW)
    store.sessions.add(session.id, 1, "take-1", NOW)
    store.add_score("ana", "reach", 50, {}, NOW)
    with pytest.raises(SessionError, match="goes on"):
        store.operators.forget("ana", NOW)
    store.sessions.end(session.id, "finished", NOW)
    store.operators.forget("ana", NOW + 9)
    left = store.operators.get("ana", removed=True)
    assert (left.name, left.badge, left.profile, left.consented) == ("(forgotten)", "", "", False)
    assert store.scores("ana") == [] and left.removed_ns == NOW + 9
    assert [attempt.take for attempt in store.sessions.attempts(session.id)] == ["take-1"]
    assert not any(b"0042" in path.read_bytes() for path in store.path.parent.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Ana"},
        {"id": "../x"},
        {"name": " "},
        {"name": "a\nb"},
        {"language": "de"},
        {"profile": "A B"},
        {"age": 3},
    ],
)
def test_an_operator_that_can_not_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        Operator(**{**ANA.model_dump(), **wrong})


@pytest.mark.parametrize("wrong", [{"target": 0}, {"record_s": 0}, {"reset_s": -1}, {"warm_up_s": float("nan")}])
def test_a_task_that_can_not_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        Task(**{**CUPS.model_dump(), **wrong})


def test_a_session_keeps_the_task_it_began_with(store):
    store.operators.add(ANA, NOW)
    store.tasks.add(CUPS)
    begun = store.sessions.begin(ANA, CUPS, "b1", "op3", NOW)
    store.tasks.put(CUPS.model_copy(update={"target": 9}))
    assert store.sessions.unfinished("b1", "op3") == begun
    assert store.sessions.unfinished("b1", "op3").task.target == 3
    assert store.sessions.unfinished("b2", "op3") is None
    with pytest.raises(StoreError, match="refuses"):
        store.sessions.begin(ANA, CUPS, "b1", "op3", NOW)
    store.sessions.end(begun.id, "finished", NOW + 1)
    assert store.sessions.unfinished("b1", "op3") is None


def test_attempts_are_counted_at_their_number_and_carry_what_became_of_them(store):
    store.operators.add(ANA, NOW)
    store.tasks.add(CUPS)
    session = store.sessions.begin(ANA, CUPS, "", "op3", NOW).id
    store.sessions.add(session, 1, "a", NOW + 1)
    store.sessions.decide(session, "a", Decision.REDONE, "pedal", NOW + 2)
    store.sessions.discard("a", Discard.ASKED)
    store.sessions.add(session, 1, "b", NOW + 3)
    store.sessions.add(session, 1, "b", NOW + 4)
    store.sessions.saved("b", "/x/b.h5", "degraded", ("late", "gaps"), 412)
    first, second = store.sessions.attempts(session)
    assert (first.attempt, first.decision, first.source, first.discard) == (1, Decision.REDONE, "pedal", Discard.ASKED)
    assert (second.attempt, second.verdict, second.findings, second.rows) == (2, "degraded", ("late", "gaps"), 412)
    assert store.sessions.last(session) == second


def test_a_transaction_that_fails_leaves_nothing(store):
    with pytest.raises(RuntimeError), store.transaction():
        store.operators.add(ANA, NOW)
        raise RuntimeError
    assert store.operators.all() == []


def test_a_change_by_another_process_is_noticed(store):
    before = store.stamp
    other = Store(store.path)
    other.operators.add(ANA, NOW)
    other.close()
    assert store.stamp != before


DAMAGES = {
    "cut": lambda data: data[: len(data) // 2],
    "noise": lambda data: data[:4096] + bytes(range(256)) * ((len(data) - 4096) // 256),
    "no database": lambda data: b"this is no database, " * 1000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_in_one_sentence_and_left_alone(tmp_path, damage):
    path = tmp_path / "booth.sqlite"
    with Store(path) as store:
        for number in range(200):
            store.operators.add(ANA.model_copy(update={"id": f"op{number}"}), NOW)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"booth\.sqlite is damaged .*move it away") as told:
        Store(path)
    assert "\n" not in str(told.value)
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE operators (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store(path)
    assert path.read_bytes() == before


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "booth.sqlite"
    Database(path, [*MIGRATIONS, ["CREATE TABLE more (x)"]]).close()
    with pytest.raises(StoreError, match=rf"schema {len(MIGRATIONS) + 1}.*update humanoid_booth"):
        Store(path)


def test_an_older_file_is_brought_up_to_date_with_what_it_holds(tmp_path):
    path = tmp_path / "booth.sqlite"
    with Store(path) as store:
        store.operators.add(ANA, NOW)
    newer = Database(path, [*MIGRATIONS, ["ALTER TABLE operators ADD COLUMN shirt TEXT NOT NULL DEFAULT 'blue'"]])
    assert [tuple(row) for row in newer.rows("SELECT id, shirt FROM operators")] == [("ana", "blue")]
    newer.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "booth.sqlite"
    with Store(path) as store:
        store.operators.add(ANA, NOW)
    with pytest.raises(StoreError):
        Database(path, [*MIGRATIONS, ["CREATE TABLE more (x)", "ALTER TABLE nobody ADD COLUMN x"]])
    with Store(path) as store:
        assert store.operators.all() == [ANA]
        assert store._database.rows("SELECT count(*) FROM sqlite_master WHERE name = 'more'")[0][0] == 0


def test_a_place_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't be used .*writable"):
        Store(tmp_path / "file" / "booth.sqlite")


def test_the_store_is_where_the_environment_says():
    assert store_path({"BOOTH_STORE": "/a/b.sqlite", "XDG_DATA_HOME": "/x"}) == Path("/a/b.sqlite")
    assert store_path({"XDG_DATA_HOME": "/x"}) == Path("/x/humanoid_booth/booth.sqlite")
    assert store_path({"HOME": "/h"}) == Path("/h/.local/share/humanoid_booth/booth.sqlite")
