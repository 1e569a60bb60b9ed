# SPDX-License-Identifier: Apache-2.0
"""Who may command the robot: one at a time. Pure: time comes in."""

LEASE_NS = 500_000_000
"""A commander that was not heard for this long has given up its lease."""


class Lease:
    """Given to the first who sends; everybody else is refused, and named, until the holder has been silent for a while.

    Senders tell themselves apart by the ``frame_id`` of their commands. Counting a topic's publishers would not do: DDS
    remembers one that was killed for 20 s.
    """

    def __init__(self) -> None:
        self._holder: str | None = None
        self._heard_ns: dict[str, int] = {}
        self.epoch = 0
        """Counts the holders."""

    def ask(self, sender: str, now_ns: int) -> bool:
        """A command came; whether its sender may command."""
        self._heard_ns[sender] = now_ns
        if self._holder != sender and not self._holds(now_ns):
            self._holder, self.epoch = sender, self.epoch + 1
        return self._holder == sender

    def holder(self, now_ns: int) -> str | None:
        """Who has the lease now."""
        return self._holder if self._holds(now_ns) else None

    def strangers(self, now_ns: int) -> tuple[str, ...]:
        """Who else has sent commands lately."""
        self._heard_ns = {who: at for who, at in self._heard_ns.items() if now_ns - at < LEASE_NS}
        return tuple(sorted(who or "somebody without frame_id" for who in self._heard_ns if who != self._holder))

    def _holds(self, now_ns: int) -> bool:
        return self._holder is not None and now_ns - self._heard_ns.get(self._holder, -LEASE_NS) < LEASE_NS
