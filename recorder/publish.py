# SPDX-License-Identifier: Apache-2.0
"""How a finished file gets its name: all at once, and so that no power cut takes it back."""

import os
from pathlib import Path


def publish(part: Path, target: Path) -> None:
    """Make a finished file appear under its name at once and for good: fsync, rename, fsync the directory.

    Raises:
        OSError: the disk refuses.
    """
    sync_file(part)
    part.rename(target)
    sync_directory(target.parent)


def sync_file(path: Path) -> None:
    """fsync a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """fsync a directory, so that names made or renamed in it survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
