# SPDX-License-Identifier: Apache-2.0
"""A virtual half-duplex bus: which devices answer an instruction, with which bytes, and when.

Every answer carries the moment at which its last byte would be on the wire: request, return delay and answer at ten
bits a byte. Collisions are not modelled. A device that is missing from a sync or bulk read leaves the others' answers
alone; in a fast read the joint frame ends where it should have spoken.
"""

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple

from drivers.protocol import (
    ALERT_BIT,
    BROADCAST_ID,
    CrcFailure,
    ErrorNumber,
    FactoryReset,
    FastReply,
    Instruction,
    Packet,
    PacketReader,
    encode_fast_status,
    encode_status,
    fast_status_bytes,
)
from drivers.virtual_device import VirtualDevice

_BITS_PER_BYTE = 10
_GROUP_READS = frozenset(
    (Instruction.SYNC_READ, Instruction.BULK_READ, Instruction.FAST_SYNC_READ, Instruction.FAST_BULK_READ)
)
_FAST_READS = frozenset((Instruction.FAST_SYNC_READ, Instruction.FAST_BULK_READ))
_OBEYED_BY_SECONDARY_ID = frozenset((Instruction.WRITE, Instruction.REG_WRITE, Instruction.ACTION))


class Answer(NamedTuple):
    """Bytes that devices send; ``complete_ns`` is when the last of them is on the wire."""

    data: bytes
    complete_ns: int


class _Reply(NamedTuple):
    data: bytes
    delay_ns: int


