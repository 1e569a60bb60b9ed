# SPDX-License-Identifier: Apache-2.0
"""What a crash leaves behind becomes an episode at the next start."""

import json
import subprocess
import sys
from pathlib import Path

from takes import Script, make_take, metadata

from graph.topics import JOINT_STATES
from recorder.episode import Episode
from recorder.finalise import finalise
from recorder.recover import TRASH, UNUSABLE, recover, set_aside
from recorder.take import TakeWriter


def test_a_take_that_was_cut_short_becomes_an_incomplete_episode(tmp_path):
    make_take(tmp_path / "a.mcap", Script(seconds=2.0, close=False))
    (recovered,) = recover(tmp_path)
    with Episode.open(recovered.episode.path) as episode:
        assert episode.attribute("complete") is False
        assert episode.rows >= 40
        assert episode.attribute("end_reason") == "the recorder was interrupted"
    assert recover(tmp_path) == []


def test_a_take_that_was_closed_but_not_finalised_is_complete(tmp_path):
    make_take(tmp_path / "a.mcap")
    (recovered,) = recover(tmp_path)
    with Episode.open(recovered.episode.path) as episode:
        assert episode.attribute("complete") is True


def test_a_half_written_episode_is_made_again(tmp_path):
    make_take(tmp_path / "a.mcap")
    (tmp_path / "a.h5.part").write_bytes(b"torn")
    (recovered,) = recover(tmp_path)
    assert recovered.episode.path.is_file()
    assert not (tmp_path / "a.h5.part").exists()


def test_an_empty_take_is_set_aside_and_not_tried_again(tmp_path):
    TakeWriter(tmp_path / "a.mcap", metadata().to_strings(), [JOINT_STATES]).close()
    (recovered,) = recover(tmp_path)
    assert recovered.episode is None and "no /joint_states" in recovered.reason
    assert (tmp_path / UNUSABLE / "a.mcap").is_file()
    assert recover(tmp_path) == []


def test_a_living_take_is_left_alone(tmp_path):
    with TakeWriter(tmp_path / "live.mcap", metadata().to_strings(), [JOINT_STATES]):
        (recovered,) = recover(tmp_path)
        assert "still in use" in recovered.reason
        assert (tmp_path / "live.mcap").is_file()


def test_the_trash_keeps_both_of_two_takes_with_one_name(tmp_path):
    for _ in range(2):
        finalise(make_take(tmp_path / "a.mcap", Script(seconds=0.5)))
        set_aside(tmp_path / "a.mcap", TRASH)
    assert sorted(path.name for path in (tmp_path / TRASH).iterdir()) == ["a-2.h5", "a-2.mcap", "a.h5", "a.mcap"]


def test_the_finaliser_program_tells_its_outcome_as_json(tmp_path):
    make_take(tmp_path / "a.mcap", Script(seconds=0.5))
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "recorder.recover", str(tmp_path / "a.mcap")],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["rows"] == 15
