# SPDX-License-Identifier: Apache-2.0
"""Which landmarks count: fresh ones of the one operator, whose stamps are never in the future nor younger than true."""

import numpy as np
import pytest
from counted import counted
from far_operator import LOST, MS, FarOperator
from hypothesis import given, settings
from hypothesis import strategies as st
from link_clouds import hands

from teleop.link_answers import BUSY, EVERY_NS, MOST_PEERS
from teleop.link_gate import LEASE_NS, OLDEST_AT_WORST_NS
from teleop.link_operator import OperatorEnd
from teleop.link_wire import Head, Landmarks, RobotStatus, encode

NOW = 10**15
AHEAD = 7 * 3600 * 10**9


def far(seed: int = 0, ahead_ns: int = AHEAD) -> FarOperator:
    return FarOperator(NOW, ahead_ns, np.random.default_rng(seed))


def test_landmarks_count_after_one_round_trip() -> None:
    link = far()
    link.run_until(NOW + 200 * MS)
    first_ns = link.arrivals[0][0]
    assert first_ns - NOW <= EVERY_NS + 40 * MS
    assert link.gate.user == "ana"
    assert not link.gate.refused
    assert link.end.view(link.now_ns + AHEAD).connected


@settings(max_examples=counted(25, 2000))
@given(
    st.integers(-(10**14), 10**14),
    st.integers(0, 120),
    st.integers(0, 120),
    st.floats(0.0, 0.4),
    st.integers(0, 2**32 - 1),
)
def test_stamps_are_never_in_the_future_and_as_true_as_they_say(
    ahead_ns: int, delay_ms: int, jitter_ms: int, loss: float, seed: int
) -> None:
    link, rng = far(seed, ahead_ns), np.random.default_rng(seed)
    link.travel = lambda _to, _now: LOST if rng.random() < loss else int((delay_ms + jitter_ms * rng.random()) * MS)
    link.run_until(NOW + 1200 * MS)
    before_ns = 0
    for (came_ns, arrival), uncertainty_ns in zip(link.arrivals, link.uncertainties_ns, strict=True):
        assert before_ns < arrival.capture_ns <= came_ns
        assert arrival.capture_ns - link.true_capture_ns(arrival) <= uncertainty_ns
        before_ns = arrival.capture_ns


@settings(max_examples=counted(25, 2000))
@given(st.integers(0, 2**32 - 1), st.integers(1, 5000), st.integers(0, 80))
def test_what_was_held_back_is_not_followed_when_it_comes(seed: int, held_ms: int, jitter_ms: int) -> None:
    """The network holds everything back for a while and then delivers all of it at once, in order, as TCP does."""
    link, rng = far(seed), np.random.default_rng(seed)
    open_ns = NOW + 500 * MS + held_ms * MS
    link.travel = lambda _to, now_ns: max(
        int(jitter_ms * MS * rng.random()), open_ns - now_ns if now_ns > NOW + 500 * MS else 0
    )
    link.run_until(open_ns + 200 * MS)
    for came_ns, arrival in link.arrivals:
        sent_ns = link.true_capture_ns(arrival) + 25 * MS
        assert came_ns - sent_ns <= OLDEST_AT_WORST_NS


def test_a_copy_or_an_overtaken_one_counts_once() -> None:
    link = far()
    link.run_until(NOW + 300 * MS)
    link.travel = lambda _to, _now: LOST
    link.run_until(NOW + 303 * MS)
    count = len(link.arrivals)
    for data in link.packets[-20:]:
        assert link.see(data) is None
    assert len(link.arrivals) == count
    assert link.gate.repeated > 0
    assert not link.gate.refused


