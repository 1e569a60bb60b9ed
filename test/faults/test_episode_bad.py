# SPDX-License-Identifier: Apache-2.0
"""Fault: an episode that is truncated, foreign, missing, or newer than this program."""

import shutil
from pathlib import Path

import h5py
import pytest
from booth_cli import assert_answer, booth
from takes import make_take

from recorder.finalise import finalise


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finalise(make_take(tmp_path_factory.mktemp("episode") / "take.mcap")).path


@pytest.mark.parametrize("action", ["info", "replay", "plot", "report"])
def test_a_truncated_file_is_one_message(episode: Path, tmp_path: Path, action: str) -> None:
    cut = tmp_path / "cut.h5"
    cut.write_bytes(episode.read_bytes()[:20_000])
    assert_answer(booth("episode", action, cut), 2, "cut.h5")


def test_a_newer_schema_asks_for_an_update(episode: Path, tmp_path: Path) -> None:
    newer = Path(shutil.copy(episode, tmp_path / "newer.h5"))
    with h5py.File(newer, "r+") as file:
        file.attrs["schema_version"] = 99
    assert_answer(booth("episode", "info", newer), 2, "schema 99", "update humanoid_booth")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert_answer(booth("episode", "replay", tmp_path / "none.h5"), 2, "none.h5")


def test_check_reports_what_is_wrong_with_exit_code_2(tmp_path: Path) -> None:
    text = tmp_path / "text.h5"
    text.write_text("not an episode")
    ran = booth("episode", "check", text, "--json")
    assert ran.code == 2
    assert ran.json["verdict"] == "failed"
