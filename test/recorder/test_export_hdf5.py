# SPDX-License-Identifier: Apache-2.0
"""ACT and robomimic files against what those loaders ask for."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

pytest.importorskip("av")

import export_episodes as made

from recorder import export_act
from recorder.episode import Episode
from recorder.export_errors import ExportInputError
from robots import load_robot

SHAPE = (made.HEIGHT, made.WIDTH, 3)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("episodes")
    first = made.make_episode(folder / "a.h5")
    longer = made.make_episode(folder / "long.h5", made.takes.Script(seconds=1.5, engage_at_s=0.3))
    return [made.copy_of(folder / "in/0.h5", first, 1), made.copy_of(folder / "in/1.h5", longer, 2)]


def rows_of(path: Path) -> int:
    with Episode.open(path) as episode:
        return episode.rows


def assert_pictures(dataset: h5py.Dataset, frames: list[int]) -> None:
    assert dataset.dtype == np.uint8 and dataset.chunks == (1, *SHAPE)
    assert dataset.shape == (len(frames), *SHAPE)
    for row, frame in enumerate(frames):
        made.assert_painted(dataset[row], frame, within=4)


def test_act_files_are_raw_equally_long_and_in_true_colours(sources: list[Path], tmp_path: Path) -> None:
    rows = rows_of(sources[0])
    made.export(sources, tmp_path, format="act", crop_to=rows)
    assert sorted(path.name for path in tmp_path.glob("*.hdf5")) == ["episode_0.hdf5", "episode_1.hdf5"]
    for number, source in enumerate(sources):
        with h5py.File(tmp_path / f"episode_{number}.hdf5") as file, Episode.open(source) as episode:
            assert isinstance(file.attrs["sim"], np.bool_) and file.attrs["sim"]
            joints = len(episode.joint_names)
            for name in ("/action", "/observations/qpos", "/observations/qvel", "/observations/effort"):
                assert (file[name].shape, file[name].dtype) == ((rows, joints), np.float32)
                np.testing.assert_array_equal(file[name][()], episode[name][:rows])
            assert_pictures(file["/observations/images/cam_operator"], made.frames_of(source)[:rows])


def test_act_pads_with_the_last_row(sources: list[Path], tmp_path: Path) -> None:
    short, rows = rows_of(sources[0]), rows_of(sources[1])
    made.export(sources, tmp_path, format="act", pad_to=rows)
    with h5py.File(tmp_path / "episode_0.hdf5") as file:
        action, frames = file["/action"][()], made.frames_of(sources[0])
        assert file.attrs["padded_rows"] == rows - short > 0
        assert (action[short:] == action[short - 1]).all()
        assert_pictures(file["/observations/images/cam_operator"], frames + frames[-1:] * (rows - short))
    with h5py.File(tmp_path / "episode_1.hdf5") as file:
        assert file.attrs["padded_rows"] == 0


def test_act_refuses_unequal_lengths_with_what_to_do(sources: list[Path], tmp_path: Path) -> None:
    low, high = (rows_of(source) for source in sources)
    with pytest.raises(ExportInputError, match=rf"{low} to {high}: --crop-to {low} .* --pad-to {high}"):
        made.export(sources, tmp_path / "out", format="act")
    made.export(sources, tmp_path / "both", format="act", crop_to=low + 2, pad_to=low + 2)
    assert {rows_of_file(path) for path in (tmp_path / "both").glob("*.hdf5")} == {low + 2}


def rows_of_file(path: Path) -> int:
    with h5py.File(path) as file:
        return len(file["/action"])


def test_raw_pictures_that_do_not_fit_on_the_disk_are_refused_before(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_act, "free_bytes", lambda root: 100_000)
    with pytest.raises(ExportInputError, match=r"need 0\.\d GB, 0\.0 GB are free"):
        made.export(sources[:1], tmp_path / "out", format="act")
    assert not list((tmp_path / "out").glob("*.hdf5"))


def test_robomimic_holds_all_demonstrations_in_one_file(sources: list[Path], tmp_path: Path) -> None:
    ids = [made.select([path]).sources[0].episode_id for path in sources]
    made.export(sources, tmp_path, format="robomimic", next_obs=True, split={"train": ids[:1], "val": ids[1:]})
    assert [path.name for path in tmp_path.glob("*.hdf5")] == ["demos.hdf5"]
    with h5py.File(tmp_path / "demos.hdf5") as file:
        data = file["data"]
        environment = json.loads(data.attrs["env_args"])
        assert {"env_name", "type", "env_kwargs"} <= set(environment) and isinstance(environment["type"], int)
        assert sorted(data, key=lambda name: int(name[5:])) == ["demo_0", "demo_1"]
        assert data.attrs["total"] == sum(rows_of(source) for source in sources)
        assert [name.decode() for name in file["mask/train"][()]] == ["demo_0"]
        assert [name.decode() for name in file["mask/valid"][()]] == ["demo_1"]
        for number, source in enumerate(sources):
            _assert_demo(data[f"demo_{number}"], source)


def _assert_demo(demo: h5py.Group, source: Path) -> None:
    frames = made.frames_of(source)
    with Episode.open(source) as episode:
        assert demo.attrs["num_samples"] == episode.rows
        np.testing.assert_array_equal(demo["actions"][()], episode["/action"])
        np.testing.assert_array_equal(demo["obs/qpos"][()], episode["/observations/qpos"])
        np.testing.assert_array_equal(demo["next_obs/qpos"][:-1], episode["/observations/qpos"][1:])
    assert_pictures(demo["obs/cam_operator"], frames)
    assert_pictures(demo["next_obs/cam_operator"], frames[1:] + frames[-1:])


def test_robomimic_actions_can_be_shares_of_the_joint_limits(sources: list[Path], tmp_path: Path) -> None:
    made.export(sources[:1], tmp_path, format="robomimic", normalise=True, cameras=())
    with h5py.File(tmp_path / "demos.hdf5") as file, Episode.open(sources[0]) as episode:
        actions = file["data/demo_0/actions"][()]
        robot = {joint.name: joint for joint in load_robot("hx5_d20_right").joints}
        joints = [robot[name] for name in episode.joint_names]
        low, high = (np.array([getattr(joint, end) for joint in joints]) for end in ("min_rad", "max_rad"))
        assert actions.dtype == np.float32 and np.abs(actions).max() <= 1 and actions.max() - actions.min() > 0.1
        np.testing.assert_allclose((actions + 1) / 2 * (high - low) + low, episode["/action"], atol=1e-5)
        assert "next_obs" not in file["data/demo_0"] and set(file["data/demo_0/obs"]) == {"qpos", "qvel", "effort"}
        np.testing.assert_array_equal(file["data/demo_0"].attrs["action_max"], high)


def test_robomimic_grows_by_new_demonstrations_and_keeps_the_old_ones(sources: list[Path], tmp_path: Path) -> None:
    made.export(sources[:1], tmp_path, format="robomimic")
    outcome = made.export(sources, tmp_path, format="robomimic")
    assert (outcome.kept, outcome.written) == (1, 1)
    with h5py.File(tmp_path / "demos.hdf5") as file:
        for number, source in enumerate(sources):
            assert_pictures(file[f"data/demo_{number}/obs/cam_operator"], made.frames_of(source))
    assert not list((tmp_path / "booth_export").rglob("*.hdf5")), "parts go when the whole is there"
