# SPDX-License-Identifier: Apache-2.0
"""The wire format: what is written is read again, and nothing else is ever read."""

import struct
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from link_clouds import body, hands

from graph import hands_cloud
from teleop import link_wire
from teleop.link_wire import Beat, Head, Kind, Landmarks, RobotStatus, WireError, decode, encode

u64, stamps = st.integers(0, 2**64 - 1), st.integers(0, 2**62 - 1)
heads = st.builds(Head, st.integers(1, 2**64 - 1), u64, u64, stamps, stamps, stamps)
seeds = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(exclude_categories=["C", "Z"]))


def signed(data: bytes) -> bytes:
    """The same bytes with a check sum that is right."""
    return data[:-4] + struct.pack("<I", crc32(data[:-4]))


@given(heads, st.integers(0, 2**32 - 1))
def test_a_beat_comes_back_as_it_was(head: Head, resolution_ns: int) -> None:
    assert decode(encode(head, Beat(resolution_ns))) == (head, Beat(resolution_ns))


@given(heads, seeds, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_clouds_come_back_bit_for_bit(head: Head, seed: int, first: bool, second: bool, both: bool, frame: int) -> None:
    rng = np.random.default_rng(seed)
    cloud = hands(rng, frame, first, second) if both else body(rng, frame, first)
    capture_ns = head.sent_ns // 2
    found, content = decode(encode(head, Landmarks(capture_ns, cloud)))
    assert found == head
    assert isinstance(content, Landmarks)
    assert content.capture_ns == capture_ns
    assert content.cloud.shape == cloud.shape
    assert content.cloud.tobytes() == cloud.tobytes()


@given(heads, texts, texts)
def test_a_status_comes_back_cut_to_its_room_between_characters(head: Head, word: str, reason: str) -> None:
    _, content = decode(encode(head, RobotStatus(word, reason)))
    assert isinstance(content, RobotStatus)
    assert word.startswith(content.word)
    assert reason.startswith(content.reason)
    assert content.word == word or len(content.word.encode()) > 16 - 4
    assert content.reason == reason or len(content.reason.encode()) > 160 - 4


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_one_length_and_no_other_is_read(kind: Kind) -> None:
    data = example(kind)
    assert len(data) == link_wire.LENGTHS[kind]
    for other in (data[:-1], data + b"\0", data[: len(data) // 2], b""):
        with pytest.raises(WireError) as caught:
            decode(other)
        assert caught.value.kind in ("length", "crc")


def test_hands_fit_one_packet_of_a_network() -> None:
    assert link_wire.LONGEST + 64 <= 1500 - 40


@settings(max_examples=counted(300, 100_000))
@given(st.sampled_from(Kind), st.data())
def test_one_changed_bit_is_noticed(kind: Kind, data: st.DataObject) -> None:
    good = example(kind)
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        decode(bytes(bad))


@pytest.mark.parametrize(
    ("offset", "value", "kind"),
    [(0, b"PIKL", "magic"), (4, b"\2", "version"), (4, b"\0", "version"), (5, b"\7", "length"), (6, b"\0\0", "length")],
)
def test_what_is_wrong_has_a_word_to_be_counted_by(offset: int, value: bytes, kind: str) -> None:
    data = bytearray(example(Kind.HANDS))
    data[offset : offset + len(value)] = value
    with pytest.raises(WireError) as caught:
        decode(signed(bytes(data)))
    assert caught.value.kind == kind


NUMBERS = st.one_of(st.floats(width=32), st.sampled_from([1e30, -1e30, 5.1, 1e-45, float("inf"), float("nan")]))


@given(seeds, st.sampled_from(link_wire.FLOATS), st.integers(0, 20), NUMBERS)
def test_landmarks_are_wholly_there_and_possible_or_not_there(seed: int, name: str, point: int, value: float) -> None:
    cloud = hands(np.random.default_rng(seed))
    cloud[name][0, point] = value
    limit = {"u": 10.0, "v": 10.0, "score": 1.0}.get(name, 5.0)
    possible = abs(value) <= limit and not (name == "score" and value < 0.0)
    head = Head(1, 1, 1, 10)
    if possible:
        encode(head, Landmarks(5, cloud))
    else:
        with pytest.raises(WireError, match="landmarks"):
            encode(head, Landmarks(5, cloud))


@pytest.mark.parametrize(
    "change",
    [{"epoch": 0}, {"epoch": 2**64}, {"sequence": -1}, {"sent_ns": -1}, {"echo_ns": 2**62}, {"held_ns": 2**63}],
)
def test_impossible_heads_are_neither_written_nor_read(change: dict[str, int]) -> None:
    with pytest.raises(WireError):
        encode(replace(Head(1, 1, 1, 10), **change), Beat())


def test_a_frame_is_not_captured_after_it_was_sent() -> None:
    with pytest.raises(WireError, match="captured after"):
        encode(Head(1, 1, 1, 10), Landmarks(11, hands(np.random.default_rng(0))))


@pytest.mark.parametrize("cloud", [hands_cloud.nobody(2, 20), hands_cloud.nobody(3, 21), np.zeros((2, 21))])
def test_clouds_of_another_shape_are_not_written(cloud: np.ndarray) -> None:
    with pytest.raises(WireError, match="shape"):
        encode(Head(1, 1, 1, 10), Landmarks(5, cloud))


def example(kind: Kind) -> bytes:
    rng = np.random.default_rng(3)
    contents = {
        Kind.BEAT: Beat(),
        Kind.HANDS: Landmarks(5, hands(rng)),
        Kind.BODY: Landmarks(5, body(rng)),
        Kind.STATUS: RobotStatus("ENGAGED", "all is well"),
    }
    return encode(Head(7, 8, 9, 10, 11, 12), contents[kind])
