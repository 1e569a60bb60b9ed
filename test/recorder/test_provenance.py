# SPDX-License-Identifier: Apache-2.0
"""What an episode tells of where it comes from and of the operator, and how it notices that a byte has changed."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from takes import MS, T0, UNROUNDED_RAD, Script, body, make_take, metadata, text

from graph.topics import BODY, DRIVER_FACTS, RECORDER_EVENT, TELEOP_FACTS
from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.finalise import finalise
from recorder.manifest import changed_datasets

SECOND = 1000 * MS


def episode(tmp_path: Path, *more: tuple[int, str, bytes], **facts: object) -> Episode:
    """The episode of a synthetic take with further messages."""
    take = make_take(tmp_path / "a.mcap", Script(more=more), metadata(**facts))
    return Episode.open(finalise(take).path)


def test_what_the_nodes_told_last_is_in_the_provenance(tmp_path: Path) -> None:
    firmware = {"devices": [{"id": 111, "firmware": 46}]}
    told = [
        (T0 - 5 * MS, DRIVER_FACTS.name, text(json.dumps(firmware))),
        (T0 + 10 * MS, TELEOP_FACTS.name, text(json.dumps({"profile": "old"}))),
        (T0 + SECOND, TELEOP_FACTS.name, text(json.dumps({"profile": "ada", "calibration": {"right_hand": {}}}))),
    ]
    with episode(tmp_path, *told, platform={"python": "3.11.7"}) as found:
        provenance = json.loads(found.attribute("provenance"))
        assert provenance["driver"] == firmware
        assert provenance["teleop"]["profile"] == "ada"
        assert provenance["recorder"] == {"python": "3.11.7"}
        assert "tracker" not in provenance


def test_an_episode_says_to_which_session_it_belongs_and_which_number_it_has(tmp_path: Path) -> None:
    with episode(tmp_path, session="0193-7", episode_number=4) as found:
        assert (found.attribute("session"), found.attribute("episode_number")) == ("0193-7", 4)


def test_facts_that_are_no_json_are_left_out(tmp_path: Path) -> None:
    with episode(tmp_path, (T0, DRIVER_FACTS.name, text("{"))) as found:
        assert "driver" not in json.loads(found.attribute("provenance"))


def test_the_body_is_in_its_rows_with_its_age(tmp_path: Path) -> None:
    looks = [(at, BODY.name, body(at, (at - T0) / SECOND)) for at in range(T0, T0 + 2 * SECOND, 66 * MS)]
    with episode(tmp_path, *looks) as found:
        heights, ticks = found["/operator/body"][:, 0, 1], found["/time/tick_ns"]
        ages = found["/time/body/age_ns"]
        np.testing.assert_allclose(heights, (ticks - ages - T0) / SECOND, atol=1e-6)
        assert ages.min() >= 0 and ages.max() <= 66 * MS
        assert np.allclose(found["/operator/body_visibility"], 0.8)
        assert not found["/health/stale/body"].any()


def test_a_take_without_a_body_has_none(tmp_path: Path) -> None:
    with episode(tmp_path) as found:
        assert np.isnan(found["/operator/body"]).all()
        assert (found["/time/body/age_ns"] == -1).all()
        assert int(found.attribute("dropped_rows")) == 0


def test_limited_is_what_was_not_yet_rounded(tmp_path: Path) -> None:
    with episode(tmp_path) as found:
        sent, limited = found["/actions/sent"], found["/actions/limited"]
        told = np.isfinite(sent)
        assert told.any()
        np.testing.assert_allclose(limited[told] - sent[told], UNROUNDED_RAD, atol=1e-12)
        assert np.isnan(limited[~told]).all()


def test_a_pause_is_marked_in_its_rows(tmp_path: Path) -> None:
    acts = [(T0 + at * MS, RECORDER_EVENT.name, text(word)) for at, word in ((800, "paused"), (1200, "resumed"))]
    with episode(tmp_path, *acts, (T0 + 900 * MS, RECORDER_EVENT.name, text("mark 1"))) as found:
        ticks = found["/time/tick_ns"] - T0
        np.testing.assert_array_equal(found["/operator/paused"], (ticks >= 800 * MS) & (ticks < 1200 * MS))


def test_a_finished_episode_agrees_with_its_manifest(tmp_path: Path) -> None:
    with episode(tmp_path) as found:
        assert changed_datasets(found.file) == []
        assert {entry["name"] for entry in found.summary()} == set(json.loads(found.attribute("manifest")))


@pytest.mark.parametrize("name", ["/action", "/observations/images/cam_operator", "/operator/engaged", "/joint_names"])
def test_a_changed_value_is_found_in_its_dataset(tmp_path: Path, name: str) -> None:
    with episode(tmp_path) as found:
        path = found.path
    with h5py.File(path, "r+") as file:
        dataset = file[name]
        if name == "/joint_names":
            dataset[3] = "another"
        elif name == "/operator/engaged":
            dataset[5] = not dataset[5]
        else:
            dataset[5, 3] = dataset[5, 3] + 1
        assert changed_datasets(file) == [name]


def test_a_dataset_that_came_or_went_is_found(tmp_path: Path) -> None:
    with episode(tmp_path) as found:
        path = found.path
    with h5py.File(path, "r+") as file:
        file["/extra"] = np.zeros(3)
        del file["/health/late"]
        assert changed_datasets(file) == ["/extra", "/health/late"]


def test_an_unusable_manifest_says_so(tmp_path: Path) -> None:
    with episode(tmp_path) as found:
        path = found.path
    with h5py.File(path, "r+") as file:
        file.attrs["manifest"] = "["
        with pytest.raises(EpisodeError, match="expected JSON"):
            changed_datasets(file)


def test_any_reader_of_hdf5_1_10_opens_an_episode(tmp_path: Path) -> None:
    """Superblock version 0 or 2: no feature that came after HDF5 1.8, no filter."""
    with episode(tmp_path) as found:
        path = found.path
        filters: list[str] = []
        found.file.visititems(lambda name, item: filters.append(name) if getattr(item, "compression", None) else None)
    assert path.read_bytes()[8] in (0, 2)
    assert filters == []
