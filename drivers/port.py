# SPDX-License-Identifier: Apache-2.0
"""The serial port: opened by the DYNAMIXEL SDK, read without spinning. The only file that knows pyserial or the SDK."""

import os
import select
import termios
import time
from pathlib import Path
from types import TracebackType

from dynamixel_sdk import PortHandler
from serial import SerialException

from drivers.errors import PortError

CHUNK_BYTES = 4096
DISCARD_READS = 16
WRITE_PATIENCE_S = 0.05


class SerialPort:
    """One open serial line, held exclusively. ``read`` blocks in the kernel, so other threads run meanwhile."""

    def __init__(self, path: str, baud: int) -> None:
        if not Path(path).exists():
            raise PortError(f"no serial port at {path}: {_present_ports()}. Check cable and power, or give --port")
        self.path, self.baud = path, baud
        self._handler = PortHandler(path)
        try:
            opened = self._handler.setBaudRate(baud)
            if opened:
                self._handler.ser.exclusive = True
        except (SerialException, OSError, ValueError, termios.error) as error:
            raise PortError(_open_failure(path, error)) from error
        if not opened:
            raise PortError(f"the DYNAMIXEL SDK can't open a port at {baud} baud: use a standard rate up to 4000000")
        try:
            self._fd = int(self._handler.ser.fileno())
            os.set_blocking(self._fd, False)
        except (SerialException, OSError) as error:
            raise PortError(_open_failure(path, error)) from error

    def write(self, data: bytes) -> None:
        """Hand bytes to the kernel, all of them; a line that takes nothing for a while is lost.

        Raises:
            PortError: the port is gone.
        """
        try:
            sent = os.write(self._fd, data)
            while sent < len(data):
                if not select.select([], [self._fd], [], WRITE_PATIENCE_S)[1]:
                    raise PortError(f"{self.path} takes no bytes any more: was the adapter unplugged?")
                sent += os.write(self._fd, data[sent:])
        except (OSError, ValueError) as error:
            raise PortError(f"{self.path} was lost while writing ({error}): was the adapter unplugged?") from error

    def read(self, deadline_ns: int) -> bytes:
        """Wait for bytes until a moment of the monotonic clock; empty when it passes without any.

        Raises:
            PortError: the port is gone.
        """
        wait_s = max(0.0, (deadline_ns - time.monotonic_ns()) * 1e-9)
        try:
            ready, _, _ = select.select([self._fd], [], [], wait_s)
            if not ready:
                return b""
            data = os.read(self._fd, CHUNK_BYTES)
        except (OSError, ValueError) as error:
            raise PortError(f"{self.path} was lost while reading ({error}): was the adapter unplugged?") from error
        if not data:
            raise PortError(f"{self.path} was closed at the other end: was the adapter unplugged?")
        return data

    def discard(self) -> None:
        """Drop bytes that came too late.

        Raises:
            PortError: the port is gone.
        """
        try:
            for _ in range(DISCARD_READS):  # a line full of noise never falls silent
                if not os.read(self._fd, CHUNK_BYTES):
                    return  # nothing there; whether the line is, the next write tells
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:
            raise PortError(f"{self.path} was lost while reading ({error}): was the adapter unplugged?") from error

    def close(self) -> None:
        """Release the port; may be called twice."""
        if self._handler.is_open:
            self._handler.closePort()

    def __enter__(self) -> "SerialPort":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def wait_for_port(path: str, wait_s: float) -> None:
    """Give a port that is about to appear (a virtual robot starting, an adapter being plugged in) time to do so."""
    deadline = time.monotonic() + wait_s
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def _present_ports() -> str:
    ports = [str(path) for pattern in ("ttyUSB*", "ttyACM*") for path in sorted(Path("/dev").glob(pattern))]
    return f"ports found: {', '.join(ports)}" if ports else "no USB serial port found"


def _open_failure(path: str, error: Exception) -> str:
    text = str(error)
    if "exclusively lock" in text or "Resource temporarily unavailable" in text:
        return f"{path} is in use{_holder(path)}: stop that program first; one bus has one driver"
    if isinstance(error, PermissionError) or "Permission denied" in text:
        return f"no permission to open {path}: run `sudo usermod -aG dialout $USER` and log in again"
    return f"{path} can't be opened as a serial port: {text}"


def _holder(path: str) -> str:
    """Who holds the port, as far as /proc tells."""
    real = os.path.realpath(path)
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            held = any(os.path.realpath(link) == real for link in (process / "fd").iterdir())
            if held and "virtual-robot" not in (
                command := (process / "cmdline").read_text().replace("\0", " ").strip()
            ):
                return f" by PID {process.name} ({command[:80]})"
        except OSError:
            continue
    return " by another program"
