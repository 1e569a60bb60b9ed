# SPDX-License-Identifier: Apache-2.0
"""The bus watchdog of a virtual device: silence on the bus latches a stop."""

from drivers.units import WATCHDOG_UNIT_MS

EXPIRED = -1
"""What the register reads after an expiry (255 as a byte)."""
SHORTEST_NS = WATCHDOG_UNIT_MS * 1_000_000
"""A shorter silence expires no watchdog."""


class BusWatchdog:
    """Counts silence while armed (e-Manual, "Bus Watchdog"): 0 is off, 1 … 127 are units of 20 ms, -1 is expired.

    Any instruction packet on the bus feeds it, whoever it is for. Once expired only the value 0 clears it.
    """

    __slots__ = ("_armed", "_fed_ns", "value")

    def __init__(self) -> None:
        self.value = 0
        self._armed = False
        self._fed_ns = 0

    @property
    def expired(self) -> bool:
        """Latched until 0 is written."""
        return self.value == EXPIRED

    def accepts(self, value: int) -> bool:
        """Whether ``value`` may be written now."""
        return value == 0 if self.value == EXPIRED else 0 <= value <= 127

    def set(self, value: int, now_ns: int) -> None:
        """Write the register; counting starts again."""
        self.value = value
        self._fed_ns = max(self._fed_ns, now_ns)

    def arm(self, armed: bool, now_ns: int) -> None:
        """It counts only while armed: torque on, or the table sync of a hand."""
        if armed and not self._armed:
            self._fed_ns = max(self._fed_ns, now_ns)
        self._armed = armed

    def expiry_ns(self, now_ns: int, heard_ns: int) -> int | None:
        """The moment at which it expired, when that is not after ``now_ns`` and wasn't known yet. Latches.

        Args:
            now_ns: now.
            heard_ns: when the last instruction was on the line; it must be asked before that changes, unless the
                silence before was shorter than `SHORTEST_NS`.
        """
        if not self._armed or self.value <= 0:
            return None
        deadline_ns = max(self._fed_ns, heard_ns) + self.value * SHORTEST_NS
        if now_ns < deadline_ns:
            return None
        self.value = EXPIRED
        return deadline_ns
