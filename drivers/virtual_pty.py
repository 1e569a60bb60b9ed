# SPDX-License-Identifier: Apache-2.0
"""A pseudo-terminal with a stable link: the socket that a virtual robot's cable is plugged into."""

import os
import termios
import tty
from contextlib import suppress
from pathlib import Path

from graph.errors import InputError

_READ_BYTES = 65_536
_ISPEED, _OSPEED = 4, 5
"""Places of the speeds in termios.tcgetattr's list."""

_SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name.startswith("B") and name[1:].isdecimal()
}


class VirtualRobotError(InputError):
    """The virtual robot can't be served. Scenario: where the link should be lies something that is no symbolic link."""


class Pty:
    """One pseudo-terminal. It keeps the host's side open too, so that a host may close and open it as it likes.

    Args:
        baud: what the host's side is set to at first.
        link: a path at which to make a symbolic link to it; an old link of ours is replaced.

    Attributes:
        fd: our side.
        device_path: the pseudo-terminal, for example /dev/pts/4.

    Raises:
        VirtualRobotError: the link can't be made.
    """

    def __init__(self, baud: int, link: Path | None = None) -> None:
        self._open = True
        self._link: Path | None = None
        self.fd, self._slave = os.openpty()
        try:
            tty.setraw(self._slave)
            self._set_speed(baud)
            os.set_blocking(self.fd, False)
            self.device_path = os.ttyname(self._slave)
            if link is not None:
                _replace_link(link, self.device_path)
                self._link = link
        except BaseException:
            self.close()
            raise

    @property
    def path(self) -> str:
        """What a host opens: the link when there is one, else the pseudo-terminal."""
        return str(self._link) if self._link is not None else self.device_path

    def read(self) -> bytes:
        """What the host has sent; b"" when nothing."""
        try:
            return os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Send to the host. What it doesn't fetch is lost, as in a full UART."""
        with suppress(BlockingIOError):
            os.write(self.fd, data)

    def speed(self) -> int:
        """Bits per second that the host has set; 0 for a speed without a name."""
        return _SPEEDS.get(termios.tcgetattr(self._slave)[_OSPEED], 0)

    def close(self) -> None:
        """Hang up, and remove the link if it is still ours. May be called again."""
        if not self._open:
            return
        self._open = False
        if self._link is not None:
            with suppress(OSError):
                if str(self._link.readlink()) == self.device_path:
                    self._link.unlink()
        for side in (self.fd, self._slave):
            os.close(side)

    def _set_speed(self, baud: int) -> None:
        code = next((code for code, rate in _SPEEDS.items() if rate == baud), None)
        if code is not None:
            attributes = termios.tcgetattr(self._slave)
            attributes[_ISPEED] = attributes[_OSPEED] = code
            termios.tcsetattr(self._slave, termios.TCSANOW, attributes)


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
