# SPDX-License-Identifier: Apache-2.0
"""The index repeats what the files say, notices every change, and survives bad files."""

import json
import os
import shutil
import sqlite3

import h5py
import pytest
from library_episodes import add_episode, identity, small_episode
from takes import make_take

from recorder.library_errors import LibraryError
from recorder.library_index import INDEX_NAME, LibraryIndex
from recorder.library_labels import Labels, write_labels
from recorder.library_trash import move_to_trash


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        add_episode(tmp_path / "shift" if number % 2 else tmp_path, number, 60.0 * number, task=f"task {number % 2}")
    return tmp_path


def indexed(folder, **options):
    with LibraryIndex(folder) as index:
        changes = index.refresh(**options)
        return changes, {row["path"]: row for row in index.rows("SELECT * FROM files")}


def test_every_fact_of_an_episode_is_in_its_row(folder):
    findings = [{"code": "late", "level": "warn", "text": "x"}, {"code": "open", "level": "ok", "text": "y"}]
    add_episode(folder, 9, 500.0, verdict="warn", findings=json.dumps(findings), operator="bob", complete=False)
    changes, rows = indexed(folder, hashes=True)
    assert (changes.files, changes.read, changes.bad) == (5, 5, 0)
    row = rows["e0009.h5"]
    assert (row["episode_id"], row["operator"], row["booth"]) == (identity(9), "bob", "booth-1")
    assert (row["verdict"], json.loads(row["findings"]), row["complete"]) == ("warn", {"late": "warn"}, 0)
    assert (row["created"], row["created_s"]) == ("2027-01-15T08:08:20.000+00:00", 1_800_000_500.0)
    assert (row["rows"], row["length_s"]) == (18, pytest.approx(0.6))
    assert rows["shift/e0001.h5"]["task"] == "task 1"


def test_sessions_of_the_booth_are_known_and_episodes_of_before_have_none(folder):
    add_episode(folder, 8, 0.0, session="0193-7", episode_number=4)
    add_episode(folder, 9, 20_000.0, session="0193-7", episode_number=5)
    with h5py.File(folder / "e0000.h5", "r+") as old:
        del old.attrs["session"], old.attrs["episode_number"]
    _, rows = indexed(folder)
    assert [(rows[f"e000{n}.h5"]["session_id"], rows[f"e000{n}.h5"]["episode_number"]) for n in (0, 8, 9)] == [
        ("", 0),
        ("0193-7", 4),
        ("0193-7", 5),
    ]
    assert rows["e0008.h5"]["session"] == rows["e0009.h5"]["session"]


def test_a_second_run_reads_nothing(folder):
    indexed(folder, hashes=True)
    changes, _ = indexed(folder, hashes=True)
    assert (changes.files, changes.read, changes.hashed, changes.removed, changes.relabelled) == (4, 0, 0, 0, 0)


def test_changed_added_and_removed_files_are_noticed(folder):
    indexed(folder)
    (folder / "e0000.h5").unlink()
    add_episode(folder, 2, 120.0, task="another")
    add_episode(folder, 7, 700.0)
    changes, rows = indexed(folder)
    assert (changes.read, changes.removed) == (2, 1)
    assert rows["e0002.h5"]["task"] == "another"
    assert set(rows) == {"e0002.h5", "e0007.h5", "shift/e0001.h5", "shift/e0003.h5"}


