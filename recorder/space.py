# SPDX-License-Identifier: Apache-2.0
"""Room on the disk: what is held back for the end of a take, what is left, and for how long that lasts."""

import fcntl
import os
import shutil
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

RESERVE_BYTES = 256 << 20
SMALLEST_RESERVE_BYTES = 1 << 20
RESERVE_SUFFIX = ".reserve"

MIN_FREE_START_BYTES = 1 << 30
MIN_FREE_BYTES = 256 << 20
"""So much stays free besides the room for the episodes that are still to be made."""

WARN_MINUTES = 10.0
RATE_WINDOW_NS = 5_000_000_000


class Reserve:
    """A file without content that keeps room on the disk while a take runs. ``release`` is idempotent.

    When the disk fills up, giving it back lets the take be closed as if nothing had happened. It is locked while its
    owner lives, so that what a crash leaves can be told from what is in use.
    """

    def __init__(self, path: Path, size: int | None = None) -> None:
        self.path = path
        self.held_bytes = 0
        self._wanted = RESERVE_BYTES if size is None else size
        self._descriptor: int | None = None

    def hold(self) -> int:
        """Take the room, or as much of it as there is; returns its bytes, 0 where there is none."""
        try:
            self._descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # no room for a name: the take itself will tell
            return 0
        size = self._wanted
        while size >= min(SMALLEST_RESERVE_BYTES, self._wanted) and not self._allocate(size):
            size //= 2
        return self.held_bytes

    def release(self) -> bool:
        """Give the room back; False when there was none any more."""
        held, self.held_bytes = self.held_bytes, 0
        if self._descriptor is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None
        return held > 0

    def _allocate(self, size: int) -> bool:
        assert self._descriptor is not None
        try:
            os.posix_fallocate(self._descriptor, 0, size)
        except OSError:
            os.ftruncate(self._descriptor, 0)
            return False
        self.held_bytes = size
        return True


def drop_stale_reserves(directory: Path) -> None:
    """Give back the room that killed recorders held; that of living ones is locked and stays."""
    for path in directory.glob(f".*{RESERVE_SUFFIX}"):
        try:
            descriptor = os.open(path, os.O_WRONLY)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except OSError:
            pass
        finally:
            os.close(descriptor)


class ByteRate:
    """How many bytes a second came lately."""

    def __init__(self) -> None:
        self._total = 0
        self._marks: deque[tuple[int, int]] = deque()

    def add(self, size: int) -> None:
        """Note bytes that came."""
        self._total += size

    def bytes_per_s(self, now_ns: int) -> float:
        """The rate over the last five seconds of calls; to be called a few times a second."""
        self._marks.append((now_ns, self._total))
        while len(self._marks) > 2 and now_ns - self._marks[1][0] >= RATE_WINDOW_NS:
            self._marks.popleft()
        first_ns, first = self._marks[0]
        return (self._total - first) / (now_ns - first_ns) * 1e9 if now_ns > first_ns else 0.0


@dataclass(frozen=True, slots=True)
class Room:
    """What is left on the disk of the takes.

    Attributes:
        free_bytes: free; what takes hold in reserve comes on top.
        owed_bytes: what the episodes of the running and the waiting takes will need.
        rate: bytes a second that a take grows by.
    """

    free_bytes: int
    owed_bytes: int
    rate: float

    @property
    def exhausted(self) -> bool:
        """Whether a running take has to end now so that its episode still finds room."""
        return self.free_bytes - self.owed_bytes < MIN_FREE_BYTES

    @property
    def minutes_left(self) -> float | None:
        """How long a take can go on at this rate: it needs its room twice, once as a take and once as an episode.
        None while nothing comes."""
        if self.rate <= 0:
            return None
        return max(0.0, self.free_bytes - self.owed_bytes - MIN_FREE_BYTES) / (2 * self.rate * 60)

    @property
    def warning(self) -> str:
        """What to say when little is left, else nothing."""
        minutes = self.minutes_left
        if minutes is None or minutes >= WARN_MINUTES:
            return ""
        return f"the disk has room for {minutes:.1f} more minutes: free some space"


def room(directory: Path, takes: Iterable[Path], rate: float) -> Room:
    """Look at the disk; the episode of each of the ``takes`` is still to be made and needs about its take's size."""
    return Room(shutil.disk_usage(directory).free, sum(_size(take) for take in takes), rate)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # moved away a moment ago
        return 0
