# SPDX-License-Identifier: Apache-2.0
"""Fault: the driver is killed. The servos' own watchdog stops them; the graph stops."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live_graph import LiveGraph

from drivers.bus import Bus
from drivers.port import SerialPort, wait_for_port
from graph.nodes import GraphOptions, booth_processes, driver_processes
from robots import load_robot


@pytest.mark.ros
@pytest.mark.slow
def test_the_servos_stop_by_themselves_and_latch(tmp_path: Path) -> None:
    robot = load_robot("op3")
    link = str(tmp_path / "op3")
    virtual = subprocess.Popen(
        [sys.executable, "-m", "booth", "virtual-robot", "op3", "--link", link], stdout=subprocess.DEVNULL
    )
    try:
        wait_for_port(link, 20)
        options = GraphOptions(driver="dynamixel", port=link)
        with LiveGraph(robot, driver_processes(robot, "op3", options)) as graph:
            graph.until(graph.driver_is("READY"), 30, "ready")
            os.kill(graph.supervisor.pid("driver"), signal.SIGKILL)
            deadline = time.monotonic() + 5
            while (outcome := graph.spin(0.02)) is None:
                assert time.monotonic() < deadline
        assert outcome.exit_code != 0
        assert "driver ended with signal SIGKILL: the graph stops" in outcome.reason
        with SerialPort(link, robot.buses[0].baud) as port:
            bus = Bus(port)
            deadline = time.monotonic() + 5
            while bus.read(1, 98, 1) != b"\xff":
                assert time.monotonic() < deadline, "the bus watchdog never fired"
                # asking feeds the watchdog: leave the bus alone for longer than its time
                deadline_quiet = time.monotonic() + 0.6
                while time.monotonic() < deadline_quiet:
                    port.read(time.monotonic_ns() + 50_000_000)
    finally:
        virtual.send_signal(signal.SIGINT)
        assert virtual.wait(timeout=10) == 0


@pytest.mark.ros
@pytest.mark.slow
def test_a_whole_booth_stops_when_its_driver_dies(tmp_path: Path) -> None:
    robot = load_robot("hx5_d20_right")
    options = GraphOptions(source="clip", loop=True, directory=str(tmp_path))
    with LiveGraph(robot, booth_processes(robot, robot.name, options)) as graph:
        graph.until(lambda: graph.client.state("tracker") == "TRACKING", 60, "tracking")
        os.kill(graph.supervisor.pid("driver"), signal.SIGKILL)
        deadline = time.monotonic() + 5
        while (outcome := graph.spin(0.02)) is None:
            assert time.monotonic() < deadline
        graph.supervisor.stop()
        left = [name for name in ("robot", "driver", "teleop", "tracker", "recorder") if graph.supervisor.pid(name)]
    assert outcome.exit_code != 0
    assert left == []