def test_a_file_replaced_within_the_same_second_and_size_is_noticed(folder):
    indexed(folder)
    facts = (folder / "e0000.h5").stat()
    other = add_episode(folder / "new", 0, 0.0, task="tAsk 0")
    other.replace(folder / "e0000.h5")
    os.utime(folder / "e0000.h5", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert (folder / "e0000.h5").stat().st_size == facts.st_size
    assert indexed(folder)[1]["e0000.h5"]["task"] == "tAsk 0"


def test_bad_files_are_listed_with_the_reason_and_stop_nothing(folder):
    (folder / "empty.h5").write_bytes(b"")
    (folder / "cut.h5").write_bytes(small_episode().read_bytes()[:40_000])
    add_episode(folder, 8, created="yesterday")
    add_episode(folder, 6, findings="{")
    changes, rows = indexed(folder, hashes=True)
    assert (changes.files, changes.bad) == (8, 4)
    assert "copied completely" in rows["cut.h5"]["problem"]
    assert "yesterday" in rows["e0008.h5"]["problem"]
    assert rows["e0006.h5"]["problem"] and rows["empty.h5"]["problem"]
    with LibraryIndex(folder) as index:
        assert len(index.rows()) == 4


def test_parts_trash_and_hidden_files_are_no_part_of_the_library(folder):
    for name in ("x.h5.part", ".hidden.h5", "trash/t.h5", "unusable/u.h5", ".git/g.h5"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(small_episode(), folder / name)
    assert indexed(folder)[0].files == 4


def test_hashes_are_made_once_and_can_wait(folder):
    assert indexed(folder)[1]["e0000.h5"]["content_sha256"] is None
    changes, rows = indexed(folder, hashes=True)
    assert (changes.read, changes.hashed) == (0, 4)
    assert len(rows["e0000.h5"]["content_sha256"]) == len(rows["e0000.h5"]["file_sha256"]) == 64


def test_labels_reach_the_index_without_reading_the_episode(folder):
    indexed(folder, hashes=True)
    write_labels(folder / "e0000.h5", Labels({"place": "kitchen"}, ("nice",), False, "slow"))
    changes, rows = indexed(folder, hashes=True)
    row = rows["e0000.h5"]
    assert (changes.read, changes.relabelled, changes.hashed) == (0, 1, 0)
    assert (json.loads(row["labels"]), json.loads(row["tags"])) == ({"place": "kitchen"}, ["nice"])
    assert (row["success"], row["notes"]) == (0, "slow")


def test_a_damaged_label_file_is_named_and_the_episode_stays(folder):
    (folder / "e0000.labels.json").write_text("{")
    _, rows = indexed(folder)
    assert rows["e0000.h5"]["problem"] == "" and "e0000.labels.json" in rows["e0000.h5"]["label_problem"]


@pytest.mark.parametrize("damage", ["remove", "garble", "cut", "older"])
def test_the_index_is_made_again_from_the_files(folder, damage):
    write_labels(folder / "e0000.h5", Labels(tags=("nice",)))
    before = indexed(folder, hashes=True)[1]
    path = folder / INDEX_NAME
    if damage == "remove":
        path.unlink()
    elif damage == "garble":
        path.write_bytes(b"no database " * 1000)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:9000])
    else:
        with LibraryIndex(folder) as index:
            index._db.execute("PRAGMA user_version = 0")
            index._db.execute("DROP VIEW episodes")
    assert indexed(folder, hashes=True)[1] == before


def test_takes_that_were_thrown_away_are_counted_and_deleted_episodes_are_not(folder):
    (folder / "trash").mkdir()
    make_take(folder / "trash" / "thrown.mcap")
    (folder / "trash" / "torn.mcap").write_bytes(b"\x89MCAP0\r\n")
    make_take(folder / "e0000.mcap")
    move_to_trash(folder / "e0000.h5", "deleted")
    indexed(folder)
    with LibraryIndex(folder) as index:
        (row,) = index.rows("SELECT * FROM discarded")
    assert (row["path"].endswith("thrown.mcap"), row["operator"], row["task"]) == (True, "ada", "wave")


def test_an_index_run_that_is_interrupted_keeps_what_it_has_and_goes_on(folder, monkeypatch):
    monkeypatch.setattr("recorder.library_index.COMMIT_EVERY", 1)

    def interrupt(done, of, name):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        indexed(folder, tell=interrupt)
    changes, rows = indexed(folder)
    assert (changes.read, len(rows)) == (2, 4)
    assert all(row["session"] for row in rows.values())


def test_an_index_that_somebody_else_writes_is_one_clear_message(folder):
    indexed(folder)
    add_episode(folder, 8)
    with LibraryIndex(folder) as index:
        index._db.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(index.path)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LibraryError, match="is another booth library at work"):
            index.refresh()
        other.close()


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(LibraryError, match="expected a folder with episodes"):
        LibraryIndex(tmp_path / "absent")
