# SPDX-License-Identifier: Apache-2.0
"""`booth episode replay`: what people are told, what is kept beside an episode, and the picture."""

import json

import numpy as np
import pytest
from booth_cli import assert_answer, booth
from PIL import Image
from takes import Script, make_take, robot, wave

from booth.verb_episode_play import _stored_report, describe
from booth.view_replay import draw_replay
from recorder.episode import Episode
from recorder.finalise import finalise
from recorder.replay import plan_replay
from recorder.replay_report import replay_report, save_trace

WORST = 13


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """An episode, and the report of a replay in which one joint was 5 degrees off."""
    folder = tmp_path_factory.mktemp("replayed")
    path = finalise(make_take(folder / "a.mcap", Script(seconds=4.0, engage_at_s=0.1))).path
    with Episode.open(path) as episode:
        plan = plan_replay(episode, robot(), np.array(robot().home_rad))
        times_s = np.arange(0.0, 3.5, 0.01)
        first = episode["/time/tick_ns"][episode.rows - len(plan.actions)] - episode["/time/tick_ns"][0]
        measured = wave(times_s + first / 1e9 - 0.047)
        measured[:, WORST] += np.radians(5.0)
        report = replay_report(episode, plan, 1.0, measured, times_s, ["be careful"], 1)
        save_trace(folder / "r.json", episode, plan, 1.0, measured, times_s)
    (folder / "r.json").write_text(json.dumps(report))
    return path, folder / "r.json", report


def test_people_read_the_worst_joint_first(replayed):
    text = describe(replayed[2], "a.h5", 3)
    lines = text.splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("joint, worst first"))
    assert lines[head + 2].split()[:2] == [robot().joint_names[WORST], "5.00"]
    assert "and 17 more: --all" in text
    assert "note: be careful" in text and "pauses: 1" in text
    assert robot().joint_names[0] in describe(replayed[2], "a.h5", None)


def test_a_report_never_takes_the_name_of_another(tmp_path):
    episode = tmp_path / "a.h5"
    first = _stored_report(episode)
    assert first.name.startswith("a.replay-2") and first.suffix == ".json"
    names = set()
    for _ in range(3):
        path = _stored_report(episode)
        assert not path.exists()
        path.write_text("{}")
        names.add(path.name)
    assert len(names) == 3


def test_the_picture_shows_every_joint(replayed, tmp_path):
    draw_replay(replayed[1], replayed[2], tmp_path / "r.png")
    with Image.open(tmp_path / "r.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    blue = (np.abs(pixels - (0x2A, 0x6F, 0xBB)).max(axis=1) < 12).sum()
    assert blue > 3000, "bars and curves of what was measured"


def test_a_control_without_a_replay_is_an_answer():
    assert_answer(booth("episode", "pause"), 1, "nobody offers /replay/pause")