class VirtualBus:
    """Devices on one line.

    Args:
        devices: the devices, in any order.
        baud: bits per second for the wire time.
        answer_crc_errors: the e-Manual lists status error 3 (CRC) for an instruction whose CRC is wrong, so a device
            that finds its own ID in one answers that. False: it stays silent, as if it had heard nothing.

    Attributes:
        line_baud: what the host talks at; devices set to another baud are deaf to it. None: nobody minds.
    """

    def __init__(self, devices: Iterable[VirtualDevice], baud: int, *, answer_crc_errors: bool = True) -> None:
        self.devices = tuple(devices)
        self.baud = baud
        self.line_baud: int | None = None
        self._answer_crc_errors = answer_crc_errors
        self._reader = PacketReader()
        self._lock = Lock()
        self._powered = True
        self._now_ns = 0
        self._wire_free_ns = 0

    def handle(self, chunk: bytes, now_ns: int) -> list[Answer]:
        """Bytes that the host put on the wire at ``now_ns``; returns the answers, earliest first."""
        with self._lock:
            answers: list[Answer] = []
            for record in self._reader.feed(chunk):
                at_ns = max(now_ns, self._wire_free_ns) + self._wire_ns(len(record.raw))
                self._now_ns = at_ns
                replies = self._crc_failure(record) if isinstance(record, CrcFailure) else self._execute(record)
                for reply in replies:
                    at_ns += reply.delay_ns + self._wire_ns(len(reply.data))
                    answers.append(Answer(reply.data, at_ns))
                self._wire_free_ns = at_ns
            return answers

    def device(self, id: int) -> VirtualDevice:  # noqa: A002 - the protocol's word
        """The device with this ID; KeyError lists the IDs there are."""
        for device in self.devices:
            if device.id == id:
                return device
        raise KeyError(f"no device with ID {id}: expected one of {sorted(d.id for d in self.devices)}")

    def set_silent(self, id: int, silent: bool) -> None:  # noqa: A002 - the protocol's word
        """A fault: the device neither hears nor answers, as with a broken wire."""
        with self._lock:
            self.device(id).silent = silent

    def set_power(self, on: bool) -> None:
        """A fault: the supply goes; torque and RAM are lost. When it returns the devices boot."""
        with self._lock:
            if on != self._powered:
                self._powered = on
                for device in self.devices:
                    device.reboot(self._now_ns)

    # --- dispatch ------------------------------------------------------------------------------------------

    def _wire_ns(self, count: int) -> int:
        return count * _BITS_PER_BYTE * 1_000_000_000 // (self.line_baud or self.baud)

    def _hearing(self) -> list[VirtualDevice]:
        if not self._powered:
            return []
        line, now_ns = self.line_baud, self._now_ns
        return [device for device in self.devices if device.is_up(now_ns) and (line is None or line == device.baud)]

    def _crc_failure(self, failure: CrcFailure) -> list[_Reply]:
        if not self._answer_crc_errors or failure.instruction == Instruction.STATUS:
            return []
        return [self._status(d, ErrorNumber.CRC) for d in self._hearing() if d.id == failure.id and _acknowledges(d)]

    def _execute(self, packet: Packet) -> list[_Reply]:
        if packet.is_status:
            return []
        hearing = self._hearing()
        for device in hearing:
            device.feed(self._now_ns)
        if packet.instruction in _GROUP_READS:
            return self._group_read(packet, hearing)
        if packet.instruction in (Instruction.SYNC_WRITE, Instruction.BULK_WRITE):
            self._group_write(packet, hearing)
            return []
        if packet.id == BROADCAST_ID:
            return self._broadcast(packet, hearing)
        if packet.instruction in _OBEYED_BY_SECONDARY_ID:
            for device in hearing:
                if device.secondary_id == packet.id:
                    self._order(device, packet)
        return next((self._single(device, packet) for device in hearing if device.id == packet.id), [])

    def _single(self, device: VirtualDevice, packet: Packet) -> list[_Reply]:
        if packet.instruction == Instruction.PING:
            return [self._ping(device)]
        if packet.instruction == Instruction.READ:
            error, data = _read(device, packet.params, self._now_ns)
            return [self._status(device, error, data)] if device.status_return_level >= 1 else []
        # A reboot or a new ID takes effect at once, the answer still comes from the device as it was asked.
        servo, delay_ns, answers = device.id, device.return_delay_ns, _acknowledges(device)
        error = self._order(device, packet)
        return [_Reply(encode_status(servo, _error_byte(device, error)), delay_ns)] if answers else []

    def _broadcast(self, packet: Packet, hearing: Sequence[VirtualDevice]) -> list[_Reply]:
        if packet.instruction == Instruction.PING:
            return [self._ping(device) for device in sorted(hearing, key=lambda device: device.id)]
        everything = packet.params[:1] == bytes((FactoryReset.ALL,))
        if packet.instruction == Instruction.FACTORY_RESET and everything:
            return []  # X series firmware 42 and later: a whole bus on ID 1 would be lost
        if packet.instruction != Instruction.READ:
            for device in hearing:
                self._order(device, packet)
        return []

    def _order(self, device: VirtualDevice, packet: Packet) -> ErrorNumber:
        """An instruction that is answered by an error number alone."""
        now_ns, params = self._now_ns, packet.params
        match packet.instruction:
            case Instruction.WRITE if len(params) > 2:
                return device.write(_u16(params), params[2:], now_ns)
            case Instruction.REG_WRITE if len(params) > 2:
                return device.stage(_u16(params), params[2:], now_ns)
            case Instruction.FACTORY_RESET if len(params) == 1:
                return device.factory_reset(params[0], now_ns)
            case Instruction.WRITE | Instruction.REG_WRITE | Instruction.FACTORY_RESET:
                return ErrorNumber.DATA_LENGTH
            case Instruction.ACTION:
                return device.act(now_ns)
            case Instruction.REBOOT:
                device.reboot(now_ns)
                return ErrorNumber.NONE
            case Instruction.CLEAR:
                return device.clear(params, now_ns)
            case Instruction.CONTROL_TABLE_BACKUP:
                return device.backup(params, now_ns)
        return ErrorNumber.INSTRUCTION

    # --- groups --------------------------------------------------------------------------------------------

    def _group_read(self, packet: Packet, hearing: Sequence[VirtualDevice]) -> list[_Reply]:
        by_id = {device.id: device for device in hearing if device.status_return_level >= 1}
        bulk = packet.instruction in (Instruction.BULK_READ, Instruction.FAST_BULK_READ)
        reads = _bulk_reads(packet.params) if bulk else _sync_reads(packet.params)
        if packet.instruction in _FAST_READS:
            return self._fast_read(reads, by_id)
        return [
            self._status(by_id[servo], *by_id[servo].read(address, length, self._now_ns))
            for servo, address, length in reads
            if servo in by_id
        ]

    def _fast_read(self, reads: Sequence[tuple[int, int, int]], by_id: dict[int, VirtualDevice]) -> list[_Reply]:
        replies: list[FastReply] = []
        speaking = 0
        for servo, address, length in reads:
            device = by_id.get(servo)
            if device is None or not device.supports_fast_read:
                break
            error, data = device.read(address, length, self._now_ns)
            replies.append(FastReply(servo, _error_byte(device, error), data.ljust(length, b"\0")))
            speaking += 1
        if not replies:
            return []
        missing = [FastReply(servo, 0, bytes(length)) for servo, _, length in reads[speaking:]]
        spoken = fast_status_bytes([length for _, _, length in reads[:speaking]])
        return [_Reply(encode_fast_status(replies + missing)[:spoken], by_id[reads[0][0]].return_delay_ns)]

    def _group_write(self, packet: Packet, hearing: Sequence[VirtualDevice]) -> None:
        bulk = packet.instruction == Instruction.BULK_WRITE
        addressed: dict[int | None, list[VirtualDevice]] = {}
        for device in hearing:
            for servo in {device.id, device.secondary_id}:
                addressed.setdefault(servo, []).append(device)
        for servo, address, data in _bulk_writes(packet.params) if bulk else _sync_writes(packet.params):
            for device in addressed.get(servo, ()):
                device.write(address, data, self._now_ns)

    # --- answers -------------------------------------------------------------------------------------------

    def _ping(self, device: VirtualDevice) -> _Reply:
        model = device.table.model_number.to_bytes(2, "little")
        return self._status(device, ErrorNumber.NONE, model + bytes((device.peek("Firmware Version"),)))

    def _status(self, device: VirtualDevice, error: int, data: bytes = b"") -> _Reply:
        return _Reply(encode_status(device.id, _error_byte(device, error), data), device.return_delay_ns)


