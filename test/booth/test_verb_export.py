# SPDX-License-Identifier: Apache-2.0
"""`booth export` as people call it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("pyarrow")

import export_episodes as made
import takes
from booth_cli import assert_answer, booth

from booth.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    first = made.make_episode(folder / "a.h5", takes.Script(seconds=0.6))
    made.copy_of(folder / "b.h5", first, 21)
    made.copy_of(folder / "bad.h5", first, 22, verdict="fail")
    return folder


def last_json(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


@pytest.mark.parametrize("form", ["lerobot", "lerobot-v2.1", "act", "robomimic", "mcap"])
def test_every_format_says_what_it_did(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert main(["export", str(folder), "--out", str(tmp_path / "o"), "--format", form, "--json"]) == 0
    told = last_json(capsys)
    assert (told["format"], told["episodes"], told["written"], told["kept"]) == (form, 2, 2, 0)
    assert told["rows"] > 20 and [entry["file"] for entry in told["left_out"]] == ["bad.h5"]
    assert main(["export", str(folder), "--out", str(tmp_path / "o"), "--format", form, "--json"]) == 0
    assert (last_json(capsys)["written"]) == 0


def test_the_command_names_what_it_left_out_and_why(folder: Path, tmp_path: Path) -> None:
    ran = booth("export", folder, "--out", tmp_path / "o", "--no-images", "--except", "b.h5")
    assert_answer(ran, 0, "left out: bad.h5: it failed its check")
    assert "LeRobot v3.0 data set at" in ran.out and "1 episodes" in ran.out
    assert not list((tmp_path / "o").rglob("*.mp4"))


def test_a_dry_run_writes_nothing(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(folder), "--all", "--out", str(tmp_path / "o"), "--dry-run", "--json"]) == 0
    told = last_json(capsys)
    assert told["dry_run"] and told["episodes"] == 3 and not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pad-to", "9"], "--pad-to is for --format act, not for lerobot"),
        (["--format", "act", "--codec", "copy"], "--codec is for --format lerobot or lerobot-v2.1"),
        (["--workers", "-1"], "--workers can't be negative"),
        (["--workers", "1", "--scheduler", "tcp://x:1"], "expected one of them"),
        (["--robot", "op3"], "its robot is hx5_d20_right, not op3"),
        (["--except", "z.h5"], "--except z.h5: no such file"),
        (["--split", "none.json"], "can't read the split none.json"),
    ],
)
def test_wrong_options_are_answers(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["export", str(folder), "--out", str(tmp_path / "o"), *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_split_with_an_episode_in_two_parts_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "split.json").write_text('{"train": ["x", "y"], "val": ["x"]}')
    options = ["export", str(folder), "--out", str(tmp_path / "o"), "--split", str(tmp_path / "split.json")]
    assert main(options) == 2
    assert "1 id(s) more than once" in capsys.readouterr().err


def test_ctrl_c_ends_a_cluster_quietly_and_the_same_command_goes_on(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    many = tmp_path / "many"
    for number in range(24):
        made.copy_of(many / f"{number:02d}.h5", folder / "a.h5", 100 + number)
    out = tmp_path / "o"
    command = [sys.executable, "-m", "booth", "export", str(many), "--out", str(out), "--json"]
    running = subprocess.Popen([*command, "--workers", "1"], start_new_session=True, stderr=subprocess.PIPE, text=True)
    notes = out / "booth_export/episodes"
    for _ in range(600):
        if running.poll() is not None or any('"stats"' in note.read_text() for note in notes.glob("*.json")):
            break
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130, said
    assert "the same command goes on from there" in said and "Traceback" not in said
    assert not (out / "meta/info.json").exists() and not list(out.rglob("*.part"))
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told["kept"] >= 1 and told["kept"] + told["written"] == 24
