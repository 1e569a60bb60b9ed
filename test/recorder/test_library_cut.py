# SPDX-License-Identifier: Apache-2.0
"""Trim, split and merge: the rows that were asked for, bit for bit, in files that every reader and the check accept."""

import json
import shutil

import h5py
import numpy as np
import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from library_episodes import wave_episode
from takes import MS

from recorder.check import check_episode
from recorder.episode import Episode
from recorder.library_cut import engaged_rows, marked_rows, merge, rows_between, split, trim
from recorder.library_errors import LibraryError
from recorder.library_hash import content_sha256
from recorder.library_index import LibraryIndex
from recorder.library_labels import Labels, read_labels, write_labels
from recorder.library_sums import samples_held, stale_rows
from recorder.manifest import changed_datasets
from recorder.schema import HARD_LINKS, ROOT_ATTRIBUTES


@pytest.fixture
def wave(tmp_path):
    """A fresh copy of an episode of 90 rows."""
    return shutil.copy(wave_episode(), tmp_path / "wave.h5")


def assert_rows(source, cut, rows):
    """Every dataset that has rows holds these of the source, and the others are the same."""
    with h5py.File(source) as old, h5py.File(cut) as new:
        total = len(old["/time/tick_ns"])

        def compare(name, item):
            if not isinstance(item, h5py.Dataset) or name == "events":
                return
            made, values = new[name][()], item[()]
            if name == "compress_len":
                values = values[:, rows]
            elif item.shape[:1] == (total,):
                values = values[rows]
            if name.startswith("health/lost/"):
                values[0] = 0
            assert made.dtype == values.dtype, name
            np.testing.assert_array_equal(made, values, name)

        old.visititems(compare)
        assert set(all_names(old)) == set(all_names(new))


def all_names(file):
    names = []
    file.visit(names.append)
    return names


@settings(max_examples=counted(6, 200), deadline=None)
@given(edges=st.lists(st.integers(0, 90), min_size=2, max_size=2, unique=True).map(sorted))
def test_any_trim_holds_exactly_its_rows_and_passes_the_check(tmp_path_factory, edges):
    start, stop = edges
    if not 2 <= stop - start < 90:
        return
    path = shutil.copy(wave_episode(), tmp_path_factory.mktemp("trim") / "wave.h5")
    before = path.read_bytes()
    cut = trim(path, start, stop)
    assert path.read_bytes() == before
    assert_rows(path, cut.path, slice(start, stop))
    with h5py.File(cut.path) as file:
        assert changed_datasets(file) == []
    report = check_episode(cut.path)
    levels = {finding.code: finding.level.value for finding in report.findings}
    assert "fail" not in {level for code, level in levels.items() if code not in ("dropped", "stale")}
    assert (cut.rows, cut.verdict) == (stop - start, report.verdict.value)


def test_a_cut_keeps_links_attributes_and_layout(wave):
    cut = trim(wave, 20, 70)
    with Episode.open(cut.path) as episode, h5py.File(wave) as old:
        for name, origin in HARD_LINKS.items():
            assert episode.file[name] == episode.file[origin]
        assert episode.file["/data/demo_0/obs/cam_operator"] == episode.file["/observations/images/cam_operator"]
        assert set(ROOT_ATTRIBUTES) < set(episode.file.attrs)
        images = episode.file["/observations/images/cam_operator"]
        assert (images.attrs["encoding"], images.chunks) == ("jpeg", (1, images.shape[1]))
        assert json.loads(episode.file["/compress_len"].attrs["cameras"]) == ["cam_operator"]
        for name in ("robot_yaml", "task", "operator", "wall_offset_ns", "rate_hz"):
            assert episode.file.attrs[name] == old.attrs[name]
        with Episode.open(wave) as source:
            assert episode.image("cam_operator", 0) == source.image("cam_operator", 20)
    filters = []
    with h5py.File(cut.path) as file:
        file.visititems(lambda _, item: filters.append(getattr(item, "compression", None)))
    assert set(filters) == {None}


