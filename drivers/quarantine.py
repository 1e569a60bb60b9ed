# SPDX-License-Identifier: Apache-2.0
"""Which devices of a line have stopped answering, and when to ask them again. Pure: time comes in."""

from collections.abc import Iterable

MISSES = 3
"""So many reads in a row without a sign of life put a device aside."""

PROBE_EVERY_NS = 1_000_000_000


class Quarantine:
    """Devices are asked in every cycle until they miss three times; then once a second, beside the fast path."""

    def __init__(self, ids: Iterable[int]) -> None:
        self._misses = dict.fromkeys(ids, 0)
        self._next_probe_ns: dict[int, int] = {}
        self._anybody_missed = False

    @property
    def silent(self) -> frozenset[int]:
        """Devices put aside."""
        return frozenset(self._next_probe_ns)

    def heard(self, ids: Iterable[int]) -> None:
        """These answered, or at least something of them came."""
        if self._anybody_missed:
            for servo in ids:
                self._misses[servo] = 0
            self._anybody_missed = any(self._misses.values())

    def missed(self, ids: Iterable[int], now_ns: int) -> bool:
        """Nothing came from these; True when one of them is put aside now."""
        changed, self._anybody_missed = False, True
        for servo in ids:
            self._misses[servo] += 1
            if self._misses[servo] >= MISSES and servo not in self._next_probe_ns:
                self._next_probe_ns[servo] = now_ns + PROBE_EVERY_NS
                changed = True
        return changed

    def put_aside(self, servo: int, now_ns: int) -> None:
        """Ask this one no more in the fast path, at once."""
        self._misses[servo], self._anybody_missed = MISSES, True
        self._next_probe_ns.setdefault(servo, now_ns)

    def due(self, now_ns: int) -> int | None:
        """A device to ask now, if one's time has come; its next time is a second later."""
        for servo, at_ns in self._next_probe_ns.items():
            if now_ns >= at_ns:
                self._next_probe_ns[servo] = now_ns + PROBE_EVERY_NS
                return servo
        return None

    def release(self, servo: int) -> None:
        """It is back."""
        self._next_probe_ns.pop(servo, None)
        self._misses[servo] = 0

    def clear(self) -> None:
        """Forget everything: the whole robot was set up anew."""
        self._next_probe_ns.clear()
        self._misses = dict.fromkeys(self._misses, 0)
