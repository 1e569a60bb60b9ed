# SPDX-License-Identifier: Apache-2.0
"""What any ROS 2 node sees of a running booth, with rclpy alone, from a process of its own."""

from pathlib import Path

import numpy as np
import pytest
from live_graph import LiveGraph

from graph.nodes import GraphOptions, booth_processes
from robots import load_robot

NS_PER_S = 1_000_000_000


@pytest.mark.ros
@pytest.mark.slow
def test_joint_states_and_trajectories_flow_on_the_real_robots_topics(tmp_path: Path) -> None:
    robot = load_robot("hx5_d20_right")
    options = GraphOptions(source="clip", loop=True, directory=str(tmp_path))
    with LiveGraph(robot, booth_processes(robot, robot.name, options)) as graph:
        graph.until(graph.driver_is("ENGAGED"), 60, "engaged")
        graph.until(lambda: len(graph.commands) > 20, 90, "commands")
        graph.joint_states.clear()
        graph.until(lambda: len(graph.joint_states) > 1000, 30, "joint states")
        stamps = np.array([stamp for stamp, _, _ in graph.joint_states])
        positions = np.array([position for _, position, _ in graph.joint_states])
        message = graph.commands[-1]
    rate_hz = (len(stamps) - 1) * NS_PER_S / (stamps[-1] - stamps[0])
    assert rate_hz >= 95
    assert (np.diff(stamps) > 0).all()
    assert positions.shape[1] == 20
    assert tuple(message.joint_names) == robot.joint_names
    assert len(message.points) == 1
    assert len(message.points[0].positions) == 20
    assert message.header.stamp.sec > 0
