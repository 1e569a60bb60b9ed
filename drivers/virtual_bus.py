# SPDX-License-Identifier: Apache-2.0
"""A virtual half-duplex bus: which devices answer an instruction, with which bytes, and when.

Every answer carries the moment at which its last byte would be on the wire: request, return delay and answer at ten
bits a byte. Collisions are not modelled. Devices answer a sync or bulk read in turn, each after the one before it, so
behind a missing one nobody answers (ROBOTIS, DynamixelSDK issue 364); a fast read's joint frame ends there, too.
"""

from collections.abc import Iterable, Sequence
from threading import RLock
from typing import NamedTuple

from drivers.protocol import (
    ALERT_BIT,
    BROADCAST_ID,
    CrcFailure,
    ErrorNumber,
    FactoryReset,
    Instruction,
    Packet,
    PacketReader,
)
from drivers.virtual_answer import joint_frame, status_frame
from drivers.virtual_device import Heard, Routes, VirtualDevice
from drivers.virtual_noise import BitErrors
from drivers.virtual_watchdog import SHORTEST_NS

_BITS_PER_BYTE = 10
_GROUP_READS = frozenset(
    (Instruction.SYNC_READ, Instruction.BULK_READ, Instruction.FAST_SYNC_READ, Instruction.FAST_BULK_READ)
)
_FAST_READS = frozenset((Instruction.FAST_SYNC_READ, Instruction.FAST_BULK_READ))
_BULK_READS = frozenset((Instruction.BULK_READ, Instruction.FAST_BULK_READ))
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
        noise: bit errors, on what the host says and on what it is told.
        late_ns: a fault: answers come this much later.
        cut_next: a fault: the next answer breaks off in the middle.
        lock: held while an instruction is executed; faults take it too.
    """

    def __init__(self, devices: Iterable[VirtualDevice], baud: int, *, answer_crc_errors: bool = True) -> None:
        self.devices = tuple(devices)
        self.baud = baud
        self.noise = BitErrors()
        self.late_ns = 0
        self.cut_next = False
        self.lock = RLock()
        self._line_baud: int | None = None
        self._answer_crc_errors = answer_crc_errors
        self._reader = PacketReader()
        self._now_ns = 0
        self._wire_free_ns = 0
        self._heard, self._routes = Heard(), Routes()
        self._hearing: tuple[VirtualDevice, ...] = ()
        self._by_id: dict[int, VirtualDevice] = {}
        self._readers: dict[int, tuple[VirtualDevice, int]] = {}
        self._obeying: dict[int, tuple[VirtualDevice, ...]] = {}
        self._routed_until_ns: int | None = None
        for device in self.devices:
            device.routes, device.heard = self._routes, self._heard

    @property
    def line_baud(self) -> int | None:
        """What the host talks at."""
        return self._line_baud

    @line_baud.setter
    def line_baud(self, baud: int | None) -> None:
        if baud != self._line_baud:
            self._line_baud = baud
            self._routes.stale = True

    def handle(self, chunk: bytes, now_ns: int) -> list[Answer]:
        """Bytes that the host put on the wire at ``now_ns``; returns the answers, earliest first."""
        with self.lock:
            answers: list[Answer] = []
            for record in self._reader.feed(self.noise.pass_through(chunk)):
                at_ns = max(now_ns, self._wire_free_ns) + self._wire_ns(len(record.raw))
                self._now_ns = at_ns
                replies = self._crc_failure(record) if isinstance(record, CrcFailure) else self._execute(record)
                for data, delay_ns in replies:
                    at_ns += delay_ns + self._wire_ns(len(data))
                    answers.append(Answer(data, at_ns))
                self._wire_free_ns = at_ns
            return self._spoilt(answers) if answers else answers

    def device(self, id: int) -> VirtualDevice:  # noqa: A002 - the protocol's word
        """The device with this ID; KeyError lists the IDs there are."""
        for device in self.devices:
            if device.id == id:
                return device
        raise KeyError(f"no device with ID {id}: expected one of {sorted(d.id for d in self.devices)}")

    def set_silent(self, id: int, silent: bool) -> None:  # noqa: A002 - the protocol's word
        """A fault: the device neither hears nor answers, as with a broken wire."""
        with self.lock:
            self.device(id).silent = silent

    def set_power(self, on: bool) -> None:
        """A fault: the supply goes; torque and RAM are lost. When it returns the devices boot."""
        with self.lock:
            for device in self.devices:
                device.set_power(on, self._now_ns)

    def _spoilt(self, answers: list[Answer]) -> list[Answer]:
        """What the line makes of the answers."""
        if self.late_ns:
            answers = [Answer(data, at_ns + self.late_ns) for data, at_ns in answers]
        if self.noise.rate:
            answers = [Answer(self.noise.pass_through(data), at_ns) for data, at_ns in answers]
        if self.cut_next:
            self.cut_next = False
            data, at_ns = answers[0]
            answers = [Answer(data[: len(data) // 2], at_ns), *answers[1:]]
        return answers

    # --- dispatch ------------------------------------------------------------------------------------------

    def _wire_ns(self, count: int) -> int:
        return count * _BITS_PER_BYTE * 1_000_000_000 // (self._line_baud or self.baud)

    def _listen(self) -> tuple[VirtualDevice, ...]:
        """Who hears an instruction now; a long silence before it may have expired watchdogs."""
        now_ns = self._now_ns
        self._route_when_due(now_ns)
        if now_ns - self._heard.ns >= SHORTEST_NS:
            for device in self._hearing:
                device.watch(now_ns)
        self._heard.ns = max(self._heard.ns, now_ns)
        return self._hearing

    def _route_when_due(self, now_ns: int) -> None:
        if self._routes.stale or (self._routed_until_ns is not None and now_ns >= self._routed_until_ns):
            self._route(now_ns)

    def _route(self, now_ns: int) -> None:
        """Find out anew who hears and who answers what."""
        line = self._line_baud
        self._routes.stale = False
        booting = [d.ready_ns for d in self.devices if d.powered and not d.silent and d.ready_ns > now_ns]
        self._routed_until_ns = min(booting, default=None)
        hearing = [d for d in self.devices if d.is_up(now_ns) and (line is None or line == d.baud)]
        for device in self.devices:
            deaf = device not in hearing
            if deaf and device.heard is self._heard:
                device.heard = Heard(self._heard.ns)
            elif not deaf and device.heard is not self._heard:
                device.watch(now_ns)
                device.heard = self._heard
        self._hearing = tuple(hearing)
        self._by_id, self._readers = {}, {}
        obeying: dict[int, list[VirtualDevice]] = {}
        for device in hearing:
            servo, shadow = device.id, device.secondary_id
            self._by_id.setdefault(servo, device)
            if device.status_return_level >= 1:
                self._readers[servo] = device, device.return_delay_ns
            for number in {servo} if shadow is None else {servo, shadow}:
                obeying.setdefault(number, []).append(device)
        self._obeying = {number: tuple(devices) for number, devices in obeying.items()}

    def _crc_failure(self, failure: CrcFailure) -> list[_Reply]:
        if not self._answer_crc_errors or failure.instruction == Instruction.STATUS:
            return []
        self._route_when_due(self._now_ns)
        return [self._status(d, ErrorNumber.CRC) for d in self._hearing if d.id == failure.id and _acknowledges(d)]

    def _execute(self, packet: Packet) -> list[_Reply]:
        if packet.is_status:
            return []
        hearing = self._listen()
        instruction = packet.instruction
        if instruction in _GROUP_READS:
            return self._group_read(packet)
        if instruction == Instruction.SYNC_WRITE:
            self._sync_write(packet.params)
            return []
        if instruction == Instruction.BULK_WRITE:
            self._bulk_write(packet.params)
            return []
        if packet.id == BROADCAST_ID:
            return self._broadcast(packet, hearing)
        if instruction in _OBEYED_BY_SECONDARY_ID:
            for shadow in self._obeying.get(packet.id, ()):
                if shadow.id != packet.id:
                    self._order(shadow, packet)
        device = self._by_id.get(packet.id)
        return [] if device is None else self._single(device, packet)

    def _single(self, device: VirtualDevice, packet: Packet) -> list[_Reply]:
        if packet.instruction == Instruction.PING:
            return [self._ping(device)]
        if packet.instruction == Instruction.READ:
            error, data = _read(device, packet.params, self._now_ns)
            return [self._status(device, error, data)] if device.status_return_level >= 1 else []
        # A reboot or a new ID takes effect at once, the answer still comes from the device as it was asked.
        servo, delay_ns, answers = device.id, device.return_delay_ns, _acknowledges(device)
        error = self._order(device, packet)
        return [_Reply(status_frame(servo, _error_byte(device, error), b""), delay_ns)] if answers else []

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

    def _group_read(self, packet: Packet) -> list[_Reply]:
        reads = (_bulk_reads if packet.instruction in _BULK_READS else _sync_reads)(packet.params)
        if packet.instruction in _FAST_READS:
            return self._fast_read(reads)
        replies, readers, now_ns = [], self._readers, self._now_ns
        for servo, address, length in reads:
            reader = readers.get(servo)
            if reader is None:
                break  # the next one waits for its answer in vain
            device, delay_ns = reader
            error, data = device.read(address, length, now_ns)
            replies.append(_Reply(status_frame(servo, error | ALERT_BIT if device.alert else error, data), delay_ns))
        return replies

    def _fast_read(self, reads: Sequence[tuple[int, int, int]]) -> list[_Reply]:
        """The length field counts everybody who was asked; who doesn't know fast reads, or isn't there, ends it."""
        parts, readers, now_ns = [], self._readers, self._now_ns
        for servo, address, length in reads:
            reader = readers.get(servo)
            if reader is None or not reader[0].supports_fast_read:
                break
            device = reader[0]
            error, data = device.read(address, length, now_ns)
            if error:
                data = data.ljust(length, b"\0")
            parts.append((error | ALERT_BIT if device.alert else error, servo, data))
        if not parts:
            return []
        promised = sum(read[2] for read in reads) + 4 * len(reads)
        return [_Reply(joint_frame(promised, parts), readers[reads[0][0]][1])]

    def _sync_write(self, params: bytes) -> None:
        if len(params) < 4:
            return
        address, length = params[0] | params[1] << 8, params[2] | params[3] << 8
        obeying, now_ns = self._obeying, self._now_ns
        for at in range(4, len(params) - length, length + 1):
            for device in obeying.get(params[at], ()):
                device.write(address, params[at + 1 : at + 1 + length], now_ns)

    def _bulk_write(self, params: bytes) -> None:
        for servo, address, data in _bulk_writes(params):
            for device in self._obeying.get(servo, ()):
                device.write(address, data, self._now_ns)

    # --- answers -------------------------------------------------------------------------------------------

    def _ping(self, device: VirtualDevice) -> _Reply:
        model = device.table.model_number.to_bytes(2, "little")
        return self._status(device, ErrorNumber.NONE, model + bytes((device.peek("Firmware Version"),)))

    def _status(self, device: VirtualDevice, error: int, data: bytes = b"") -> _Reply:
        return _Reply(status_frame(device.id, _error_byte(device, error), data), device.return_delay_ns)


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
    address, length = _u16(params), _u16(params, 2)
    return [(servo, address, length) for servo in params[4:]]


def _bulk_reads(params: bytes) -> list[tuple[int, int, int]]:
    return [(params[at], _u16(params, at + 1), _u16(params, at + 3)) for at in range(0, len(params) - 4, 5)]


def _bulk_writes(params: bytes) -> list[tuple[int, int, bytes]]:
    writes, at = [], 0
    while at + 5 <= len(params):
        length = _u16(params, at + 3)
        if at + 5 + length > len(params):
            break
        writes.append((params[at], _u16(params, at + 1), params[at + 5 : at + 5 + length]))
        at += 5 + length
    return writes
