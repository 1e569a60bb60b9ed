# SPDX-License-Identifier: Apache-2.0
"""Serves virtual buses on pseudo-terminals: answers leave when their last byte would be on the wire."""

import ctypes
import logging
import os
import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from types import TracebackType

from drivers.virtual_bus import Answer, VirtualBus
from drivers.virtual_pty import Pty

_log = logging.getLogger("virtual_robot")

_IDLE_S = 0.05
"""Longest wait without looking at the stop event."""
_EARLY_NS = 15_000
"""An answer may leave this much before its moment; a sleep that short would end later than that."""
_LEAD_LIMIT_NS = 150_000
"""Most by which a wait is cut short to make up for late wake-ups."""
_PICK_UP_NS = 25_000
"""A request was written about this long before this thread sees it: the pty's own latency, measured on an echo."""
_QUIET_NS, _LINGER_NS = 300_000_000, 3_000_000_000
"""When asked to stop: how long the host must be silent, and how long to wait for that."""
_PR_SET_TIMERSLACK = 29
"""prctl(2): how late the kernel may wake this thread; 50 us unless told."""
_ORDER_S = 2.0
"""How long somebody waits for the serving thread to pull or push a plug."""


class VirtualRobotServer:
    """One virtual bus on one pseudo-terminal.

    ``serve`` runs in one thread; faults may be set on ``bus``, and the plug may be pulled, from any other.

    Args:
        bus: the devices.
        link: a path at which to make a stable symbolic link to the pseudo-terminal; an old link is replaced.
        strict_baud: devices are deaf to a host at another baud, as on a real bus. Otherwise that is one warning.

    Attributes:
        waiting: answers that are not on the wire yet.
    """

    def __init__(self, bus: VirtualBus, link: Path | None = None, *, strict_baud: bool = False) -> None:
        self.bus = bus
        self.waiting: deque[Answer] = deque()
        self._strict_baud = strict_baud
        self._warned = False
        self._heard_ns = 0
        self._closed = False
        self._link = link
        self._orders: deque[tuple[Callable[[], None], Event]] = deque()
        self._hand_over = Lock()
        self._wake: int | None = None
        self._pty: Pty | None = Pty(bus.baud, link)

    def __enter__(self) -> "VirtualRobotServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def device_path(self) -> str:
        """The pseudo-terminal, for example /dev/pts/4; empty while the plug is out."""
        return self._pty.device_path if self._pty is not None else ""

    @property
    def path(self) -> str:
        """What a host opens: the link when there is one, else the pseudo-terminal."""
        return str(self._link) if self._link is not None else self.device_path

    @property
    def plugged(self) -> bool:
        """Whether a host finds it."""
        return self._pty is not None

    @property
    def fd(self) -> int | None:
        """To wait for a host's words; None while the plug is out."""
        return self._pty.fd if self._pty is not None else None

    def serve(self, stop: Event) -> None:
        """Serve this one bus, see `serve_all`."""
        serve_all([self], stop)

    def unplug(self) -> None:
        """A fault: somebody pulls the cable. The host's calls fail, the link goes; the servos notice nothing else."""
        self._order(self._pull)

    def plug(self) -> None:
        """The cable is back, as another pseudo-terminal behind the same link."""
        self._order(self._push)

    def close(self) -> None:
        """Give the pseudo-terminal back and remove the link, if it is still ours. May be called again."""
        self._closed = True
        if self._pty is not None:
            self._pty.close()
            self._pty = None

    # --- for the serving thread ------------------------------------------------------------------------------

    def attach(self, wake: int | None) -> None:
        """``wake``: an eventfd that wakes the serving thread; None: nobody serves any more."""
        with self._hand_over:
            self._wake = wake
            self.run_orders()

    def run_orders(self) -> None:
        """Do what another thread has asked for."""
        while self._orders:
            order, done = self._orders.popleft()
            order()
            done.set()

    def receive(self) -> None:
        """Hear the host, and put the answers in the queue."""
        if self._pty is None:
            return
        now_ns = time.monotonic_ns() - _PICK_UP_NS
        chunk = self._pty.read()
        if chunk:
            self._heard_ns = now_ns
            self._look_at_baud()
            self.waiting.extend(self.bus.handle(chunk, now_ns))

    def deliver(self, now_ns: int) -> None:
        """Send everything that is on the wire by ``now_ns``."""
        waiting, data = self.waiting, b""
        while waiting and waiting[0].complete_ns <= now_ns:
            data += waiting.popleft().data
        if self._pty is not None and data:
            self._pty.write(data)

    def quiet_since(self, now_ns: int) -> bool:
        """Whether the host has said nothing for a while."""
        return now_ns - self._heard_ns > _QUIET_NS

    def _order(self, order: Callable[[], None]) -> None:
        """Run in the serving thread when there is one, else here."""
        done = Event()
        with self._hand_over:
            if self._wake is None:
                order()
                return
            self._orders.append((order, done))
            os.eventfd_write(self._wake, 1)
        done.wait(_ORDER_S)

    def _pull(self) -> None:
        self.waiting.clear()
        if self._pty is not None:
            self._pty.close()
            self._pty = None

    def _push(self) -> None:
        if self._pty is None and not self._closed:
            self._pty = Pty(self.bus.baud, self._link)

    def _look_at_baud(self) -> None:
        assert self._pty is not None
        host_baud = self._pty.speed()
        if self._strict_baud:
            self.bus.line_baud = host_baud  # 0, that is nobody, for a speed without a name
        if host_baud != self.bus.baud and not self._warned:
            self._warned = True
            said = f"{host_baud} baud" if host_baud else "an unusual baud"
            silent = "so nobody answers" if self._strict_baud else "a real bus would stay silent"
            _log.warning("the host talks at %s, the servos listen at %d: %s", said, self.bus.baud, silent)


