# SPDX-License-Identifier: Apache-2.0
"""Fault: commands are late, repeated, out of order or stop (row 8). Only fresh and newer ones move anything."""

import numpy as np
import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from invariants import FaultRig, assert_invariants

from drivers.command import Command, CommandError, read_command
from drivers.command_stream import CommandStreams
from drivers.safety import COMMAND_TTL_NS, MS, State
from graph.faults import FaultCode

WIDE = (np.full(2, -1e9), np.full(2, 1e9), np.full(2, 1e9))
"""Limits and caps that clip nothing."""

SEQUENCES = counted(300, 100_000)
STALLS = counted(20, 1000)
ORDER = ("a", "b")

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["tick", "send", "again", "lose"]),
        st.integers(0, 200),  # ms until it
        st.integers(0, 5000),  # ms of delay on its way
    ),
    max_size=30,
)


@settings(max_examples=SEQUENCES)
@given(EVENTS, st.booleans())
def test_a_command_moves_something_only_when_it_is_newer_and_at_most_100_ms_old(events, feed_forward: bool) -> None:
    """Delay, loss, repetition, reordering: what ``target`` hands out is always one of the fresh."""
    streams = CommandStreams([(0, 1)], *WIDE, feed_forward)
    now_ns, sent = 10**12, [10**12]
    last: Command | None = None
    for kind, wait_ms, delay_ms in events:
        now_ns += wait_ms * MS
        if kind == "lose":
            sent.append(now_ns)
            continue
        if kind in ("send", "again"):
            issued_ns = sent[-1] if kind == "again" else now_ns - (delay_ms % 150) * MS
            sent.append(issued_ns)
            try:
                command = read_command(ORDER, (0.1, 0.2), issued_ns, issued_ns, now_ns, ORDER, last)
            except CommandError:
                pass
            else:
                assert last is None or command.issued_ns > last.issued_ns
                last = command
                streams.streams[0].offer(command)
                streams.engage(now_ns)
        target = streams.target(now_ns)
        if target is not None:
            assert last is not None
            assert now_ns - last.issued_ns <= COMMAND_TTL_NS
            assert target[2] == last.capture_ns


@settings(max_examples=STALLS)
@given(st.integers(10_000, 20_000), st.lists(st.integers(0, 15_000), min_size=1, max_size=50), st.randoms())
def test_after_a_stall_of_ten_seconds_the_first_one_applied_is_fresh(stall_ms: int, ages_ms: list[int], rng) -> None:
    """A queue full of old motion is delivered at once, in any order: all of it is refused."""
    now_ns = 10**12 + stall_ms * MS
    rng.shuffle(ages_ms)
    last: Command | None = None
    for age_ms in ages_ms:
        issued_ns = now_ns - age_ms * MS
        try:
            last = read_command(ORDER, (0.0, 0.0), issued_ns, issued_ns, now_ns, ORDER, last)
        except CommandError:
            continue
        assert age_ms <= 100
    assert (last is not None) == any(age_ms <= 100 for age_ms in ages_ms)


@pytest.mark.parametrize("name", ["op3", "ffw_sh5"])
def test_when_commands_stop_the_robot_holds_in_time_and_waits_for_an_engage(name: str) -> None:
    rig = FaultRig(name)
    rig.moving()
    begin_ns = rig.clock.now_ns
    rig.until(lambda: rig.loop.status.state is State.HOLD, 150)
    assert rig.clock.now_ns - begin_ns <= 100 * MS + 2 * rig.period_ns
    assert rig.loop.status.code is FaultCode.COMMAND_STALE
    assert "no fresh command for 100 ms" in rig.loop.status.reason
    rig.run(rig.robot.rate_hz)
    rig.swing(rig.robot.rate_hz)
    assert rig.loop.status.state is State.HOLD, "it resumed by itself"
    rig.run(rig.robot.rate_hz, rig.home)
    rig.engage()
    assert rig.run(10, rig.home).status.state is State.ENGAGED
    assert_invariants(rig)


def test_one_group_of_several_that_falls_silent_holds_the_whole_robot() -> None:
    rig = FaultRig("ffw_sh5")
    rig.moving()
    begin_ns = rig.clock.now_ns
    while rig.loop.status.state is State.ENGAGED:
        assert rig.clock.now_ns - begin_ns <= 150 * MS
        for group in range(1, len(rig.robot.groups)):
            rig.loop.offer(Command(rig.home, rig.clock.now_ns, rig.clock.now_ns - 30 * MS), group)
        rig.run(1)
    assert rig.loop.status.code is FaultCode.COMMAND_STALE
    assert_invariants(rig)


def test_goals_stand_still_on_an_old_command_even_while_the_computer_is_forgiven_a_pause() -> None:
    rig, rng = FaultRig("op3"), np.random.default_rng(8)
    rig.moving()
    for _ in range(counted(20, 500)):
        rig.pass_time(float(rng.uniform(0.03, 0.3)))
        cycle = rig.run(1)
        last = rig.loop.last_command(0)
        assert last is not None
        if rig.clock.now_ns - last.issued_ns > COMMAND_TTL_NS + rig.period_ns:
            assert cycle.capture_ns is None, "moved by an old command"
        rig.run(1, rig.home)
        if rig.loop.status.state is not State.ENGAGED:
            rig.run(30, rig.home)
            rig.engage()
        rig.swing(5)
    assert_invariants(rig)
