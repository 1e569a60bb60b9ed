# SPDX-License-Identifier: Apache-2.0
"""Addresses of the link: where the robot listens, and where an operator connects to."""

import re
from dataclasses import dataclass

from graph.errors import InputError

PREFIX = "tcp://"
LOOPBACK = "127.0.0.1"
LAST_PORT = 65535
_ADDRESS = re.compile(r"tcp://(\*|[A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """A host (``*``: every interface) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{PREFIX}{self.host}:{self.port}"

    @property
    def ipv6(self) -> bool:
        """An IPv6 literal."""
        return self.host.startswith("[")


def listening(text: str) -> Address:
    """Where the robot listens: tcp://HOST:PORT, tcp://*:PORT, or tcp://:PORT for this computer only.

    Raises:
        InputError: it is none.
    """
    host, port = _parts(text)
    return Address(host or LOOPBACK, port)


def connecting(text: str) -> Address:
    """Where an operator connects to: tcp://HOST:PORT.

    Raises:
        InputError: it is none.
    """
    host, port = _parts(text)
    if host in ("", "*"):
        raise InputError(f"{text} names no robot: expected tcp://HOST:PORT with its name or address")
    return Address(host, port)


def _parts(text: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found[2]) <= LAST_PORT:
        raise InputError(f"{text!r} is no address of a link: expected tcp://HOST:PORT, such as tcp://robot:5555")
    return found[1], int(found[2])
