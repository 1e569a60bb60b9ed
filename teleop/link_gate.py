# SPDX-License-Identifier: Apache-2.0
"""The robot's end of the link, without a socket: who operates, which landmarks count, and when they were captured.

Nothing old moves anything: landmarks count when they carry the session that the robot gave to this run of the
operator's program, are newer than the last ones, and were sent a moment ago: by the estimated clock offset, and not
much longer ago at its worst. The worst is bounded twice, by the estimate's uncertainty and, without any estimate, by
the robot's own stamp that they echo.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from teleop.link_clock import Offset, OffsetEstimate
from teleop.link_wire import Beat, Cloud, Head, Landmarks, RobotStatus, WireError, decode

MS = 1_000_000
OLDEST_NS, OLDEST_AT_WORST_NS = 150 * MS, 250 * MS
"""Landmarks that were sent longer ago than this move nothing: as estimated, and as it may be."""
LEASE_NS = 500 * MS
"""After so long a silence of the operator another one, or a new run of the same program, may take over."""
HANDS_ROWS = 2


@dataclass(frozen=True, slots=True)
class Arrival:
    """Landmarks that count.

    Attributes:
        capture_ns: when their frame was taken, on this computer's monotonic clock; never in the future.
        cloud: (2, 21) hands or (1, 33) body.
    """

    capture_ns: int
    cloud: Cloud

    @property
    def hands(self) -> bool:
        """Hands, not a body."""
        return len(self.cloud) == HANDS_ROWS


@dataclass(slots=True)
class _Stream:
    sequence: int = -1
    capture_ns: int = 0


class LinkGate:
    """Takes every message in, in the order in which they come; handed the time.

    Attributes:
        user: name of the key of whoever operates; empty before the first.
        clock: how far the operator's clock is ahead.
        good_ns: when the newest landmarks that count came; 0 before the first.
        accepted: landmarks that counted.
        repeated: landmarks that had come before by another connection, or were overtaken.
        refused: what did not count, by a word for why.
    """

    def __init__(self, draw: Callable[[], int] = lambda: secrets.randbits(63) + 1) -> None:
        """``draw`` makes a session number that nobody guesses."""
        self._draw = draw
        self._epoch = self._session = self._heard_ns = 0
        self._streams: dict[bool, _Stream] = {}
        self.user = ""
        self.clock = OffsetEstimate()
        self.good_ns = self.accepted = self.repeated = 0
        self.refused: Counter[str] = Counter()

    def see(self, data: bytes, user: str, now_ns: int) -> tuple[Head | None, Arrival | None]:
        """One message of somebody whose key is allowed.

        Args:
            data: as it came.
            user: name of the key.
            now_ns: this computer's monotonic clock.

        Returns:
            its head, to be answered, where it is one of an operator's program; and landmarks, where they count.
        """
        try:
            head, content = decode(data)
        except WireError as error:
            return None, self._refuse(error.kind)
        if isinstance(content, RobotStatus):
            return None, self._refuse("kind")
        if not self._is_operator(head, content, user, now_ns):
            return head, None
        if head.session == self._session:
            self._heard_ns = now_ns
            if isinstance(content, Beat):
                self.clock.resolution_ns = content.resolution_ns
            self.clock.see(head.sent_ns, head.echo_ns, head.held_ns, now_ns)
        if isinstance(content, Beat):
            return head, None
        return head, self._landmarks(head, content, now_ns)

    def session_of(self, epoch: int, user: str) -> int:
        """The leave of this program to send landmarks; 0: somebody else operates."""
        return self._session if (epoch, user) == (self._epoch, self.user) else 0

    def _is_operator(self, head: Head, content: Beat | Landmarks, user: str, now_ns: int) -> bool:
        if (head.epoch, user) == (self._epoch, self.user):
            return True
        if not isinstance(content, Beat):
            self._refuse("session")
            return False
        if self._epoch and now_ns - self._heard_ns < LEASE_NS:
            self._refuse("busy")
            return False
        self._epoch, self._session, self._heard_ns, self.user = head.epoch, self._draw(), now_ns, user
        self._streams = {}
        self.clock = OffsetEstimate()
        return True

    def _landmarks(self, head: Head, content: Landmarks, now_ns: int) -> Arrival | None:
        if head.session != self._session:
            return self._refuse("session")
        stream = self._streams.setdefault(len(content.cloud) == HANDS_ROWS, _Stream())
        if head.sequence <= stream.sequence:
            self.repeated += 1
            return None
        offset = self.clock.at(now_ns)
        if offset is None or head.sent_ns - offset.offset_ns - offset.uncertainty_ns > now_ns:
            return self._refuse("clock")
        if now_ns - (head.sent_ns - offset.offset_ns) > OLDEST_NS:
            return self._refuse("late")
        if oldest_age_ns(head, offset, now_ns) > OLDEST_AT_WORST_NS:
            return self._refuse("late")
        capture_ns = min(content.capture_ns - offset.offset_ns, now_ns)
        if capture_ns <= stream.capture_ns:
            return self._refuse("late")
        stream.sequence, stream.capture_ns = head.sequence, capture_ns
        self.good_ns = now_ns
        self.accepted += 1
        return Arrival(capture_ns, content.cloud)

    def _refuse(self, word: str) -> Arrival | None:
        self.refused[word] += 1
        return None


def oldest_age_ns(head: Head, offset: Offset, now_ns: int) -> int:
    """How long ago a message may have been sent at most [ns]: both bounds are true, so the smaller one is."""
    by_clock_ns = now_ns - (head.sent_ns - offset.offset_ns - offset.uncertainty_ns)
    by_echo_ns = now_ns - head.echo_ns - head.held_ns if head.echo_ns else by_clock_ns
    return min(by_clock_ns, by_echo_ns)
