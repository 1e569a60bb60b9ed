# SPDX-License-Identifier: Apache-2.0
"""Transactions on one DYNAMIXEL bus: instruction out, answers in, each servo's result on its own."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers import protocol
from drivers.errors import BusTimeoutError, ServoStatusError
from drivers.group_read import GroupRead
from drivers.latency import CEILING_NS, Latency
from drivers.protocol_frame import ErrorNumber, Packet
from drivers.protocol_reader import PacketReader

NS_PER_S = 1_000_000_000
STATUS_OVERHEAD_BYTES = 11
SETUP_ATTEMPTS = 3


class Port(Protocol):
    """What a bus needs of a serial port."""

    baud: int

    def write(self, data: bytes) -> None: ...

    def read(self, deadline_ns: int) -> bytes: ...

    def discard(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Answer to a ping."""

    model_number: int
    firmware: int


@dataclass(slots=True)
class BusCounters:
    """What happened since the start."""

    transactions: int = 0
    timeouts: int = 0
    crc_failures: int = 0


class Bus:
    """One bus, used by one thread at a time."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._reader = PacketReader()
        self.counters = BusCounters()
        self.latency = Latency()

    def ping(self, servo_id: int) -> Identity:
        """Ask a servo who it is.

        Raises:
            BusTimeoutError: it does not answer.
        """
        return _identity(self._one(protocol.ping(servo_id), servo_id, 3))

    def read(self, servo_id: int, address: int, length: int) -> bytes:
        """Read registers of one servo.

        Raises:
            BusTimeoutError: no answer.
            ServoStatusError: refused.
        """
        return self._one(protocol.read(servo_id, address, length), servo_id, length).params

    def write(self, servo_id: int, address: int, data: bytes) -> None:
        """Write registers of one servo and wait for its confirmation.

        Raises:
            BusTimeoutError: no answer.
            ServoStatusError: refused.
        """
        self._one(protocol.write(servo_id, address, data), servo_id, 0)

    def reboot(self, servo_id: int) -> None:
        """Restart a servo. One that has just shut down may not answer; whether it is back, a ping tells."""
        self._transact(protocol.reboot(servo_id), [servo_id], 0)

    def read_once(self, servo_id: int, address: int, length: int) -> Packet | None:
        """The cyclic read of one device: one attempt, None when nothing usable came in time."""
        instruction = protocol.read(servo_id, address, length)
        return self._transact(instruction, [servo_id], length, self.latency.allowance_ns).get(servo_id)

    def ping_once(self, servo_id: int) -> Identity | None:
        """One attempt, for a device that may well be absent."""
        found = self._transact(protocol.ping(servo_id), [servo_id], 3, self.latency.allowance_ns).get(servo_id)
        return None if found is None or found.error_number else _identity(found)

    def ask_once(self, read: GroupRead) -> bytes:
        """One group read outside of the cyclic path: the raw bytes that came."""
        self._port.discard()
        self._port.write(read.request)
        deadline_ns = time.monotonic_ns() + read.wire_ns(self._port.baud) + CEILING_NS
        received = b""
        while not read.enough(received) and (data := self._port.read(deadline_ns)):
            received += data  # ends: a line full of noise is soon enough
        return received

    def sync_write(self, address: int, length: int, writes: Sequence[tuple[int, bytes]]) -> None:
        """Write registers of many servos at once; nobody answers."""
        self.counters.transactions += 1
        self._port.write(protocol.sync_write(address, length, writes))

    def _one(self, instruction: bytes, servo_id: int, length: int) -> Packet:
        for attempt in range(SETUP_ATTEMPTS):
            answer = self._transact(instruction, [servo_id], length).get(servo_id)
            if answer is None:
                continue
            if attempt:
                self._let_pass(servo_id)
            if answer.error_number:
                raise ServoStatusError(
                    f"ID {servo_id} refused an instruction: {_error_name(answer.error_number)} ({instruction.hex(' ')})"
                )
            return answer
        raise BusTimeoutError(
            f"ID {servo_id} does not answer ({SETUP_ATTEMPTS} attempts): power, cable, ID, baud rate?"
        )

    def _let_pass(self, servo_id: int) -> None:
        """Hear out answers that are late: a question was asked twice, and its second answer, of the same length, would
        be taken for the answer to the next one. A ping's has another length, and answers keep their order."""
        for _ in range(SETUP_ATTEMPTS):
            if self._transact(protocol.ping(servo_id), [servo_id], 3):
                return

    def _transact(
        self, instruction: bytes, ids: Iterable[int], length: int, allowance_ns: int = CEILING_NS
    ) -> dict[int, Packet]:
        """Send, then collect status packets until all expected IDs have answered or the time is up."""
        missing = set(ids)
        answer_bytes = len(missing) * (STATUS_OVERHEAD_BYTES + length)
        self._port.discard()
        self._reader.reset()
        self._port.write(instruction)
        wire_ns = (len(instruction) + answer_bytes) * 10 * NS_PER_S // self._port.baud
        deadline_ns = time.monotonic_ns() + wire_ns + allowance_ns
        self.counters.transactions += 1
        found: dict[int, Packet] = {}
        while missing:
            data = self._port.read(deadline_ns)
            if not data or time.monotonic_ns() > deadline_ns + CEILING_NS:  # a line full of noise never falls silent
                self.counters.timeouts += 1
                break
            for item in self._reader.feed(data):
                if not isinstance(item, Packet):
                    self.counters.crc_failures += 1
                elif item.is_status and item.id in missing and (len(item.params) == length or item.error_number):
                    found[item.id] = item
                    missing.discard(item.id)
        return found


def _identity(answer: Packet) -> Identity:
    return Identity(int.from_bytes(answer.params[0:2], "little"), answer.params[2])


def _error_name(number: int) -> str:
    try:
        return ErrorNumber(number).name.lower().replace("_", " ")
    except ValueError:
        return f"error {number}"
