# SPDX-License-Identifier: Apache-2.0
"""Serves a virtual bus on a pseudo-terminal, so that any program that opens a serial port finds the robot there."""

import ctypes
import logging
import os
import select
import termios
import time
import tty
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from types import TracebackType

from drivers.virtual_build import build_virtual_bus
from drivers.virtual_bus import Answer, VirtualBus
from graph.errors import InputError
from robots.robot import Robot

_log = logging.getLogger("virtual_robot")

_IDLE_MS = 50
"""Longest wait without looking at the stop event."""
_SLEEP_NS = 2_000_000
"""Shorter waits sleep to the nanosecond; longer ones poll, so that a request or the stop event is seen."""
_EARLY_NS = 15_000
"""An answer may leave this much before its moment; a sleep that short would end later than that."""
_LEAD_LIMIT_NS = 150_000
"""Most by which a sleep is cut short to make up for late wake-ups."""
_PICK_UP_NS = 25_000
"""A request was written about this long before this thread sees it: the pty's own latency, measured on an echo."""
_READ_BYTES = 65_536
_QUIET_NS, _LINGER_NS = 300_000_000, 3_000_000_000
"""When asked to stop: how long the host must be silent, and how long to wait for that."""
_PR_SET_TIMERSLACK = 29
"""prctl(2): how late the kernel may wake this thread; 50 us unless told."""
_ISPEED, _OSPEED = 4, 5
"""Places of the speeds in termios.tcgetattr's list."""

_SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name.startswith("B") and name[1:].isdecimal()
}


class VirtualRobotError(InputError):
    """The virtual robot can't be served. Scenario: where the link should be lies something that is no symbolic link."""