def test_a_capture_of_an_earlier_session_is_refused_and_counted() -> None:
    link = far()
    link.run_until(NOW + 300 * MS)
    capture = list(link.packets)
    link.travel = lambda _to, _now: LOST
    link.run_until(link.now_ns + LEASE_NS)
    link.restart()
    link.travel = lambda _to, _now: MS
    link.run_until(link.now_ns + 300 * MS)
    count, refused = len(link.arrivals), link.gate.refused.total()
    assert all(link.see(data) is None for data in capture)
    assert len(link.arrivals) == count
    assert link.gate.refused.total() == refused + len(capture)


def test_a_capture_played_while_nobody_operates_moves_nothing() -> None:
    link = far()
    link.run_until(NOW + 300 * MS)
    capture = list(link.packets)
    later = far(1)
    later.now_ns = NOW + 10**12
    for data in capture:
        assert later.see(data) is None
    assert set(later.gate.refused) == {"session"}


def test_a_second_operator_is_told_who_operates_and_gets_nothing_through() -> None:
    link = far()
    link.run_until(NOW + 300 * MS)
    second = OperatorEnd()
    head, arrival = link.gate.see(second.beat(link.now_ns), "ben", link.now_ns)
    assert head is not None and arrival is None
    link.answers.heard(b"2", head, "ben", link.now_ns)
    link.now_ns += EVERY_NS
    second.hear(dict(link.answers.due(link.now_ns))[b"2"], link.now_ns)
    view = second.view(link.now_ns)
    assert (view.word, view.reason) == (BUSY, "ana operates this robot")
    assert second.landmarks(hands(np.random.default_rng(0)), link.now_ns, link.now_ns) is None
    assert link.gate.refused["busy"] == 1


def test_another_operator_may_take_over_when_the_first_was_silent() -> None:
    link = far()
    link.run_until(NOW + 300 * MS)
    link.now_ns += LEASE_NS
    head, _ = link.gate.see(OperatorEnd().beat(link.now_ns), "ben", link.now_ns)
    assert head is not None
    assert link.gate.user == "ben"
    assert link.gate.session_of(head.epoch, "ben") != 0
    assert link.gate.session_of(head.epoch, "ana") == 0


def test_a_key_may_not_speak_for_another_ones_session() -> None:
    link = far()
    link.run_until(NOW + 300 * MS)
    link.travel = lambda _to, _now: LOST
    link.run_until(link.now_ns + 40 * MS)
    assert link.see(link.packets[-1], user="mallory") is None
    assert link.gate.refused.total() == 1


@pytest.mark.parametrize("step_ns", [-3600 * 10**9, 3600 * 10**9])
def test_a_laptop_that_slept_sends_nothing_that_counts_until_its_clock_is_measured_anew(step_ns: int) -> None:
    link = far()
    link.run_until(NOW + 500 * MS)
    link._ahead_ns += step_ns
    link.run_until(NOW + 1500 * MS)
    for came_ns, arrival in link.arrivals:
        assert abs(arrival.capture_ns - (came_ns - 26 * MS)) <= 3 * MS
    assert link.gate.clock.steps == 1
    assert link.now_ns - link.arrivals[-1][0] < 100 * MS


def test_what_only_a_robot_says_is_refused_from_an_operator() -> None:
    link = far()
    assert link.see(encode(Head(1, 0, 1, 10), RobotStatus("ENGAGED"))) is None
    assert link.gate.refused == {"kind": 1}


def test_landmarks_without_a_session_are_refused() -> None:
    link = far()
    assert link.see(encode(Head(1, 0, 1, 10), Landmarks(5, hands(np.random.default_rng(0))))) is None
    assert link.gate.refused == {"session": 1}


def test_only_so_many_connections_are_answered() -> None:
    link = far()
    for k in range(3 * MOST_PEERS):
        head, _ = link.gate.see(OperatorEnd().beat(NOW + k), f"user{k}", NOW + k)
        assert head is not None
        link.answers.heard(k.to_bytes(2, "big"), head, f"user{k}", NOW + k)
    assert len(link.answers.due(NOW + EVERY_NS)) == MOST_PEERS
