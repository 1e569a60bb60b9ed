# SPDX-License-Identifier: Apache-2.0
"""Fault: the USB adapter is pulled out while the robot moves, and put back (fault table, row 1)."""

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
from drivers.safety import State
from drivers.virtual_build import build_virtual_buses
from drivers.virtual_robot import VirtualRobotServer, serve_all
from graph.faults import FaultCode
from robots import load_robot

MS = 1_000_000
REPLUGS = counted(5, 100)
LIVE_REPLUGS = counted(3, 100)
RETURN_S = 2.0


def pull(rig: FaultRig) -> None:
    for line in rig.lines.values():
        line.unplugged = True
        line.waiting.clear()


def push(rig: FaultRig) -> None:
    for line in rig.lines.values():
        line.unplugged = False


def watchdogs_fired(rig: FaultRig) -> int:
    """Servos that have stopped by themselves: as an X, P or hand controller tells it, and as a Y does."""
    fired = 0
    for line in rig.lines.values():
        for device in line.virtual.devices:
            device.watch(rig.clock.now_ns)
            fired += device.peek("Bus Watchdog") == -1
    return fired


@pytest.mark.parametrize("name", ["op3", "ffw_sh5"])
def test_it_stops_with_its_reason_and_comes_back_only_with_an_engage(name: str) -> None:
    rig, rng = FaultRig(name), np.random.default_rng(1)
    servos = sum(len(line.servos) + len(line.hands) for line in rig.link.lines)
    for _ in range(REPLUGS if name == "op3" else counted(1, 20)):
        rig.moving(int(rng.integers(5, 60)))
        pull(rig)
        assert rig.until_stopped(100) <= 100
        assert rig.loop.status.state is State.STOPPED
        assert rig.loop.status.code is FaultCode.PORT_LOST
        assert "no serial port" in rig.loop.status.reason
        rig.swing(int(0.6 * rig.robot.rate_hz))
        push(rig)
        opened = [line.opened for line in rig.lines.values()]
        rig.until(lambda: not any(line.port_lost for line in rig.link.lines), RETURN_S * 1e3, rig.home)
        assert watchdogs_fired(rig) >= servos
        rig.swing(20)
        assert rig.loop.status.state is State.STOPPED, "it resumed by itself"
        rig.engage(rig.home)
        assert rig.run(50, rig.home).status.state is State.ENGAGED, rig.loop.status
        assert rig.last.reading.fresh.all()
        assert [line.opened for line in rig.lines.values()] == [count + 1 for count in opened]
        rig.loop.request_release()
        rig.run(1)
    assert_invariants(rig)


@pytest.mark.parametrize("name", ["op3", "ffw_sh5"])
def test_after_the_plug_is_back_every_joint_is_heard_again_without_anybody_engaging(name: str) -> None:
    rig = FaultRig(name)
    rig.moving(20)
    pull(rig)
    rig.swing(int(0.6 * rig.robot.rate_hz))
    push(rig)
    rig.until(lambda: rig.cycles[-1].reading.fresh.all(), RETURN_S * 1e3)
    assert rig.loop.status.state is State.STOPPED


def test_an_adapter_that_stays_away_is_looked_for_without_end_and_without_leaving_files_open() -> None:
    rig = FaultRig("op3")
    rig.moving(5)
    pull(rig)
    rig.swing(counted(500, 20_000))
    assert rig.line.opened <= 1
    assert rig.loop.status.code is FaultCode.PORT_LOST
    assert "no serial port" in rig.ask_engage() or rig.run(2).status.state is State.STOPPED
    assert_invariants(rig)


def test_the_plug_is_pulled_while_the_robot_is_let_go_softly() -> None:
    rig = FaultRig("op3")
    rig.moving(5)
    rig.loop.request_stop("asked")
    motion = rig.robot.motion
    rig.run(int((motion.stop_hold_s + motion.release_s / 2) * rig.robot.rate_hz))
    pull(rig)
    rig.run(10)
    assert any(fault.code is FaultCode.PORT_LOST for fault in rig.loop.faults)


def test_a_driver_that_ends_without_its_adapter_ends_quietly() -> None:
    rig = FaultRig("op3")
    rig.moving(5)
    pull(rig)
    rig.loop.request_stop("shutting down")
    rig.loop.let_go(0.5)
    rig.loop.disconnect()
    assert rig.loop.status.state is State.IDLE


@pytest.mark.slow
def test_a_real_pseudo_terminal_pulled_at_any_moment_is_found_again(tmp_path: Path) -> None:
    """In real time, with threads: also in the middle of a packet. Nothing stays open."""
    robot = load_robot("op3")
    path, stop = tmp_path / "op3", threading.Event()
    (bus,) = build_virtual_buses(robot).values()
    rng = np.random.default_rng(7)
    with VirtualRobotServer(bus, path) as server:
        serving = threading.Thread(target=serve_all, args=([server], stop), daemon=True)
        serving.start()
        link, loop = open_loop(robot, str(path))
        try:
            drive = Live(loop, robot)
            drive.for_s(0.1)
            files = open_files()
            for _ in range(LIVE_REPLUGS):
                assert loop.request_engage() == ""
                drive.for_s(float(rng.uniform(0.05, 0.15)))
                assert loop.status.state is State.ENGAGED, loop.status
                pulled = threading.Timer(float(rng.uniform(0.0, 0.02)), server.unplug)
                pulled.start()
                drive.until(lambda: not server.plugged, 1.0)
                assert drive.until(lambda: loop.status.state is State.STOPPED, 1.0) <= 0.1
                assert loop.status.code is FaultCode.PORT_LOST
                drive.for_s(0.5)
                with bus.lock:
                    now_ns = time.monotonic_ns()
                    for device in bus.devices:
                        device.watch(now_ns)
                    assert all(device.peek("Bus Watchdog") == -1 for device in bus.devices)
                server.plug()
                drive.until(lambda: not link.lines[0].port_lost, RETURN_S)
                drive.for_s(0.1)
                assert loop.status.state is State.STOPPED
                assert loop.request_engage() == ""
                drive.for_s(0.1)
                assert loop.status.state is State.ENGAGED, loop.status
                loop.request_release()
                drive.for_s(0.05)
            assert open_files() == files
        finally:
            loop.disconnect()
            link.close()
            stop.set()
            serving.join(timeout=10)


def open_files() -> int:
    """Of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


class Live:
    """Cycles a loop in real time with fresh commands of the home pose."""

    def __init__(self, loop, robot) -> None:
        self._loop, self._home = loop, np.array(robot.home_rad)
        self._pacer = Pacer(robot.rate_hz)

    def for_s(self, seconds: float) -> None:
        end_ns = time.monotonic_ns() + int(seconds * 1e9)
        while time.monotonic_ns() < end_ns:
            self._cycle()

    def until(self, condition, within_s: float) -> float:
        begin_ns = time.monotonic_ns()
        while not condition():
            assert time.monotonic_ns() - begin_ns < within_s * 1e9, self._loop.status
            self._cycle()
        return (time.monotonic_ns() - begin_ns) * 1e-9

    def _cycle(self) -> None:
        self._pacer.wait()
        now_ns = time.monotonic_ns()
        self._loop.offer(Command(self._home, now_ns, now_ns - 30 * MS))
        self._loop.cycle()
