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
from recorder.take_reader import read_take

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture
def environment():
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "ROS_DOMAIN_ID": str(10 + os.getpid() % 80),
        "BOOTH_WALL_OFFSET_NS": "1800000000000000000",
    }


@pytest.fixture
def more():
    """Further parameters of the recorder."""
    return []


@pytest.fixture
def recorder(tmp_path, environment, more):
    parameters = [f"directory:={tmp_path}", "virtual:=true", "task:=wave", "rate_hz:=30.0", *more]
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
    heard = [item for found in read_take(path.with_suffix(".mcap")).messages.values() for item in found]
    assert all(item.publish_ns <= item.receive_ns for item in heard)
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


@pytest.mark.parametrize("more", [["gestures:=false", "operator:=nobody", "booth:=b7"]])
def test_a_session_says_who_records_what_and_signs_are_its_business(tmp_path, environment, recorder):
    run_graph(environment, "labelled")
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(timeout=20) == 0
    (take_path,) = tmp_path.glob("*.mcap")
    facts = read_take(take_path).metadata
    assert (facts.operator, facts.task, facts.booth) == ("ana", "stack", "b7")
    assert (facts.session, facts.episode_number) == ("s-1", 3)
    with Episode.open(take_path.with_suffix(".h5")) as episode:
        texts = [(stream, text) for _, stream, text in episode.events() if text in ("record_start", "record_started")]
    assert texts[-1] == ("recorder_event", "record_started")
    assert not list((tmp_path / "trash").glob(f"{take_path.stem}*"))


MORE = ["preroll_s:=20.0", "cameras:=['wrist=raw:/wrist/image_raw']", "topics:=['skin=/skin:std_msgs/msg/String']"]


@pytest.mark.parametrize("more", [MORE])
def test_a_late_start_a_pause_markers_a_raw_camera_and_a_skin_are_in_the_take(tmp_path, environment, recorder):
    pytest.importorskip("simplejpeg")
    run_graph(environment, "marked")
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(timeout=20) == 0
    (take_path,) = tmp_path.glob("*.mcap")
    take = read_take(take_path)
    assert take.complete
    assert [bytes(m.data[8:-1]).decode() for m in take.messages["/skin"]] == [
        "touch 0",
        "touch 1",
        "touch 2",
        "touch 3",
    ]
    assert len(take.messages["/wrist/image_raw/compressed"]) == 4
    assert min(m.receive_ns for m in take.messages["/joint_states"]) < take.metadata.started_ns - 150_000_000
    with Episode.open(take_path.with_suffix(".h5")) as episode:
        told = [(stream, text) for _, stream, text in episode.events()]
        assert "cam_wrist" in episode.file["/observations/images"]
    assert [text for stream, text in told if stream == "recorder_event"] == ["record_started", "paused", "resumed"]
    answers = [text for stream, text in told if stream == "teleop_event" and text in ("yes", "no")]
    assert answers.count("yes") == answers.count("no") >= 3, "an operator's answer neither starts nor ends a take"
    assert sorted(text for stream, text in told if stream == "marker") == [
        "after /recorder/mark",
        "after /recorder/pause",
        "after /recorder/resume",
        "after /recorder/start",
        "mark 1",
    ]


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("topics:=['skin=/skin:nobodys_msgs/msg/Skin']", "unknown message type 'nobodys_msgs/msg/Skin'"),
        ("cameras:=['wrist']", "a camera is written name=/topic"),
        ("preroll_s:=60.0", "preroll_s should lie in 0"),
    ],
)
def test_wrong_parameters_end_the_recorder_with_one_message(tmp_path, environment, parameter, words):
    argv = [
        sys.executable,
        "-m",
        "recorder.recorder_node",
        "--ros-args",
        "-p",
        f"directory:={tmp_path}",
        "-p",
        parameter,
    ]
    ran = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert words in ran.stderr and "Traceback" not in ran.stderr
