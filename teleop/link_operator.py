# SPDX-License-Identifier: Apache-2.0
"""The operator's end of the link, without a socket: what to send, and what the robot said."""

import secrets
import time
from dataclasses import dataclass

from teleop.link_clock import OffsetEstimate
from teleop.link_wire import Beat, Cloud, Content, Head, Kind, Landmarks, RobotStatus, WireError, decode, encode

MS = 1_000_000
ANSWER_NS = 500 * MS
"""The robot answers twenty times a second; silence of this long is told."""
SILENT = "no answer from the robot: is `booth up --source tcp://…` running there, are both keys right?"


@dataclass(frozen=True, slots=True)
class RobotView:
    """What the operator is told.

    Attributes:
        word: the robot's state; LOST without an answer, BUSY where somebody else operates.
        reason: why.
        round_trip_ms: of the newest exchange; None before the first.
        connected: the robot answers.
    """

    word: str
    reason: str
    round_trip_ms: float | None
    connected: bool


class OperatorEnd:
    """One run of the operator's program; handed the time.

    Attributes:
        sent: landmarks that were handed out. unsendable: clouds that are none of a person.
        refused: answers that were none.
    """

    def __init__(self) -> None:
        self._epoch = secrets.randbits(63) + 1
        self._sequence = dict.fromkeys(Kind, 0)
        self._resolution_ns = max(1, round(time.get_clock_info("monotonic").resolution * 1e9))
        self._robot_epoch = self._session = self._echo_ns = self._heard_ns = 0
        self._status = RobotStatus("LOST", SILENT)
        self._clock = OffsetEstimate()
        self.sent = self.unsendable = self.refused = 0

    def beat(self, now_ns: int) -> bytes:
        """To be sent every few milliseconds."""
        return self._encode(Kind.BEAT, Beat(self._resolution_ns), now_ns)

    def landmarks(self, cloud: Cloud, capture_ns: int, now_ns: int) -> bytes | None:
        """A cloud to be sent now; None while the robot has not given leave, or where it is none of a person."""
        if not self._session:
            return None
        kind = Kind.HANDS if len(cloud) > 1 else Kind.BODY
        try:
            data = self._encode(kind, Landmarks(capture_ns, cloud), now_ns)
        except WireError:
            self.unsendable += 1
            return None
        self.sent += 1
        return data

    def hear(self, data: bytes, now_ns: int) -> None:
        """What came from the robot."""
        try:
            head, content = decode(data)
        except WireError:
            self.refused += 1
            return
        if not isinstance(content, RobotStatus):
            self.refused += 1
            return
        if head.epoch != self._robot_epoch:
            self._robot_epoch, self._echo_ns, self._clock = head.epoch, 0, OffsetEstimate()
        self._clock.see(head.sent_ns, head.echo_ns, head.held_ns, now_ns)
        if head.sent_ns > self._echo_ns:
            self._echo_ns, self._heard_ns = head.sent_ns, now_ns
            self._session, self._status = head.session, content

    def view(self, now_ns: int) -> RobotView:
        """What the operator is told now."""
        round_trip_ms = self._clock.round_trip_ns * 1e-6 if self._clock.round_trip_ns else None
        if not self._heard_ns or now_ns - self._heard_ns > ANSWER_NS:
            return RobotView("LOST", SILENT, round_trip_ms, connected=False)
        return RobotView(self._status.word, self._status.reason, round_trip_ms, connected=True)

    def _encode(self, kind: Kind, content: Content, now_ns: int) -> bytes:
        held_ns = max(0, now_ns - self._heard_ns) if self._echo_ns else 0
        self._sequence[kind] += 1
        head = Head(self._epoch, self._session, self._sequence[kind], now_ns, self._echo_ns, held_ns)
        return encode(head, content)
