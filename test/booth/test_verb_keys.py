# SPDX-License-Identifier: Apache-2.0
"""`booth keys` and the way from two key pairs to an operator who is let in, as people type it."""

from pathlib import Path

from booth_cli import assert_answer, booth


def test_two_commands_on_each_side(tmp_path: Path) -> None:
    robot, laptop = {"XDG_CONFIG_HOME": str(tmp_path / "robot")}, {"XDG_CONFIG_HOME": str(tmp_path / "laptop")}
    made = booth("keys", "new", "robot", "--json", **robot).json
    ana = booth("keys", "new", "ana", "--json", **laptop).json
    assert booth("keys", "show", "ana", "--json", **laptop).json == ana
    assert booth("keys", "allow", ana["file"], "ana", **robot).code == 0
    listed = booth("keys", "list", "--json", **robot).json
    assert (listed["keys"], listed["allowed"]) == ({"robot": made["public"]}, {"ana": ana["public"]})
    assert booth("keys", "revoke", "ana", "--json", **robot).code == 0
    assert booth("keys", "list", "--json", **robot).json["allowed"] == {}


def test_mistakes_are_answered(tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert_answer(booth("keys", "show", "ana", **home), 2, "no key ana", "booth keys new ana")
    assert_answer(booth("keys", "allow", "nowhere.pub", "ana", **home), 2, "is no public key")
    assert_answer(booth("keys", "new", "../ana", **home), 2, "no name for a key")
    assert_answer(booth("up", "--source", "tcp://*:5555", **home), 2, "no key robot", "booth keys new robot")
    assert_answer(booth("track", "--to", "tcp://robot:5555", **home), 2, "--key NAME", "--server-key")
