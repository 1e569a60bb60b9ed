# SPDX-License-Identifier: Apache-2.0
"""Keys and a listening robot for tests that open real sockets."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from teleop.link_address import connecting, listening
from teleop.link_allowed import AllowedKeys, allow, allowed_path
from teleop.link_gate import Arrival
from teleop.link_keys import KeyPair, new_key
from teleop.link_receiver import LinkReceiver
from teleop.link_sender import LinkSender

WAIT_S = 20.0


def free_port() -> int:
    """A TCP port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that real threads bring about."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


class Robot:
    """A robot's end with a key pair and one allowed operator, ana.

    Attributes:
        arrivals: what counted, with when it was handed on.
    """

    def __init__(self) -> None:
        self.key, self.ana = new_key("robot"), new_key("ana")
        allow(self.ana.public, "ana")
        self.port = free_port()
        self.arrivals: list[tuple[int, Arrival]] = []
        self.link = LinkReceiver(listening(f"tcp://:{self.port}"), self.key, AllowedKeys(allowed_path()), self._see)
        self.link.start()

    def _see(self, arrival: Arrival) -> None:
        self.arrivals.append((time.monotonic_ns(), arrival))


@contextmanager
def robot() -> Iterator[Robot]:
    """A robot that listens."""
    end = Robot()
    try:
        yield end
        end.link.check()
    finally:
        end.link.close()


@contextmanager
def operator(port: int, key: KeyPair, server: bytes) -> Iterator[LinkSender]:
    """An operator who connects."""
    end = LinkSender(connecting(f"tcp://127.0.0.1:{port}"), key, server)
    end.start()
    try:
        yield end
        end.check()
    finally:
        end.close()
