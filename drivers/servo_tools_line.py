# SPDX-License-Identifier: Apache-2.0
"""Conversations of a technician with a line that the control loop never has: ping everybody, reboot, hex trace."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers import protocol
from drivers.bus import Bus, Identity, Port
from drivers.errors import BusTimeoutError
from drivers.protocol import BROADCAST_ID, MAX_ID, CrcFailure, ErrorNumber, Instruction, Packet, PacketReader

NS_PER_S = 1_000_000_000
PING_ANSWER_BYTES = 14
SLOT_NS = 3_000_000
"""Broadcast ping: time for each possible ID beyond wire time, as ROBOTIS's SDK allows it (broadcastPing)."""
LATENCY_NS = 20_000_000
STEPS = 20
BOOT_WAIT_S = 3.0
"""A servo is back well within a second after a reboot; ROBOTIS's own driver waits 3 s."""

Sleep = Callable[[float], None]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One answer to a ping; ``alert``: it reports a hardware error."""

    id: int
    model_number: int
    firmware: int
    alert: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back on a ping. ``garbled_bytes`` made no packet: two devices that talk at once, or noise."""

    sightings: tuple[Sighting, ...]
    garbled_bytes: int


class TracedPort:
    """A port that tells every packet that passes, as a line of hex with its meaning."""

    def __init__(self, port: Port, tell: Callable[[str], None]) -> None:
        self._port, self._tell = port, tell
        self._reader = PacketReader()
        self.baud = port.baud

    def write(self, data: bytes) -> None:
        """Send and tell."""
        self._tell(f"-> {data.hex(' ')}  {_words(protocol.decode(data))}")
        self._port.write(data)

    def read(self, deadline_ns: int) -> bytes:
        """Receive and tell each complete packet."""
        data = self._port.read(deadline_ns)
        for item in self._reader.feed(data):
            raw = item.raw.hex(" ")
            self._tell(f"<- {raw}  {_words(item) if isinstance(item, Packet) else 'CRC WRONG'}")
        if not data and self._reader.pending_bytes:
            self._tell(f"<- {self._reader.pending_bytes} bytes of an unfinished packet")
            self._reader.reset()
        return data

    def discard(self) -> None:
        """Drop bytes that came too late."""
        self._reader.reset()
        self._port.discard()

    def close(self) -> None:
        """Release the port."""
        self._port.close()


def ping_everybody(port: Port, progress: Progress = lambda _: None) -> Heard:
    """Broadcast ping: every device answers in turn. Waits the full time, because the last may be ID 252."""
    devices = MAX_ID + 1
    window_ns = devices * (PING_ANSWER_BYTES * 10 * NS_PER_S // port.baud + SLOT_NS) + LATENCY_NS
    return _ask(port, protocol.ping(BROADCAST_ID), window_ns, progress)


def ping_one(port: Port, servo_id: int) -> Heard:
    """One ping to one ID, one attempt."""
    window_ns = 2 * PING_ANSWER_BYTES * 10 * NS_PER_S // port.baud + LATENCY_NS
    return _ask(port, protocol.ping(servo_id), window_ns, wanted=servo_id)


def reboot(port: Port, servo_id: int, sleep: Sleep = time.sleep) -> Identity:
    """Restart a device and wait until it answers again.

    Raises:
        BusTimeoutError: it does not come back within `BOOT_WAIT_S`.
    """
    port.discard()
    port.write(protocol.reboot(servo_id))
    for _ in range(round(BOOT_WAIT_S / 0.1)):
        sleep(0.1)
        heard = ping_one(port, servo_id)
        for sighting in heard.sightings:
            if sighting.id == servo_id:
                return Bus(port).ping(servo_id)
    raise BusTimeoutError(
        f"ID {servo_id} was told to reboot and has not answered for {BOOT_WAIT_S:g} s: check its power and cable, "
        "then booth servo scan"
    )


def _ask(
    port: Port, instruction: bytes, window_ns: int, progress: Progress = lambda _: None, wanted: int | None = None
) -> Heard:
    """Send a ping and collect answers until the window is over, or until ``wanted`` has answered."""
    reader = PacketReader()
    sightings: list[Sighting] = []
    total = whole = 0
    port.discard()
    port.write(instruction)
    begin_ns = time.monotonic_ns()
    for step in range(1, STEPS + 1):
        deadline_ns = begin_ns + window_ns * step // STEPS
        while data := port.read(deadline_ns):
            total += len(data)
            for item in reader.feed(data):
                if isinstance(item, CrcFailure):
                    continue
                whole += len(item.raw)
                if item.is_status and len(item.params) == 3:
                    number, firmware = int.from_bytes(item.params[:2], "little"), item.params[2]
                    sightings.append(Sighting(item.id, number, firmware, item.alert))
            if any(sighting.id == wanted for sighting in sightings):
                return Heard(tuple(sightings), total - whole - reader.pending_bytes)
            if time.monotonic_ns() > deadline_ns:
                break
        progress(step / STEPS)
    return Heard(tuple(sightings), total - whole)


def _words(packet: Packet) -> str:
    """A packet in words, for example ``ID 1 read 132, 4 bytes``."""
    who = "everybody" if packet.id == BROADCAST_ID else f"ID {packet.id}"
    if packet.is_status:
        error = f" error {_error(packet.error_number)}" if packet.error_number else ""
        return f"{who} status{error}{' ALERT' if packet.alert else ''} {packet.params.hex(' ')}".rstrip()
    try:
        name = Instruction(packet.instruction).name.lower().replace("_", " ")
    except ValueError:
        name = f"instruction {packet.instruction:#04x}"
    if packet.instruction in (Instruction.READ, Instruction.WRITE) and len(packet.params) >= 3:
        address, rest = int.from_bytes(packet.params[:2], "little"), packet.params[2:]
        what = f"{int.from_bytes(rest, 'little')} bytes" if packet.instruction == Instruction.READ else rest.hex(" ")
        return f"{who} {name} {address}, {what}"
    return f"{who} {name}"


def _error(number: int) -> str:
    return ErrorNumber(number).name.lower().replace("_", " ") if number in set(ErrorNumber) else str(number)
