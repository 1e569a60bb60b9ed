# SPDX-License-Identifier: Apache-2.0
"""The node against a robot and an operator that publish over real DDS, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.check import check_episode
from recorder.episode import Episode
from recorder.recover import recover

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture
def environment():
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "ROS_DOMAIN_ID": str(10 + os.getpid() % 80),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "BOOTH_WALL_OFFSET_NS": "1800000000000000000",
    }


@pytest.fixture
def recorder(tmp_path, environment):
    parameters = [f"directory:={tmp_path}", "virtual:=true", "task:=wave", "rate_hz:=30.0"]
    argv = [sys.executable, "-m", "recorder.recorder_node", "--ros-args"]
    process = subprocess.Popen(argv + [word for p in parameters for word in ("-p", p)], env=environment, cwd=ROOT)
    yield process
    process.kill()
    process.wait()


def run_graph(environment, *arguments):
    script = Path(__file__).with_name("fake_graph.py")
    subprocess.run([sys.executable, str(script), *arguments], env=environment, check=True, timeout=90)


def test_what_a_graph_publishes_becomes_an_episode_without_a_loss(tmp_path, environment, recorder):
    run_graph(environment)
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(timeout=20) == 0
    (path,) = tmp_path.glob("*.h5")
    assert check_episode(path).exit_code == 0
    with Episode.open(path) as episode:
        assert (episode.attribute("complete"), episode.attribute("dropped_rows")) == (True, 0)
        assert set(json.loads(episode.attribute("lost_messages")).values()) == {0}
        assert episode.rows >= 40
        assert episode["/operator/engaged"].any() and not episode["/operator/engaged"].all()


def test_a_recorder_that_is_told_to_end_saves_the_running_take(tmp_path, environment, recorder):
    run_graph(environment, "unfinished")
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(timeout=20) == 0
    (path,) = tmp_path.glob("*.h5")
    with Episode.open(path) as episode:
        assert episode.attribute("end_reason") == "the recorder was shut down"
        assert episode.attribute("complete")


def test_a_recorder_that_is_killed_leaves_a_take_to_recover(tmp_path, environment, recorder):
    run_graph(environment, "unfinished")
    recorder.kill()
    recorder.wait()
    (recovered,) = recover(tmp_path)
    with Episode.open(recovered.episode.path) as episode:
        assert not episode.attribute("complete")
        assert episode.rows >= 28
