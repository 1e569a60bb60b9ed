# SPDX-License-Identifier: Apache-2.0
"""`booth calibrate`: what can't be measured is told, and then nothing is kept."""

from pathlib import Path

import numpy as np
import pytest
from booth_cli import assert_answer, booth

from booth import verb_calibrate
from booth.cli import build_parser
from graph.errors import EXIT_FAILED, EXIT_OK
from teleop.calibrating import Step
from teleop.camera import Frame
from teleop.operator_profile import load, profile_path
from teleop.operator_view import OperatorFrame


def test_a_name_that_is_no_file_name_is_refused() -> None:
    assert_answer(booth("calibrate", "../ada", "--source", "clip"), 2, "small letters, digits")


def test_a_missing_camera_is_named() -> None:
    assert_answer(booth("calibrate", "ada", "--source", "nothing.mp4"), 2, "no video file at nothing.mp4")


class Film:
    """A few images of nobody."""

    name = "film"

    def __init__(self, frames: int) -> None:
        self.left, self.number = frames, 0

    def read(self) -> Frame | None:
        self.number += 1
        shown = self.number <= self.left
        return Frame(self.number, self.number * 33_333_333, np.zeros((48, 64, 3), np.uint8)) if shown else None

    def close(self) -> None:
        pass


class Done:
    """Calibrating that is done with the first frame."""

    def __init__(self, sides, body) -> None:
        self.step, self.reason, self.quality = Step.HANDS, "", {"right hand": 0.9}

    def see(self, frame: OperatorFrame) -> None:
        self.step = Step.DONE

    def progress(self, stamp_ns: int) -> float:
        return 1.0

    def profile(self, name: str, measured: str):
        from teleop.operator_profile import OperatorProfile

        return OperatorProfile(name=name, measured=measured, hands={})


def run(monkeypatch: pytest.MonkeyPatch, home: Path) -> int:
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    monkeypatch.setattr(verb_calibrate, "open_source", lambda _: Film(20))
    args = build_parser().parse_args(["calibrate", "ada"])
    return args.run(args)


def test_nobody_in_view_saves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    assert run(monkeypatch, tmp_path) == EXIT_FAILED
    assert "nothing was saved" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.json"))


def test_a_measured_operator_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(verb_calibrate, "Calibrating", Done)
    assert run(monkeypatch, tmp_path) == EXIT_OK
    assert load(profile_path("ada")).name == "ada"
