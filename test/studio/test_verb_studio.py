# SPDX-License-Identifier: Apache-2.0
"""`booth studio` as people type it: lists, draws once, refuses what it can't do, stops cleanly."""

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from booth import verb_studio
from graph.errors import EXIT_INPUT, EXIT_INTERRUPTED, EXIT_OK, BoothError

SHORT = "title: short\nengage: false\nsteps: [{label: fist, move_s: 0.1, hold_s: 0.1, both: {hand: fist}}]\n"
LONG = "title: long\nsteps: [{label: fist, move_s: 20, hold_s: 20, both: {hand: fist}}]\n"


def studio(*words: object) -> int:
    """Parse and run `booth studio …` in this process."""
    parser = argparse.ArgumentParser()
    verb_studio.add(parser.add_subparsers(dest="verb"))
    args = parser.parse_args(["studio", *map(str, words)])
    return int(args.run(args))


def test_list_names_scripts_and_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert studio("list", "--json") == EXIT_OK
    listed = json.loads(capsys.readouterr().out)
    assert {"pinches", "handover", "leaving"} <= {script["name"] for script in listed["scripts"]}
    assert len(listed["set"]) == 20
    studio("list")
    text = capsys.readouterr().out
    assert "finger by finger" in text and "standard set: two_hands" in text


def test_layout_of_the_truth_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    studio("list", "--layout")
    assert "hands_in_camera_m" in capsys.readouterr().out


def test_render_draws_once_and_again_only_when_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(SHORT)
    command = ("render", own, "--out", tmp_path / "out", "--size", "320x240", "--jobs", 1, "--json")
    drawn = []
    for extra in ((), (), ("--force",), ("--skin", "dark")):
        assert studio(*command, *extra) == EXIT_OK
        drawn.append(json.loads(capsys.readouterr().out.splitlines()[-1])["drawn"])
    assert drawn == [1, 0, 1, 1]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["own.mp4", "own.npz"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("render", "nothing"), "no script 'nothing': expected one of"),
        (("render", "fingers", "--size", "big"), "expected width x height"),
        (("render", "fingers", "--fov-deg", "300"), "expected a number from 20 to 110"),
        (("render", "fingers", "--name", "a/b"), "is no file name"),
        (("set", "--only", "two_hands", "nothing"), "not in the standard set: nothing"),
    ],
)
def test_wrong_input_is_answered(words: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    with pytest.raises(BoothError, match=reason) as caught:
        studio(*words, "--out", tmp_path / "out")
    assert caught.value.exit_code == EXIT_INPUT
    assert not (tmp_path / "out").exists()


def test_script_that_asks_too_much_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("title: x\nsteps: [{right: {reach: {at: [3, 0, 0]}}}]\n")
    with pytest.raises(BoothError, match="right hand can't reach"):
        studio("render", own, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_drawing_ends_with_130_and_leaves_no_file(tmp_path: Path, number: signal.Signals) -> None:
    own, out = tmp_path / "own.yaml", tmp_path / "out"
    own.write_text(LONG)
    command = [sys.executable, "-m", "booth", "studio", "render", str(own), "--out", str(out), "--size", "320x240"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120.0
    while not list(out.glob(".studio-*/clip.mp4")):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == EXIT_INTERRUPTED
    assert "interrupted" in said and "Traceback" not in said
    assert list(out.iterdir()) == []
