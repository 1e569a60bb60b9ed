# SPDX-License-Identifier: Apache-2.0
"""Fault: somebody sets the computer's clock while the robot moves (row 9). The driver does not look at it."""

import ast
import time
from pathlib import Path

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from drivers.command import CommandError, read_command
from drivers.safety import MS, State
from graph.stamps import ENV_OFFSET, graph_clock

ROOT = Path(__file__).parents[2]
S = 1_000_000_000
JUMPS = (S, -S, 3600 * S, -3600 * S)
WALL = {"time", "time_ns", "now", "utcnow", "today", "localtime", "gmtime", "ctime", "strftime"}


class Wall:
    """A wall clock that can be set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset_ns, real = 0, time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() + self.offset_ns)
        monkeypatch.setattr(time, "time", lambda: (real() + self.offset_ns) * 1e-9)


@pytest.mark.parametrize("jump_ns", JUMPS)
def test_a_jump_while_it_moves_is_neither_seen_nor_felt(jump_ns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps go the whole way: sender's graph clock, message, driver's graph clock, command."""
    wall, rig = Wall(monkeypatch), FaultRig("op3")
    environ = {ENV_OFFSET: str(time.time_ns() - time.monotonic_ns())}
    rig.moving()
    for _ in range(counted(5, 100)):
        wall.offset_ns += jump_ns
        sender, driver = graph_clock(environ), graph_clock(environ)
        for _ in range(10):
            rig._swing += 1
            wanted = rig.home + 0.1 * np.sin(2 * np.pi * rig._swing / rig.robot.rate_hz)
            now_ns = rig.clock.now_ns
            stamp_ns = now_ns + sender.offset_ns
            issued_ns = stamp_ns - driver.offset_ns
            last = rig.loop.last_command(0)
            names = rig.robot.joint_names
            issued_ns = max(issued_ns, last.issued_ns + 1 if last is not None else 0)
            command = read_command(names, wanted.tolist(), issued_ns, issued_ns, now_ns, names, last)
            rig.loop.offer(command)
            rig.run(1)
            assert rig.loop.status.state is State.ENGAGED, rig.loop.status
            wall.offset_ns += jump_ns // 7
    assert_invariants(rig)


def test_a_commander_with_another_clock_is_refused_and_moves_nothing() -> None:
    """Started by hand after the jump, without the graph's offset: an hour ahead, or an hour behind."""
    now_ns = time.monotonic_ns()
    for jump_ns in (3600 * S, -3600 * S, S, -S):
        with pytest.raises(CommandError, match=r"in the future: clocks differ|ms old, at most 100"):
            read_command(("a",), (0.0,), now_ns + jump_ns, now_ns + jump_ns, now_ns, ("a",), None)


def test_graph_time_does_not_jump_with_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    clock = graph_clock({ENV_OFFSET: "1000"})
    before = clock.now_ns()
    wall.offset_ns += 3600 * S
    assert 0 <= clock.now_ns() - before < 3600 * S
    assert clock.drift_ns() > 3000 * S, "the jump is measured, for the record"
    assert clock.offset_ns == 1000


def wall_clock_calls(source: str) -> list[str]:
    """Calls of the wall clock in a module."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in WALL:
            owner = ast.unparse(node.value).split(".")[-1]
            if owner in ("time", "datetime", "date"):
                found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [f"line {node.lineno}: from time import {a.name}" for a in node.names if a.name in WALL]
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "drivers").glob("*.py")), ids=lambda path: path.name)
def test_no_file_of_the_driver_that_moves_anything_reads_the_wall_clock(path: Path) -> None:
    if not path.name.startswith(("maintenance", "servo_tools")):  # calendars for people
        assert wall_clock_calls(path.read_text()) == []


@pytest.mark.parametrize(
    "line", ["import time\ntime.time()", "import time as t\nfrom time import time_ns", "datetime.datetime.now()"]
)
def test_the_search_for_wall_clocks_finds_them(line: str) -> None:
    assert wall_clock_calls(line)


def test_the_driver_is_indifferent_to_milliseconds_of_difference_between_two_processes() -> None:
    now_ns = time.monotonic_ns()
    for off_ms in (-20, 0, 20):
        assert read_command(("a",), (0.0,), now_ns, now_ns + off_ms * MS, now_ns, ("a",), None)
