# SPDX-License-Identifier: Apache-2.0
"""Exports that are cut short, taken up again, grow, or are refused."""

import fcntl
import shutil
from pathlib import Path

import h5py
import pytest

pytest.importorskip("av")
parquet = pytest.importorskip("pyarrow.parquet")

import export_episodes as made  # noqa: E402

from recorder.export_errors import ExportError, ExportInputError, library  # noqa: E402
from recorder.export_run import run_plan  # noqa: E402
from recorder.export_source import episode_files, select  # noqa: E402


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.make_episode(tmp_path_factory.mktemp("origin") / "a.h5", made.takes.Script(seconds=0.6))


@pytest.fixture
def sources(origin: Path, tmp_path: Path) -> list[Path]:
    return [made.copy_of(tmp_path / f"in/{number}.h5", origin, number) for number in range(3)]


def files(root: Path) -> dict[str, int]:
    """What an export made, with the times of writing."""
    found = {str(p.relative_to(root)): p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}
    return {name: time for name, time in found.items() if not name.startswith("booth_export")}


def test_the_same_export_again_changes_nothing(sources: list[Path], tmp_path: Path) -> None:
    made.export(sources, tmp_path / "out")
    before = files(tmp_path / "out")
    outcome = made.export(sources, tmp_path / "out")
    assert (outcome.written, outcome.kept) == (0, 3) and "nothing to do" in outcome.text
    assert files(tmp_path / "out") == before


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_an_interrupted_export_goes_on_with_the_episode_it_was_in(
    sources: list[Path], tmp_path: Path, share: float
) -> None:
    def interrupt(done: float, note: str) -> None:
        if done >= share:
            raise KeyboardInterrupt

    root = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_plan(made.plan_of(sources, root), root, interrupt)
    assert not (root / "meta/info.json").exists() and not list(root.rglob("*.part"))
    outcome = made.export(sources, root)
    assert outcome.kept == int(share * 3) and outcome.kept + outcome.written == 3
    made.export(sources, tmp_path / "at_once")
    assert set(files(root)) == set(files(tmp_path / "at_once"))
    for name in files(root):
        assert (root / name).read_bytes() == (tmp_path / "at_once" / name).read_bytes(), name


def test_what_a_kill_leaves_behind_is_written_over(sources: list[Path], tmp_path: Path) -> None:
    root = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_plan(made.plan_of(sources, root), root, _interrupt)
    half = root / "data/chunk-000/file-000.parquet"
    half.parent.mkdir(parents=True, exist_ok=True)
    half.with_name(half.name + ".part").write_bytes(b"half")
    half.write_bytes(b"of an older try")
    made.export(sources, root)
    assert not list(root.rglob("*.part")) and parquet.read_table(half).num_rows > 0


def _interrupt(done: float, note: str) -> None:
    raise KeyboardInterrupt


def test_new_episodes_are_added_behind_the_old_ones(sources: list[Path], origin: Path, tmp_path: Path) -> None:
    root = tmp_path / "out"
    made.export(sources[1:], root)
    data = {name: time for name, time in files(root).items() if not name.startswith("meta")}
    outcome = made.export(sources, root)  # the added one is older than those that are there
    assert [item.source.name for item in outcome.plan.items] == ["1.h5", "2.h5", "0.h5"]
    assert (outcome.written, outcome.kept) == (1, 2)
    assert data.items() <= files(root).items()
    table = parquet.read_table(root / "meta/episodes/chunk-000/file-000.parquet").to_pydict()
    assert table["episode_index"] == [0, 1, 2]


def test_a_finished_export_takes_no_other_episodes(sources: list[Path], tmp_path: Path) -> None:
    made.export(sources, tmp_path / "out")
    before = files(tmp_path / "out")
    with pytest.raises(ExportInputError, match="finished export of 3 episodes"):
        made.export(sources[:2], tmp_path / "out")
    with pytest.raises(ExportInputError, match=r"other options \(crf was 23, now 18\)"):
        made.export(sources, tmp_path / "out", crf=18)
    assert files(tmp_path / "out") == before


def test_folders_of_others_are_left_alone(sources: list[Path], tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    with pytest.raises(ExportInputError, match="nothing was touched"):
        made.export(sources, foreign)
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]


