# SPDX-License-Identifier: Apache-2.0
"""Fault: the robot's file is malformed or contradicts itself. Nothing is opened."""

from pathlib import Path

from booth_cli import assert_answer, booth

from robots import robot_names


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "robots" / "op3.yaml"
    text = source.read_text()
    text = text.replace("id: 2,", "id: 1,", 1).replace("baud: 2000000", "bauds: 2000000")
    text = text.replace("max_rad: 2.827}", "max_rad: -9}", 1)
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    ran = booth("up", "--robot", bad, "--source", "clip")
    assert_answer(ran, 2, "bus.baud: Field required", "bus.bauds: unknown key", "max_rad -9.0")


def test_yaml_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: [unclosed\n")
    assert_answer(booth("robot", "show", bad), 2, "is not valid YAML", "line")


def test_an_unknown_robot_is_answered_with_the_known_ones() -> None:
    assert_answer(booth("virtual-robot", "op4"), 2, "unknown robot 'op4'", *robot_names())
