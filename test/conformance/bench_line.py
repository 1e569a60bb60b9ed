# SPDX-License-Identifier: Apache-2.0
"""One open line as the conformance tests use it: what was sent, what came back, in the order in which it came."""

import time

from drivers import protocol
from drivers.bus import Bus, Port
from drivers.protocol import CrcFailure, Packet, PacketReader

NS_PER_S = 1_000_000_000
ANSWER_S = 0.3
"""Beyond its wire time an answer is given this long: a USB adapter needs 20 ms, a busy computer more."""
QUIET_S = 0.05
"""Nobody spoke if nothing came for this long beyond the wire time."""
LONGEST_ANSWER_BYTES = 96


class Line:
    """A port and the driver's `Bus` on it, with conversations that the driver never has."""

    def __init__(self, port: Port) -> None:
        self.port, self.bus = port, Bus(port)

    def ask(self, instruction: bytes, answers: int = 1, patience_s: float = ANSWER_S) -> list[Packet]:
        """Send; the packets that came, in their order: waits for so many ``answers``, or until patience is over.

        Raises:
            AssertionError: something damaged came.
        """
        self.port.discard()
        reader, packets = PacketReader(), []
        self.port.write(instruction)
        wire_bytes = len(instruction) + answers * LONGEST_ANSWER_BYTES
        deadline_ns = time.monotonic_ns() + wire_bytes * 10 * NS_PER_S // self.port.baud + round(patience_s * NS_PER_S)
        while len(packets) < answers and (data := self.port.read(deadline_ns)):
            for item in reader.feed(data):
                assert not isinstance(item, CrcFailure), f"a damaged answer: {item.raw.hex(' ')}"
                packets.append(item)
        return packets

    def hears_nothing(self, instruction: bytes) -> bool:
        """Whether nobody answers this."""
        return not self.ask(instruction, patience_s=QUIET_S)

    def send(self, instruction: bytes) -> None:
        """Send and don't wait."""
        self.port.write(instruction)

    def be_silent(self, seconds: float) -> None:
        """Say nothing: what a bus watchdog waits for."""
        time.sleep(seconds)

    def talk_to(self, servo_id: int, seconds: float, every_s: float = 0.02) -> None:
        """Ping an ID again and again without waiting for answers."""
        end_ns = time.monotonic_ns() + round(seconds * NS_PER_S)
        while time.monotonic_ns() < end_ns:
            self.send(protocol.ping(servo_id))
            time.sleep(every_s)
        self.port.discard()

    def absent_id(self, present: set[int]) -> int:
        """An ID that nobody has."""
        return next(servo for servo in range(protocol.MAX_ID, 0, -1) if servo not in present)
