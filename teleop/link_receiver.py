# SPDX-License-Identifier: Apache-2.0
"""The robot's end of the link: one thread that owns all sockets, lets allowed keys in and hands on what is newest.

There is no link without keys: also on the loopback interface every peer proves that it owns an allowed key (CURVE), and
whoever connects without is counted and never reaches a decoder.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import zmq
from zmq.utils.monitor import recv_monitor_message

from graph.errors import InputError
from teleop.link_address import Address
from teleop.link_allowed import AllowedKeys
from teleop.link_answers import LinkAnswers
from teleop.link_clock import Offset
from teleop.link_gate import Arrival, LinkGate
from teleop.link_keys import KeyPair
from teleop.link_socket import link_socket
from teleop.link_wire import RobotStatus
from teleop.link_zap import DOMAIN, ENDPOINT, zap_answer

NS_PER_MS = 1_000_000
POLL_MS = 10
REFRESH_NS = 1_000 * NS_PER_MS
AT_ONCE = 64
HANDSHAKE_MS = 3_000
WATCHED = zmq.Event.ACCEPTED | zmq.Event.HANDSHAKE_SUCCEEDED | zmq.Event.DISCONNECTED


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The link now.

    Attributes:
        user: whose key it is that operates; empty: nobody's yet.
        good_ns: monotonic, when landmarks that counted came last; 0: never.
        accepted, repeated: landmarks that counted, that had come before.
        refused: messages of allowed keys that did not count, and why.
        round_trip_ns: of the newest exchange. offset: of the operator's clock; None: not measured yet.
        clock_steps: how often that clock had to be measured anew.
        connections: that were accepted. garbage: of them, those that never proved a key. keys_refused: keys that are
            not allowed.
        problem: of the list of allowed keys.
    """

    user: str = ""
    good_ns: int = 0
    accepted: int = 0
    repeated: int = 0
    refused: tuple[tuple[str, int], ...] = ()
    round_trip_ns: int = 0
    offset: Offset | None = None
    clock_steps: int = 0
    connections: int = 0
    garbage: int = 0
    keys_refused: int = 0
    problem: str = ""


