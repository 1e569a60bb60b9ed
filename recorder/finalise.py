# SPDX-License-Identifier: Apache-2.0
"""Take -> finished episode: assemble, write ``.h5.part``, read it back, check, sync, rename."""

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path

from recorder.assemble import assemble
from recorder.check import Report
from recorder.errors import EpisodeError, TakeError, TakeInUseError
from recorder.publish import publish
from recorder.schema import PART_SUFFIX, SUFFIX
from recorder.take_reader import read_take
from recorder.written_episode import write_checked
from robots.robot import RobotFileError

SPARE_BYTES = 4 << 20
"""An episode needs about the room of its take, and so much more for small ones."""


@dataclass(frozen=True, slots=True)
class Finalised:
    """A finished episode: its path, rows, dropped rows and what the check said of it."""

    path: Path
    rows: int
    dropped_rows: int
    report: Report


def episode_path(take: Path) -> Path:
    """Where the episode of a take goes: beside it, same name."""
    return take.with_suffix(SUFFIX)


def finalise(take_path: Path, target: Path | None = None) -> Finalised:
    """Turn a closed or crashed take into an episode; a file at the target is never overwritten.

    Raises:
        TakeError: the take is unusable, or another process still holds it.
        EpisodeError: the target exists, the disk refuses, or what was written does not read back.
    """
    target = target or episode_path(take_path)
    if target.exists():
        raise EpisodeError(f"{target.name} exists already: move it away to make it again from its take")
    with take_path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TakeInUseError(
                f"{take_path.name} is still in use by another recorder: stop that one first"
            ) from error
        return _finalise(take_path, target)


def _finalise(take_path: Path, target: Path) -> Finalised:
    try:
        tables = assemble(read_take(take_path))
    except RobotFileError as error:
        raise TakeError(f"{take_path.name}: {error}") from error
    _refuse_full_disk(take_path, target)
    part = target.with_name(target.name.removesuffix(SUFFIX) + PART_SUFFIX)
    try:
        report = write_checked(part, tables)
        publish(part, target)
    except OSError as error:
        raise EpisodeError(f"can't write {target.name}: {error}. The take is untouched: free some space") from error
    return Finalised(target, tables.rows, int(tables.attributes["dropped_rows"]), report)


def _refuse_full_disk(take_path: Path, target: Path) -> None:
    """HDF5 may take the whole process down when a disk fills up under it, so it does not even begin on one."""
    needed = take_path.stat().st_size + SPARE_BYTES
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise EpisodeError(
            f"{target.name} needs about {needed / 1e6:.0f} MB, but only {free / 1e6:.0f} MB are free. The take is"
            " untouched: free some space, then run booth record recover"
        )
