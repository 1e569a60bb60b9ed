# SPDX-License-Identifier: Apache-2.0
"""What people say about episodes stands beside them and can be taken back; deleting is a move that can be undone."""

import json

import pytest
from library_episodes import add_episode
from takes import make_take

from recorder.library_errors import LibraryError
from recorder.library_files import episode_files
from recorder.library_labels import KEPT, Labels, read_labels, undo_labels, write_labels
from recorder.library_trash import find_trashed, list_trash, move_to_trash, restore
from recorder.recover import leftover_takes


@pytest.fixture
def episode(tmp_path):
    return add_episode(tmp_path, 1)


def test_labels_come_back_and_the_episode_is_not_touched(episode):
    before = (episode.read_bytes(), episode.stat().st_mtime_ns)
    said = Labels({"place": "küche"}, ("b", "a"), True, "two\nlines")
    write_labels(episode, said)
    assert read_labels(episode) == Labels({"place": "küche"}, ("a", "b"), True, "two\nlines")
    assert (episode.read_bytes(), episode.stat().st_mtime_ns) == before


def test_every_change_can_be_taken_back_one_by_one(episode):
    steps = [Labels(tags=("a",)), Labels(tags=("a", "b")), Labels(success=False)]
    for step in steps:
        write_labels(episode, step)
    assert undo_labels(episode, apply=False) == steps[1] and read_labels(episode) == steps[2]
    assert [undo_labels(episode) for _ in steps] == [steps[1], steps[0], Labels()]
    assert read_labels(episode) == Labels()
    with pytest.raises(LibraryError, match="nothing to take back"):
        undo_labels(episode)


def test_the_history_is_bounded(episode):
    for number in range(KEPT + 5):
        write_labels(episode, Labels(notes=str(number)))
    assert len(json.loads((episode.parent / "e0001.labels.json").read_text())["earlier"]) == KEPT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema": "x", "earlier": []}',
        '{"schema": "humanoid_booth/labels", "version": 9, "earlier": []}',
        '{"schema": "humanoid_booth/labels", "version": 1, "earlier": [], "tags": [1]}',
        '{"schema": "humanoid_booth/labels", "version": 1, "earlier": [], "success": "yes"}',
        '{"schema": "humanoid_booth/labels", "version": 1, "earlier": [], "labels": {"a": 1}}',
    ],
)
def test_a_label_file_that_is_none_is_refused_and_kept(episode, text):
    path = episode.parent / "e0001.labels.json"
    path.write_text(text)
    with pytest.raises(LibraryError, match=r"e0001\.labels\.json"):
        read_labels(episode)
    if "version" not in text or "9" in text:
        with pytest.raises(LibraryError):
            write_labels(episode, Labels(tags=("a",)))
        assert path.read_text() == text


def test_a_write_that_fails_leaves_what_was_said(episode, monkeypatch):
    write_labels(episode, Labels(tags=("a",)))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(LibraryError, match="No space left"):
        write_labels(episode, Labels(tags=("b",)))
    assert read_labels(episode) == Labels(tags=("a",))


def test_deleting_takes_everything_of_an_episode_along_and_restoring_brings_it_back(episode):
    make_take(episode.with_suffix(".mcap"))
    write_labels(episode, Labels(tags=("a",)))
    folder = episode.parent
    (folder / "e0001.replay-20270115T080000Z.json").write_text("{}")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    trashed = move_to_trash(episode, "blurred")
    assert [path.name for path in folder.iterdir()] == ["trash"]
    assert (leftover_takes(folder), episode_files(folder)) == ([], [])  # the recorder does not make it again
    assert find_trashed(folder, "e0001").reason == trashed.reason == "blurred"
    restore(trashed)
    (folder / "trash").rmdir()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_nothing_in_the_trash_is_overwritten_and_the_last_one_comes_back_first(episode):
    folder = episode.parent
    first = move_to_trash(episode, "one")
    second = move_to_trash(add_episode(folder, 1, task="second"), "two")
    assert (first.stem, second.stem, len(list_trash(folder))) == ("e0001", "e0001-2", 2)
    assert find_trashed(folder, "e0001-2").reason == "two"
    restore(second)
    with pytest.raises(LibraryError, match=r"e0001\.h5 is in .* again"):
        restore(first)
    assert len(list_trash(folder)) == 1 and (folder / "trash" / "e0001.h5").exists()


def test_a_move_that_was_cut_short_can_be_undone(episode, monkeypatch):
    make_take(episode.with_suffix(".mcap"))
    folder = episode.parent
    moved = []
    rename = type(episode).rename

    def once(path, target):
        if moved:
            raise OSError(5, "Input/output error")
        moved.append(path)
        return rename(path, target)

    monkeypatch.setattr(type(episode), "rename", once)
    with pytest.raises(LibraryError, match="can't move"):
        move_to_trash(episode, "x")
    monkeypatch.undo()
    assert not episode.exists() and episode.with_suffix(".mcap").exists()
    assert restore(find_trashed(folder, "e0001")) == [episode]
    assert episode.exists() and episode.with_suffix(".mcap").exists()


def test_what_is_not_there_can_be_neither_deleted_nor_restored(tmp_path):
    with pytest.raises(LibraryError, match="no episode at"):
        move_to_trash(tmp_path / "a.h5", "x")
    with pytest.raises(LibraryError, match="not in the trash"):
        find_trashed(tmp_path, "a")
