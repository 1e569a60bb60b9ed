# SPDX-License-Identifier: Apache-2.0
"""What is accepted as a command."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.command import Command, CommandError, read_command

MS = 1_000_000
ORDER = ("a", "b", "c")
NOW = 10_000 * MS


def read(names=ORDER, positions=(0.1, 0.2, 0.3), capture=NOW - 40 * MS, issued=NOW - 5 * MS, last=None) -> Command:
    return read_command(names, positions, capture, issued, NOW, ORDER, last)


def test_positions_are_put_into_the_robots_order() -> None:
    command = read(names=("c", "a", "b"), positions=(3.0, 1.0, 2.0))
    assert command.position_rad.tolist() == [1.0, 2.0, 3.0]


def test_joints_that_are_not_named_stay_unset() -> None:
    command = read(names=("b",), positions=(2.0,))
    assert np.isnan(command.position_rad).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"positions": (0.1, float("nan"), 0.3)}, "NaN"),
        ({"positions": (0.1, float("inf"), 0.3)}, "infinite"),
        ({"positions": (0.1, 0.2)}, "3 joint names and 2 positions"),
        ({"names": (), "positions": ()}, "at least 1"),
        ({"names": ("a", "b", "elbow")}, "unknown joints elbow"),
        ({"names": ("a", "b", "b")}, "twice"),
        ({"issued": NOW - 101 * MS}, "101 ms old"),
        ({"issued": NOW + 30 * MS}, "in the future"),
        ({"capture": NOW - 600 * MS}, "camera frame is 600 ms old"),
    ],
)
def test_a_command_that_must_not_move_anything_is_refused_with_the_reason(change: dict, word: str) -> None:
    with pytest.raises(CommandError, match=word):
        read(**change)


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(-50, 5_000)), max_size=60))
def test_delayed_repeated_and_reordered_commands_are_never_used(sequence: list[tuple[int, int]]) -> None:
    """Each message arrives at some time with some delay; only newer ones of at most 100 ms pass."""
    last: Command | None = None
    now = NOW
    for step_ms, delay_ms in sequence:
        now += step_ms * MS
        issued = now - delay_ms * MS
        try:
            accepted = read_command(ORDER, (0.0, 0.0, 0.0), issued, issued, now, ORDER, last)
        except CommandError:
            continue
        assert now - accepted.issued_ns <= 100 * MS
        assert last is None or accepted.issued_ns > last.issued_ns
        last = accepted
