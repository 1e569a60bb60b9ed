# SPDX-License-Identifier: Apache-2.0
"""One line in the cyclic path, on a virtual bus: what it learns from whom it hears."""

import numpy as np
from invariants import FaultRig, assert_invariants
from two_lines import PAIR
from virtual_line import Rig

from drivers import protocol
from drivers.protocol import Instruction, PacketReader
from drivers.roll_call import FAST_FAILURES


def kinds(rig: Rig, since: int) -> list[int]:
    """Instructions on the first line from a burst on."""
    reader = PacketReader()
    return [packet.instruction for burst in rig.line.instructions[since:] for packet in reader.feed(burst)]


def test_goals_and_the_request_leave_in_one_burst() -> None:
    rig = FaultRig("op3")
    rig.run(50)
    rig.link.care._poll_every = 10**9  # nobody is asked after their health
    begin = len(rig.line.instructions)
    rig.run(10)
    bursts = rig.line.instructions[begin:]
    assert len(bursts) == 10
    assert kinds(rig, begin) == [Instruction.SYNC_WRITE, Instruction.FAST_SYNC_READ] * 10


def test_what_is_said_to_be_sent_is_what_is_on_the_wire() -> None:
    rig = FaultRig("op3")
    rig.moving(20)
    begin = len(rig.line.instructions)
    cycle = rig.swing(1)
    packet = next(
        packet
        for packet in PacketReader().feed(b"".join(rig.line.instructions[begin:]))
        if packet.instruction == Instruction.SYNC_WRITE
    )
    rows = np.frombuffer(packet.params[4:], np.dtype([("id", "u1"), ("ticks", "<i4")]))
    by_id = dict(zip(rows["id"].tolist(), rows["ticks"].tolist(), strict=True))
    for joint, sent in zip(rig.robot.joints, cycle.sent_rad, strict=True):
        assert sent == (by_id[joint.id] - 2048) * 2 * np.pi / 4096
    assert_invariants(rig)


def test_a_broken_joint_frame_makes_the_next_cycle_ask_everybody_singly_and_then_it_is_fast_again() -> None:
    rig = FaultRig("op3")
    rig.run(50)
    rig.link.care._poll_every = 10**9
    rig.panel.cut_next_answer()
    begin = len(rig.line.instructions)
    rig.run(3)
    reads = [kind for kind in kinds(rig, begin) if kind != Instruction.SYNC_WRITE]
    assert reads == [Instruction.FAST_SYNC_READ, Instruction.SYNC_READ, Instruction.FAST_SYNC_READ]


def test_a_bus_on_which_joint_frames_never_arrive_is_asked_singly_for_good() -> None:
    rig = FaultRig("op3")
    fast = protocol.HEADER + b"\xfe"
    rig.line.mangle = lambda data: data[:20] if data.startswith(fast) else data
    rig.run(3 * FAST_FAILURES)
    assert not rig.link.lines[0].roll.fast_works
    assert rig.run(5).reading.fresh.all()
    assert not rig.link.faults()


def test_goals_go_on_to_those_who_are_silent() -> None:
    rig = FaultRig("op3")
    rig.moving(10)
    rig.panel.set_silent(5, True)
    rig.swing(20)
    begin = len(rig.line.instructions)
    rig.swing(1)
    (write, *_) = PacketReader().feed(b"".join(rig.line.instructions[begin:]))
    assert 5 in write.params[4::5]


def test_a_line_that_lost_its_port_leaves_the_other_line_alone() -> None:
    rig = FaultRig(PAIR)
    rig.run(5)
    rig.lines["left"].unplugged = True
    cycle = rig.run(5)
    assert cycle.reading.fresh.tolist() == [False, True, True]
    assert rig.link.lines[0].port_lost
    assert not rig.link.lines[1].port_lost


def test_the_wire_time_counts_goals_requests_and_answers() -> None:
    rig = FaultRig("op3")
    line = rig.link.lines[0]
    goals = protocol.sync_write(0, 4, [(joint.id, bytes(4)) for joint in rig.robot.joints])
    request = protocol.fast_sync_read(0, 10, [joint.id for joint in rig.robot.joints])
    answers = protocol.fast_status_bytes([10] * len(rig.robot.joints))
    expected = (len(goals) + len(request) + answers) * 10 / 2_000_000
    assert abs(line.wire_ns * 1e-9 - expected) < 1e-6
