# SPDX-License-Identifier: Apache-2.0
"""Fault: the network between a far operator and the robot fails (row 14). The robot holds in time, nothing old is
played, and nobody moves it again but an operator's fresh act."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import link_ends
import numpy as np
import pytest
from counted import counted
from far_operator import LOST, MS, TRACKED_NS, FarOperator
from invariants import FaultRig, assert_invariants
from link_clouds import hands
from link_proxy import LinkProxy
from live_graph import LiveGraph

from drivers.command import Command
from drivers.safety import State
from graph.faults import FaultCode
from graph.nodes import FAR_TTL_MS, GraphOptions, booth_processes
from robots import load_robot
from teleop.link_allowed import allow
from teleop.link_gate import OLDEST_NS
from teleop.link_keys import new_key

HOLD_NS = 150 * MS
PARTITIONS, LONGEST_MS = counted(9, 100), counted(5_000, 30_000)
SLOWEST_MS = 20
"""Of a packet's way."""
HELD_BY_NETWORK = ("dropped", "held back", "one way")


class FarRig:
    """A far operator whose landmarks drive a virtual robot, all of it in injected time."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rig = FaultRig("op3", FAR_TTL_MS * MS)
        self.far = FarOperator(self.rig.clock.now_ns, int(self.rng.integers(0, 10**13)), self.rng)
        self.follow = True
        self.good_ns: list[int] = []

    def run(self, duration_ns: int) -> None:
        """Cycle; every arrival is a command somewhere near home."""
        rig, end_ns = self.rig, self.rig.clock.now_ns + duration_ns
        while rig.clock.now_ns < end_ns:
            for arrival in self.far.run_until(max(self.far.now_ns, rig.clock.now_ns)):
                came_ns = self.far.now_ns
                self.good_ns.append(came_ns)
                swing = 0.1 * np.sin(int(arrival.cloud["frame"][0, 0]) * 0.2)
                for group in range(len(rig.robot.groups)):
                    rig.loop.offer(Command(rig.home + swing, came_ns, arrival.capture_ns), group)
            rig.run(1)

    def engage(self) -> None:
        """The operator's fresh act."""
        refusal = self.rig.ask_engage()
        assert not refusal, refusal

    def partition(self, how: str, duration_ns: int) -> Callable[[bool, int], int]:
        """How long packets take from now on."""
        end_ns = self.rig.clock.now_ns + duration_ns

        def travel(to_robot: bool, now_ns: int) -> int:
            way_ns = int(self.rng.uniform(1, SLOWEST_MS) * MS)
            if now_ns >= end_ns or (how == "one way" and not to_robot):
                return way_ns
            return end_ns - now_ns + way_ns if how == "held back" else LOST

        return travel


@pytest.mark.parametrize("seed", range(PARTITIONS))
def test_the_robot_holds_within_150_ms_plays_nothing_old_and_waits_for_an_engage(seed: int) -> None:
    run = FarRig(seed)
    run.run(600 * MS)
    run.engage()
    run.run(600 * MS)
    assert run.rig.loop.status.state is State.ENGAGED
    how = HELD_BY_NETWORK[seed % len(HELD_BY_NETWORK)]
    duration_ns = int(np.exp(run.rng.uniform(np.log(300), np.log(LONGEST_MS)))) * MS
    run.far.travel = run.partition(how, duration_ns)
    before = len(run.rig.cycles)
    run.run(duration_ns + 1500 * MS)
    states = [cycle.status.state for cycle in run.rig.cycles[before:]]
    first = states.index(State.HOLD)
    held_ns = run.rig.cycles[before + first].read_ns
    good_ns = max(each for each in run.good_ns if each <= held_ns)
    assert held_ns - good_ns <= HOLD_NS
    assert set(states[first:]) == {State.HOLD}, "it resumed by itself"
    assert run.rig.loop.status.code is FaultCode.COMMAND_STALE
    for came_ns, arrival in run.far.arrivals:
        assert came_ns - run.far.true_capture_ns(arrival) <= OLDEST_NS + 2 * SLOWEST_MS * MS + TRACKED_NS
    assert run.rig.clock.now_ns - run.good_ns[-1] < 200 * MS, "landmarks do not come again"
    run.engage()
    run.run(300 * MS)
    assert run.rig.loop.status.state is State.ENGAGED
    assert_invariants(run.rig)


