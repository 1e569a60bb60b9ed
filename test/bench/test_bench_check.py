# SPDX-License-Identifier: Apache-2.0
"""`booth bench check`: its episodes are healthy, and its figures are what the documents name."""

from pathlib import Path

import pytest

from bench import check
from recorder.check import Verdict, check_episode
from recorder.episode_writer import write_episode
from robots import load_robot


def test_the_synthetic_episode_is_whole_and_healthy(tmp_path: Path) -> None:
    path = tmp_path / "bench.h5"
    write_episode(path, check.synthetic_tables(load_robot(check.ROBOT), 2.0, check.CAMERAS[:2]))
    report = check_episode(path)
    assert (report.verdict, report.reasons) == (Verdict.OK, ())
    looked_at = [finding.text for finding in report.findings if finding.code == "black"]
    assert len(looked_at) == 2
    assert all("of 2 pictures" in text for text in looked_at)


def test_figures_and_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "RUNS", 1)
    figures = check.measure(1.0)
    assert {"x_realtime", "x_realtime_4_cameras", "joints", "episode_s"} <= set(figures)
    assert figures["joints"] == 57
    assert "4 VGA cameras" in check.describe(figures)
