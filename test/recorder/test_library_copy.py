# SPDX-License-Identifier: Apache-2.0
"""A copy is believed when its bytes came back as they were sent, and only then may the source go."""

from hashlib import sha256

import h5py
import pytest
from library_episodes import add_episode
from takes import make_take

from recorder.library_copy import Place, copy_episode
from recorder.library_errors import CopyError, LibraryError
from recorder.library_files import group_of
from recorder.library_hash import file_sha256
from recorder.library_index import LibraryIndex
from recorder.library_labels import Labels, write_labels
from recorder.library_receipts import read_receipts, why_not_deletable, without_secrets
from recorder.library_verify import verify_episode

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def folder(tmp_path):
    add_episode(tmp_path / "lib" / "shift", 1)
    make_take(tmp_path / "lib" / "shift" / "e0001.mcap")
    write_labels(tmp_path / "lib" / "shift" / "e0001.h5", Labels(tags=("a",)))
    return tmp_path / "lib"


@pytest.fixture
def episode(folder):
    return folder / "shift" / "e0001.h5"


@pytest.fixture(params=["file", "memory"])
def place(request, tmp_path):
    yield Place(str(tmp_path / "nas") if request.param == "file" else "memory://bucket/data")
    fsspec.filesystem("memory").store.clear()


def copy(folder, episode, place, takes=True):
    return copy_episode(folder, episode, place, takes, lambda count: None)


def there(place, name):
    return place.files.cat_file(f"{place.root}/shift/{name}")


def test_what_was_kept_of_replays_goes_with_the_episode_and_must_be_there_before_it_goes(folder, episode, place):
    replay = episode.with_name("e0001.replay-20270115T080000Z.json")
    receipt, _ = copy(folder, episode, place)
    replay.write_text('{"rmse_rad": 0.01}')
    assert why_not_deletable(episode, receipt) == f"{replay.name} was not copied"
    receipt, sent = copy(folder, episode, place)
    assert (sent, why_not_deletable(episode, receipt)) == (1, "")
    assert there(place, replay.name) == replay.read_bytes()


def test_a_copy_is_the_same_bytes_in_the_same_folder_with_a_receipt(folder, episode, place):
    receipt, sent = copy(folder, episode, place)
    assert sent == 3
    for path in (episode, episode.with_suffix(".mcap"), episode.with_suffix(".labels.json")):
        assert there(place, path.name) == path.read_bytes()
        entry = receipt.file(path.name)
        assert entry.sha256 == entry.read_back_sha256 == sha256(path.read_bytes()).hexdigest()
    assert read_receipts(episode) == {place.destination: receipt}
    sums = there(place, "e0001.sha256").decode()
    assert f"{file_sha256(episode)}  e0001.h5\n" in sums and sums.count("\n") == 3
    assert why_not_deletable(episode, receipt) == ""
    assert not [name for name in place.files.find(place.root) if name.endswith(".part")]


def test_what_has_a_receipt_is_not_sent_again(folder, episode, place, monkeypatch):
    first, _ = copy(folder, episode, place)
    monkeypatch.setattr(Place, "send", None)
    monkeypatch.setattr(Place, "read_back", None)
    again, sent = copy(folder, episode, place)
    assert (sent, again.files) == (0, first.files)


def test_a_copy_that_was_cut_short_goes_on(folder, episode, place, monkeypatch):
    sends = []
    send = Place.send

    def once(self, source, relative, advance):
        if sends:
            raise OSError(113, "No route to host")
        sends.append(source.name)
        return send(self, source, relative, advance)

    monkeypatch.setattr(Place, "send", once)
    with pytest.raises(CopyError, match=r"No route to host.*same command again"):
        copy(folder, episode, place)
    monkeypatch.undo()
    assert read_receipts(episode) == {}
    names = []
    monkeypatch.setattr(
        Place, "send", lambda self, source, *rest: names.append(source.name) or send(self, source, *rest)
    )
    receipt, _ = copy(folder, episode, place)
    assert names == ["e0001.labels.json", "e0001.mcap"]  # the episode was there and was read back
    assert why_not_deletable(episode, receipt) == ""


