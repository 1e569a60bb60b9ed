# SPDX-License-Identifier: Apache-2.0
"""The page of an episode: complete, self-contained, and drawn for poor episodes, too."""

import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from booth_cli import assert_answer, booth
from PIL import Image
from takes import Script, make_take

from booth.report_page import sections, write_report
from recorder.check import Verdict
from recorder.finalise import finalise
from recorder.manifest import note_manifest
from recorder.report import page_data


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finalise(make_take(tmp_path_factory.mktemp("page") / "take.mcap", Script(seconds=3.0))).path


def test_html_holds_everything_and_asks_for_nothing(episode: Path, tmp_path: Path) -> None:
    frozen = Path(shutil.copy(episode, tmp_path / "frozen.h5"))
    with h5py.File(frozen, "r+") as file:
        file["/health/skew_ns"][:] += 60_000_000
        events = file["/events"][()]
        events[0]["text"] = b"<b>bold</b>"
        file["/events"][...] = events
        note_manifest(file)
    out = tmp_path / "page.html"
    assert write_report(frozen, out).verdict is Verdict.DEGRADED
    html = out.read_text(encoding="utf-8")
    assert 'class="verdict" style="background:#c77700">degraded<' in html
    assert re.search(r'class="level warn">warn</span></td><td class="code">skew</td>', html)
    assert html.count("data:image/png;base64,") == len(sections(page_data(frozen)))
    assert "&lt;b&gt;bold" in html
    assert not re.search(r"<script|<link|https?:|<b>bold", html)


def test_png_is_as_wide_as_a_screen(episode: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.png"
    write_report(episode, out)
    with Image.open(out) as picture:
        assert picture.width == 1600
        assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]


@pytest.mark.parametrize(
    "script",
    [
        Script(seconds=0.02),
        Script(seconds=1.0, camera=False, hands=False, commands=False),
        Script(seconds=1.0, engage_at_s=5.0, commands=False),
    ],
    ids=["one row", "joints only", "nobody drives"],
)
def test_poor_episodes_are_drawn(tmp_path: Path, script: Script) -> None:
    poor = finalise(make_take(tmp_path / "take.mcap", script)).path
    write_report(poor, tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def test_the_command_writes_beside_the_episode(episode: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(episode, tmp_path / "copy.h5"))
    ran = booth("episode", "report", copy, "--json")
    assert (ran.code, ran.json["verdict"]) == (0, "ok")
    assert Path(ran.json["page"]) == tmp_path / "copy_report.html"
    assert Path(ran.json["page"]).stat().st_size > 50_000


def test_another_kind_of_page_is_refused(episode: Path, tmp_path: Path) -> None:
    assert_answer(booth("episode", "report", episode, "--out", tmp_path / "page.pdf"), 2, "page.pdf", ".html or .png")


def test_a_place_that_cannot_be_written_is_named(episode: Path, tmp_path: Path) -> None:
    out = tmp_path / "absent" / "page.png"
    assert_answer(booth("episode", "report", episode, "--out", out), 2, str(out))
