# SPDX-License-Identifier: Apache-2.0
"""Fault: this computer is too busy, or stops for a while (row 23). Stalls are counted; servos stop by themselves."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from drivers.command import Command
from drivers.connect import open_loop
from drivers.pacer import Pacer
from drivers.safety import MS, State
from drivers.virtual_build import build_virtual_buses
from drivers.virtual_robot import VirtualRobotServer, serve_all
from graph.faults import FaultCode
from robots import load_robot

STALLS = counted(15, 500)
BUSY_S = counted(3, 600)
BUSY_PROCESSES = 3


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right", "ffw_sh5"])
def test_a_stall_shorter_than_the_watchdog_is_bridged_or_holds_never_jumps(name: str) -> None:
    rig, rng = FaultRig(name), np.random.default_rng(23)
    longest_s = rig.robot.bus_watchdog_ms / 1e3 - 0.05
    for _ in range(STALLS if name == "op3" else counted(3, 100)):
        rig.moving(10)
        rig.pass_time(float(rng.uniform(0.02, longest_s)))
        rig.swing(30)
        assert rig.loop.status.state in (State.ENGAGED, State.HOLD), rig.loop.status
        rig.loop.request_release()
        rig.run(rig.robot.rate_hz, rig.home)
    assert_invariants(rig)


@pytest.mark.parametrize("name", ["op3", "ffw_sh5"])
def test_a_stall_longer_than_the_watchdog_stops_the_servos_where_they_are(name: str) -> None:
    rig, rng = FaultRig(name), np.random.default_rng(24)
    watchdog_s = rig.robot.bus_watchdog_ms / 1e3
    for _ in range(counted(3, 50)):
        rig.moving(int(rng.integers(10, 60)))
        rig.pass_time(watchdog_s + 0.02)
        stood = rig.shafts()
        rig.pass_time(float(rng.uniform(0.0, 5.0)))
        assert (np.abs(rig.shafts() - stood) <= 1).all(), "the servo's own watchdog did not stop it"
        rig.swing(3)
        assert rig.loop.status.state is State.STOPPED
        assert rig.loop.status.code is FaultCode.SERVOS_STOPPED
        rig.swing(rig.robot.rate_hz)
        assert (np.abs(rig.shafts() - stood) <= 1).all()
        rig.engage()
        rig.run(rig.robot.rate_hz, rig.home)
        rig.loop.request_release()
        rig.run(1)
    assert_invariants(rig)


def test_missed_deadlines_are_counted_and_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10**12]
    monkeypatch.setattr("drivers.pacer.time.monotonic_ns", lambda: now[0])
    monkeypatch.setattr("drivers.pacer.time.sleep", lambda seconds: now.__setitem__(0, now[0] + round(seconds * 1e9)))
    pacer = Pacer(100.0)
    for _ in range(10):
        pacer.wait()
    assert pacer.overruns == 0
    now[0] += 55 * MS
    pacer.wait()
    assert pacer.overruns == 4
    starts = []
    for _ in range(3):
        pacer.wait()
        starts.append(now[0])
    assert np.diff(starts).min() >= 10 * MS, "a burst"
    assert pacer.punctuality().overruns == 4


@pytest.mark.slow
def test_with_every_core_busy_goals_keep_coming_or_the_robot_holds_but_nothing_jumps(tmp_path: Path) -> None:
    """A real driver loop on a pseudo-terminal, against processes that spin for seconds."""
    robot = load_robot("op3")
    path, stop = tmp_path / "op3", threading.Event()
    (bus,) = build_virtual_buses(robot).values()
    home = np.array(robot.home_rad)
    busy: list[subprocess.Popen[bytes]] = []
    with VirtualRobotServer(bus, path) as server:
        serving = threading.Thread(target=serve_all, args=([server], stop), daemon=True)
        serving.start()
        link, loop = open_loop(robot, str(path))
        sent, states = [], []
        try:
            pacer = Pacer(robot.rate_hz)
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY_PROCESSES)]
            begin_ns = time.monotonic_ns()
            asked = False
            while (elapsed_s := (time.monotonic_ns() - begin_ns) * 1e-9) < BUSY_S:
                pacer.wait()
                now_ns = time.monotonic_ns()
                loop.offer(Command(home + 0.1 * np.sin(3.0 * elapsed_s), now_ns, now_ns - 30 * MS))
                cycle = loop.cycle()
                sent.append(cycle.sent_rad)
                states.append(cycle.status.state)
                asked = asked or loop.request_engage() == ""
        finally:
            for process in busy:
                process.kill()
                process.wait()
            loop.disconnect()
            link.close()
            stop.set()
            serving.join(timeout=10)
    steps = np.abs(np.diff(sent, axis=0)).max()
    assert asked
    assert steps <= robot.motion.velocity_rad_s / robot.rate_hz * 1.01 + 2 * np.pi / 4096
    assert set(states) <= {State.READY, State.ENGAGED, State.HOLD, State.STOPPED}
    assert states.count(State.ENGAGED) > 10
    assert len(states) + pacer.overruns >= 0.8 * BUSY_S * robot.rate_hz, "missed deadlines were not counted"
