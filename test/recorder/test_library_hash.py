# SPDX-License-Identifier: Apache-2.0
"""The content hash is that of what was observed and done, whatever the file is called."""

import json

import h5py
from library_episodes import small_episode, state_manifest

from recorder.library_hash import content_sha256


def test_content_hash_ignores_names_and_verdicts_and_notices_every_value(tmp_path):
    def content(change):
        path = tmp_path / "a.h5"
        path.write_bytes(small_episode().read_bytes())
        with h5py.File(path, "r+") as file:
            change(file)
            state_manifest(file)
            return content_sha256(file)

    same = content(lambda file: None)
    assert content(lambda file: file.attrs.update(task="x", verdict="fail", episode_id="y")) == same
    assert content(lambda file: file.create_dataset("/more", data=[1])) == same

    def change(name, index):
        def apply(file):
            values = file[name][()]
            values[index] = not values[index]
            file[name][...] = values

        return apply

    changed = [content(change(name, (3, 0))) for name in ("/observations/qpos", "/action", "/actions/sent")]
    changed.append(content(change("/observations/images/cam_operator", (17, 2))))
    changed.append(content(change("/time/tick_ns", 5)))
    assert len({same, *changed}) == 6


def test_content_hash_believes_the_episodes_own_manifest(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(small_episode().read_bytes())
    with h5py.File(path, "r+") as file:
        before = content_sha256(file)
        file.attrs["manifest"] = json.dumps({"/action": "f" * 64})
        assert content_sha256(file) != before
        for unusable in ("{", "[1]", '{"/action": "no hash"}'):
            file.attrs["manifest"] = unusable
            assert content_sha256(file) == before  # counted from the bytes themselves