def test_two_exports_do_not_write_to_one_folder(sources: list[Path], tmp_path: Path) -> None:
    (tmp_path / "out/booth_export").mkdir(parents=True)
    with (tmp_path / "out/booth_export/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ExportInputError, match="another export is writing"):
            made.export(sources, tmp_path / "out")


def test_a_broken_picture_fails_its_episode_only_and_can_be_left_out(sources: list[Path], tmp_path: Path) -> None:
    with h5py.File(sources[0], "r+") as file:
        file["/observations/images/cam_operator"][5, :] = 0
    root = tmp_path / "out"
    with pytest.raises(ExportError, match=r"(?s)1 of 3 episodes.*0\.h5: .*cam_operator, row 5.*--except"):
        made.export(sources, root)
    assert not (root / "meta").exists()
    outcome = made.export(sources[1:], root)
    assert len(outcome.plan.items) == 2
    made.export(sources[1:], tmp_path / "fresh")
    assert set(files(root)) == set(files(tmp_path / "fresh")), "no file of the third episode is left"


def test_episodes_that_failed_their_check_are_listed_not_exported(
    sources: list[Path], origin: Path, tmp_path: Path
) -> None:
    for number, verdict in enumerate(("fail", "failed")):
        sources.append(made.copy_of(tmp_path / f"in/bad{number}.h5", origin, 50 + number, verdict=verdict))
    plan = made.plan_of([tmp_path / "in"], tmp_path / "out")
    assert [item.source.name for item in plan.items] == ["0.h5", "1.h5", "2.h5"]
    assert [name for name, reason in plan.left_out if "--all" in reason] == ["bad0.h5", "bad1.h5"]
    everything = made.plan_of([tmp_path / "in"], tmp_path / "out", with_failed=True)
    assert len(everything.items) == 5 and not everything.left_out


def test_trash_duplicates_and_unreadable_files_are_left_out(sources: list[Path], tmp_path: Path) -> None:
    (tmp_path / "in/trash").mkdir()
    shutil.copy(sources[0], tmp_path / "in/trash/x.h5")
    shutil.copy(sources[0], tmp_path / "in/again.h5")
    (tmp_path / "in/text.h5").write_text("hello")
    selection = select(episode_files([tmp_path / "in"]))
    assert [source.name for source in selection.sources] == ["0.h5", "1.h5", "2.h5"]
    reasons = dict(selection.left_out)
    assert reasons["again.h5"] == "the same episode as 0.h5" and "can't be read" in reasons["text.h5"]
    assert set(reasons) == {"again.h5", "text.h5"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"robot": "op3"},
            r"differ in robot:\n  - hx5_d20_right: 3 .*\n  - op3: 1 episode.*b\.h5\nchoose one with --robot",
        ),
        ({"rate_hz": 50.0}, r"differ in rows per second:\n  - 30: 3 .*\n  - 50: 1"),
    ],
)
def test_mixtures_are_refused_in_words(
    sources: list[Path], origin: Path, tmp_path: Path, changes: dict, words: str
) -> None:
    other = made.copy_of(tmp_path / "in/b.h5", origin, 9, **changes)
    with pytest.raises(ExportInputError, match=words):
        made.export([*sources, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_joint_names_and_other_cameras_are_refused(sources: list[Path], origin: Path, tmp_path: Path) -> None:
    with h5py.File(sources[1], "r+") as file:
        file["/joint_names"][0] = "thumb"
    with pytest.raises(ExportInputError, match="differ in joint names"):
        made.export(sources, tmp_path / "out")
    wrist = made.copy_of(tmp_path / "in/b.h5", origin, 9)
    made.add_camera(wrist, "cam_wrist", made.frames_of(wrist))
    with pytest.raises(ExportInputError, match=r"(?s)differ in cameras.*--cameras NAME"):
        made.export([sources[0], wrist], tmp_path / "out")
    assert made.export([sources[0], wrist], tmp_path / "out", cameras=("cam_operator",)).written == 2


def test_a_camera_that_nobody_has_is_named(sources: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ExportInputError, match=r"no camera 'cam_front' in 0\.h5: expected cam_operator"):
        made.export(sources, tmp_path / "out", cameras=("cam_front",))


def test_a_missing_library_says_what_to_install() -> None:
    with pytest.raises(ExportInputError, match=r"needs no_such_library.*pip install 'humanoid_booth\[export\]'"):
        library("no_such_library.part")