class VirtualRobotServer:
    """One virtual bus on one pseudo-terminal.

    The server keeps the host's side open too, so that a host may close and open the port as often as it likes. Answers
    are delivered when their last byte would be on the wire. ``serve`` runs in one thread; faults may be set on ``bus``
    from any other.

    Args:
        bus: the devices.
        link: a path at which to make a stable symbolic link to the pseudo-terminal; an old link is replaced.
        strict_baud: devices are deaf to a host at another baud, as on a real bus. Otherwise that is one warning.
    """

    def __init__(self, bus: VirtualBus, link: Path | None = None, *, strict_baud: bool = False) -> None:
        self.bus = bus
        self._strict_baud = strict_baud
        self._warned = False
        self._lead_ns = 0
        self._heard_ns = self._stop_ns = 0
        self._closed = False
        self._link: Path | None = None
        self._host_side, self._slave = os.openpty()
        try:
            tty.setraw(self._slave)
            self._set_speed(bus.baud)
            os.set_blocking(self._host_side, False)
            self.device_path = os.ttyname(self._slave)
            """The pseudo-terminal, for example /dev/pts/4."""
            if link is not None:
                _replace_link(link, self.device_path)
                self._link = link
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "VirtualRobotServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> str:
        """What a host opens: the link when there is one, else the pseudo-terminal."""
        return str(self._link) if self._link is not None else self.device_path

    def serve(self, stop: Event) -> None:
        """Answer until ``stop`` is set and no host talks any more (at most 3 s later), so that a driver that is
        stopped at the same moment can still let go of the robot. Sleeps while there is nothing to do."""
        _wake_up_on_time()
        poller = select.poll()
        poller.register(self._host_side, select.POLLIN)
        waiting: deque[Answer] = deque()
        while not (stop.is_set() and self._abandoned()):
            wait_ns = waiting[0].complete_ns - time.monotonic_ns() if waiting else _IDLE_MS * 1_000_000
            if wait_ns <= _EARLY_NS:
                self._deliver(waiting)
            elif wait_ns < _SLEEP_NS:
                self._sleep(wait_ns)
            elif poller.poll(min(_IDLE_MS, (wait_ns - _SLEEP_NS) // 1_000_000 + 1)):
                waiting.extend(self._receive())

    def close(self) -> None:
        """Give the pseudo-terminal back and remove the link, if it is still ours. May be called again."""
        if self._closed:
            return
        self._closed = True
        if self._link is not None:
            with suppress(OSError):
                if str(self._link.readlink()) == self.device_path:
                    self._link.unlink()
        for side in (self._host_side, self._slave):
            os.close(side)

    def _abandoned(self) -> bool:
        """Asked to stop: whether the host has gone quiet, or has had its time."""
        now_ns = time.monotonic_ns()
        self._stop_ns = self._stop_ns or now_ns
        return now_ns - self._heard_ns > _QUIET_NS or now_ns - self._stop_ns > _LINGER_NS

    def _sleep(self, wait_ns: int) -> None:
        """Sleep so that waking up, which is late by its own recent average, happens on time."""
        asked_ns = max(wait_ns - self._lead_ns, 1_000)
        began_ns = time.monotonic_ns()
        time.sleep(asked_ns * 1e-9)
        late_ns = time.monotonic_ns() - began_ns - asked_ns
        self._lead_ns = min(_LEAD_LIMIT_NS, self._lead_ns + (late_ns - self._lead_ns) // 8)

    def _receive(self) -> list[Answer]:
        now_ns = time.monotonic_ns() - _PICK_UP_NS
        try:
            chunk = os.read(self._host_side, _READ_BYTES)
        except BlockingIOError:
            return []
        self._heard_ns = now_ns
        self._look_at_baud()
        return self.bus.handle(chunk, now_ns)

    def _deliver(self, waiting: deque[Answer]) -> None:
        """Send everything that is on the wire by now. What a host doesn't fetch is lost, as in a full UART."""
        now_ns = time.monotonic_ns() + _EARLY_NS
        data = b""
        while waiting and waiting[0].complete_ns <= now_ns:
            data += waiting.popleft().data
        with suppress(BlockingIOError):
            os.write(self._host_side, data)

    def _look_at_baud(self) -> None:
        speed = termios.tcgetattr(self._slave)[_OSPEED]
        host_baud = _SPEEDS.get(speed, 0)
        if self._strict_baud:
            self.bus.line_baud = host_baud  # 0, that is nobody, for a speed without a name
        if host_baud != self.bus.baud and not self._warned:
            self._warned = True
            said = f"{host_baud} baud" if host_baud else "an unusual baud"
            silent = "so nobody answers" if self._strict_baud else "a real bus would stay silent"
            _log.warning("the host talks at %s, the servos listen at %d: %s", said, self.bus.baud, silent)

    def _set_speed(self, baud: int) -> None:
        code = next((code for code, rate in _SPEEDS.items() if rate == baud), None)
        if code is not None:
            attributes = termios.tcgetattr(self._slave)
            attributes[_ISPEED] = attributes[_OSPEED] = code
            termios.tcsetattr(self._slave, termios.TCSANOW, attributes)


def run_virtual_robot(
    robot: Robot, link: Path | None, strict_baud: bool, ready: Callable[[str], None], stop: Event
) -> None:
    """Serve ``robot`` until ``stop`` is set; ``ready`` is told the path to open.

    Raises:
        VirtualRobotError: the link can't be made.
        ControlTableError: the robot has a model or baud that no table knows.
    """
    with VirtualRobotServer(build_virtual_bus(robot), link, strict_baud=strict_baud) as server:
        _log.info("virtual %s: %d devices at %s", robot.name, len(server.bus.devices), server.path)
        ready(server.path)
        server.serve(stop)


def _replace_link(link: Path, target: str) -> None:
    """Make ``link`` point at ``target`` in one step; a host never finds it missing."""
    if link.exists() and not (link.is_symlink() and str(link.readlink()).startswith("/dev/pts/")):
        raise VirtualRobotError(f"{link} exists and is no symbolic link of ours: choose another path, or remove it")
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        fresh.symlink_to(target)
        fresh.replace(link)
    except OSError as error:
        raise VirtualRobotError(f"no link can be made at {link}: {error.strerror}") from error


def _wake_up_on_time() -> None:
    """Ask the kernel not to round this thread's wake-ups; where it can't, answers are some 50 us late."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