def test_a_network_that_stumbles_for_50_ms_is_followed_on() -> None:
    run = FarRig(1)
    run.run(600 * MS)
    run.engage()
    for _ in range(10):
        run.far.travel = run.partition("held back", 50 * MS)
        run.run(400 * MS)
    assert run.rig.loop.status.state is State.ENGAGED
    assert_invariants(run.rig)


def test_what_a_real_connection_held_back_is_not_handed_on_when_it_comes(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    rng = np.random.default_rng(0)
    with (
        link_ends.robot() as robot,
        LinkProxy(robot.port) as proxy,
        link_ends.operator(proxy.port, robot.ana, robot.key.public) as ana,
    ):
        frame = 0

        def send(condition: Callable[[], object], what: str) -> None:
            def one() -> bool:
                nonlocal frame
                frame += 1
                ana.put(hands(rng, frame), time.monotonic_ns())
                return bool(condition())

            link_ends.until(one, what)

        def newest() -> int:
            return int(robot.arrivals[-1][1].cloud["frame"][0, 0])

        for partition_s in (0.3, 0.7, counted(2.0, 30.0)):
            count = len(robot.arrivals)
            send(lambda count=count: len(robot.arrivals) > count + 5, "landmarks")
            proxy.held = True
            begin_ns = time.monotonic_ns()
            send(lambda begin=begin_ns, s=partition_s: time.monotonic_ns() - begin > s * 1e9, "the partition")
            healed_ns, last_frame = time.monotonic_ns(), frame
            proxy.held = False
            send(lambda last=last_frame: newest() > last, "landmarks after the partition")
            late = [a for came, a in robot.arrivals if came > healed_ns and a.capture_ns < healed_ns - OLDEST_NS]
            assert late == []
        proxy.hang_up()
        last_frame = frame
        send(lambda: newest() > last_frame, "landmarks by new connections")
        frames = [int(arrival.cloud["frame"][0, 0]) for _, arrival in robot.arrivals]
        assert frames == sorted(frames)


@pytest.mark.ros
@pytest.mark.slow
def test_a_laptop_that_stops_holds_the_robot_by_name_and_a_fresh_palm_goes_on(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    key, ana = new_key("robot"), new_key("ana")
    allow(ana.public, "ana")
    address = f"tcp://127.0.0.1:{link_ends.free_port()}"
    robot = load_robot("hx5_d20_right")
    specs = booth_processes(robot, robot.name, GraphOptions(source=address, record="off"))
    track = [sys.executable, "-m", "booth", "track", "--to", address, "--key", "ana", "--server-key", key.public.hex()]
    with LiveGraph(robot, specs) as graph:
        laptop = subprocess.Popen([*track, "--source", "clip", "--loop"], stdout=subprocess.DEVNULL)
        try:
            graph.until(graph.driver_is("ENGAGED"), 90, "engaged")
            measured = "link_clock_uncertainty_ms"
            graph.until(lambda: graph.client.values("tracker").get(measured), 5, "the laptop's clock is known")
            assert float(graph.client.values("tracker")[measured]) < 100.0
            os.kill(laptop.pid, signal.SIGSTOP)
            graph.until(graph.driver_is("HOLD"), 5, "hold")
            graph.until(lambda: graph.client.values("tracker").get("code") == "link_lost", 5, "the fault's name")
            graph.until(lambda: graph.client.values("teleop").get("code") == "link_lost", 5, "teleop says it, too")
            assert "no landmarks from ana" in graph.client.values("tracker")["reason"]
            os.kill(laptop.pid, signal.SIGCONT)
            graph.until(lambda: graph.client.state("tracker") == "TRACKING", 20, "the link again")
            phases: list[str] = []
            graph.until(
                lambda: phases.append(graph.client.state("teleop")) or graph.driver_is("ENGAGED")(), 90, "engaged again"
            )
            assert "HOLDING_SIGN" in phases, "engaged without a fresh open palm"
        finally:
            laptop.kill()
            laptop.wait()