def test_every_sum_of_a_cut_is_that_of_its_rows(wave):
    cut = trim(wave, 20, 70)
    with Episode.open(cut.path) as episode:
        assert episode.attribute("rows") == episode.file["/data"].attrs["total"] == 50
        assert episode.file["/data/demo_0"].attrs["num_samples"] == 50
        assert episode.attribute("dropped_rows") == episode["/health/dropped"].sum() > 0
        lost = json.loads(episode.attribute("lost_messages"))
        assert lost["hands"] == 3 and lost == {name: episode[f"/health/lost/{name}"].sum() for name in episode.streams}
        hands = episode.file["/time/hands"].attrs
        assert (hands["messages"], hands["gaps"], hands["counted_from"]) == (47, 1, "rows")
        assert hands["largest_interval_ns"] == pytest.approx(4 * 33_333_333, abs=2)
        joints = episode.file["/time/joint_states"].attrs
        assert (joints["messages"], joints["largest_interval_ns"]) == (50, 20 * MS)
    with Episode.open(trim(wave, 50, 90).path) as episode:
        assert (episode.attribute("dropped_rows"), json.loads(episode.attribute("lost_messages"))["hands"]) == (0, 0)


def test_what_was_lost_before_the_first_row_of_a_cut_is_not_counted(wave):
    with Episode.open(wave) as episode:
        lost = episode["/health/lost/hands"]
        (row,) = np.flatnonzero(lost)
        assert lost[row] == 3
    for start, expected in ((row - 1, 3), (row, 0)):
        with Episode.open(trim(wave, int(start), 90).path) as episode:
            assert json.loads(episode.attribute("lost_messages"))["hands"] == expected
            assert episode["/health/lost/hands"].sum() == expected


def test_stale_rows_are_counted_as_the_recorder_counts_them():
    with Episode.open(wave_episode()) as episode:
        assert stale_rows(episode.file) == episode.attribute("stale_rows")


def test_samples_held_counts_a_repeated_sample_once():
    stamps = np.array([-1, 100, 100, 200, 200, 900])
    numbers = np.array([-1, 1, 1, 2, 3, 4])
    assert samples_held(stamps, numbers, 100, 5000, 100) == (4, 700, 1)
    assert samples_held(stamps, numbers, 100, 650, 100) == (4, 650, 1)
    assert samples_held(np.array([-1, -1]), np.array([-1, -1]), 0, 0, 100) == (0, 0, 0)
    assert samples_held(np.array([5, 5]), np.array([1, 1]), 0, 0, 100) == (1, 0, 0)


def test_a_cut_knows_where_it_comes_from_and_is_an_episode_of_its_own(wave):
    cut = trim(wave, 30, 70)
    with Episode.open(cut.path) as episode, Episode.open(wave) as source:
        (origin,) = json.loads(episode.attribute("derived_from"))
        assert origin["episode_id"] == source.attribute("episode_id") != episode.attribute("episode_id")
        assert (origin["rows"], origin["file"]) == ([30, 70], "wave.h5")
        assert origin["content_sha256"] == content_sha256(source.file)
        assert episode.attribute("created") == "2027-01-15T08:00:01.000+00:00"
        assert episode.attribute("end_reason") == "trim: rows end here"
    assert cut.path.name.startswith("20270115T080001Z_hx5_d20_right_")


def test_events_of_a_cut_are_those_within_it_and_the_states_in_force(wave):
    with Episode.open(wave) as source:
        events = source.events()
        ticks = source["/time/tick_ns"]
    cut = trim(wave, 17, 60)
    with Episode.open(cut.path) as episode:
        told = episode.events()
    within = [event for event in events if ticks[17] <= event[0] < ticks[60]]
    assert within and [event for event in told if event[0] >= ticks[17]] == within
    assert [(stream, text) for stamp, stream, text in told if stamp < ticks[17]] == [
        ("teleop_state", "WAITING"),
        ("driver_state", "ENGAGED"),
    ]


def test_a_cut_within_a_pause_knows_that_it_is_one(wave):
    with h5py.File(wave, "r+") as file:
        ticks, old = file["/time/tick_ns"][()], file["/events"][()]
        told = [(ticks[20], b"recorder_event", b"paused"), (ticks[50], b"recorder_event", b"resumed")]
        told += [(ticks[40], b"marker", b"mark 1"), (ticks[60], b"diagnostics", b"no landmarks")]
        events = np.sort(np.concatenate([old, np.array(told, old.dtype)]), order="stamp_ns")
        dtype = file["/events"].dtype
        del file["/events"]
        file.create_dataset("/events", data=events, dtype=dtype)
    with Episode.open(trim(wave, 30, 45).path) as episode:
        told = [(stream, text) for _, stream, text in episode.events()]
    assert ("recorder_event", "paused") in told and ("recorder_event", "resumed") not in told
    with Episode.open(wave) as episode:
        assert marked_rows(episode) == [40]


