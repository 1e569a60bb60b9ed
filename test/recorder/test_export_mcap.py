# SPDX-License-Identifier: Apache-2.0
"""MCAP for Foxglove: the take where it is whole, messages made from the rows where it is gone or torn."""

from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader

pytest.importorskip("av")

import export_episodes as made

from graph import hands_cloud
from graph.topics import CAMERA
from recorder.episode import Episode
from recorder.messages import deserialize


def messages(path: Path, topic: str) -> list:
    with path.open("rb") as file:
        return [
            (message.log_time, message.publish_time, deserialize(memoryview(message.data), schema.name))
            for schema, _, message in make_reader(file, validate_crcs=True).iter_messages(topics=[topic])
        ]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames never arrived, so three rows hold the same picture."""
    lost = made.takes.Script(seconds=1.2, engage_at_s=0.3, lose=[(CAMERA.name, 12), (CAMERA.name, 13)])
    return made.make_episode(tmp_path_factory.mktemp("in") / "a.h5", lost)


def test_a_whole_take_is_copied_byte_for_byte(source: Path, tmp_path: Path) -> None:
    outcome = made.export([source], tmp_path, format="mcap", with_failed=True)
    assert (tmp_path / "a.mcap").read_bytes() == source.with_suffix(".mcap").read_bytes()
    assert "1 takes, 0 made from episodes" in outcome.text


@pytest.mark.parametrize("take", ["gone", "torn", "another"])
def test_without_its_take_an_episode_becomes_messages(source: Path, tmp_path: Path, take: str) -> None:
    copied = made.copy_of(tmp_path / "in" / "a.h5", source, 16)
    if take == "torn":
        copied.with_suffix(".mcap").write_bytes(source.with_suffix(".mcap").read_bytes()[:-300])
    elif take == "another":
        copied.with_suffix(".mcap").write_bytes(source.with_suffix(".mcap").read_bytes())
    made.export([copied], tmp_path / "out", format="mcap", with_failed=True)
    out = tmp_path / "out" / "a.mcap"
    with Episode.open(copied) as episode:
        _assert_streams(out, episode)


def _assert_streams(out: Path, episode: Episode) -> None:
    """Each distinct sample of the rows is one message, with its stamp."""
    stamps = np.unique(episode["/time/cam_operator/stamp_ns"])
    assert len(stamps) == episode.rows - 2
    rows = np.searchsorted(episode["/time/cam_operator/stamp_ns"], stamps)
    images = messages(out, "/tracker/image/compressed")
    assert [stamp for _, stamp, _ in images] == stamps.tolist()
    assert [bytes(m.data) for _, _, m in images] == [episode.image("cam_operator", row) for row in rows]
    assert all(log >= stamp for log, stamp, _ in images)

    states = messages(out, "/joint_states")
    assert [stamp for _, stamp, _ in states] == np.unique(episode["/time/joint_states/stamp_ns"]).tolist()
    assert list(states[0][2].name) == list(episode.joint_names)
    np.testing.assert_allclose(states[-1][2].position, episode["/observations/qpos"][-1])
    sent = messages(out, "/booth/action_sent")
    np.testing.assert_allclose(sent[-1][2].position, episode["/actions/sent"][-1])
    assert len(messages(out, "/booth/action_requested")) > 10

    clouds = messages(out, "/tracker/hands")
    points = hands_cloud.from_bytes(bytes(clouds[0][2].data))
    assert points["x"][0, 3] == np.float32(0.01) and np.isnan(points["x"][1]).all()
    events = [message.data for _, _, message in messages(out, "/booth/events")]
    assert events == [f"{stream}: {text}" for _, stream, text in episode.events()]


def test_episodes_of_different_robots_may_stand_side_by_side(source: Path, tmp_path: Path) -> None:
    other = made.copy_of(tmp_path / "in" / "b.h5", source, 7, robot="other")
    outcome = made.export([source, other], tmp_path / "out", format="mcap", with_failed=True)
    assert outcome.written == 2 and {path.name for path in (tmp_path / "out").glob("*.mcap")} == {"a.mcap", "b.mcap"}
