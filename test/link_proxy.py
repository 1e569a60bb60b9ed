# SPDX-License-Identifier: Apache-2.0
"""A TCP relay on the loopback interface that can hold everything back, or hang up: a network that partitions."""

import selectors
import socket
from threading import Event, Thread

CHUNK = 65536


class LinkProxy:
    """Connections to ``port`` go on to the robot's port; a context manager.

    Attributes:
        held: bytes of both ways wait in the kernels meanwhile, and are delivered at once afterwards, as after a
            partition that TCP survives.
    """

    def __init__(self, robot_port: int) -> None:
        self._robot_port = robot_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.held = False
        self._peer: dict[socket.socket, socket.socket] = {}
        self._stopped = Event()
        self._hang_up = False
        self._thread = Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> "LinkProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._listener.close()
        for end in self._peer:
            end.close()

    def hang_up(self) -> None:
        """Reset every connection, as when a laptop changes its access point."""
        self._hang_up = True

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._stopped.is_set():
                if self._hang_up:
                    self._hang_up = False
                    for end in list(self._peer):
                        self._close(selector, end)
                if self.held:
                    self._stopped.wait(0.002)
                    continue
                for key, _ in selector.select(0.005):
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif key.fileobj in self._peer:
                        self._relay(selector, key.fileobj)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        near, _ = self._listener.accept()
        try:
            robot = socket.create_connection(("127.0.0.1", self._robot_port))
        except OSError:
            near.close()
            return
        for one, other in ((near, robot), (robot, near)):
            self._peer[one] = other
            selector.register(one, selectors.EVENT_READ)

    def _relay(self, selector: selectors.BaseSelector, end: socket.socket) -> None:
        try:
            data = end.recv(CHUNK)
            if data:
                self._peer[end].sendall(data)
                return
        except OSError:
            pass
        self._close(selector, end)

    def _close(self, selector: selectors.BaseSelector, end: socket.socket) -> None:
        for each in (self._peer.get(end), end):
            if each is not None and self._peer.pop(each, None) is not None:
                selector.unregister(each)
                each.close()