def test_datasets_that_the_schema_does_not_know_ride_along(wave):
    with h5py.File(wave, "r+") as file:
        file["/tactile/force"] = np.arange(90 * 3.0).reshape(90, 3)
        file["/tactile/force"].attrs["unit"] = "N"
        file["/calibration/pose"] = np.eye(4)
        file["/data/demo_0/obs/force"] = file["/tactile/force"]
        file.create_dataset("/words", data=[f"row {k}" for k in range(90)], dtype=h5py.string_dtype())
        file["/alias"] = h5py.SoftLink("/words")
        file["/packed"] = np.zeros(0)
        file.attrs["serials"] = "x1"
    with h5py.File(trim(wave, 10, 40).path) as file:
        np.testing.assert_array_equal(file["/tactile/force"], np.arange(30, 120.0).reshape(30, 3))
        assert file["/tactile/force"].attrs["unit"] == "N" and file["/data/demo_0/obs/force"] == file["/tactile/force"]
        np.testing.assert_array_equal(file["/calibration/pose"], np.eye(4))
        assert [text.decode() for text in file["/alias"][:2]] == ["row 10", "row 11"]
        assert file["/packed"].shape == (0,) and file.attrs["serials"] == "x1"
        assert changed_datasets(file) == []


def test_a_cut_of_a_cut_is_the_cut_of_the_whole(wave):
    once = trim(trim(wave, 10, 80).path, 20, 50)
    direct = trim(wave, 30, 60)
    with Episode.open(once.path) as one, Episode.open(direct.path) as other:
        assert content_sha256(one.file) == content_sha256(other.file)


@pytest.mark.parametrize("rows", [(0, 90), (10, 11), (-1, 20), (50, 20), (10, 91)])
def test_cuts_that_are_none_are_refused_and_leave_nothing(wave, rows):
    with pytest.raises(LibraryError, match=r"wave\.h5"):
        trim(wave, *rows)
    assert [path.name for path in wave.parent.iterdir()] == ["wave.h5"]


def test_a_disk_that_fails_leaves_no_half_episode(wave, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recorder.library_cut.correct_sums", full)
    with pytest.raises(LibraryError, match=r"No space left.*untouched"):
        trim(wave, 0, 40)
    assert [path.name for path in wave.parent.iterdir()] == ["wave.h5"]


def test_seconds_engaged_rows_and_marks_become_rows(wave):
    with Episode.open(wave) as episode:
        assert rows_between(episode, None, None) == (0, 90)
        assert rows_between(episode, 1.0, 2.0) == (30, 60)
        assert rows_between(episode, 1.001, 99.0) == (31, 90)
        engaged = np.flatnonzero(episode["/operator/engaged"])
        assert engaged_rows(episode) == (engaged[0], 90) and engaged[0] > 0
        assert marked_rows(episode) == []
        (row,) = marked_rows(episode, "teleop_event: Engaged")
        ticks, (stamp,) = (
            episode["/time/tick_ns"],
            [at for at, stream, _ in episode.events() if stream == "teleop_event"],
        )
        assert ticks[row - 1] < stamp <= ticks[row]


def test_what_was_said_of_the_source_holds_for_its_cuts_but_for_the_note(wave):
    write_labels(wave, Labels({"place": "kitchen"}, ("good",), True, "see minute 2"))
    parts = split(wave, [40])
    for part in parts:
        assert read_labels(part.path) == Labels({"place": "kitchen"}, ("good",), True)
    write_labels(parts[0].path, Labels({"place": "kitchen"}, ("good", "first"), False))
    assert read_labels(merge([part.path for part in parts]).path) == Labels(
        {"place": "kitchen"}, ("first", "good"), None
    )


def test_the_index_knows_cuts_and_their_session(wave):
    cut = trim(wave, 30, 60)
    with LibraryIndex(wave.parent) as index:
        assert index.refresh(hashes=True).bad == 0
        rows = {row["path"]: row for row in index.rows()}
    source, made = rows["wave.h5"], rows[cut.path.name]
    assert json.loads(made["derived_from"]) == [source["episode_id"]]
    assert made["session"] == source["session"] and made["content_sha256"] != source["content_sha256"]


def test_a_take_that_was_torn_stays_incomplete_in_its_cuts(wave):
    with h5py.File(wave, "r+") as file:
        file.attrs["complete"] = False
    with Episode.open(trim(wave, 0, 40).path) as episode:
        assert not episode.attribute("complete")


def test_split_parts_hold_their_rows(wave):
    parts = split(wave, [60, 25])
    assert [part.rows for part in parts] == [25, 35, 30]
    for part, rows in zip(parts, (slice(0, 25), slice(25, 60), slice(60, 90)), strict=True):
        assert_rows(wave, part.path, rows)
