# SPDX-License-Identifier: Apache-2.0
"""Pictures are read quickly from our own files, and correctly from files that somebody packed anew."""

import h5py
import pytest
from takes import Script, make_take

from recorder.check_frames import frame_rows
from recorder.episode import Episode
from recorder.finalise import finalise

CAMERA = "cam_operator"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return finalise(make_take(tmp_path_factory.mktemp("frames") / "a.mcap", Script(seconds=1.0))).path


@pytest.mark.parametrize("packed", [{}, {"compression": "gzip"}, {"chunks": (7, 300)}, {"chunks": None}])
def test_every_row_is_its_jpeg(path, tmp_path, packed):
    copy = tmp_path / "copy.h5"
    copy.write_bytes(path.read_bytes())
    if packed:
        with h5py.File(copy, "r+") as file:
            name = f"/observations/images/{CAMERA}"
            images = file[name][()]
            del file[name]
            file.create_dataset(name, data=images, **packed)
    with Episode.open(copy) as episode:
        expected = [episode.image(CAMERA, row) for row in range(episode.rows)]
        assert [bytes(image) for image in frame_rows(episode, CAMERA)] == expected
        some = [0, 5, 6, episode.rows - 1]
        assert [bytes(image) for image in frame_rows(episode, CAMERA, some)] == [expected[row] for row in some]


def test_rows_without_a_picture_are_empty(path, tmp_path):
    copy = tmp_path / "copy.h5"
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "r+") as file:
        file["/compress_len"][0, :3] = 0
    with Episode.open(copy) as episode:
        assert [len(image) > 0 for image in frame_rows(episode, CAMERA)][:5] == [False, False, False, True, True]
