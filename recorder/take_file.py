# SPDX-License-Identifier: Apache-2.0
"""The file under a take: whole records or nothing, and a reserve for the moment in which the disk is full."""

import errno
import fcntl
import os
from pathlib import Path

from recorder.space import Reserve

FULL = (errno.ENOSPC, errno.EDQUOT)


class TakeFile:
    """An append-only file, locked (flock) while it is open. ``close`` is idempotent.

    A write that the full disk refuses is repeated once the reserve is given back. One that fails for good leaves no
    part of itself behind: the file then ends where the write before it ended, and takes nothing more.

    Args:
        path: a file that must not exist yet.
        reserve: room to give back; None for none.

    Raises:
        OSError: it exists or can't be made.
    """

    def __init__(self, path: Path, reserve: Reserve | None = None) -> None:
        self.raw = path.open("xb", buffering=0)
        self.size = 0
        self.broken = False
        self.reserve_used = False
        self._reserve = reserve
        fcntl.flock(self.raw, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self.raw.closed

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append all of it; returns its length.

        Raises:
            OSError: the disk refuses; nothing of ``data`` is in the file.
        """
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._write_some(rest) :]
            except OSError:
                self._forget()
                raise
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written."""
        return self.size

    def flush(self) -> None:
        """Nothing is buffered here; ``sync`` is what makes it last."""

    def sync(self) -> None:
        """fsync.

        Raises:
            OSError: the disk refuses.
        """
        try:
            os.fsync(self.raw.fileno())
        except OSError as error:
            if not self._make_room(error):
                self.broken = True
                raise
            os.fsync(self.raw.fileno())

    def close(self) -> None:
        """Close it and unlock it."""
        self.raw.close()

    def _write_some(self, data: memoryview) -> int:
        if self.broken:
            raise OSError(errno.EIO, "an earlier write failed")
        try:
            return self.raw.write(data) or 0
        except OSError as error:
            if not self._make_room(error):
                raise
            return 0

    def _make_room(self, error: OSError) -> bool:
        """Give the reserve back if that can help."""
        if error.errno not in FULL or self._reserve is None or not self._reserve.release():
            return False
        self.reserve_used = True
        return True

    def _forget(self) -> None:
        """Cut off the part of a record that still found room."""
        self.broken = True
        try:
            os.ftruncate(self.raw.fileno(), self.size)
        except OSError:  # the disk is gone: a torn end is what recovery expects
            return
