# SPDX-License-Identifier: Apache-2.0
"""Fault: the driver is killed. The servos' own watchdog stops them; the graph stops."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants
from live_graph import LiveGraph

from drivers.bus import Bus
from drivers.control_loop import ControlLoop
from drivers.port import SerialPort, wait_for_port
from drivers.robot_link import RobotLink
from drivers.safety import State
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


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right", "ffw_sh5"])
def test_every_servo_stops_in_time_latches_and_a_new_driver_moves_nothing_before_an_engage(name: str) -> None:
    """In virtual time, at any moment of a motion; the new driver finds the robot as the dead one left it."""
    rig, rng = FaultRig(name), np.random.default_rng(24)
    for _ in range(counted(5, 100) if name == "op3" else counted(1, 50)):
        rig.moving(int(rng.integers(5, 60)))
        rig.pass_time(rig.robot.bus_watchdog_ms / 1e3 + 0.02)
        stood = rig.shafts()
        rig.pass_time(float(rng.uniform(0.1, 30.0)))
        assert (np.abs(rig.shafts() - stood) <= 1).all(), "not stopped within watchdog + 20 ms, or not latched"
        rig.link = RobotLink(rig.robot, {bus: line.open for bus, line in rig.lines.items()}, rig.clock)
        rig.loop = ControlLoop(rig.robot, rig.link, rig.clock)
        rig._torque_on, rig.link.torque_on = rig.link.torque_on, rig._note_set_up
        rig.loop.connect()
        assert rig.loop.status.state is State.READY
        rig.swing(rig.robot.rate_hz)
        assert rig.loop.status.state is State.READY, "it followed without an engage"
        assert (np.abs(rig.shafts() - stood) <= 2).all(), "taking over moved the robot"
        assert all(rig.torque())
        rig.engage()
        assert rig.run(rig.robot.rate_hz, rig.home).status.state is State.ENGAGED
        rig.loop.request_release()
        rig.run(1)
    assert_invariants(rig)
