# SPDX-License-Identifier: Apache-2.0
"""Group instructions: who answers, in which order, and what one silent device does to the others."""

import numpy as np
import pytest
from bench_line import Line
from bench_servo import Servo

from drivers import protocol
from drivers.group_read import MISSING, GroupRead, Kind, Slot
from drivers.group_write import SyncWrite

IDENTITY_BYTES = 8
"""Model, information, firmware and ID lie at 0 in every family, and don't change."""


def identity_of(servo: Servo) -> bytes:
    return servo.line.bus.read(servo.id, 0, IDENTITY_BYTES)


def ask(line: Line, kind: Kind, slots: list[Slot]) -> dict[int, tuple[int, bytes]]:
    """Error byte and data of everybody who answered, by the driver's own code."""
    read = GroupRead(slots, kind)
    answers = read.take_apart(line.bus.ask_once(read))
    rows = [row.tobytes() for block in answers.data for row in block]
    return {
        slot.id: (int(error), row)
        for slot, error, row in zip(slots, answers.error, rows, strict=True)
        if error != MISSING
    }


def several(everybody: list[Servo]) -> list[Servo]:
    if len(everybody) < 2:
        pytest.skip("not present: an order needs two devices on the line")
    return everybody


def answers_fast(servo: Servo) -> bool:
    """Whether its firmware is documented to."""
    first = servo.known.servo.fast_read_firmware if servo.known.servo is not None else None
    return first is not None and servo.identity.firmware >= first


@pytest.mark.parametrize("reverse", [False, True])
def test_sync_read_is_answered_in_the_order_of_the_request(everybody: list[Servo], reverse: bool) -> None:
    ids = [servo.id for servo in several(everybody)][:: -1 if reverse else 1]
    packets = everybody[0].line.ask(protocol.sync_read(0, IDENTITY_BYTES, ids), answers=len(ids))
    assert [packet.id for packet in packets] == ids
    assert [packet.params[7] for packet in packets] == ids


def test_sync_read_gives_every_device_its_own_values(everybody: list[Servo]) -> None:
    wanted = {servo.id: (0, identity_of(servo)) for servo in everybody}
    slots = [Slot(servo.id, 0, IDENTITY_BYTES) for servo in everybody]
    assert ask(everybody[0].line, Kind.SYNC, slots) == wanted


def test_bulk_read_gives_every_device_its_own_registers(everybody: list[Servo]) -> None:
    slots = [Slot(servo.id, 6 * (n % 2), 2 + 6 * (1 - n % 2)) for n, servo in enumerate(everybody)]
    wanted = {
        slot.id: (0, identity_of(servo)[slot.address : slot.address + slot.length])
        for slot, servo in zip(slots, everybody, strict=True)
    }
    slots.sort(key=lambda slot: slot.length)
    assert ask(everybody[0].line, Kind.BULK, slots) == wanted


def test_one_refusal_in_a_bulk_read_leaves_the_others(everybody: list[Servo]) -> None:
    """One is asked for a register that it doesn't have."""
    first, *others = several(everybody)
    slots = [(first.id, first.table.size + 300, 8), *((servo.id, 0, IDENTITY_BYTES) for servo in others)]
    packets = first.line.ask(protocol.bulk_read(slots), answers=len(slots))
    assert [packet.id for packet in packets] == [servo.id for servo in everybody]
    assert packets[0].error_number
    assert not any(packet.error_number for packet in packets[1:])


@pytest.mark.parametrize("kind", [Kind.SYNC, Kind.BULK])
def test_who_stands_before_a_silent_id_answers(everybody: list[Servo], kind: Kind) -> None:
    line, nobody = everybody[0].line, everybody[0].line.absent_id({servo.id for servo in everybody})
    slots = [Slot(number, 0, IDENTITY_BYTES) for number in (*(servo.id for servo in everybody), nobody)]
    assert ask(line, kind, slots) == {servo.id: (0, identity_of(servo)) for servo in everybody}


