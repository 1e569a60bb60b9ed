# SPDX-License-Identifier: Apache-2.0
"""An episode gets a manifest only when all of it reads back as it was meant."""

import os

import h5py
import numpy as np
import pytest
from takes import Script, make_take

from recorder import written_episode
from recorder.assemble import assemble
from recorder.episode import Episode
from recorder.episode_writer import write_tables
from recorder.errors import EpisodeError
from recorder.finalise import finalise
from recorder.manifest import changed_datasets, make_manifest
from recorder.take_reader import read_take
from recorder.written_episode import read_back, write_checked


@pytest.fixture
def tables(tmp_path):
    return assemble(read_take(make_take(tmp_path / "a.mcap", Script(seconds=1.0))))


def test_what_is_read_back_is_the_manifest_of_the_file(tmp_path, tables):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write_tables(file, tables)
        assert read_back(file, tables) == make_manifest(file)


def test_a_checked_episode_carries_its_manifest_and_verdict(tmp_path, tables):
    report = write_checked(tmp_path / "a.h5", tables)
    with Episode.open(tmp_path / "a.h5") as written:
        assert changed_datasets(written.file) == []
        assert written.attribute("verdict") == report.verdict.value
        assert [finding.code for finding in report.findings if finding.code == "manifest"] == ["manifest"]


@pytest.mark.parametrize("name", ["/actions/sent", "/operator/engaged", "/observations/images/cam_operator"])
def test_a_bit_that_changed_on_the_way_is_found(tmp_path, tables, name):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write_tables(file, tables)
        values = file[name][()]
        values.view(np.uint8).reshape(-1)[-1] ^= 1  # of an image: padding
        del file[name]
        file.create_dataset(name, data=values, chunks=(1, values.shape[1]) if values.dtype == np.uint8 else None)
        with pytest.raises(EpisodeError, match=f"{name} does not read back"):
            read_back(file, tables)


def test_an_image_that_lost_a_byte_is_found(tmp_path, tables):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        write_tables(file, tables)
        file["/observations/images/cam_operator"][3, 200] ^= 1
        with pytest.raises(EpisodeError, match="cam_operator does not read back"):
            read_back(file, tables)


def test_a_disk_that_fails_while_it_syncs_leaves_no_episode(tmp_path, monkeypatch):
    def failing(path):
        raise OSError(5, os.strerror(5))

    take = make_take(tmp_path / "a.mcap", Script(seconds=1.0))
    monkeypatch.setattr(written_episode, "sync_file", failing)
    with pytest.raises(EpisodeError, match=r"can't write a\.h5.*The take is untouched"):
        finalise(take)
    assert not (tmp_path / "a.h5").exists()
    assert take.exists()
