# SPDX-License-Identifier: Apache-2.0
"""The codec: golden packets of the e-Manual in both directions, and laws that hold for any bytes."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import protocol as dxl

GOLDEN_INSTRUCTIONS = [
    (dxl.ping(1), "FFFFFD00 01 0300 01 194E"),
    (dxl.ping(), "FFFFFD00 FE 0300 01 3142"),
    (dxl.read(1, 132, 4), "FFFFFD00 01 0700 02 84000400 1D15"),
    (dxl.write(1, 116, (512).to_bytes(4, "little")), "FFFFFD00 01 0900 03 740000020000 CA89"),
    (dxl.reg_write(1, 104, (200).to_bytes(4, "little")), "FFFFFD00 01 0900 04 6800C8000000 AE8E"),
    (dxl.action(1), "FFFFFD00 01 0300 05 02CE"),
    (dxl.factory_reset(1, dxl.FactoryReset.ALL_BUT_ID), "FFFFFD00 01 0400 06 01 A1E6"),
    (dxl.reboot(1), "FFFFFD00 01 0300 08 2F4E"),
    (dxl.clear_multi_turn(1), "FFFFFD00 01 0800 10 0144584C22 B1DC"),
    (dxl.encode_instruction(1, 0x20, bytes.fromhex("014354524C")), "FFFFFD00 01 0800 20 014354524C 16F5"),
    (dxl.sync_read(132, 4, [1, 2]), "FFFFFD00 FE 0900 82 840004000102 CEFA"),
    (
        dxl.sync_write(116, 4, [(1, bytes.fromhex("96000000")), (2, bytes.fromhex("AA000000"))]),
        "FFFFFD00 FE 1100 83 74000400 0196000000 02AA000000 8287",
    ),
    (dxl.bulk_read([(1, 144, 2), (2, 146, 1)]), "FFFFFD00 FE 0D00 92 0190000200 0292000100 1A05"),
    (
        dxl.bulk_write([(1, 32, b"\xa0\x00"), (2, 31, b"\x50")]),
        "FFFFFD00 FE 1000 93 0120000200A000 021F00010050 B768",
    ),
    (dxl.fast_sync_read(132, 4, [3, 7, 4]), "FFFFFD00 FE 0A00 8A 84000400030704 20F2"),
    (
        dxl.fast_bulk_read([(3, 132, 4), (7, 124, 2), (4, 146, 1)]),
        "FFFFFD00 FE 1200 9A 0384000400 077C000200 0492000100 DA2D",
    ),
]

GOLDEN_STATUSES = [
    (1, bytes.fromhex("060426"), "FFFFFD00 01 0700 55 00 060426 655D"),
    (1, b"", "FFFFFD00 01 0400 55 00 A10C"),
    (1, (166).to_bytes(4, "little"), "FFFFFD00 01 0800 55 00 A6000000 8CC0"),
    (2, (2079).to_bytes(4, "little"), "FFFFFD00 02 0800 55 00 1F080000 BABE"),
    (1, (119).to_bytes(2, "little"), "FFFFFD00 01 0600 55 00 7700 C369"),
]

GOLDEN_JOINT_FRAMES = [
    (
        [(3, "A6000000"), (7, "1F080000"), (4, "FF030000")],
        "FFFFFD00 FE 1900 55 0003A6000000 8408 00071F080000 16CA 0004FF030000 D19E",
    ),
    ([(3, "A6000000"), (7, "A501"), (4, "1F")], "FFFFFD00 FE 1400 55 0003A6000000 67A4 0007A501 2474 00041F D9C1"),
]

ids = st.integers(0, dxl.MAX_ID)
nasty = st.lists(
    st.sampled_from(
        [b"\xff\xff\xfd", b"\xff", b"\xfd", b"\x00", b"\xff\xff\xfd\x00", b"\xff\xff\xfd\xfd", b"\x55", b"\x01"]
    )
).map(b"".join)
payloads = st.one_of(st.binary(max_size=40), nasty, st.tuples(nasty, st.binary(max_size=8), nasty).map(b"".join))
packets = st.one_of(
    st.tuples(ids, st.sampled_from([0x01, 0x02, 0x03, 0x83, 0x92]), payloads).map(lambda a: dxl.encode_instruction(*a)),
    st.tuples(ids, st.integers(0, 255), payloads).map(lambda a: dxl.encode_status(*a)),
)


@pytest.mark.parametrize(("built", "golden"), GOLDEN_INSTRUCTIONS)
def test_builders_make_the_manuals_instructions(built, golden):
    assert built == bytes.fromhex(golden)


@pytest.mark.parametrize(("built", "golden"), GOLDEN_INSTRUCTIONS)
def test_reader_decodes_the_manuals_instructions(built, golden):
    (packet,) = dxl.PacketReader().feed(bytes.fromhex(golden))
    assert not packet.is_status
    assert dxl.encode_instruction(packet.id, packet.instruction, packet.params) == bytes.fromhex(golden)


@pytest.mark.parametrize(("servo", "data", "golden"), GOLDEN_STATUSES)
def test_statuses_of_the_manual_in_both_directions(servo, data, golden):
    assert dxl.encode_status(servo, 0, data) == bytes.fromhex(golden)
    assert dxl.PacketReader().feed(bytes.fromhex(golden)) == [dxl.Packet(servo, 0x55, data, 0)]


@pytest.mark.parametrize(("parts", "golden"), GOLDEN_JOINT_FRAMES)
def test_joint_frames_of_the_manual_in_both_directions(parts, golden):
    replies = [dxl.FastReply(servo, 0, bytes.fromhex(data)) for servo, data in parts]
    frame = bytes.fromhex(golden)
    assert dxl.encode_fast_status(replies) == frame
    assert dxl.split_fast_status(frame, [(r.id, len(r.data)) for r in replies]) == replies
    (packet,) = dxl.PacketReader().feed(frame)
    assert packet.raw == frame


def test_joint_frame_is_not_unstuffed():
    data = b"\xff\xff\xfd\xfd"
    frame = dxl.encode_fast_status([dxl.FastReply(1, 0, data), dxl.FastReply(2, 0, data)])
    (packet,) = dxl.PacketReader().feed(frame)
    assert [r.data for r in dxl.split_fast_status(packet.raw, [(1, 4), (2, 4)])] == [data, data]


def test_joint_frame_keeps_each_servos_error_byte():
    frame = dxl.encode_fast_status([dxl.FastReply(1, 0x80, b"ab"), dxl.FastReply(2, 7, b"cd")])
    assert [r.error for r in dxl.split_fast_status(frame, [(1, 2), (2, 2)])] == [0x80, 7]


def test_joint_frame_names_the_servo_whose_running_crc_is_wrong():
    frame = bytearray(dxl.encode_fast_status([dxl.FastReply(1, 0, b"ab"), dxl.FastReply(2, 0, b"cd")]))
    frame[-3] ^= 1
    with pytest.raises(dxl.CrcError, match="servo 2"):
        dxl.split_fast_status(bytes(frame), [(1, 2), (2, 2)])


@pytest.mark.parametrize("expected", [[(1, 2)], [(2, 2), (1, 2)], [(1, 2), (2, 3)]])
def test_joint_frame_of_other_servos_is_refused(expected):
    frame = dxl.encode_fast_status([dxl.FastReply(1, 0, b"ab"), dxl.FastReply(2, 0, b"cd")])
    with pytest.raises(dxl.FormatError):
        dxl.split_fast_status(frame, expected)


def test_crc_is_polynomial_8005_unreflected_from_zero():
    def bitwise(data: bytes) -> int:
        crc = 0
        for byte in data:
            crc ^= byte << 8
            for _ in range(8):
                crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
        return crc

    data = bytes(range(256)) * 2
    assert dxl.crc16(data) == bitwise(data)
    assert dxl.crc16(data[100:], dxl.crc16(data[:100])) == dxl.crc16(data)


@given(payloads)
def test_unstuff_undoes_stuff_and_no_header_survives_stuffing(body):
    assert dxl.unstuff(dxl.stuff(body)) == body
    assert dxl.HEADER not in dxl.stuff(body)


@given(ids, st.integers(0, 255), payloads)
def test_decode_undoes_encode_status(servo, error, params):
    assert dxl.decode(dxl.encode_status(servo, error, params)) == dxl.Packet(servo, 0x55, params, error)


@given(ids, st.sampled_from([int(i) for i in dxl.Instruction if i != dxl.Instruction.STATUS]), payloads)
def test_decode_undoes_encode_instruction(servo, instruction, params):
    assert dxl.decode(dxl.encode_instruction(servo, instruction, params)) == dxl.Packet(servo, instruction, params)


def _feed_in_chunks(stream: bytes, cuts: list[int]) -> list[dxl.Packet]:
    reader = dxl.PacketReader()
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    records = [record for a, b in pairwise(edges) for record in reader.feed(stream[a:b])]
    return [record for record in records if isinstance(record, dxl.Packet)]


@given(st.lists(packets, max_size=6), st.lists(st.integers(0, 500), max_size=20))
def test_packets_do_not_depend_on_how_the_stream_is_cut(frames, cuts):
    stream = b"".join(frames)
    assert _feed_in_chunks(stream, cuts) == [dxl.decode(frame) for frame in frames]


@given(
    st.lists(st.one_of(packets, nasty, st.binary(max_size=20)), max_size=6), st.lists(st.integers(0, 500), max_size=20)
)
def test_noise_between_packets_gives_the_same_packets_for_any_cut(parts, cuts):
    stream = b"".join(parts)
    every_byte = list(range(len(stream)))
    assert _feed_in_chunks(stream, cuts) == _feed_in_chunks(stream, []) == _feed_in_chunks(stream, every_byte)


@given(packets, st.integers(0, 60), packets)
def test_half_frame_does_not_swallow_the_next_packet(first, kept, second):
    half = first[: kept % len(first)]
    assert dxl.decode(second) in _feed_in_chunks(half + second, [])


@given(packets, st.integers(0, 2000))
def test_one_flipped_bit_is_never_decoded_as_a_packet_of_its_length(frame, where):
    flipped = bytearray(frame)
    flipped[where // 8 % len(frame)] ^= 1 << where % 8
    assert all(len(p.raw) != len(frame) for p in _feed_in_chunks(bytes(flipped), []))


def test_crc_failure_is_reported_and_the_next_packet_is_found():
    broken = bytearray(dxl.encode_status(5, 0, b"abcd"))
    broken[9] ^= 0x40
    good = dxl.encode_status(6, 0, b"abcd")
    failure, packet = dxl.PacketReader().feed(bytes(broken) + good)
    assert isinstance(failure, dxl.CrcFailure)
    assert (failure.id, failure.instruction) == (5, 0x55)
    assert packet == dxl.decode(good)


def test_random_noise_never_raises_and_never_grows_the_buffer():
    noise, reader = random.Random(1), dxl.PacketReader(max_frame_bytes=256)
    for _ in range(2000):
        reader.feed(noise.randbytes(64).replace(b"\x11", b"\xff\xff\xfd\x00"))
        assert reader.pending_bytes <= 256


def test_frame_longer_than_the_limit_is_noise():
    frame = dxl.encode_status(1, 0, bytes(300))
    assert dxl.PacketReader(max_frame_bytes=200).feed(frame) == []
    assert len(dxl.PacketReader(max_frame_bytes=400).feed(frame)) == 1


def test_reset_forgets_the_beginning_of_a_frame():
    frame, reader = dxl.encode_status(1, 0, b"abcd"), dxl.PacketReader()
    reader.feed(frame[:9])
    reader.reset()
    assert reader.pending_bytes == 0
    assert reader.feed(frame) == [dxl.decode(frame)]


def test_alert_bit_and_error_number_are_told_apart():
    packet = dxl.decode(dxl.encode_status(1, 0x80 | 4))
    assert packet.alert
    assert packet.error_number == dxl.ErrorNumber.DATA_RANGE


@pytest.mark.parametrize(
    "build",
    [
        lambda: dxl.sync_read(132, 4, [1, 2, 1]),
        lambda: dxl.sync_read(132, 4, [1, 254]),
        lambda: dxl.sync_write(116, 4, [(1, b"abc")]),
        lambda: dxl.bulk_write([(1, 0, b"a"), (1, 4, b"a")]),
        lambda: dxl.ping(253),
        lambda: dxl.write(1, 0, bytes(5000)),
    ],
)
def test_impossible_instructions_are_refused(build):
    with pytest.raises(dxl.FormatError):
        build()


@pytest.mark.parametrize("frame", [b"", b"\xff\xff\xfd\x00", dxl.ping(1)[:-1], dxl.ping(1) + b"\x00"])
def test_decode_wants_exactly_one_frame(frame):
    with pytest.raises(dxl.FormatError):
        dxl.decode(frame)


def test_decode_tells_a_wrong_crc():
    with pytest.raises(dxl.CrcError, match="4E19"):
        dxl.decode(dxl.ping(1)[:-1] + b"\x00")