@pytest.mark.parametrize("kind", [Kind.SYNC, Kind.BULK])
def test_who_stands_behind_a_silent_id_stays_silent_too(everybody: list[Servo], kind: Kind) -> None:
    """ROBOTIS: "if one device does not respond in the middle, all IDs do not respond after that" (DynamixelSDK #364).

    A driver has to drop a silent device from its group, or it is blind to all that stand behind.
    """
    line, nobody = everybody[0].line, everybody[0].line.absent_id({servo.id for servo in everybody})
    slots = [Slot(number, 0, IDENTITY_BYTES) for number in (nobody, *(servo.id for servo in everybody))]
    assert ask(line, kind, slots) == {}


@pytest.mark.parametrize("kind", [Kind.FAST_SYNC, Kind.FAST_BULK])
def test_fast_reads_are_answered_by_firmware_that_knows_them(servo: Servo, kind: Kind) -> None:
    """In full or, where nothing is documented, not at all; never with something else."""
    found = ask(servo.line, kind, [Slot(servo.id, 0, IDENTITY_BYTES)])
    wanted = {servo.id: (0, identity_of(servo))}
    if servo.model.fast_read_firmware is None:
        assert found in ({}, wanted)
    else:
        assert found == (wanted if answers_fast(servo) else {})


@pytest.mark.parametrize("kind", [Kind.FAST_SYNC, Kind.FAST_BULK])
def test_fast_reads_of_several_come_in_one_frame(everybody: list[Servo], kind: Kind) -> None:
    fast = [servo for servo in everybody if answers_fast(servo)]
    if not fast:
        pytest.skip("not present: a servo whose firmware knows fast reads")
    slots = [Slot(servo.id, 0, IDENTITY_BYTES) for servo in fast]
    assert ask(fast[0].line, kind, slots) == {servo.id: (0, identity_of(servo)) for servo in fast}


@pytest.mark.parametrize("kind", [Kind.FAST_SYNC, Kind.FAST_BULK])
def test_a_silent_id_in_a_fast_read_makes_nobody_say_something_wrong(everybody: list[Servo], kind: Kind) -> None:
    """How much of the frame still comes is not documented; what comes must be true, and the line be usable."""
    fast = [servo for servo in everybody if answers_fast(servo)]
    if not fast:
        pytest.skip("not present: a servo whose firmware knows fast reads")
    line, nobody = fast[0].line, fast[0].line.absent_id({servo.id for servo in everybody})
    wanted = {servo.id: (0, identity_of(servo)) for servo in fast}
    numbers = [servo.id for servo in fast]
    for place in range(len(numbers) + 1):
        slots = [Slot(number, 0, IDENTITY_BYTES) for number in (*numbers[:place], nobody, *numbers[place:])]
        found = ask(line, kind, slots)
        assert found.items() <= wanted.items()
        for servo in fast:
            assert servo.ask(protocol.ping(servo.id))


def test_sync_write_reaches_everybody_and_nobody_answers(everybody: list[Servo]) -> None:
    names = {servo.id: "LED" if "LED" in servo.table else "LED Red" for servo in everybody}
    for address in {servo.table[names[servo.id]].address for servo in everybody}:
        group = [servo for servo in everybody if servo.table[names[servo.id]].address == address]
        for value in (1, 0):
            rows = [(servo.id, bytes((value,))) for servo in group]
            assert group[0].line.hears_nothing(protocol.sync_write(address, 1, rows))
            assert [servo.get(names[servo.id]) for servo in group] == [value] * len(group)


def test_sync_write_gives_every_servo_its_own_value(everybody: list[Servo]) -> None:
    """Position P Gain or, where there is none of 2 bytes, nothing: RAM, and without torque without effect."""
    places: dict[int, list[Servo]] = {}
    for servo in everybody:
        if "Position P Gain" in servo.table and servo.table["Position P Gain"].size == 2:
            places.setdefault(servo.table["Position P Gain"].address, []).append(servo)
    if not places:
        pytest.skip("not present: a servo with a Position P Gain of 2 bytes")
    for address, group in places.items():
        write = SyncWrite(address, 2, [servo.id for servo in group])
        values = [300 + servo.id for servo in group]
        raw = b"".join(value.to_bytes(2, "little") for value in values)
        group[0].line.send(write.encode(np.frombuffer(raw, np.uint8).reshape(len(group), 2)))
        assert [servo.get("Position P Gain") for servo in group] == values
