# SPDX-License-Identifier: Apache-2.0
"""The operator's end of the link: one thread that owns all sockets and sends the newest landmarks at once.

One TCP connection delivers in order, so a lost packet holds up all behind it until it is sent again. Every message
therefore goes over several connections, and whichever copy comes first counts; and a small beat every few milliseconds
shows the kernel at once that one before it is missing, instead of after its timeout of 200 ms. Nothing queues: what
can't be sent now is dropped.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import ceil
from threading import Lock

import zmq

from teleop.link_address import Address
from teleop.link_keys import KeyPair
from teleop.link_operator import OperatorEnd
from teleop.link_socket import link_socket
from teleop.link_wire import Cloud
from teleop.mailbox import NewestMailbox

NS_PER_MS = 1_000_000
CONNECTIONS = 4
BEAT_NS = 10 * NS_PER_MS
CONNECT_MS, RECONNECT_MS, LONGEST_RECONNECT_MS = 1_000, 50, 250
RENEW_NS = 2_500 * NS_PER_MS
"""A connection on which the robot is not heard for so long is made anew: libzmq gives one up for good whose key was
refused, or whose handshake was damaged."""
WAKE = "inproc://landmarks"


@dataclass(slots=True)
class _Line:
    """One of the connections; ``heard_ns``: when the robot spoke on it last, or when it was made."""

    socket: "zmq.Socket[bytes]"
    heard_ns: int


class LinkSender:
    """Connects from ``start`` on, and again whenever the connection is lost."""

    def __init__(
        self, address: Address, key: KeyPair, server: bytes, connections: int = CONNECTIONS, beat_ns: int = BEAT_NS
    ) -> None:
        """``server`` is the robot's public key."""
        self._end = OperatorEnd()
        self._beat_ns = beat_ns
        self._boxes: dict[bool, NewestMailbox[tuple[Cloud, int]]] = {True: NewestMailbox(), False: NewestMailbox()}
        self._waking_lock = Lock()
        self._stopping = False
        self._running: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="link")
        self._context = zmq.Context()
        self._wake = self._context.socket(zmq.PAIR)
        self._waking = self._context.socket(zmq.PAIR)
        for socket in (self._wake, self._waking):
            socket.linger = 0
        self._wake.bind(WAKE)
        self._waking.connect(WAKE)
        self._connect = partial(self._connected, address, key, server)
        now_ns = time.monotonic_ns()
        self._lines = [_Line(self._connect(), now_ns) for _ in range(connections)]
        self.view = self._end.view(now_ns)

    @property
    def counts(self) -> dict[str, int]:
        """Landmarks that were sent, that waited too long and were replaced, and what was wrong."""
        replaced = sum(box.replaced for box in self._boxes.values())
        end = self._end
        return {"sent": end.sent, "replaced": replaced, "unsendable": end.unsendable, "refused_answers": end.refused}

    def start(self) -> None:
        """Begin."""
        self._running = self._thread.submit(self._run)

    def put(self, cloud: Cloud, capture_ns: int) -> None:
        """Landmarks to be sent at once; (2, 21) hands or (1, 33) body. From any thread; never waits."""
        self._boxes[len(cloud) > 1].put((cloud, capture_ns))
        with self._waking_lock, suppress(zmq.Again):
            self._waking.send(b"", zmq.NOBLOCK)

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._running is not None and self._running.done():
            self._running.result()

    def close(self) -> None:
        """Hang up. May be called again."""
        self._stopping = True
        self._thread.shutdown()
        for socket in (*(line.socket for line in self._lines), self._wake, self._waking):
            socket.close(0)
        self._context.term()

    def _connected(self, address: Address, key: KeyPair, server: bytes) -> "zmq.Socket[bytes]":
        dealer = link_socket(self._context, zmq.DEALER, address)
        dealer.curve_serverkey = server
        dealer.curve_publickey, dealer.curve_secretkey = key.public, key.secret
        dealer.immediate = True
        dealer.connect_timeout = CONNECT_MS
        dealer.reconnect_ivl, dealer.reconnect_ivl_max = RECONNECT_MS, LONGEST_RECONNECT_MS
        dealer.connect(str(address))
        return dealer

    def _run(self) -> None:
        poller = zmq.Poller()
        for socket in (*(line.socket for line in self._lines), self._wake):
            poller.register(socket, zmq.POLLIN)
        beat_ns = time.monotonic_ns()
        while not self._stopping:
            wait_ms = ceil(max(0, beat_ns - time.monotonic_ns()) / NS_PER_MS)
            ready = dict(poller.poll(wait_ms))
            if self._wake in ready:
                self._send_landmarks()
            now_ns = time.monotonic_ns()
            for line in self._lines:
                if line.socket in ready:
                    self._hear(line)
                elif now_ns - line.heard_ns > RENEW_NS:
                    poller.unregister(line.socket)
                    line.socket.close(0)
                    line.socket, line.heard_ns = self._connect(), now_ns
                    poller.register(line.socket, zmq.POLLIN)
            now_ns = time.monotonic_ns()
            if now_ns >= beat_ns:
                beat_ns = max(beat_ns + self._beat_ns, now_ns)
                self._send(self._end.beat(now_ns))
            self.view = self._end.view(now_ns)

    def _send_landmarks(self) -> None:
        while self._wake.poll(0):
            self._wake.recv()
        for box in self._boxes.values():
            item = box.take(0.0)
            data = None if item is None else self._end.landmarks(*item, time.monotonic_ns())
            if data is not None:
                self._send(data)

    def _send(self, data: bytes) -> None:
        """Over every connection that has room."""
        for line in self._lines:
            with suppress(zmq.Again):
                line.socket.send(data, zmq.NOBLOCK)

    def _hear(self, line: _Line) -> None:
        with suppress(zmq.Again):
            while True:
                frames = line.socket.recv_multipart(zmq.NOBLOCK)
                line.heard_ns = time.monotonic_ns()
                if len(frames) == 1:
                    self._end.hear(frames[0], line.heard_ns)
