# SPDX-License-Identifier: Apache-2.0
"""Laws of a group read: whatever arrives, data is the truth or missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import protocol
from drivers.group_read import MISSING, GroupRead, Kind, Slot
from drivers.protocol import FastReply

SLOTS = [Slot(1, 634, 10), Slot(2, 634, 10), Slot(7, 634, 10), Slot(110, 634, 40)]
KINDS = list(Kind)
DATA = st.tuples(*(st.binary(min_size=slot.length, max_size=slot.length) for slot in SLOTS))


def slots_of(kind: Kind) -> list[Slot]:
    """A sync read asks everybody for the same."""
    return SLOTS[:3] if kind in (Kind.SYNC, Kind.FAST_SYNC) else SLOTS


def answer(read: GroupRead, data, errors=(0, 0, 0, 0)) -> bytes:
    """What the devices would send."""
    parts = list(zip(read.slots, data, errors, strict=False))
    if read.kind.fast:
        return protocol.encode_fast_status([FastReply(slot.id, error, body) for slot, body, error in parts])
    return b"".join(protocol.encode_status(slot.id, error, body) for slot, body, error in parts)


def rows(read: GroupRead, answers) -> list[bytes | None]:
    """Data of every slot; None where missing."""
    out = [row.tobytes() for block in answers.data for row in block]
    return [None if error == MISSING else body for error, body in zip(answers.error, out, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
@given(data=DATA, errors=st.tuples(*[st.sampled_from([0, 0x80])] * 4))
def test_what_was_sent_is_what_is_read(kind: Kind, data, errors) -> None:
    read = GroupRead(slots_of(kind), kind)
    answers = read.take_apart(answer(read, data, errors))
    count = len(read.slots)
    assert answers.complete
    assert answers.crc_failures == 0
    assert rows(read, answers) == list(data[:count])
    assert answers.error.tolist() == list(errors[:count])


@pytest.mark.parametrize("kind", KINDS)
@given(data=DATA, place=st.integers(0, 10**6), flip=st.integers(1, 255))
def test_one_damaged_byte_costs_at_most_two_devices_and_never_tells_a_lie(kind: Kind, data, place, flip) -> None:
    read = GroupRead(slots_of(kind), kind)
    frame = bytearray(answer(read, data))
    frame[place % len(frame)] ^= flip
    found = rows(read, read.take_apart(frame))
    assert all(body is None or body == truth for body, truth in zip(found, data, strict=False))
    hit_the_head = kind.fast and place % len(frame) < 8
    assert found.count(None) <= (len(found) if hit_the_head else 2)


@pytest.mark.parametrize("kind", KINDS)
@given(data=DATA, cut=st.integers(0, 200))
def test_a_truncated_answer_keeps_what_came_whole(kind: Kind, data, cut: int) -> None:
    read = GroupRead(slots_of(kind), kind)
    frame = answer(read, data)
    cut = min(cut, len(frame))
    found = rows(read, read.take_apart(frame[:cut]))
    whole = found.index(None) if None in found else len(found)
    assert found[:whole] == list(data[:whole])
    assert set(found[whole:]) <= {None}
    if kind.fast:
        ends = np.cumsum([8, *(slot.length + 4 for slot in read.slots)])[1:]
    else:
        packets = [protocol.encode_status(slot.id, 0, body) for slot, body in zip(read.slots, data, strict=False)]
        ends = np.cumsum([len(packet) for packet in packets])
    assert whole == int((ends <= cut).sum())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pattern", [b"\xff\xff\xfd", b"\xff\xff\xfd\x00", b"\xff\xff\xfd\xfd", b"\xff\xff\xff\xfd"])
def test_data_that_looks_like_a_header_comes_through(kind: Kind, pattern: bytes) -> None:
    read = GroupRead(slots_of(kind), kind)
    data = [(pattern * 20)[: slot.length] for slot in read.slots]
    answers = read.take_apart(answer(read, data))
    assert rows(read, answers) == data


@pytest.mark.parametrize("kind", [Kind.SYNC, Kind.BULK])
@given(data=DATA, silent=st.sets(st.integers(0, 3), max_size=4))
def test_a_silent_device_costs_only_itself_where_everybody_answers_singly(kind: Kind, data, silent) -> None:
    read = GroupRead(slots_of(kind), kind)
    frame = b"".join(
        protocol.encode_status(slot.id, 0, body)
        for k, (slot, body) in enumerate(zip(read.slots, data, strict=False))
        if k not in silent
    )
    answers = read.take_apart(frame)
    wanted = [None if k in silent else body for k, body in enumerate(data[: len(read.slots)])]
    assert rows(read, answers) == wanted
    assert answers.complete == (None not in wanted)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=300)
@given(noise=st.binary(max_size=300))
def test_noise_is_nobodys_answer(kind: Kind, noise: bytes) -> None:
    read = GroupRead(slots_of(kind), kind)
    answers = read.take_apart(noise)
    assert set(rows(read, answers)) == {None}
    assert not answers.complete


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_s_packet_and_an_answer_of_another_length_are_not_taken(kind: Kind) -> None:
    read = GroupRead(slots_of(kind), kind)
    other = protocol.encode_status(99, 0, bytes(10)) + protocol.encode_status(1, 0, bytes(9))
    assert set(rows(read, read.take_apart(other))) == {None}
