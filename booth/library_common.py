# SPDX-License-Identifier: Apache-2.0
"""What the commands of `booth library` share: which folder, which episodes, how an index run is shown."""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from booth.output import Progress, say
from recorder.library_errors import LibraryError
from recorder.library_index import INDEX_NAME, Changes, LibraryIndex
from recorder.library_query import Filters, find, select
from recorder.library_scan import Row
from recorder.library_trash import Trashed, move_to_trash

ENV_FOLDER = "BOOTH_LIBRARY"
PATIENCE_S = 1.0


def open_library(args: argparse.Namespace, hashes: bool = False) -> LibraryIndex:
    """The index of the folder that was named, brought up to date unless --no-refresh was given."""
    folder = args.folder or Path(os.environ.get(ENV_FOLDER, "."))
    path = args.index or folder / INDEX_NAME
    if folder.is_dir() and not path.exists() and args.action != "index":  # so that no home folder is walked unasked
        raise LibraryError(f"{folder} has no index yet: booth library index --folder {folder} makes it a library")
    index = LibraryIndex(folder, args.index)
    if not args.no_refresh:
        refresh(index, hashes)
    return index


class LateBar:
    """A progress bar that only shows when the work takes longer than a second."""

    def __init__(self, title: str) -> None:
        self._bar = Progress(title)
        self._from_s = time.monotonic() + PATIENCE_S

    def show(self, share: float, note: str = "") -> None:
        """Draw the bar at ``share`` 0 … 1."""
        if time.monotonic() >= self._from_s:
            self._bar.show(share, note)

    def done(self) -> None:
        """Leave the bar."""
        self._bar.done()


def refresh(index: LibraryIndex, hashes: bool) -> Changes:
    """Bring the index up to date with a bar on standard error."""
    bar = LateBar("indexing")

    def tell(done: int, of: int, name: str) -> None:
        if name:
            bar.show(done / of, f"{done}/{of} {name}")

    try:
        return index.refresh(hashes, tell)
    finally:
        bar.done()


def filters_of(args: argparse.Namespace) -> Filters:
    """The filters on the command line."""
    return Filters(
        task=args.task,
        operator=args.operator,
        booth=args.booth,
        robot=args.robot,
        verdict=tuple(args.verdict),
        since=args.since,
        until=args.until,
        tags=tuple(args.tag),
        min_length_s=args.min_length,
        success={"yes": True, "no": False, None: None}[args.success],
        where=args.where,
    )


def chosen(args: argparse.Namespace, index: LibraryIndex, everything: bool = False) -> list[Row]:
    """The episodes that were named, or those that pass the filters.

    Args:
        everything: whether neither names nor filters means all of them; else that is refused.

    Raises:
        LibraryError: both names and filters, or none of them, or nothing fits.
    """
    filters = filters_of(args)
    if args.episodes and filters:
        raise LibraryError("name episodes, or give filters: not both at once")
    if args.episodes:
        return find(index, args.episodes)
    if not filters and not everything and not args.all:
        raise LibraryError("which episodes? Name them, give filters such as --task 'pick*', or --all")
    rows = select(index, filters)
    if not rows:
        raise LibraryError(f"no episode in {index.folder} fits; booth library query without filters lists all")
    return rows


def to_trash(index: LibraryIndex, rows: list[Row], reason: str) -> list[Trashed]:
    """Move episodes to the trash, with a bar."""
    bar = LateBar("moving to trash")
    trashed = []
    for number, row in enumerate(rows):
        bar.show(number / len(rows), row["path"])
        trashed.append(move_to_trash(index.folder / row["path"], reason))
    bar.done()
    return trashed


def byte_bar(title: str, total: int) -> tuple[Callable[[int], None], LateBar]:
    """A bar that counts bytes: the function to tell it of more, and the bar."""
    bar = LateBar(title)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        bar.show(min(done / max(total, 1), 0.999), f"{done / 1e6:.1f} of {total / 1e6:.1f} MB")

    return advance, bar


def warn_bad(changes: Changes) -> None:
    """Say that there are files that are no episodes."""
    if changes.bad:
        say(f"booth: {changes.bad} of {changes.files} files are no episodes: booth library index --bad lists them")


def plain(row: Row) -> dict[str, Any]:
    """A row for --json: a time in words only, no stamps of the file system."""
    hidden = ("mtime_ns", "inode", "labels_mtime_ns", "problem")
    return {name: value for name, value in row.items() if name not in hidden}
