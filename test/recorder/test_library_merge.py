# SPDX-License-Identifier: Apache-2.0
"""Merge: parts that follow row by row become one episode again; everything else is refused."""

import json
import shutil

import h5py
import numpy as np
import pytest
from library_episodes import wave_episode

from recorder.check import check_episode
from recorder.episode import Episode
from recorder.library_cut import merge, split
from recorder.library_errors import LibraryError
from recorder.library_hash import content_sha256


@pytest.fixture
def wave(tmp_path):
    """A fresh copy of an episode of 90 rows."""
    return shutil.copy(wave_episode(), tmp_path / "wave.h5")


def test_split_parts_merge_into_the_same_data(wave):
    parts = split(wave, [60, 25])
    assert [part.rows for part in parts] == [25, 35, 30]
    whole = merge([part.path for part in (parts[2], parts[0], parts[1])])
    assert (whole.rows, whole.verdict) == (90, check_episode(wave).verdict.value)
    with Episode.open(whole.path) as one, Episode.open(wave) as other:
        assert content_sha256(one.file) == content_sha256(other.file)
        assert one.events() == other.events()
        assert len(json.loads(one.attribute("derived_from"))) == 3
        assert one.attribute("end_reason") == other.attribute("end_reason") == "stopped"


def test_parts_whose_images_are_padded_differently_merge(wave):
    parts = split(wave, [40])
    with h5py.File(parts[1].path, "r+") as file:
        old = file["/observations/images/cam_operator"]
        wide = np.pad(old[()], ((0, 0), (0, 7)))
        attributes = dict(old.attrs)
        for name in ("/observations/images/cam_operator", "/data/demo_0/obs/cam_operator"):
            del file[name]
        made = file.create_dataset("/observations/images/cam_operator", data=wide, chunks=(1, wide.shape[1]))
        made.attrs.update(attributes)
        file["/data/demo_0/obs/cam_operator"] = made
    whole = merge([part.path for part in parts])
    with Episode.open(whole.path) as one, Episode.open(wave) as other:
        assert one.file["/observations/images/cam_operator"].shape[1] == 607
        for row in (0, 39, 40, 89):
            assert one.image("cam_operator", row) == other.image("cam_operator", row)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("robot_sha256", "0" * 64, "robot_sha256"),
        ("rate_hz", 31.0, "rate_hz"),
        ("operator", "bob", "operator is 'ada' and 'bob'"),
        ("wall_offset_ns", 5, "wall_offset_ns"),
    ],
)
def test_parts_of_different_demonstrations_are_not_merged(wave, name, value, words):
    parts = split(wave, [40])
    with h5py.File(parts[1].path, "r+") as file:
        file.attrs[name] = value
    with pytest.raises(LibraryError, match=words):
        merge([part.path for part in parts])


def test_parts_with_rows_missing_between_them_are_not_merged(wave):
    parts = split(wave, [40, 44])
    with pytest.raises(LibraryError, match=r"begins 0\.167 s after the last row .* made up"):
        merge([parts[0].path, parts[2].path])
    with pytest.raises(LibraryError, match="rows in between"):
        merge([parts[0].path, parts[0].path])
    with pytest.raises(LibraryError, match="two or more"):
        merge([parts[0].path])


def test_a_dataset_that_only_one_part_has_refuses_the_merge(wave):
    parts = split(wave, [40])
    with h5py.File(parts[0].path, "r+") as file:
        file["/extra"] = np.zeros(40)
    with pytest.raises(LibraryError, match="has no /extra"):
        merge([part.path for part in parts])
