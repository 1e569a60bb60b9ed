# SPDX-License-Identifier: Apache-2.0
"""`booth library copy`: episodes to another place, read back there, and only then deletable here."""

import argparse
from pathlib import Path
from typing import Any

from booth.library_common import byte_bar, chosen, open_library, refresh, to_trash
from booth.output import result, result_json, say
from graph.errors import EXIT_FAILED, EXIT_OK
from recorder.library_copy import Place, copy_episode, files_to_copy
from recorder.library_errors import CopyError, LibraryError
from recorder.library_index import LibraryIndex
from recorder.library_receipts import read_receipts, why_not_deletable
from recorder.library_scan import Row


def run_copy(args: argparse.Namespace) -> int:
    """Copy, verify, write receipts; with --delete-source move to the trash what a receipt covers."""
    takes = args.takes or args.delete_source
    with open_library(args) as index:
        rows = chosen(args, index, everything=True)
        sizes = {row["path"]: _bytes(index.folder / row["path"], takes) for row in rows}
        if args.dry_run:
            return _tell_dry(args, sizes)
        place = Place(args.destination, _options(args.option))
        _refuse_inside(index.folder, place)
        sent, failed = _copy_all(index, rows, place, takes, sum(sizes.values()))
        kept: dict[str, str] = {}
        if args.delete_source:
            kept = _delete_covered(index, [row for row in rows if row["path"] not in failed], place)
    if args.json:
        result_json(
            {
                "destination": place.destination,
                "episodes": len(rows) - len(failed),
                "files_sent": sent,
                "bytes": sum(size for path, size in sizes.items() if path not in failed),
                "failed": failed,
                "deleted": len(rows) - len(failed) - len(kept) if args.delete_source else 0,
                "not_deleted": kept,
            }
        )
    else:
        for path, reason in {**failed, **kept}.items():
            result(f"{path}: {reason}")
        result(
            f"{len(rows) - len(failed)} episodes at {place.destination}, read back and as sent; {sent} files were new"
        )
        if args.delete_source:
            result(f"{len(rows) - len(failed) - len(kept)} sources moved to trash; booth library restore undoes that")
    return EXIT_FAILED if failed or kept else EXIT_OK


def _copy_all(
    index: LibraryIndex, rows: list[Row], place: Place, takes: bool, total: int
) -> tuple[int, dict[str, str]]:
    """(files sent, path to reason of what failed); the next episode is tried even so."""
    advance, bar = byte_bar("copying", 2 * total)
    sent, failed = 0, {}
    try:
        for row in rows:
            try:
                sent += copy_episode(index.folder, index.folder / row["path"], place, takes, advance)[1]
            except (CopyError, LibraryError) as error:
                failed[str(row["path"])] = str(error)
                say(f"booth: {error}")
    finally:
        bar.done()
    return sent, failed


def _delete_covered(index: LibraryIndex, rows: list[Row], place: Place) -> dict[str, str]:
    """Move to the trash what the receipts cover; path to reason of what has to stay."""
    kept = {}
    for row in rows:
        path = index.folder / row["path"]
        reason = why_not_deletable(path, read_receipts(path).get(place.destination))
        if reason:
            kept[str(row["path"])] = f"not deleted: {reason}"
    to_trash(index, [row for row in rows if row["path"] not in kept], f"copied to {place.destination}")
    refresh(index, hashes=False)
    return kept


def _tell_dry(args: argparse.Namespace, sizes: dict[str, int]) -> int:
    if args.json:
        result_json({"dry_run": True, "episodes": len(sizes), "bytes": sum(sizes.values())})
    else:
        result(f"would copy {len(sizes)} episodes, {sum(sizes.values()) / 1e6:.1f} MB, to {args.destination}")
    return EXIT_OK


def _bytes(episode: Path, takes: bool) -> int:
    return sum(path.stat().st_size for path in files_to_copy(episode, takes))


def _refuse_inside(folder: Path, place: Place) -> None:
    """Copies within the library would be episodes of it."""
    if place.local is not None and place.local.resolve().is_relative_to(folder.resolve()):
        raise LibraryError(f"{place.destination} lies in the library {folder}: name a place outside of it")


def _options(items: list[str]) -> dict[str, Any]:
    options = {}
    for item in items:
        name, separator, value = item.partition("=")
        if not separator:
            raise LibraryError(f"an option of the place is written NAME=VALUE, found {item!r}")
        options[name] = value
    return options
