# SPDX-License-Identifier: Apache-2.0
"""The input device of a foot pedal: found by its stable name, taken for us alone, read without waiting.

The numbers of the ioctls are those of the kernel's ``linux/input.h``.
"""

import errno
import fcntl
import os
import re
import stat
from pathlib import Path

from graph.errors import DeviceError

BY_ID = Path("/dev/input/by-id")
AUTO = "auto"
LOOKS_LIKE_A_PEDAL = re.compile(r"foot[ _-]?(switch|pedal|control)|pedal|pcsensor|savant[ _-]?elite", re.IGNORECASE)
"""How USB foot switches call themselves, as far as we know."""

CHUNK_EVENTS = 64
KEY_BYTES = 96
"""One bit for every key code up to KEY_MAX, 0x2ff."""
EVIOCGRAB = 1 << 30 | 4 << 16 | ord("E") << 8 | 0x90
EVIOCGKEY = 2 << 30 | KEY_BYTES << 16 | ord("E") << 8 | 0x18
NO_INPUT_DEVICE = (errno.ENOTTY, errno.EINVAL)
"""What a pipe answers to these: it can't type into a desktop either."""


class PedalError(DeviceError):
    """A pedal that can't be used. Scenarios: unplugged, no permission, taken by another program, two that fit."""


def candidates(directory: Path = BY_ID) -> list[Path]:
    """Stable names of everything that gives input events."""
    return sorted(path for path in directory.glob("*event*"))


def find_pedal(device: str, directory: Path = BY_ID) -> Path:
    """The device file of a pedal.

    Args:
        device: its path, or ``auto`` for the one foot switch among the stable names.
        directory: where the stable names are.

    Raises:
        PedalError: it is not there, or ``auto`` finds none or several; the message lists what is there.
    """
    if device != AUTO:
        if not Path(device).exists():
            raise PedalError(f"no pedal at {device}: {_present(directory)}. Plug it in again, or give --pedal-device")
        return Path(device)
    found = [path for path in candidates(directory) if LOOKS_LIKE_A_PEDAL.search(path.name)]
    if not found:
        raise PedalError(f"no foot pedal found: {_present(directory)}. Plug it in, or name it with --pedal-device PATH")
    pedals: dict[str, Path] = {}
    for path in sorted(found, key=_keyboard_first):
        pedals.setdefault(_whose(path), path)
    if len(pedals) > 1:
        raise PedalError(f"several foot pedals: {', '.join(map(str, found))}. Name one with --pedal-device PATH")
    return next(iter(pedals.values()))


class PedalDevice:
    """An open pedal; ``close`` may be called twice."""

    def __init__(self, path: Path) -> None:
        """Open and take it.

        Raises:
            PedalError: that can't be done.
        """
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise PedalError(_why(path, error)) from error
        try:
            mode = os.fstat(self._fd).st_mode
            if not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
                raise PedalError(f"{path} is no input device: expected one of {BY_ID}")
            self._grab()
        except PedalError:
            os.close(self._fd)
            raise
        self._open = True

    def held(self) -> set[int]:
        """Codes of the keys that are down now; empty where that can't be asked."""
        bits = bytearray(KEY_BYTES)
        try:
            fcntl.ioctl(self._fd, EVIOCGKEY, bits)
        except OSError:
            return set()
        return {8 * k + bit for k, byte in enumerate(bits) for bit in range(8) if byte >> bit & 1}

    def read(self, event_bytes: int) -> bytes:
        """What has come; empty when nothing has.

        Raises:
            PedalError: it was unplugged.
        """
        try:
            data = os.read(self._fd, CHUNK_EVENTS * event_bytes)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise PedalError(
                f"the pedal {self.path.name} was unplugged ({error.strerror}): plug it in again"
            ) from error
        if not data:
            raise PedalError(f"the pedal {self.path.name} was unplugged: plug it in again")
        return data

    def close(self) -> None:
        """Give it back to the desktop."""
        if self._open:
            self._open = False
            os.close(self._fd)

    def _gone(self) -> PedalError:
        return PedalError(f"the pedal {self.path.name} was unplugged: plug it in again")

    def _grab(self) -> None:
        try:
            fcntl.ioctl(self._fd, EVIOCGRAB, 1)
        except OSError as error:
            if error.errno not in NO_INPUT_DEVICE:
                raise PedalError(_why(self.path, error)) from error


def _why(path: Path, error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return f"another program has the pedal {path.name}: stop that program, one pedal has one listener"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"no permission to read the pedal {path}: install config/99-booth-pedal.rules (docs/pedal.md), or run "
            "`sudo usermod -aG input $USER` and log in again"
        )
    return f"the pedal {path} can't be opened ({error.strerror}): plug it in again"


def _present(directory: Path) -> str:
    names = [path.name for path in candidates(directory)]
    return f"input devices in {directory}: {', '.join(names)}" if names else f"no input device in {directory}"


def _whose(path: Path) -> str:
    """One device may have several interfaces: a pedal that can be keyboard, mouse and joystick has three names."""
    return re.sub(r"(-if\d+)?-event.*$", "", path.name)


def _keyboard_first(path: Path) -> tuple[bool, str]:
    return not path.name.endswith("-event-kbd"), path.name
