# SPDX-License-Identifier: Apache-2.0
"""RLDS data sets: records that a plain reader understands, in the layout that TensorFlow Datasets looks for."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av")

import export_episodes as made
import h5py
import read_tfrecord

from recorder import export_rlds, export_rlds_meta
from recorder.episode import Episode
from recorder.export_errors import ExportError, ExportInputError

CLASS = "tensorflow_datasets.core.features."


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.make_episode(tmp_path_factory.mktemp("origin") / "a.h5")


@pytest.fixture
def sources(origin: Path, tmp_path: Path) -> list[Path]:
    return [made.copy_of(tmp_path / f"in/{number}.h5", origin, number) for number in range(3)]


def read(path: Path) -> dict[str, Any]:
    (record,) = read_tfrecord.records(path)
    return read_tfrecord.example(record)


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "1.0.0").iterdir())


def ids(root: Path) -> list[str]:
    """Ids of the episodes in the order of the files."""
    found = [read(path)["episode_metadata/episode_id"][0].decode() for path in sorted((root / "1.0.0").glob("*.tf*"))]
    return [str(int(text.replace("-", ""), 16) - 1) for text in found]


def test_record_holds_every_row_of_the_episode(origin: Path, tmp_path: Path) -> None:
    root = tmp_path / "cups"
    made.export([origin], root, format="rlds", landmarks=True)
    found = read(root / "1.0.0/cups-train.tfrecord-00000-of-00001")
    with Episode.open(origin) as episode:
        rows = episode.rows
        for name, path in (("observation/state", "/observations/qpos"), ("action", "/action")):
            np.testing.assert_array_equal(found[f"steps/{name}"], np.ravel(episode[path]).astype(np.float32))
        np.testing.assert_array_equal(found["steps/booth/tick_ns"], episode["/time/tick_ns"])
        assert found["steps/booth/landmarks"].shape == (rows * 2 * 21 * 3,)
        assert found["steps/language_instruction"] == [str(episode.attribute("task")).encode() or b"?"] * rows
        assert found["episode_metadata/episode_id"] == [str(episode.attribute("episode_id")).encode()]
    ends = np.arange(rows) == rows - 1
    for name, expected in (("is_first", np.arange(rows) == 0), ("is_last", ends), ("is_terminal", ends)):
        np.testing.assert_array_equal(found[f"steps/{name}"], expected)
    np.testing.assert_array_equal(found["steps/reward"], ends)
    np.testing.assert_array_equal(found["steps/discount"], np.ones(rows))


def test_pictures_are_the_cameras_own_and_black_before_the_first(origin: Path, tmp_path: Path) -> None:
    source = made.copy_of(tmp_path / "in/a.h5", origin, 1)
    with h5py.File(source, "r+") as file:
        file["/compress_len"][0, :2] = 0
    made.export([source], tmp_path / "out", format="rlds")
    pictures = read(tmp_path / "out/1.0.0/out-train.tfrecord-00000-of-00001")["steps/observation/cam_operator"]
    with Episode.open(source) as episode:
        assert pictures[2:] == [episode.image("cam_operator", row) for row in range(2, episode.rows)]
    for picture in pictures[:2]:
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
        assert pixels.shape == (made.HEIGHT, made.WIDTH, 3)
        assert pixels.max() <= 1


def test_every_key_of_a_record_is_described_and_no_other(origin: Path, tmp_path: Path) -> None:
    made.export([origin], tmp_path / "out", format="rlds", landmarks=True)
    described = described_keys(json.loads((tmp_path / "out/1.0.0/features.json").read_text()))
    found = read(tmp_path / "out/1.0.0/out-train.tfrecord-00000-of-00001")
    assert set(described) == set(found)
    with Episode.open(origin) as episode:
        rows = episode.rows
    for name, (kind, size) in described.items():
        steps = rows if name.startswith("steps/") else 1
        assert len(found[name]) == steps * size, name
        held = "text" if isinstance(found[name], list) else str(found[name].dtype)
        assert held == {"bool": "int64"}.get(kind, kind), name


def described_keys(feature: dict[str, Any], path: str = "") -> dict[str, tuple[str, int]]:
    """Path of every leaf of features.json -> its type and how many values a step has."""
    if "sequence" in feature:
        assert feature["pythonClassName"] == CLASS + "dataset_feature.Dataset"
        return described_keys(feature["sequence"]["feature"], path)
    if "featuresDict" in feature:
        below = feature["featuresDict"]["features"]
        return {key: leaf for name, one in below.items() for key, leaf in described_keys(one, f"{path}/{name}").items()}
    if "tensor" in feature:
        sizes = feature["tensor"]["shape"].get("dimensions", [])
        return {path[1:]: (feature["tensor"]["dtype"], int(np.prod([int(size) for size in sizes])))}
    return {path[1:]: ("text", 1)}


def test_folder_is_a_data_set_of_one_shard_an_episode(sources: list[Path], tmp_path: Path) -> None:
    split = {"train": [str(made.UUID(int=1)), str(made.UUID(int=3))], "val": [str(made.UUID(int=2))]}
    made.export(sources, tmp_path / "out", format="rlds", split=split)
    shards = ["out-train.tfrecord-00000-of-00002", "out-train.tfrecord-00001-of-00002"]
    shards += ["out-val.tfrecord-00000-of-00001"]
    assert names(tmp_path / "out") == ["dataset_info.json", "features.json", *shards]
    info = json.loads((tmp_path / "out/1.0.0/dataset_info.json").read_text())
    assert (info["name"], info["version"], info["fileFormat"]) == ("out", "1.0.0", "tfrecord")
    assert [(part["name"], part["shardLengths"]) for part in info["splits"]] == [("train", ["1", "1"]), ("val", ["1"])]
    sizes = [(tmp_path / "out/1.0.0" / name).stat().st_size - 16 for name in shards]
    assert [int(part["numBytes"]) for part in info["splits"]] == [sum(sizes[:2]), sizes[2]]


def test_added_episodes_leave_the_others_bytes_and_order_alone(sources: list[Path], tmp_path: Path) -> None:
    root = tmp_path / "out"
    made.export(sources[:2], root, format="rlds")
    before = [(root / f"1.0.0/out-train.tfrecord-0000{k}-of-00002").read_bytes() for k in range(2)]
    outcome = made.export(sources, root, format="rlds")
    assert (outcome.written, outcome.kept) == (1, 2)
    shards = [f"out-train.tfrecord-0000{k}-of-00003" for k in range(3)]
    assert names(root) == ["dataset_info.json", "features.json", *shards]
    assert [(root / "1.0.0" / name).read_bytes() for name in shards[:2]] == before
    assert ids(root) == ["0", "1", "2"]


@pytest.mark.parametrize("moves", [0, 1])
def test_merge_that_was_cut_short_is_taken_up_again(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    """The power goes while files get their names; then an episode is added, too."""
    root, made_moves, rename = tmp_path / "out", [0], Path.rename

    def cut(self: Path, target: Path) -> Path:
        if ".tfrecord-" in target.name:
            if made_moves[0] == moves:
                raise KeyboardInterrupt
            made_moves[0] += 1
        return rename(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", cut)
        made.export(sources[:2], root, format="rlds")
    assert not (root / "1.0.0/dataset_info.json").exists()
    made.export(sources, root, format="rlds")
    assert len(names(root)) == 5
    assert ids(root) == ["0", "1", "2"]


def test_file_that_is_gone_is_told(sources: list[Path], tmp_path: Path) -> None:
    root = tmp_path / "out"
    made.export(sources[:2], root, format="rlds")
    (root / "1.0.0/out-train.tfrecord-00000-of-00002").unlink()
    with pytest.raises(ExportError, match="1 finished episodes are gone"):
        made.export(sources, root, format="rlds")


@pytest.mark.parametrize("name", ["my-set", "1st", "Übung", "Set"])
def test_folder_that_tfds_can_t_name_is_refused(sources: list[Path], tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportInputError, match="small letters"):
        made.export(sources, tmp_path / name, format="rlds")


def test_record_beyond_protobuf_s_limit_is_refused(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rlds, "MAX_EXAMPLE_BYTES", 1000)
    with pytest.raises(ExportError, match="--cameras"):
        made.export(sources[:1], tmp_path / "out", format="rlds")


def test_broken_jpeg_fails_its_episode_alone(sources: list[Path], tmp_path: Path) -> None:
    with h5py.File(sources[1], "r+") as file:
        file["/observations/images/cam_operator"][5, :400] = 7
    with pytest.raises(ExportError, match=r"1 of 3 episodes"):
        made.export(sources, tmp_path / "out", format="rlds")
    assert len(list((tmp_path / "out" / export_rlds.STAGE).glob("*.tfrecord"))) == 2
    assert not (tmp_path / "out" / export_rlds_meta.VERSION).exists()
