# SPDX-License-Identifier: Apache-2.0
"""Fault: a parameter file that is malformed or gives a parameter another type."""

from pathlib import Path

import pytest
from booth_cli import assert_answer, booth


def test_a_missing_parameter_file_is_named(tmp_path: Path) -> None:
    ran = booth("up", "--source", "clip", "--params", tmp_path / "none.yaml")
    assert_answer(ran, 2, "no parameter file at", "config/booth.yaml")


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("teleop:\n  ros__parameters: [unclosed\n", ["is the parameter file right?", "line 2"]),
        ("teleop:\n  ros__parameters:\n    dwell_s: long\n", ["parameter dwell_s of teleop", "should be like 0.6"]),
        ("teleop:\n  ros__parameters:\n    dwell_s: -1.0\n", ["dwell_s should lie between", "found -1.0"]),
    ],
)
def test_a_bad_parameter_file_stops_the_graph_with_one_message(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    ran = booth("up", "--source", "clip", "--record", "off", "--params", file)
    assert_answer(ran, 2, *words)
    assert "ENGAGED" not in ran.err