class LinkReceiver:
    """Listens from its making on; ``start`` begins to answer.

    Attributes:
        report: the link now; a new object at every change.
    """

    def __init__(
        self, address: Address, key: KeyPair, allowed: AllowedKeys, deliver: Callable[[Arrival], None]
    ) -> None:
        """``deliver`` is called in the receiver's own thread.

        Raises:
            InputError: the address is not one of this computer, is in use, or nobody is allowed.
        """
        allowed.require()
        self._allowed, self._deliver = allowed, deliver
        self._gate = LinkGate()
        self._answers = LinkAnswers(self._gate)
        self._connections = self._proven = self._ended = self._accepted_ns = 0
        self._garbage = self._keys_refused = 0
        self._refreshed_ns = 0
        self._stopping = False
        self._running: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="link")
        self.report = LinkReport()
        self._context = zmq.Context()
        self._zap = self._context.socket(zmq.REP)
        self._zap.linger = 0
        self._zap.bind(ENDPOINT)
        self._router = self._listen(address, key)
        self._monitor = self._router.get_monitor_socket(int(WATCHED))
        self._poller = zmq.Poller()
        for socket in (self._zap, self._router, self._monitor):
            self._poller.register(socket, zmq.POLLIN)

    def start(self) -> None:
        """Begin."""
        self._running = self._thread.submit(self._run)

    def tell(self, status: RobotStatus) -> None:
        """What operators are told from now on."""
        self._answers.status = status

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._running is not None and self._running.done():
            self._running.result()

    def close(self) -> None:
        """Stop listening. May be called again."""
        self._stopping = True
        self._thread.shutdown()
        self._router.disable_monitor()
        for socket in (self._monitor, self._router, self._zap):
            socket.close(0)
        self._context.term()

    def _listen(self, address: Address, key: KeyPair) -> "zmq.Socket[bytes]":
        router = link_socket(self._context, zmq.ROUTER, address)
        router.curve_server = True
        router.curve_publickey, router.curve_secretkey = key.public, key.secret
        router.zap_domain = DOMAIN
        router.handshake_ivl = HANDSHAKE_MS
        try:
            router.bind(str(address))
        except zmq.ZMQError as error:
            router.close(0)
            self._zap.close(0)
            self._context.term()
            raise InputError(
                f"can't listen at {address}: {error.strerror}; expected an address of this computer, or tcp://*:PORT, "
                "and a port that no other program has"
            ) from error
        return router

    def _run(self) -> None:
        while not self._stopping:
            ready = dict(self._poller.poll(POLL_MS))
            now_ns = time.monotonic_ns()
            if now_ns - self._refreshed_ns > REFRESH_NS:
                self._refreshed_ns = now_ns
                self._allowed.refresh()
            if self._zap in ready:
                self._let_in()
            if self._monitor in ready:
                self._count_connections(now_ns)
            self._count_garbage(now_ns)
            if self._router in ready:
                self._receive()
            for connection, answer in self._answers.due(time.monotonic_ns()):
                self._send(connection, answer)
            self._tell()

    def _let_in(self) -> None:
        self._allowed.refresh()
        answer, welcome = zap_answer(self._zap.recv_multipart(), self._allowed)
        self._keys_refused += not welcome
        self._zap.send_multipart(answer)

    def _count_connections(self, now_ns: int) -> None:
        for _ in range(AT_ONCE):
            if not self._monitor.poll(0):
                return
            event = recv_monitor_message(self._monitor)["event"]
            if event == zmq.Event.ACCEPTED:
                self._connections, self._accepted_ns = self._connections + 1, now_ns
            self._proven += event == zmq.Event.HANDSHAKE_SUCCEEDED
            self._ended += event == zmq.Event.DISCONNECTED

    def _count_garbage(self, now_ns: int) -> None:
        """Connections that did not prove a key: at least those by which more have ended than have proven one, and all
        of them when none can be about to prove it."""
        settled = now_ns - self._accepted_ns > (HANDSHAKE_MS + POLL_MS) * NS_PER_MS
        self._garbage = max(self._garbage, (self._connections if settled else self._ended) - self._proven)

    def _receive(self) -> None:
        """Everything that is there; of several hands, or bodies, only the newest goes on."""
        newest: dict[bool, Arrival] = {}
        for _ in range(AT_ONCE):
            try:
                connection, *frames = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                break
            now_ns = time.monotonic_ns()
            user = self._user(frames[0]) if len(frames) == 1 else ""
            if not user:
                self._gate.refused["key" if len(frames) == 1 else "shape"] += 1
                continue
            head, arrival = self._gate.see(frames[0].bytes, user, now_ns)
            if head is not None:
                self._answers.heard(connection.bytes, head, user, now_ns)
            if arrival is not None:
                newest[arrival.hands] = arrival
        for arrival in newest.values():
            self._deliver(arrival)

    def _user(self, frame: zmq.Frame) -> str:
        """Whose key the connection has proven, as long as it is still allowed."""
        try:
            return self._allowed.name(bytes.fromhex(str(frame["User-Id"])))
        except (zmq.ZMQError, KeyError, ValueError):
            return ""

    def _send(self, connection: bytes, answer: bytes) -> None:
        try:
            self._router.send_multipart((connection, answer), zmq.NOBLOCK)
        except zmq.Again:
            return

    def _tell(self) -> None:
        gate, now_ns = self._gate, time.monotonic_ns()
        self.report = LinkReport(
            gate.user,
            gate.good_ns,
            gate.accepted,
            gate.repeated,
            tuple(sorted(gate.refused.items())),
            gate.clock.round_trip_ns,
            gate.clock.at(now_ns),
            gate.clock.steps,
            self._connections,
            self._garbage,
            self._keys_refused,
            self._allowed.problem,
        )
