# SPDX-License-Identifier: Apache-2.0
"""Laws of the moving target made of commands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.command import Command
from drivers.command_stream import HORIZON_NS, CommandStream, CommandStreams
from drivers.safety import COMMAND_TTL_NS, MS

WIDE = (np.full(2, -1e9), np.full(2, 1e9), np.full(2, 1e9))
"""Limits and caps that clip nothing."""

NOW = 10**12


def command(position: float, issued_ns: int, velocity: float | None = None) -> Command:
    speed = None if velocity is None else np.array([velocity, np.nan])
    return Command(np.array([position, np.nan]), issued_ns, issued_ns - 30 * MS, speed)


@given(st.floats(-3, 3), st.integers(0, 1_000))
def test_without_feed_forward_the_target_is_the_newest_position_at_rest(position: float, ms: int) -> None:
    stream = CommandStream((0, 1), *WIDE)
    stream.offer(command(position, NOW))
    target, velocity = stream.target(NOW + ms * MS, feed_forward=False)
    assert target[0] == position
    assert np.isnan(target[1])
    assert not velocity.any()


@given(st.floats(-3, 3), st.floats(-5, 5), st.integers(5, 100), st.integers(0, 2_000))
def test_a_target_moves_on_for_one_period_at_most_and_never_beyond_the_horizon(p, v, period_ms, ms) -> None:
    stream = CommandStream((0, 1), *WIDE)
    stream.offer(command(p, NOW - period_ms * MS, v))
    stream.offer(command(p, NOW, v))
    target, _ = stream.target(NOW + ms * MS, feed_forward=True)
    ahead_s = min(ms, period_ms, HORIZON_NS / MS) * 1e-3
    assert abs(target[0] - p) <= abs(v) * ahead_s + 1e-9


@pytest.mark.parametrize("speed", [-2.0, -0.3, 0.4, 1.7])
def test_a_steady_motion_is_met_at_most_of_its_speed_and_never_overtaken(speed: float) -> None:
    stream = CommandStream((0, 1), *WIDE)
    for k in range(40):
        stream.offer(command(speed * k * 0.033, NOW + k * 33 * MS))
    _, velocity = stream.target(NOW + 39 * 33 * MS, feed_forward=True)
    assert 0.5 <= velocity[0] / speed <= 1.02


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 150)), max_size=40), st.integers(0, 300))
def test_nothing_moves_unless_every_group_that_was_engaged_with_is_fresh(events, wait_ms: int) -> None:
    streams, now_ns, newest = CommandStreams([(0,), (1,)], *WIDE, True), NOW, {}
    for group, step_ms in events:
        now_ns += step_ms * MS
        streams.streams[group].offer(Command(np.zeros(2), now_ns, now_ns))
        newest[group] = now_ns
    streams.engage(now_ns)
    live = [group for group, at_ns in newest.items() if now_ns - at_ns <= COMMAND_TTL_NS]
    later_ns = now_ns + wait_ms * MS
    target = streams.target(later_ns)
    assert (target is not None) == bool(live and all(later_ns - newest[g] <= COMMAND_TTL_NS for g in live))
    if live:
        assert streams.age_ns(later_ns, engaged=True) == max(later_ns - newest[group] for group in live)
    if target is not None:
        assert np.isfinite(target[0]).tolist() == [0 in live, 1 in live]


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False), st.integers(1, 100))
def test_whatever_a_sender_says_its_velocity_is_no_nan(p: float, q: float, v: float, ms: int) -> None:
    stream = CommandStream((0, 1), *WIDE)
    with np.errstate(all="ignore"):
        stream.offer(command(p, NOW))
        stream.offer(command(q, NOW + ms * MS))
        stream.offer(command(p, NOW + 2 * ms * MS, v))
        _, velocity = stream.target(NOW + 2 * ms * MS, feed_forward=True)
    assert np.isfinite(velocity).all()
