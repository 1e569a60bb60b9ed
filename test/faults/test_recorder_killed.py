# SPDX-License-Identifier: Apache-2.0
"""Fault: the recorder is killed in the middle of a take. The robot goes on; the take comes back as an episode."""

import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import recording_process
from counted import counted
from live_graph import LiveGraph
from recording_process import BEGIN, FIRST, LOOKED_AFTER, SECONDS, SLOTS
from takes import T0, Script, script_messages, wave

from graph.nodes import GraphOptions, booth_processes
from recorder.episode import Episode
from recorder.recover import leftover_takes, recover
from recorder.space import drop_stale_reserves
from recorder.take_reader import read_take
from robots import load_robot

ROOT = Path(__file__).parents[2]
KILLS = counted(25, 500)
AT_ONCE = 5
PATIENCE_S = 60.0
SLICE_NS, HEALTHY_NS = 400_000_000, 100_000_000
"""Together the half second that may be lost."""


@dataclass
class Victim:
    """A recorder in its own process, and what it says of how far it is."""

    path: Path
    process: "subprocess.Popen[bytes]"
    diary: np.ndarray
    killed_ns: int = 0

    def wait_and_kill(self, after_ns: int) -> None:
        """Kill it when it has looked after everything up to this long after its start."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.diary[BEGIN] or self.diary[LOOKED_AFTER] - self.diary[BEGIN] < after_ns:
            assert time.monotonic() < deadline, "the recorder does not get on"
            assert self.process.poll() is None
            time.sleep(0.002)
        self.killed_ns = time.monotonic_ns()
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL


def victims(directory: Path, numbers: range) -> list[Victim]:
    started = []
    for number in numbers:
        diary, take = directory / f"diary{number}", directory / f"take{number}.mcap"
        diary.write_bytes(bytes(8 * SLOTS))
        path = os.pathsep.join([str(ROOT), *(str(ROOT / "test" / room) for room in ("", "recorder"))])
        process = subprocess.Popen(
            [sys.executable, recording_process.__file__, str(take), str(diary)], env={**os.environ, "PYTHONPATH": path}
        )
        started.append(Victim(take, process, np.memmap(diary, np.int64, "r")))
    return started


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Victim]]:
    """Takes of recorders that were killed at random moments, a few at a time."""
    directory = tmp_path_factory.mktemp("killed")
    chance, done = random.Random(7), []
    for first in range(0, KILLS, AT_ONCE):
        group = victims(directory, range(first, min(first + AT_ONCE, KILLS)))
        try:
            moments = sorted(chance.randrange(600, int(SECONDS * 1000) - 1000) for _ in group)
            for victim, moment_ms in zip(group, moments, strict=True):
                victim.wait_and_kill(moment_ms * 1_000_000)
        finally:
            for victim in group:
                victim.process.kill()
                victim.process.wait()
        done += group
    yield done


def test_nothing_older_than_a_slice_is_lost(killed: list[Victim]) -> None:
    """A slice is closed 0.4 s after its first message, which the writer notices within 0.1 s unless the disk stalls."""
    published = script_messages(Script(seconds=SECONDS))
    behind_ns = []
    for victim in killed:
        arrivals = victim.diary[FIRST:]
        arrivals = arrivals[arrivals > 0]
        behind_ns.append(victim.killed_ns - victim.diary[LOOKED_AFTER])
        safe_ns = victim.killed_ns - SLICE_NS - max(behind_ns[-1], HEALTHY_NS)
        take = read_take(victim.path)
        assert not take.complete
        found = {topic: [m.sequence for m in messages] for topic, messages in take.messages.items()}
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in found.values())
        safe: dict[str, int] = {}
        for _, topic, _ in published[: int((arrivals <= safe_ns).sum())]:
            safe[topic] = safe.get(topic, 0) + 1
        assert safe
        assert [topic for topic, number in safe.items() if len(found.get(topic, [])) < number] == []
    assert statistics.median(behind_ns) < 5 * HEALTHY_NS


def test_every_take_becomes_an_episode_of_true_rows(killed: list[Victim]) -> None:
    directory = killed[0].path.parent
    assert len(leftover_takes(directory)) == KILLS
    recovered = recover(directory)
    assert [item.reason for item in recovered if item.episode is None] == []
    assert leftover_takes(directory) == []
    for item in recovered:
        with Episode.open(item.episode.path) as episode:
            assert episode.attribute("complete") is False
            assert episode.rows >= 1
            stamps_s = (episode["/time/joint_states/stamp_ns"][:] - T0) / 1e9
            assert np.abs(episode["/observations/qpos"][:] - wave(stamps_s - 0.05)).max() < 1e-5


def test_the_room_that_the_dead_held_is_given_back(killed: list[Victim]) -> None:
    directory = killed[0].path.parent
    assert len(list(directory.glob(".*.reserve"))) == KILLS
    drop_stale_reserves(directory)
    assert not list(directory.glob(".*.reserve"))


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
