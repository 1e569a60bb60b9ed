# SPDX-License-Identifier: Apache-2.0
"""`booth robot show` prints a robot, and draws it only where that is asked for."""

import argparse
import json
from pathlib import Path

import cv2
import pytest

from booth.cli import main
from booth.verb_robot import PictureError, run_show
from robots import load_robot, robot_names
from robots.load_kinematics import load_kinematics
from robots.picture import limbs_of


def show(name: str, *, picture: str | None = None, as_json: bool = False) -> int:
    return run_show(argparse.Namespace(robot=name, picture=picture, json=as_json))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", robot_names())
def test_every_joint_is_a_row(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(name) == 0
    printed, robot = capsys.readouterr().out, load_robot(name)
    for joint in robot.joints:
        (row,) = [line for line in printed.splitlines() if line.split(" ")[0] == joint.name]
        assert {str(joint.id), joint.model, robot.branch_of(joint), f"{joint.min_rad:+.3f}"} <= set(row.split())
        assert row.endswith(joint.label)
    for source in robot.sources:
        assert f"source: {source}" in printed
    assert not list(here.iterdir()), "printing writes no file"


def test_a_row_of_the_body_tells_bus_limits_speed_and_poses(capsys: pytest.CaptureFixture[str]) -> None:
    show("ffw_sh5")
    rows = {line.split(" ")[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    arm = "arm_r_joint4 4 ym070_210_r099 follower arm_r -2.936 +1.079 rad 2.00 +0.00 -2.05 elbow"
    assert " ".join(rows["arm_r_joint4"]) == arm
    assert rows["finger_l_joint1"][3:5] == ["follower/140", "hand_l"]
    assert rows["lift_joint"][5:9] == ["-0.500", "+0.000", "m", "0.15"]


def test_the_fence_of_each_hand_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    show("ffw_sh5")
    printed = capsys.readouterr().out
    assert "fence of the right hand: x -0.25 … +1.00, y -1.25 … +0.50, z -1.00 … +0.75 m in arm_base_link" in printed
    assert "fence of the left hand: x -0.25 … +1.00, y -0.50 … +1.25, z -1.00 … +0.75 m in arm_base_link" in printed
    show("xl330_hand")
    assert "fence" not in capsys.readouterr().out


def test_json_is_one_line_and_reads_as_the_robot(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show("ffw_bg2", picture="bg2.png", as_json=True)
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert [joint["name"] for joint in printed["joints"]] == list(load_robot("ffw_bg2").joint_names)
    assert "bg2.png" in captured.err and (here / "bg2.png").exists()


@pytest.mark.parametrize("name", robot_names())
def test_every_robot_can_be_drawn(name: str, here: Path) -> None:
    assert show(name, picture="") == 0
    picture = cv2.imread(str(here / f"{name}.png"))
    assert picture is not None and picture.shape[1] == 1440
    assert (picture < 250).any(axis=2).mean() > 0.03


def test_a_picture_goes_where_it_is_told(here: Path) -> None:
    assert main(["robot", "show", "xl330_hand", "--picture", "mine.png"]) == 0
    assert [path.name for path in here.iterdir()] == ["mine.png"]


@pytest.mark.parametrize(("picture", "words"), [("a.jpg", "ends in .png"), ("no/a.png", "can't be written: No such")])
def test_a_picture_that_can_not_be_written_is_answered(picture: str, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        show("op3", picture=picture)


def test_limbs_are_branches_or_digits() -> None:
    def limbs(name: str) -> set[str]:
        robot = load_robot(name)
        return set(limbs_of(robot, load_kinematics(robot)).values())

    assert limbs("hx5_d20_left") == {"thumb", "index", "middle", "ring", "little"}
    assert limbs("ffw_sh5") == {"arm_r", "arm_l", "hand_r", "hand_l", "head", "lift"}
    assert limbs("op3") == {"head", "arm_r", "arm_l", "leg_r", "leg_l"}
