# SPDX-License-Identifier: Apache-2.0
"""The ring of what came before: bounded in time and bytes, and no state is forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from recorder.preroll import PreRoll
from recorder.take_thread import Message

SECOND = 1_000_000_000


def message(receive_ns, topic="/joints", size=10):
    return Message(topic, bytes(size), receive_ns, receive_ns, receive_ns)


@given(
    gaps=st.lists(st.integers(0, SECOND), max_size=60), span=st.sampled_from([0.5, 2.0]), wait=st.integers(0, SECOND)
)
def test_the_ring_holds_exactly_the_last_seconds(gaps, span, wait):
    ring, now, sent = PreRoll(span, ()), 0, []
    for gap in gaps:
        now += gap
        sent.append(message(now))
        ring.add(sent[-1])
    now += wait
    assert ring.pour(now) == [item for item in sent if item.receive_ns >= now - span * SECOND]
    assert ring.pour(now) == []


@given(sizes=st.lists(st.integers(1, 400), max_size=60))
def test_the_ring_never_holds_more_bytes_than_it_may(sizes):
    ring = PreRoll(30.0, (), max_bytes=1_000)
    for number, size in enumerate(sizes):
        ring.add(message(number, size=size))
    held = ring.pour(len(sizes))
    assert sum(len(item.data) for item in held) <= 1_000
    assert held == [] or held[-1].receive_ns == len(sizes) - 1


@given(
    said=st.lists(st.tuples(st.integers(0, SECOND), st.sampled_from(["/driver/state", "/joints"])), max_size=60),
    span=st.sampled_from([0.0, 1.0]),
)
def test_the_state_in_force_is_always_poured_first(said, span):
    ring, now, last = PreRoll(span, ("/driver/state",)), 0, None
    for gap, topic in said:
        now += gap
        ring.add(message(now, topic))
        last = now if topic == "/driver/state" else last
    poured = ring.pour(now)
    states = [item.receive_ns for item in poured if item.topic == "/driver/state"]
    assert (states[-1] if states else None) == last
    assert [item.receive_ns for item in poured] == sorted(item.receive_ns for item in poured)
    again = [item.receive_ns for item in ring.pour(now) if item.topic == "/driver/state"]
    assert again == ([] if last is None else [last])


def test_a_state_that_went_into_a_take_is_told_to_the_next():
    ring = PreRoll(1.0, ("/driver/state",))
    ring.add(message(1, "/driver/state"))
    ring.pour(2)
    ring.passed(message(3, "/driver/state"))
    ring.passed(message(4, "/joints"))
    assert [item.receive_ns for item in ring.pour(5)] == [3]
