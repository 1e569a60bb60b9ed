# SPDX-License-Identifier: Apache-2.0
"""Fault: the tracker is killed while the robot follows."""

import os
import signal

import numpy as np
import pytest
from live_graph import LiveGraph

from graph.nodes import GraphOptions, booth_processes
from robots import load_robot

STOPPED_AFTER_NS = 150_000_000
TICK_RAD = 2 * np.pi / 4096


@pytest.mark.ros
@pytest.mark.slow
def test_the_robot_stands_still_says_why_and_waits_for_a_fresh_engage(tmp_path) -> None:
    robot = load_robot("hx5_d20_right")
    specs = booth_processes(robot, robot.name, GraphOptions(source="clip", loop=True, record="off"))
    with LiveGraph(robot, specs) as graph:
        graph.until(graph.driver_is("ENGAGED"), 60, "engaged")
        graph.until(lambda: np.abs(graph.joint_states[-1][2]).max() > 1.0, 30, "a finger in fast motion")
        killed_ns = graph.now_ns()
        os.kill(graph.supervisor.pid("tracker"), signal.SIGKILL)
        graph.until(graph.driver_is("HOLD"), 5, "hold")
        graph.diagnostics.clear()
        teleop_phases: list[str] = []
        graph.until(
            lambda: teleop_phases.append(graph.client.state("teleop")) or graph.driver_is("ENGAGED")(),
            60,
            "engaged again by the operator in the restarted tracker's clip",
        )
        after = [(stamp, position) for stamp, position, _ in graph.joint_states if stamp > killed_ns + STOPPED_AFTER_NS]
        held = np.array([position for stamp, position in after if stamp < killed_ns + 1_500_000_000])
        reasons = [reason for source, state, reason in graph.diagnostics if source == "driver" and state == "HOLD"]

    assert len(held) > 100
    assert np.ptp(held, axis=0).max() <= 2 * TICK_RAD
    assert any("no fresh command" in reason and "no camera frame: is the tracker" in reason for reason in reasons)
    assert "HOLDING_SIGN" in teleop_phases, "engaged without a fresh open palm"
    assert any("tracker ended with signal SIGKILL" in line for line in graph.log)
