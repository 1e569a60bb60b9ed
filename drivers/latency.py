# SPDX-License-Identifier: Apache-2.0
"""How long to wait for an answer beyond its wire time: measured, as TCP measures its round trips (RFC 6298)."""

MS = 1_000_000
FLOOR_NS, CEILING_NS = 3 * MS, 20 * MS
"""A USB adapter with its latency timer at 1 ms needs about 2; one at the default of 16 ms needs nearly 20."""

GAIN, SPREAD_GAIN, SPREADS = 0.125, 0.25, 6.0


class Latency:
    """Running mean and mean deviation of what answers need beyond their wire time."""

    __slots__ = ("_mean_ns", "_spread_ns", "allowance_ns")

    def __init__(self) -> None:
        self._mean_ns = self._spread_ns = 0.0
        self.allowance_ns = CEILING_NS
        """Wait this much longer than the wire time."""

    def observe(self, extra_ns: float) -> None:
        """An answer was complete this much after its wire time."""
        if self._mean_ns == 0.0:
            self._mean_ns, self._spread_ns = extra_ns, max(extra_ns, float(MS))
        else:
            self._spread_ns += SPREAD_GAIN * (abs(extra_ns - self._mean_ns) - self._spread_ns)
            self._mean_ns += GAIN * (extra_ns - self._mean_ns)
        wanted = self._mean_ns + SPREADS * self._spread_ns
        self.allowance_ns = round(min(max(wanted, FLOOR_NS), CEILING_NS))

    def timed_out(self) -> None:
        """Nothing came in time: wait longer next time, until an answer tells how long is enough."""
        self.allowance_ns = min(2 * self.allowance_ns, CEILING_NS)

    @property
    def mean_ns(self) -> float:
        """Usual time beyond the wire time: adapter, return delay, scheduling."""
        return self._mean_ns
