# SPDX-License-Identifier: Apache-2.0
"""Fault: the recorder is killed in the middle of a take. The robot goes on; the take comes back as an episode."""

import os
import signal
from pathlib import Path

import pytest
from live_graph import LiveGraph

from graph.nodes import GraphOptions, booth_processes
from recorder.episode import Episode
from robots import load_robot


@pytest.mark.ros
@pytest.mark.slow
def test_the_robot_goes_on_and_the_take_is_recovered(tmp_path: Path) -> None:
    robot = load_robot("hx5_d20_right")
    options = GraphOptions(source="clip", loop=True, record="engage", directory=str(tmp_path))
    with LiveGraph(robot, booth_processes(robot, robot.name, options)) as graph:
        graph.until(lambda: graph.client.state("recorder") == "RECORDING", 60, "recording")
        graph.until(lambda: sum(f.stat().st_size for f in tmp_path.glob("*.mcap")) > 1_000_000, 30, "some of a take")
        os.kill(graph.supervisor.pid("recorder"), signal.SIGKILL)
        before, driver = len(graph.joint_states), graph.supervisor.pid("driver")
        graph.until(lambda: list(tmp_path.glob("*.h5")), 60, "the recovered episode")
        same_driver = graph.supervisor.pid("driver") == driver
        moved = len(graph.joint_states) - before
    (episode_path, *_) = tmp_path.glob("*.h5")
    with Episode.open(episode_path) as episode:
        assert not episode.attribute("complete")
        assert episode.rows > 10
    assert moved > 100
    assert same_driver