def test_bytes_that_come_back_changed_are_no_copy(folder, episode, place, monkeypatch):
    send = Place.send

    def bad(self, source, relative, advance):
        digest = send(self, source, relative, advance)
        data = bytearray(self.files.cat_file(self.path(relative)))
        data[len(data) // 2] ^= 1
        self.files.pipe_file(self.path(relative), bytes(data))
        return digest

    monkeypatch.setattr(Place, "send", bad)
    with pytest.raises(CopyError, match="reads back as"):
        copy(folder, episode, place)
    assert read_receipts(episode) == {} and place.size(episode.relative_to(folder)) is None
    monkeypatch.undo()
    copy(folder, episode, place)
    assert there(place, "e0001.h5") == episode.read_bytes()


def test_another_file_of_that_name_is_never_replaced(folder, episode, place):
    place.files.makedirs(f"{place.root}/shift", exist_ok=True)
    place.files.pipe_file(f"{place.root}/shift/e0001.h5", b"somebody's")
    with pytest.raises(CopyError, match="another file"):
        copy(folder, episode, place)
    assert there(place, "e0001.h5") == b"somebody's"


def test_labels_follow_unless_somebody_changed_them_there(folder, episode, place):
    copy(folder, episode, place)
    write_labels(episode, Labels(tags=("a", "b")))
    receipt, sent = copy(folder, episode, place)
    labels = episode.with_suffix(".labels.json")
    assert (sent, there(place, labels.name)) == (1, labels.read_bytes())
    assert why_not_deletable(episode, receipt) == ""
    place.files.pipe_file(f"{place.root}/shift/{labels.name}", b"{}")
    write_labels(episode, Labels(tags=("c",)))
    with pytest.raises(CopyError, match="another file"):
        copy(folder, episode, place)


def test_only_what_was_read_back_may_be_deleted(folder, episode, place):
    assert why_not_deletable(episode, None) == "it has no receipt"
    receipt, _ = copy(folder, episode, place, takes=False)
    assert why_not_deletable(episode, receipt) == "e0001.mcap was not copied"
    receipt, _ = copy(folder, episode, place)
    assert why_not_deletable(episode, receipt) == ""
    data = bytearray(episode.read_bytes())
    data[-1] ^= 1
    episode.write_bytes(data)
    assert why_not_deletable(episode, receipt) == "e0001.h5 is not what was copied"


def test_a_source_that_changes_while_it_is_copied_is_noticed(folder, episode, place, monkeypatch):
    read_back = Place.read_back

    def touch(self, relative, advance=lambda count: None):
        add_episode(episode.parent, 1, task="changed")
        return read_back(self, relative, advance)

    monkeypatch.setattr(Place, "read_back", touch)
    with pytest.raises(CopyError, match="changed while it was copied"):
        copy(folder, episode, place)
    assert read_receipts(episode) == {}


def test_progress_counts_every_byte_twice(folder, episode, place):
    counted = []
    copy_episode(folder, episode, place, True, counted.append)
    total = sum(path.stat().st_size for path in group_of(episode) if not path.name.endswith(".receipts.json"))
    assert sum(counted) == 2 * total


def test_passwords_stay_out_of_receipts_and_messages():
    assert without_secrets("sftp://ada:secret@nas:22/data") == "sftp://ada@nas:22/data"
    assert without_secrets("s3://bucket/data") == "s3://bucket/data"
    assert Place("memory://ada:secret@bucket/x").destination == "memory://ada@bucket/x"


@pytest.mark.parametrize(
    ("url", "words"), [("nowhere://x", "Protocol not known"), ("file:///proc/1/nowhere", "can't copy|can't reach")]
)
def test_places_that_are_none_are_refused(folder, episode, url, words):
    with pytest.raises(CopyError, match=words):
        copy(folder, episode, Place(url))


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(CopyError, match=r"pip install 'humanoid_booth\[library\]'"):
        Place("memory://x")


def test_damaged_receipts_are_refused_and_kept(folder, episode, place):
    path = episode.with_suffix(".receipts.json")
    path.write_text('{"receipts": [{}]}')
    with pytest.raises(LibraryError, match="unusable"):
        copy(folder, episode, place)
    assert path.read_text() == '{"receipts": [{}]}'


# verify


def verified(folder, copies=False):
    with LibraryIndex(folder) as index:
        index.refresh()
        (row,) = index.rows()
        return verify_episode(folder, row, copies, lambda count: None)


def flip(path):
    """Change one byte of a file as a failing disk does: no time, no size tells."""
    import os

    facts = path.stat()
    with path.open("r+b") as file:
        file.seek(facts.st_size // 2)
        byte = file.read(1)
        file.seek(facts.st_size // 2)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_verify_compares_with_the_index_the_receipts_and_the_sums(folder, episode, tmp_path):
    assert verified(folder).checked == ("manifest",)
    with LibraryIndex(folder) as index:
        index.refresh(hashes=True)
    assert (verified(folder).state, verified(folder).checked) == ("ok", ("index", "manifest"))
    copy(folder, episode, Place(str(tmp_path / "nas")))
    assert len(verified(folder).checked) == 3
    flip(episode)
    found = verified(folder)
    assert found.state == "damaged" and [problem.split(" says")[0] for problem in found.problems[:2]] == [
        "index",
        f"receipt of {tmp_path / 'nas'}",
    ]
    assert verified(tmp_path / "nas").checked == ("e0001.sha256", "manifest")
    assert verified(tmp_path / "nas").state == "ok"


def test_verify_reads_the_copies(folder, episode, tmp_path):
    copy(folder, episode, Place(str(tmp_path / "nas")))
    assert verified(folder, copies=True).state == "ok"
    flip(tmp_path / "nas" / "shift" / "e0001.mcap")
    assert "e0001.mcap has" in verified(folder, copies=True).problems[0]
    assert verified(folder).state == "ok"
    (tmp_path / "nas" / "shift" / "e0001.mcap").unlink()
    assert "can't read" in verified(folder, copies=True).problems[0]


def test_verify_compares_with_the_episodes_own_manifest(folder, episode):
    assert (verified(folder).state, verified(folder).checked) == ("ok", ("manifest",))
    with h5py.File(episode, "r+") as file:
        file["/action"][3, 0] += 1
    assert verified(folder).problems == ("the episode's manifest does not fit /action",)
