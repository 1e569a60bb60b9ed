# SPDX-License-Identifier: Apache-2.0
"""LeRobot v3.0 and v2.1 data sets, read back with pyarrow and PyAV as its loaders read them."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av")
parquet = pytest.importorskip("pyarrow.parquet")

import export_episodes as made  # noqa: E402

from recorder.episode import Episode  # noqa: E402
from recorder.export_columns import columns  # noqa: E402
from recorder.export_errors import ExportInputError  # noqa: E402
from recorder.export_source import Source  # noqa: E402

CAMERA = "observation.images.cam_operator"
ROW_FILES = ["data/chunk-000/file-000.parquet", "data/chunk-000/file-001.parquet"]
VIDEO_FILES = [f"videos/{CAMERA}/chunk-000/file-00{n}.mp4" for n in (0, 1)]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("episodes")
    first = made.make_episode(folder / "a.h5")
    return [first, made.copy_of(folder / "b.h5", first, 20, task="fold")]


@pytest.fixture(scope="module")
def dataset(sources: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("out") / "v3"
    made.export(sources, root, landmarks=True)
    return root


def info(root: Path) -> dict:
    return json.loads((root / "meta/info.json").read_text())


def pictures(path: Path) -> tuple[list[Fraction], list[np.ndarray]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(f.pts * stream.time_base, f.to_ndarray(format="rgb24")) for f in container.decode(stream)]
    return [time for time, _ in frames], [pixels for _, pixels in frames]


def test_the_folder_has_the_files_of_the_format_and_none_is_half_written(dataset: Path) -> None:
    files = {str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file()}
    meta = {"meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/episodes/chunk-000/file-000.parquet"}
    assert {name for name in files if not name.startswith("booth_export/")} == meta | {*ROW_FILES, *VIDEO_FILES}


def test_info_declares_every_column_and_only_those(dataset: Path, sources: list[Path]) -> None:
    facts = info(dataset)
    with Episode.open(sources[0]) as episode:
        rows, joints = episode.rows, list(episode.joint_names)
    assert (facts["codebase_version"], facts["fps"], facts["total_episodes"]) == ("v3.0", 30, 2)
    assert (facts["total_frames"], facts["total_tasks"], facts["splits"]) == (2 * rows, 2, {"train": "0:2"})
    features = facts["features"]
    declared = {name for name, feature in features.items() if feature["dtype"] != "video"}
    table = parquet.read_table(dataset / ROW_FILES[0])
    assert set(table.column_names) == declared
    for name in declared:
        kind, (size,) = features[name]["dtype"], features[name]["shape"]
        kind = {"float32": "float", "bool": "bool"}.get(kind, kind)
        vector = features[name]["names"] is not None
        assert str(table.schema.field(name).type) == (
            f"fixed_size_list<element: {kind}>[{size}]" if vector else kind
        ), name
    assert features["action"]["names"] == features["observation.state"]["names"] == joints
    assert features[CAMERA]["shape"] == [made.HEIGHT, made.WIDTH, 3]
    assert not [name for name in features if "/" in name]


def test_rows_are_the_episodes_rows_with_their_real_stamps(dataset: Path, sources: list[Path]) -> None:
    first = 0
    for number, (file, source) in enumerate(zip(ROW_FILES, sources, strict=True)):
        table = parquet.read_table(dataset / file)
        with Episode.open(source) as episode:
            rows = episode.rows
            for name, origin in {
                "observation.state": "/observations/qpos",
                "observation.velocity": "/observations/qvel",
                "observation.effort": "/observations/effort",
                "action": "/action",
                "booth.engaged": "/operator/engaged",
                "booth.tick_ns": "/time/tick_ns",
                "booth.monotonic_ns": "/time/monotonic_ns",
                "booth.cam_operator_stamp_ns": "/time/cam_operator/stamp_ns",
                "booth.sent_age_ns": "/time/sent/age_ns",
            }.items():
                np.testing.assert_array_equal(table[name].to_pylist(), episode[origin].tolist(), err_msg=name)
        counter = np.arange(rows)
        np.testing.assert_allclose(table["timestamp"].to_numpy(), counter / 30, atol=1e-5)
        np.testing.assert_array_equal(table["frame_index"].to_numpy(), counter)
        np.testing.assert_array_equal(table["index"].to_numpy(), counter + first)
        assert set(table["episode_index"].to_pylist()) == set(table["task_index"].to_pylist()) == {number}
        first += rows


def test_what_was_not_known_has_a_flag_and_no_nan(dataset: Path, sources: list[Path]) -> None:
    table = parquet.read_table(dataset / ROW_FILES[0])
    with Episode.open(sources[0]) as episode:
        sent, known = episode["/actions/sent"], np.array(table["booth.action_sent_known"].to_pylist())
        seen = np.array(table["booth.hand_seen"].to_pylist())
        qpos = episode["/observations/qpos"]
    written = np.array(table["booth.action_sent"].to_pylist())
    assert not known.all() and known.any() and seen[:, 0].all() and not seen[:, 1].any()
    np.testing.assert_array_equal(known, ~np.isnan(sent))
    np.testing.assert_allclose(written[known], sent[known], rtol=1e-6)
    np.testing.assert_array_equal(written[~known], qpos[~known])
    for name in table.column_names:
        if "float" in str(table.schema.field(name).type):
            assert np.isfinite(np.array(table[name].to_pylist())).all(), name


@pytest.mark.parametrize("codec", ["h264", "mpeg4", "copy"])
def test_row_k_has_the_picture_of_row_k_at_k_over_fps(sources: list[Path], tmp_path: Path, codec: str) -> None:
    made.export(sources[:1], tmp_path / "out", codec=codec)
    times, shown = pictures(tmp_path / "out" / VIDEO_FILES[0])
    frames = made.frames_of(sources[0])
    assert times == [Fraction(row, 30) for row in range(len(frames))]
    for frame, pixels in zip(frames, shown, strict=True):
        made.assert_painted(pixels, frame, within=8)


def test_copy_keeps_the_cameras_bytes(sources: list[Path], tmp_path: Path) -> None:
    made.export(sources[:1], tmp_path / "out", codec="copy")
    with av.open(str(tmp_path / "out" / VIDEO_FILES[0])) as container, Episode.open(sources[0]) as episode:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        assert packets == [episode.image("cam_operator", row) for row in range(episode.rows)]


@pytest.mark.parametrize("codec", ["h264", "copy"])
def test_rows_without_a_picture_are_black_and_shift_nothing(sources: list[Path], tmp_path: Path, codec: str) -> None:
    import h5py

    source = made.copy_of(tmp_path / "in" / "c.h5", sources[0], 3)
    with h5py.File(source, "r+") as file:
        file["/compress_len"][0, :5] = 0
        file["/compress_len"][0, 20] = 0
    made.export([source], tmp_path / "out", codec=codec)
    _, shown = pictures(tmp_path / "out" / VIDEO_FILES[0])
    for row, frame in enumerate(made.frames_of(source)):
        if row < 5 or row == 20:
            assert shown[row].max() < 8
        else:
            made.assert_painted(shown[row], frame, within=8)


def test_every_camera_has_its_own_pictures(sources: list[Path], tmp_path: Path) -> None:
    source = made.copy_of(tmp_path / "in" / "two.h5", sources[0], 4)
    backwards = made.frames_of(source)[::-1]
    made.add_camera(source, "cam_wrist", backwards)
    root = tmp_path / "out"
    made.export([source], root)
    _, shown = pictures(root / "videos/observation.images.cam_wrist/chunk-000/file-000.mp4")
    for frame, pixels in zip(backwards, shown, strict=True):
        made.assert_painted(pixels, frame, within=8)
    assert "booth.cam_wrist_stamp_ns" in info(root)["features"]
    episodes = parquet.read_table(root / "meta/episodes/chunk-000/file-000.parquet")
    assert "videos/observation.images.cam_wrist/from_timestamp" in episodes.column_names
    only = tmp_path / "only"
    made.export([source], only, cameras=("cam_wrist",))
    assert [name for name in info(only)["features"] if "images" in name] == ["observation.images.cam_wrist"]


def test_the_tables_of_episodes_and_tasks_lead_to_every_file(dataset: Path) -> None:
    rows = parquet.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    length = rows[0]["length"]
    assert [(row["dataset_from_index"], row["dataset_to_index"]) for row in rows] == [(0, length), (length, 2 * length)]
    assert [row["tasks"] for row in rows] == [["wave"], ["fold"]]
    for row in rows:
        chunk, file = row["data/chunk_index"], row["data/file_index"]
        assert (dataset / f"data/chunk-{chunk:03d}/file-{file:03d}.parquet").is_file()
        assert row[f"videos/{CAMERA}/from_timestamp"] == 0
        assert row[f"videos/{CAMERA}/to_timestamp"] == pytest.approx(length / 30)
    tasks = parquet.read_table(dataset / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    assert tasks.to_pydict() == {"task_index": [0, 1], "task": ["wave", "fold"]}


def test_pandas_reads_the_tasks_as_an_index(dataset: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(dataset / "meta/tasks.parquet")
    assert frame.index.name == "task" and frame.loc["fold"].task_index == 1


def test_statistics_are_those_of_the_rows(dataset: Path) -> None:
    stats = json.loads((dataset / "meta/stats.json").read_text())
    values = np.concatenate([parquet.read_table(dataset / file)["action"].to_pylist() for file in ROW_FILES])
    for name, expected in {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
    }.items():
        np.testing.assert_allclose(stats["action"][name], expected, atol=1e-6, err_msg=name)
    assert stats["action"]["count"] == [len(values)]
    assert (np.array(stats["action"]["q01"]) <= np.array(stats["action"]["q99"])).all()
    picture = {name: np.array(value) for name, value in stats[CAMERA].items()}
    assert picture["mean"].shape == picture["q50"].shape == (3, 1, 1)
    assert picture["mean"][2, 0, 0] == pytest.approx(20 / 255, abs=0.02)
    assert not [name for name in stats if name.startswith("booth.")]


def test_what_only_some_episodes_have_makes_no_column(sources: list[Path], tmp_path: Path) -> None:
    older = [source_without(source, "/time/hands/stamp_ns") for source in made.select(sources[:1]).sources]
    plan = made.plan_of(sources, tmp_path)
    mixed = made.make_plan(replace(made.select(sources[1:]), sources=(*older, plan.items[1].source)), plan.settings)
    whole, part = (set(columns(each.job(tmp_path, each.items[0]))) for each in (plan, mixed))
    assert whole - part == {"booth.hands_stamp_ns", "booth.hands_age_ns"} and part < whole


def source_without(source: Source, name: str) -> Source:
    return replace(source, holds=tuple(held for held in source.holds if held != name))


@pytest.mark.parametrize("kind", ["requested", "sent"])
def test_another_action_is_the_one_of_the_following_row(sources: list[Path], tmp_path: Path, kind: str) -> None:
    made.export(sources[:1], tmp_path / "out", action=kind, cameras=())
    written = np.array(parquet.read_table(tmp_path / "out" / ROW_FILES[0])["action"].to_pylist(), np.float32)
    with Episode.open(sources[0]) as episode:
        told, learner = episode[f"/actions/{kind}"].astype(np.float32), episode["/action"]
    following = np.concatenate([told[1:], told[-1:]])
    known = ~np.isnan(following)
    assert known.any() and not known.all()
    np.testing.assert_array_equal(written[known], following[known])
    np.testing.assert_array_equal(written[~known], learner[~known])


def test_a_split_makes_runs_of_episodes(sources: list[Path], tmp_path: Path) -> None:
    third = made.copy_of(tmp_path / "in" / "c.h5", sources[0], 30)
    ids = [made.select([path]).sources[0].episode_id for path in (*sources, third)]
    outcome = made.export([*sources, third], tmp_path / "out", split={"train": [ids[2], ids[0]], "val": [ids[1]]})
    assert [item.source.episode_id for item in outcome.plan.items] == [ids[0], ids[2], ids[1]]
    assert info(tmp_path / "out")["splits"] == {"train": "0:2", "val": "2:3"}


def test_a_rate_that_is_no_whole_number_is_refused(sources: list[Path], tmp_path: Path) -> None:
    odd = made.copy_of(tmp_path / "in" / "odd.h5", sources[0], 5, rate_hz=29.97)
    with pytest.raises(ExportInputError, match=r"whole rows per second.*29.97"):
        made.export([odd], tmp_path / "out")


def test_version_2_1_has_its_own_names_and_metas(sources: list[Path], tmp_path: Path) -> None:
    root = tmp_path / "out"
    made.export(sources, root, format="lerobot-v2.1")
    facts = info(root)
    assert (facts["codebase_version"], facts["total_videos"], facts["total_chunks"]) == ("v2.1", 2, 1)
    lines = {
        name: [json.loads(line) for line in (root / f"meta/{name}.jsonl").read_text().splitlines()]
        for name in ("episodes", "tasks", "episodes_stats")
    }
    assert [(line["episode_index"], line["tasks"]) for line in lines["episodes"]] == [(0, ["wave"]), (1, ["fold"])]
    assert lines["tasks"] == [{"task_index": 0, "task": "wave"}, {"task_index": 1, "task": "fold"}]
    assert lines["episodes_stats"][1]["stats"]["observation.state"]["count"] == [lines["episodes"][1]["length"]]
    for line in lines["episodes"]:
        number = line["episode_index"]
        data = facts["data_path"].format(episode_chunk=0, episode_index=number)
        assert data == f"data/chunk-000/episode_{number:06d}.parquet"
        assert parquet.read_table(root / data).num_rows == line["length"]
        video = facts["video_path"].format(episode_chunk=0, episode_index=number, video_key=CAMERA)
        assert len(pictures(root / video)[0]) == line["length"]


def test_lerobot_itself_loads_it(dataset: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    loader = pytest.importorskip("lerobot.datasets.lerobot_dataset", reason="lerobot is not installed")
    loaded = loader.LeRobotDataset("booth/test", root=dataset, video_backend="pyav")
    frames = made.frames_of(sources[0])
    assert len(loaded) == 2 * len(frames)
    for row in (0, 1, len(frames) // 2, len(frames) - 1):
        item = loaded[len(frames) + row]
        made.assert_painted((item[CAMERA].numpy().transpose(1, 2, 0) * 255).round(), frames[row], within=8)
        with Episode.open(sources[1]) as episode:
            np.testing.assert_array_equal(item["action"].numpy(), episode["/action"][row])
        assert item["task"] == "fold"
