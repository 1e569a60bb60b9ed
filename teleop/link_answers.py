# SPDX-License-Identifier: Apache-2.0
"""What the robot answers to operators: that it is there, its state, and their leave to send; without a socket."""

import secrets
from dataclasses import dataclass, replace

from teleop.link_gate import LinkGate
from teleop.link_wire import Head, RobotStatus, encode

MS = 1_000_000
EVERY_NS = 50 * MS
GONE_NS = 2_000 * MS
MOST_PEERS = 32
"""Connections of operators that are answered; the one that has been silent longest makes room."""
BUSY = "BUSY"


@dataclass(slots=True)
class _Peer:
    user: str
    epoch: int
    sent_ns: int
    came_ns: int


class LinkAnswers:
    """Remembers who has spoken on which connection.

    Attributes:
        status: of the robot.
    """

    def __init__(self, gate: LinkGate) -> None:
        self._gate = gate
        self._epoch = secrets.randbits(63) + 1
        self._sequence = 0
        self._next_ns = 0
        self._peers: dict[bytes, _Peer] = {}
        self.status = RobotStatus("STARTING")

    def heard(self, connection: bytes, head: Head, user: str, now_ns: int) -> None:
        """Somebody spoke."""
        known = self._peers.pop(connection, None)
        if known is None and len(self._peers) >= MOST_PEERS:
            del self._peers[next(iter(self._peers))]
        newest_ns = head.sent_ns if known is None or known.epoch != head.epoch else max(head.sent_ns, known.sent_ns)
        if known is not None and newest_ns == known.sent_ns:
            self._peers[connection] = known
            return
        self._peers[connection] = _Peer(user, head.epoch, head.sent_ns, now_ns)

    def due(self, now_ns: int) -> list[tuple[bytes, bytes]]:
        """Connections and what to send there now, 20 times a second."""
        if now_ns < self._next_ns:
            return []
        self._next_ns = now_ns + EVERY_NS
        self._peers = {name: peer for name, peer in self._peers.items() if now_ns - peer.came_ns < GONE_NS}
        self._sequence += 1
        return [(name, self._answer(peer, now_ns)) for name, peer in self._peers.items()]

    def _answer(self, peer: _Peer, now_ns: int) -> bytes:
        session = self._gate.session_of(peer.epoch, peer.user)
        status = self.status if session else RobotStatus(BUSY, f"{self._gate.user} operates this robot")
        head = Head(self._epoch, session, self._sequence, now_ns)
        return encode(replace(head, echo_ns=peer.sent_ns, held_ns=now_ns - peer.came_ns), status)
