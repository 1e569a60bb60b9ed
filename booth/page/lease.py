# SPDX-License-Identifier: Apache-2.0
"""Which browser may press buttons: one lease, with an epoch; handed the time."""

from dataclasses import dataclass

EXPIRY_NS = 1_000_000_000


@dataclass(slots=True)
class ControlLease:
    """One browser at a time holds it; the others look on until they take it.

    A browser that says nothing for a second has lost it. As long as nobody else took it, it gets it back with its next
    word: its tablet was asleep, or its radio busy.

    Attributes:
        epoch: grows with every change of the holder.
        holder: the browser's connection; None: nobody.
    """

    epoch: int = 0
    holder: int | None = None
    _last: int | None = None
    _heard_ns: int = 0

    def join(self, browser: int, now_ns: int) -> bool:
        """A browser has opened the page: it gets the lease where it is free. Returns whether the holder changed."""
        self.expire(now_ns)
        return self.holder is None and self._give(browser, now_ns)

    def take(self, browser: int, now_ns: int) -> bool:
        """A person pressed "take control"; the one before looks on. Returns whether the holder changed."""
        return browser != self.holder and self._give(browser, now_ns)

    def hear(self, browser: int, now_ns: int) -> bool:
        """A browser said something. Returns whether the holder changed."""
        changed = self.expire(now_ns)
        if browser == self.holder:
            self._heard_ns = now_ns
        elif self.holder is None and browser == self._last:
            return self._give(browser, now_ns)
        return changed

    def leave(self, browser: int) -> bool:
        """A browser is gone for good. Returns whether the holder changed."""
        if browser == self._last:
            self._last = None
        if browser != self.holder:
            return False
        self.holder = None
        return True

    def expire(self, now_ns: int) -> bool:
        """Free a lease whose holder is silent. Returns whether it did."""
        if self.holder is None or now_ns - self._heard_ns <= EXPIRY_NS:
            return False
        self.holder = None
        return True

    def _give(self, browser: int, now_ns: int) -> bool:
        self.epoch += 1
        self.holder = self._last = browser
        self._heard_ns = now_ns
        return True
