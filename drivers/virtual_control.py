# SPDX-License-Identifier: Apache-2.0
"""The control socket of a virtual robot: one line of text asks for a fault, one line answers.

A Unix stream socket that only its owner can open. It stands beside the virtual robot's port: where a host opens
``…/op3-0``, faults are asked for at ``…/op3-0.control``.
"""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from graph.errors import DeviceError, InputError

_MOST_BYTES = 4096
"""Longest request; answers may be longer."""
_PATIENCE_S = 2.0
"""How long a client may take to send a line or to fetch its answer."""
_ANSWER_S = 10.0
_LONGEST_PATH = 107
"""sun_path has 108 bytes on Linux, the last of which is 0."""


class ControlTakenError(InputError):
    """The control socket can't be made. Scenarios: another virtual robot of this name runs in this ROS domain; the path
    is too long or can't be written."""


class NoControlError(DeviceError):
    """Nobody listens at a control socket. Scenarios: no virtual robot of this name runs, or in another ROS domain."""


def control_path(port: str | Path) -> Path:
    """The control socket that belongs to a virtual robot's port."""
    return Path(f"{port}.control")


class ControlSocket:
    """Listens in a thread of its own; clients are served one after the other.

    Args:
        path: of the socket; one that nobody listens at any more is replaced.
        answer: one line in, one line out; runs in the listening thread.

    Raises:
        ControlTakenError: somebody listens there already, or it can't be made.
    """

    def __init__(self, path: Path, answer: Callable[[str], str]) -> None:
        self.path = path
        self._answer = answer
        self._stop = threading.Event()
        self._listener = _listen(path)
        self._inode = path.stat().st_ino
        self._thread = threading.Thread(target=self._run, name="virtual-control", daemon=True)
        self._thread.start()

    def __enter__(self) -> "ControlSocket":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and remove the socket, if it is still ours. May be called again."""
        if self._stop.is_set():
            return
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_PATIENCE_S)
        with suppress(OSError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                client.settimeout(_PATIENCE_S)
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        pending = b""
        while chunk := client.recv(_MOST_BYTES):
            pending += chunk
            while b"\n" in pending:
                line, pending = pending.split(b"\n", 1)
                client.sendall(self._answer(line.decode("utf-8", "replace").strip()).encode() + b"\n")
            if len(pending) > _MOST_BYTES:
                client.sendall(f"error: a request is one line of at most {_MOST_BYTES} bytes\n".encode())
                return


def request(path: Path, line: str) -> str:
    """Ask the virtual robot at ``path``; returns its answer, ``ok …`` or ``error: …``.

    Raises:
        NoControlError: nobody listens there, or no answer came.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_ANSWER_S)
        try:
            client.connect(str(path))
            client.sendall(line.replace("\n", " ").encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n") and (chunk := client.recv(65_536)):
                answer += chunk
        except OSError as error:
            raise NoControlError(f"no virtual robot listens at {path}: {error.strerror or error}") from error
    return answer.decode("utf-8", "replace").strip()


def _listen(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise ControlTakenError(f"{path} is too long for a socket: at most {_LONGEST_PATH} bytes")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.is_socket() and not _answered(path):
            path.unlink()
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(8)
    except OSError as error:
        listener.close()
        raise ControlTakenError(
            f"no control socket can be made at {path}: {error.strerror}; is another virtual robot running there?"
        ) from error
    return listener


def _answered(path: Path) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE_S)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