def serve_all(servers: Sequence[VirtualRobotServer], stop: Event) -> None:
    """Answer on several lines from this thread until ``stop`` is set and no host talks any more (at most 3 s later), so
    that a driver that is stopped at the same moment can still let go of the robot. Sleeps while there is nothing to do.
    """
    _wake_up_on_time()
    wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    try:
        for server in servers:
            server.attach(wake)
        _serve(servers, stop, wake)
    finally:
        for server in servers:
            server.attach(None)
        os.close(wake)


def _serve(servers: Sequence[VirtualRobotServer], stop: Event, wake: int) -> None:
    by_fd = {server.fd: server for server in servers if server.fd is not None}
    fds = [wake, *by_fd]
    lead_ns, stop_ns = 0, 0
    while True:
        now_ns = time.monotonic_ns()
        if stop.is_set():
            stop_ns = stop_ns or now_ns
            if now_ns - stop_ns > _LINGER_NS or all(server.quiet_since(now_ns) for server in servers):
                return
        due_ns = min((server.waiting[0].complete_ns for server in servers if server.waiting), default=None)
        if due_ns is None:
            asked_ns, wait_s = 0, _IDLE_S
        elif due_ns - now_ns <= _EARLY_NS:
            for server in servers:
                if server.waiting:
                    server.deliver(now_ns + _EARLY_NS)
            continue
        else:
            asked_ns = max(due_ns - now_ns - lead_ns, 1_000)
            wait_s = min(asked_ns * 1e-9, _IDLE_S)
        ready = select.select(fds, (), (), wait_s)[0]
        if not ready:
            if asked_ns and wait_s < _IDLE_S:  # wake-ups are late by their own recent average
                late_ns = time.monotonic_ns() - now_ns - asked_ns
                lead_ns = min(_LEAD_LIMIT_NS, lead_ns + (late_ns - lead_ns) // 8)
            continue
        for fd in ready:
            if fd != wake:
                by_fd[fd].receive()
        if wake in ready:
            os.eventfd_read(wake)
            for server in servers:
                server.run_orders()
            by_fd = {server.fd: server for server in servers if server.fd is not None}
            fds = [wake, *by_fd]


def _wake_up_on_time() -> None:
    """Ask the kernel not to round this thread's wake-ups; where it can't, answers are some 50 us late."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
