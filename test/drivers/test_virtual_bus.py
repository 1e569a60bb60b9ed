# SPDX-License-Identifier: Apache-2.0
"""Who answers what on a virtual bus, byte for byte, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import protocol as dxl
from drivers.servo_model import servo_model
from drivers.virtual_build import build_virtual_bus, start_ticks
from drivers.virtual_bus import VirtualBus
from drivers.virtual_servo import OVERLOAD_ERROR, VirtualServo
from robots import load_robot

BAUD = 2_000_000
BYTE_NS = 5_000
S = 1_000_000_000


def servo(number, **options):
    return VirtualServo(servo_model("xm430_w350"), number, **{"firmware": 50, "baud": BAUD, **options})


def bus_of(*numbers):
    return VirtualBus([servo(number) for number in numbers], BAUD)


def ask(bus, request, now_ns=0):
    """Status packets that a request brings; joint frames stay raw."""
    return [dxl.decode(answer.data) for answer in bus.handle(request, now_ns)]


def u32(value):
    return value.to_bytes(4, "little", signed=True)


# --- golden packets


def test_ping_answers_like_the_manual_but_with_this_model():
    (packet,) = ask(bus_of(1), dxl.ping(1))
    assert (packet.id, packet.error, packet.params) == (1, 0, (1020).to_bytes(2, "little") + bytes((50,)))


def test_read_of_the_present_position_is_the_manuals_packet():
    (answer,) = VirtualBus([servo(1, position_ticks=166)], BAUD).handle(
        bytes.fromhex("FFFFFD00010700028400040 01D15".replace(" ", "")), 0
    )
    assert answer.data == bytes.fromhex("FFFFFD00010800 5500A6000000 8CC0")


def test_write_is_answered_by_the_manuals_ok_packet():
    (answer,) = bus_of(1).handle(bytes.fromhex("FFFFFD0001090003 740000020000 CA89"), 0)
    assert answer.data == bytes.fromhex("FFFFFD00010400 5500 A10C")


def test_sync_read_gives_the_manuals_packets():
    bus = VirtualBus([servo(1, position_ticks=166), servo(2, position_ticks=2079)], BAUD)
    answers = bus.handle(bytes.fromhex("FFFFFD00FE0900 82840004000102CEFA"), 0)
    assert [answer.data for answer in answers] == [
        bytes.fromhex("FFFFFD00010800 5500A6000000 8CC0"),
        bytes.fromhex("FFFFFD00020800 55001F080000 BABE"),
    ]


def test_fast_sync_read_gives_the_manuals_joint_frame():
    bus = VirtualBus([servo(n, position_ticks=t) for n, t in ((3, 166), (4, 1023), (7, 2079))], BAUD)
    (answer,) = bus.handle(bytes.fromhex("FFFFFD00FE0A00 8A 84000400030704 20F2"), 0)
    assert answer.data == bytes.fromhex(
        "FFFFFD00FE190055 0003A60000008408 00071F08000016CA 0004FF030000D19E".replace(" ", "")
    )


def test_fast_bulk_read_gives_the_manuals_joint_frame():
    bus = VirtualBus([servo(3, position_ticks=166), servo(4), servo(7)], BAUD)
    bus.device(4).set_temperature(0x1F, 0)
    (answer,) = bus.handle(dxl.fast_bulk_read([(3, 132, 4), (7, 124, 2), (4, 146, 1)]), 0)
    replies = dxl.split_fast_status(answer.data, [(3, 4), (7, 2), (4, 1)])
    assert answer.data[:16] == bytes.fromhex("FFFFFD00FE140055 0003A600000067A4".replace(" ", ""))
    assert [r.data for r in replies] == [u32(166), b"\0\0", b"\x1f"]


# --- who answers


def test_broadcast_ping_is_answered_by_everyone_in_the_order_of_ids():
    assert [p.id for p in ask(bus_of(9, 3, 5), dxl.ping())] == [3, 5, 9]


def test_nobody_answers_for_an_absent_id():
    assert ask(bus_of(1), dxl.read(2, 132, 4)) == []


def test_broadcast_reads_and_writes_are_not_answered_but_writes_are_obeyed():
    bus = bus_of(1, 2)
    assert ask(bus, dxl.read(dxl.BROADCAST_ID, 132, 4)) == []
    assert ask(bus, dxl.write(dxl.BROADCAST_ID, 64, b"\1")) == []
    assert all(device.torque_on for device in bus.devices)


def test_sync_write_and_bulk_write_are_obeyed_silently():
    bus = bus_of(1, 2)
    assert ask(bus, dxl.sync_write(64, 1, [(1, b"\1"), (2, b"\1")])) == []
    assert ask(bus, dxl.bulk_write([(1, 116, u32(2100)), (2, 65, b"\1")])) == []
    assert (bus.device(1).position_ticks(5 * S), bus.device(2).peek("LED")) == (2100, 1)


def test_bulk_read_gives_each_its_own_registers():
    answers = ask(bus_of(1, 2), dxl.bulk_read([(2, 146, 1), (1, 144, 2)]))
    assert [(p.id, p.params) for p in answers] == [(2, b"\x1e"), (1, b"\x78\0")]


def test_reg_write_and_action():
    bus = bus_of(1, 2)
    ask(bus, dxl.write(dxl.BROADCAST_ID, 64, b"\1"))
    for number in (1, 2):
        (packet,) = ask(bus, dxl.reg_write(number, 116, u32(2200)))
        assert packet.error == 0
    assert ask(bus, dxl.action(), 1 * S) == []
    assert [d.position_ticks(5 * S) for d in bus.devices] == [2200, 2200]


def test_status_return_level_decides_who_gets_an_answer():
    bus = bus_of(1)
    (packet,) = ask(bus, dxl.write(1, 68, b"\1"))
    assert packet.error == 0
    assert ask(bus, dxl.write(1, 65, b"\1")) == []
    assert len(ask(bus, dxl.read(1, 65, 1))) == 1
    ask(bus, dxl.write(1, 68, b"\0"))
    assert ask(bus, dxl.read(1, 65, 1)) == []
    assert len(ask(bus, dxl.ping(1))) == 1


def test_secondary_id_is_obeyed_and_never_answered():
    bus = bus_of(1, 2)
    for number in (1, 2):
        ask(bus, dxl.write(number, 12, b"\x32"))
    assert ask(bus, dxl.write(50, 65, b"\1")) == []
    assert [d.peek("LED") for d in bus.devices] == [1, 1]
    ask(bus, dxl.sync_write(65, 1, [(50, b"\0")]))
    assert [d.peek("LED") for d in bus.devices] == [0, 0]
    assert ask(bus, dxl.read(50, 65, 1)) == []


def test_new_id_is_answered_under_the_old_one():
    bus = bus_of(1)
    assert [p.id for p in ask(bus, dxl.write(1, 7, b"\5"))] == [1]
    assert [p.id for p in ask(bus, dxl.ping())] == [5]


def test_reboot_is_answered_and_then_the_servo_is_deaf_for_a_moment():
    bus = bus_of(1)
    assert len(ask(bus, dxl.reboot(1))) == 1
    assert ask(bus, dxl.ping(1), 1_000_000) == []
    assert len(ask(bus, dxl.ping(1), S)) == 1


def test_factory_reset_of_everything_is_ignored_as_a_broadcast():
    bus = bus_of(7)
    ask(bus, dxl.factory_reset(dxl.BROADCAST_ID, dxl.FactoryReset.ALL))
    assert bus.devices[0].id == 7
    ask(bus, dxl.factory_reset(7, dxl.FactoryReset.ALL))
    assert bus.devices[0].id == 1


def test_status_packets_on_the_line_are_nobodys_business():
    assert ask(bus_of(1), dxl.encode_status(1, 0, b"\1")) == []


# --- errors


def test_unknown_instruction_is_an_instruction_error():
    (packet,) = ask(bus_of(1), dxl.encode_instruction(1, 0x42))
    assert packet.error_number == dxl.ErrorNumber.INSTRUCTION


def test_malformed_params_are_a_length_error():
    (packet,) = ask(bus_of(1), dxl.encode_instruction(1, dxl.Instruction.READ, b"\x84\x00"))
    assert packet.error_number == dxl.ErrorNumber.DATA_LENGTH
    (packet,) = ask(bus_of(1), dxl.encode_instruction(1, dxl.Instruction.WRITE, b"\x40\x00"))
    assert packet.error_number == dxl.ErrorNumber.DATA_LENGTH


def test_wrong_crc_is_answered_with_error_3_by_the_servo_it_names():
    broken = dxl.ping(1)[:-1] + b"\x00"
    (packet,) = ask(bus_of(1, 2), broken)
    assert (packet.id, packet.error_number) == (1, dxl.ErrorNumber.CRC)
    assert VirtualBus([servo(1)], BAUD, answer_crc_errors=False).handle(broken, 0) == []


def test_wrong_crc_is_answered_by_a_servo_that_has_just_booted():
    bus = bus_of(1)
    ask(bus, dxl.reboot(1))
    assert ask(bus, dxl.ping(1)[:-1] + b"\x00", 1_000_000) == []
    assert len(ask(bus, dxl.ping(1)[:-1] + b"\x00", S)) == 1


def test_alert_bit_is_in_every_answer_of_a_servo_in_trouble():
    bus = bus_of(1, 2)
    bus.device(1).raise_hardware_error(OVERLOAD_ERROR, 0)
    assert [p.alert for p in ask(bus, dxl.sync_read(132, 4, [1, 2]))] == [True, False]
    assert ask(bus, dxl.ping(1))[0].alert
    (joint,) = bus.handle(dxl.fast_sync_read(132, 4, [2, 1]), S)
    assert [r.error for r in dxl.split_fast_status(joint.data, [(2, 4), (1, 4)])] == [0, dxl.ALERT_BIT]


# --- faults


def test_behind_a_silent_servo_nobody_answers_a_sync_read():
    bus = bus_of(1, 2, 3)
    bus.set_silent(2, True)
    assert [p.id for p in ask(bus, dxl.sync_read(132, 4, [1, 2, 3]))] == [1]
    assert [p.id for p in ask(bus, dxl.sync_read(132, 4, [1, 3]))] == [1, 3]
    bus.set_silent(2, False)
    assert [p.id for p in ask(bus, dxl.sync_read(132, 4, [1, 2, 3]))] == [1, 2, 3]


def test_silent_servo_ends_a_fast_reads_joint_frame():
    bus = bus_of(1, 2, 3)
    (whole,) = bus.handle(dxl.fast_sync_read(132, 4, [1, 2, 3]), 0)
    bus.set_silent(2, True)
    (cut,) = bus.handle(dxl.fast_sync_read(132, 4, [1, 2, 3]), S)
    assert cut.data == whole.data[: dxl.fast_status_bytes([4])]
    bus.set_silent(1, True)
    assert bus.handle(dxl.fast_sync_read(132, 4, [1, 2, 3]), 2 * S) == []


def test_silent_servo_hears_nothing():
    bus = bus_of(1)
    bus.set_silent(1, True)
    ask(bus, dxl.write(1, 65, b"\1"))
    assert bus.device(1).peek("LED") == 0


def test_old_firmware_does_not_know_fast_reads():
    bus = VirtualBus([servo(1, firmware=44)], BAUD)
    assert bus.handle(dxl.fast_sync_read(132, 4, [1]), 0) == []
    assert len(bus.handle(dxl.sync_read(132, 4, [1]), 0)) == 1


def test_power_loss_takes_torque_and_answers_and_power_on_takes_a_boot():
    bus = bus_of(1)
    ask(bus, dxl.write(1, 64, b"\1"))
    ask(bus, dxl.write(1, 116, u32(4000)))
    ask(bus, dxl.ping(1), 100_000_000)
    bus.set_power(False)
    assert ask(bus, dxl.ping(1), S) == []
    bus.set_power(True)
    there = bus.device(1).position_ticks(S)
    assert there < 4000
    (packet,) = ask(bus, dxl.read(1, 64, 1), 2 * S)
    assert packet.params == b"\0"
    assert bus.device(1).position_ticks(9 * S) == there


def test_device_at_another_baud_is_deaf_when_the_line_baud_counts():
    bus = VirtualBus([servo(1), servo(2, baud=57_600)], BAUD)
    assert [p.id for p in ask(bus, dxl.ping())] == [1, 2]
    bus.line_baud = 57_600
    assert [p.id for p in ask(bus, dxl.ping())] == [2]


def test_a_read_loop_feeds_the_watchdog_and_silence_expires_it():
    bus = bus_of(1, 2)
    ask(bus, dxl.write(1, 64, b"\1"))
    ask(bus, dxl.write(1, 98, b"\x05"))
    for n in range(1, 21):
        ask(bus, dxl.ping(2), n * 50_000_000)
    (packet,) = ask(bus, dxl.read(1, 98, 1), S + 50_000_000)
    assert packet.params == b"\x05"
    (packet,) = ask(bus, dxl.read(1, 98, 1), 2 * S)
    assert packet.params == b"\xff"


# --- time


def test_answer_takes_request_delay_and_its_own_bytes_on_the_wire():
    bus = VirtualBus([servo(1, return_delay=250)], BAUD)
    (answer,) = bus.handle(dxl.read(1, 132, 4), 7 * S)
    assert answer.complete_ns - 7 * S == 14 * BYTE_NS + 500_000 + 15 * BYTE_NS


def test_answers_of_a_sync_read_follow_one_another():
    answers = bus_of(1, 2, 3).handle(dxl.sync_read(132, 4, [1, 2, 3]), 0)
    ends = [answer.complete_ns for answer in answers]
    assert ends == [(17 + 15 * n) * BYTE_NS for n in (1, 2, 3)]


def test_request_waits_until_the_wire_is_free():
    bus = bus_of(1)
    write = dxl.sync_write(116, 4, [(1, u32(2048))])
    assert bus.handle(write, 0) == []
    (answer,) = bus.handle(dxl.ping(1), 0)
    assert answer.complete_ns == (len(write) + 10 + 14) * BYTE_NS


def test_op3_fast_sync_read_of_ten_bytes_takes_1_61_ms():
    bus = build_virtual_bus(load_robot("op3"))
    request = dxl.fast_sync_read(126, 10, range(1, 21))
    (answer,) = bus.handle(request, 0)
    assert len(request) + len(answer.data) == 322
    assert answer.complete_ns == 1_610_000


# --- law, and the built robot


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(0, 252), st.integers(1, 255), st.binary(max_size=40))
def test_no_bytes_break_the_bus(chunks, number, instruction, params):
    bus = bus_of(1, 2)
    for chunk in chunks:
        bus.handle(chunk, 0)
    bus.handle(dxl.encode_instruction(number, instruction, params), 0)
    bus.handle(dxl.encode_instruction(dxl.BROADCAST_ID, instruction, params), 0)
    bus.handle(b"\xff" * 5000, S)
    for device in bus.devices:
        device.reboot(2 * S)
    assert len(bus.handle(dxl.ping(), 9 * S)) == 2 or instruction in (0x03, 0x06, 0x93, 0x83, 0x04)


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right"])
def test_built_robot_is_set_up_and_rests_near_home_but_not_at_home(name):
    robot = load_robot(name)
    bus = build_virtual_bus(robot)
    homes = []
    for joint in robot.joints:
        device = bus.device(joint.id)
        (packet,) = ask(bus, dxl.read(joint.id, 132, 4))
        ticks = int.from_bytes(packet.params, "little", signed=True)
        assert ticks == start_ticks(joint)
        assert device.peek("Homing Offset") == joint.homing_offset_ticks
        assert bool(device.peek("Drive Mode") & 1) == joint.reverse
        assert not device.torque_on
        homes.append(abs(ticks - 2048 - joint.home_rad * 4096 / 6.283185307))
    assert all(1 < off < 6 for off in homes)
    assert len({round(off) for off in homes}) > 1
