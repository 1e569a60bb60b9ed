# SPDX-License-Identifier: Apache-2.0
"""The bytes of a line's cycle and what they mean: goals in SI to frames, answers to SI."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers import units
from drivers.bus import Bus
from drivers.group_read import Answers, GroupRead, Slot
from drivers.group_write import SyncWrite
from drivers.hand_device import READ_BLOCK, READ_BYTES, WRITE_BLOCK, WRITE_BYTES, HandDevice
from drivers.servo_block import GOAL_BYTES, GOAL_OFFSET, STATE, STATE_BYTES
from drivers.servo_device import ServoDevice
from drivers.state_arrays import Index, StateArrays, as_index

Array = NDArray[np.float64]

ALERT = 0x80
"""Error byte of a device that answers properly and has a hardware error to report."""


@dataclass(frozen=True, slots=True)
class _Units:
    """Some servos of a line with their units, all arrays of the same length."""

    index: Index
    centre: Array
    rad_per_tick: Array
    rad_s_per_unit: Array
    ma_per_unit: Array


class LineFrames:
    """Frames for the servos and hands of one line, made once and filled in every cycle."""

    def __init__(self, servos: Sequence[ServoDevice], hands: Sequence[HandDevice]) -> None:
        self._servos, self._hands = servos, hands
        self._servo_by_id = {servo.id: servo for servo in servos}
        self._hand_by_id = {hand.id: hand for hand in hands}
        self._units: dict[GroupRead, list[_Units | None]] = {}
        self._writes: list[tuple[SyncWrite, _Units]] = []
        self._hand_write = SyncWrite(WRITE_BLOCK, WRITE_BYTES, list(self._hand_by_id)) if hands else None

    @property
    def goal_bytes(self) -> int:
        """Bytes on the wire for the goals of everybody."""
        out = sum(write.frame_bytes for write, _ in self._writes)
        return out + (self._hand_write.frame_bytes if self._hand_write is not None else 0)

    def plan(self) -> None:
        """Make the frames anew: servos may have told another firmware, and other reads will come.

        Goals go to everybody, also to those who are silent: they may still hear.
        """
        self._units.clear()
        by_block: dict[int, list[ServoDevice]] = {}
        for servo in self._servos:
            by_block.setdefault(servo.block, []).append(servo)
        self._writes = [
            (SyncWrite(block + GOAL_OFFSET, GOAL_BYTES, [servo.id for servo in servos]), _units(servos))
            for block, servos in by_block.items()
        ]

    def slot(self, device: ServoDevice | HandDevice) -> Slot:
        """What is read of a device in every cycle."""
        if isinstance(device, HandDevice):
            return Slot(device.id, READ_BLOCK, READ_BYTES)
        return Slot(device.id, device.block, STATE_BYTES)

    def goals(self, goal_rad: Array, sent_rad: Array) -> bytes:
        """Goals of all devices; ``sent_rad`` (n,) is filled with what they will aim at: goals rounded to ticks."""
        frames = []
        for write, servos in self._writes:
            ticks = np.rint(goal_rad[servos.index] / servos.rad_per_tick + servos.centre)
            sent_rad[servos.index] = (ticks - servos.centre) * servos.rad_per_tick
            frames.append(write.encode(ticks.astype("<i4").view(np.uint8).reshape(-1, GOAL_BYTES)))
        if self._hand_write is not None:
            rows = np.empty((len(self._hands), WRITE_BYTES), np.uint8)
            for row, hand in enumerate(self._hands):
                ticks = units.ticks_from_rad(goal_rad[hand.indices])
                rows[row], sent_rad[hand.indices] = hand.encode(ticks), units.rad_from_ticks(ticks)
            frames.append(self._hand_write.encode(rows))
        return b"".join(frames)

    def note(self, read: GroupRead, answers: Answers, bus: Bus, into: StateArrays) -> None:
        """Raw answers to SI, joint by joint. A hand that is not trusted is asked first whether its tables are on.

        Raises:
            PortError: the port went away while a hand was asked.
        """
        for (first, count, _), data, servos in zip(read.runs, answers.data, self._units_of(read), strict=True):
            good: NDArray[np.bool_] | None = None
            alert: NDArray[np.bool_] | None = None
            if not answers.healthy:
                error = answers.error[first : first + count]
                alert = error == ALERT
                good = (error == 0) | alert
            if servos is None:
                for row, slot in enumerate(read.slots[first : first + count]):
                    hand = self._hand_by_id[slot.id]
                    hand.alert = alert is not None and bool(alert[row])
                    _note_hand(hand, good is None or bool(good[row]), data[row], bus, into)
                continue
            raw = np.ascontiguousarray(data).view(STATE)[:, 0]
            into.note(
                servos.index,
                (raw["position"] - servos.centre) * servos.rad_per_tick,
                raw["velocity"] * servos.rad_s_per_unit,
                raw["current"] * servos.ma_per_unit,
                good,
                alert,
            )

    def _units_of(self, read: GroupRead) -> list[_Units | None]:
        """For every run of a read the units of its servos; None for hands."""
        known = self._units.get(read)
        if known is None:
            known = [
                None
                if read.slots[first].id in self._hand_by_id
                else _units([self._servo_by_id[slot.id] for slot in read.slots[first : first + count]])
                for first, count, _ in read.runs
            ]
            self._units[read] = known
        return known


def _note_hand(hand: HandDevice, good: bool, block: NDArray[np.uint8], bus: Bus, into: StateArrays) -> None:
    if not good:
        hand.trusted = False
    elif not hand.trusted:
        hand.trusted = hand.tables_are_on(bus)
    if good and hand.trusted:
        position, velocity, current = hand.decode(block)
        into.note(hand.indices, position, velocity, current)


def _units(servos: Sequence[ServoDevice]) -> _Units:
    models = [servo.model for servo in servos]
    return _Units(
        as_index([servo.index for servo in servos]),
        np.array([model.centre_ticks for model in models], float),
        np.array([servo.rad_per_tick for servo in servos]),
        np.array([servo.model.rad_s_per_unit * servo.scale for servo in servos]),
        np.array([model.ma_per_unit for model in models]),
    )