def _acknowledges(device: VirtualDevice) -> bool:
    return device.status_return_level >= 2


def _error_byte(device: VirtualDevice, error: int) -> int:
    return error | (ALERT_BIT if device.alert else 0)


def _u16(data: bytes, at: int = 0) -> int:
    return data[at] | data[at + 1] << 8


def _read(device: VirtualDevice, params: bytes, now_ns: int) -> tuple[ErrorNumber, bytes]:
    if len(params) != 4:
        return ErrorNumber.DATA_LENGTH, b""
    return device.read(_u16(params), _u16(params, 2), now_ns)


def _sync_reads(params: bytes) -> list[tuple[int, int, int]]:
    if len(params) < 4:
        return []
    return [(servo, _u16(params), _u16(params, 2)) for servo in params[4:]]


def _bulk_reads(params: bytes) -> list[tuple[int, int, int]]:
    return [(params[at], _u16(params, at + 1), _u16(params, at + 3)) for at in range(0, len(params) - 4, 5)]


def _sync_writes(params: bytes) -> list[tuple[int, int, bytes]]:
    if len(params) < 4:
        return []
    address, length = _u16(params), _u16(params, 2)
    slots = range(4, len(params) - length, length + 1)
    return [(params[at], address, params[at + 1 : at + 1 + length]) for at in slots]


def _bulk_writes(params: bytes) -> list[tuple[int, int, bytes]]:
    writes, at = [], 0
    while at + 5 <= len(params):
        length = _u16(params, at + 3)
        if at + 5 + length > len(params):
            break
        writes.append((params[at], _u16(params, at + 1), params[at + 5 : at + 5 + length]))
        at += 5 + length
    return writes
