# SPDX-License-Identifier: Apache-2.0
"""The command line: help, exit codes, JSON."""

import re
from pathlib import Path

import pytest
from booth_cli import assert_answer, booth

from booth.cli import VERBS, build_parser

ROOT = Path(__file__).parents[2]


def test_help_names_every_verb_the_exit_codes_and_what_is_no_emergency_stop() -> None:
    ran = booth("--help")
    assert ran.code == 0
    for verb in VERBS:
        assert re.search(rf"^\s+{verb}\s", ran.out, re.MULTILINE), verb
    assert "exit codes" in ran.out
    assert "emergency stop is the robot's power switch" in ran.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([verb, "--help"])
    assert ended.value.code == 0


def test_an_unknown_verb_is_a_usage_error() -> None:
    ran = booth("fly")
    assert ran.code == 2
    assert "invalid choice: 'fly'" in ran.err


def test_robot_list_as_json_is_the_last_line() -> None:
    ran = booth("robot", "list", "--json")
    assert ran.code == 0
    assert {robot["name"]: robot["joints"] for robot in ran.json["robots"]} == {
        "ffw_sh5": 57,
        "ffw_bh5": 57,
        "ffw_bg2": 19,
        "ffw_sg2": 19,
        "hx5_d20_left": 20,
        "hx5_d20_right": 20,
        "op3": 20,
        "xl330_hand": 11,
    }


def test_robot_show_prints_each_joint_with_its_limits() -> None:
    ran = booth("robot", "show", "hx5_d20_right")
    assert ran.code == 0
    assert "finger_r_joint20" in ran.out
    assert "-3.140" in ran.out


def test_models_prints_where_the_model_is() -> None:
    ran = booth("models", "--json")
    assert ran.code == 0
    assert Path(ran.json["hand_model"]).is_file()


def test_track_sums_up_what_it_saw() -> None:
    ran = booth("track", "--source", "clip", "--seconds", "3", "--json")
    assert_answer(ran, 0)
    assert ran.json["frames"] > 45
    assert ran.json["hand_found_share"] > 0.5
    assert ran.json["right_frames"] > 10 * ran.json["left_frames"]


def test_record_without_a_graph_says_what_to_start() -> None:
    assert_answer(booth("record", "start"), 1, "nobody offers /recorder/start", "booth up")


def test_a_virtual_robot_link_on_a_real_file_is_refused(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")
    assert_answer(booth("virtual-robot", "op3", "--link", precious), 2, "is no symbolic link of ours")
    assert precious.read_text() == "data"


def test_the_readme_shows_only_verbs_that_exist() -> None:
    shown = set(re.findall(r"\bbooth ([a-z][a-z-]+)", (ROOT / "README.md").read_text()))
    assert shown <= set(VERBS), shown - set(VERBS)
