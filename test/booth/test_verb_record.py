# SPDX-License-Identifier: Apache-2.0
"""`booth record`: what works without a graph, and what is said where one is needed."""

from pathlib import Path

import pytest
from booth_cli import assert_answer, booth
from takes import Script, make_take

from recorder.errors import TakeError
from recorder.inputs import parse_topics


@pytest.mark.parametrize("action", ["mark", "restore"])
def test_an_act_without_a_graph_says_what_to_start(action: str) -> None:
    assert_answer(booth("record", action), 1, f"nobody offers /recorder/{action}", "booth up")


def test_recover_makes_the_missing_episodes_and_says_which_can_not_be_made(tmp_path: Path) -> None:
    make_take(tmp_path / "a.mcap", Script(seconds=0.5, close=False))
    (tmp_path / "b.mcap").write_bytes(b"no take")
    ran = booth("record", "recover", tmp_path, "--json")
    assert ran.code == 1
    first, second = ran.json["takes"]
    assert (first["take"], first["episode"]) == ("a.mcap", str(tmp_path / "a.h5"))
    assert second["episode"] == "" and "not an MCAP file" in second["reason"]
    assert (tmp_path / "unusable" / "b.mcap").is_file()
    again = booth("record", "recover", tmp_path, "--json")
    assert (again.code, again.json) == (0, {"takes": []})


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert_answer(booth("record", "recover", tmp_path / "none"), 2, "no directory", "expected the one")


def test_help_and_parser_write_a_topic_in_one_way() -> None:
    assert "NAME=/TOPIC:TYPE" in booth("record", "run", "--help").out
    with pytest.raises(TakeError, match="name=/topic:package/msg/Type"):
        parse_topics(["nonsense"])
