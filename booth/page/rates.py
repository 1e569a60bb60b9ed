# SPDX-License-Identifier: Apache-2.0
"""How often something comes, and whether that is enough."""

from collections import deque
from dataclasses import dataclass, field

NS_PER_S = 1_000_000_000
WINDOW_NS = 2 * NS_PER_S
STALLED_NS = NS_PER_S
SLOW = 0.6
"""Share of the expected rate below which a stream is slow."""


@dataclass(slots=True)
class Rate:
    """Counts the messages of one topic in windows of two seconds.

    Attributes:
        expected_hz: what it should be.
    """

    expected_hz: float
    _marks: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=16))
    _count: int = 0
    _last_ns: int = 0

    def add(self, now_ns: int) -> None:
        """One message has come."""
        self._count += 1
        self._last_ns = now_ns

    def look(self, now_ns: int) -> tuple[float, str]:
        """Rate [Hz] over the last two seconds, and OK, SLOW or STALLED; call it a few times a second."""
        self._marks.append((now_ns, self._count))
        while len(self._marks) > 2 and now_ns - self._marks[1][0] >= WINDOW_NS:
            self._marks.popleft()
        since_ns, count = self._marks[0]
        rate_hz = (self._count - count) * NS_PER_S / (now_ns - since_ns) if now_ns > since_ns else 0.0
        if not self._count or now_ns - self._last_ns > STALLED_NS:
            return rate_hz, "STALLED"
        measured = now_ns - since_ns > NS_PER_S // 2
        return rate_hz, "SLOW" if measured and rate_hz < SLOW * self.expected_hz else "OK"
