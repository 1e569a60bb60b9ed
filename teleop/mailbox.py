# SPDX-License-Identifier: Apache-2.0
"""A one-slot mailbox: the newest item wins, nothing queues."""

from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):  # noqa: N818 - a signal, not an error
    """The mailbox was closed and is empty."""


class NewestMailbox(Generic[T]):
    """Hands the newest item from one thread to another; an item that nobody took is replaced and counted."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._item: T | None = None
        self._closed = False
        self.replaced = 0

    def put(self, item: T) -> None:
        """Leave an item; never waits."""
        with self._condition:
            self.replaced += self._item is not None
            self._item = item
            self._condition.notify()

    def take(self, timeout_s: float) -> T | None:
        """Wait for an item and take it; None after the timeout.

        Raises:
            Closed: no item is left and none will come.
        """
        with self._condition:
            if self._item is None and not self._closed:
                self._condition.wait(timeout_s)
            item, self._item = self._item, None
            if item is None and self._closed:
                raise Closed
            return item

    def close(self) -> None:
        """No more items; the last one may still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
