# SPDX-License-Identifier: Apache-2.0
"""How camera frames come in: in order, how often, and whether they come at all."""

from collections import deque

SILENCE_NS = 250_000_000
"""Without a camera frame for this long nothing moves."""
SLOWEST_HZ = 7.0
"""At slower cameras a single lost frame would be taken for silence."""
WINDOW = 8


class FramePace:
    """Capture stamps of the last frames."""

    def __init__(self) -> None:
        self._stamps_ns: deque[int] = deque(maxlen=WINDOW)

    def see(self, stamp_ns: int) -> bool:
        """Take one frame in; whether it is newer than the last one."""
        if self._stamps_ns and stamp_ns <= self._stamps_ns[-1]:
            return False
        if self.silent(stamp_ns):
            self._stamps_ns.clear()
        self._stamps_ns.append(stamp_ns)
        return True

    def silent(self, now_ns: int) -> bool:
        """Whether frames have come and come no more."""
        return bool(self._stamps_ns) and now_ns - self._stamps_ns[-1] > SILENCE_NS

    @property
    def last_ns(self) -> int:
        """Stamp of the newest frame; 0 before the first."""
        return self._stamps_ns[-1] if self._stamps_ns else 0

    @property
    def rate_hz(self) -> float:
        """Frames a second; 0 as long as that can't be told."""
        span_ns = self._stamps_ns[-1] - self._stamps_ns[0] if len(self._stamps_ns) > 1 else 0
        return (len(self._stamps_ns) - 1) * 1e9 / span_ns if span_ns else 0.0
