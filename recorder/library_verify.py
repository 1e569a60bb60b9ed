# SPDX-License-Identifier: Apache-2.0
"""Read everything again and compare it with every hash that was ever noted of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py

from recorder.errors import EpisodeError
from recorder.library_copy import Place, faults
from recorder.library_errors import CopyError, LibraryError
from recorder.library_files import SUMS_SUFFIX, beside
from recorder.library_hash import file_sha256
from recorder.library_receipts import read_receipts
from recorder.library_scan import Row, stamp_of
from recorder.manifest import ATTRIBUTE, changed_datasets

OK, DAMAGED, UNKNOWN = "ok", "damaged", "unknown"


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of one episode: ``ok``, ``damaged``, or ``unknown`` where no hash was ever noted.

    Attributes:
        checked: what it was compared with.
        problems: what did not agree, in words.
    """

    path: str
    checked: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def state(self) -> str:
        """The answer in a word."""
        if self.problems:
            return DAMAGED
        return OK if self.checked else UNKNOWN


def verify_episode(folder: Path, row: Row, copies: bool, advance: Callable[[int], None]) -> Verified:
    """Hash an episode and compare.

    Args:
        folder: the library.
        row: its row in the index.
        copies: whether to read its copies at other places, too.
        advance: told the bytes as they are read.
    """
    path = folder / row["path"]
    checked: list[str] = []
    problems: list[str] = []
    try:
        found = file_sha256(path, advance)
        for source, expected in _noted(path, row).items():
            checked.append(source)
            if expected != found:
                problems.append(f"{source} says {expected[:12]}…, the file has {found[:12]}…")
        problems += _manifest_problems(path, checked)
        if copies:
            problems += _copy_problems(folder, path, checked)
    except (OSError, RuntimeError, KeyError, EpisodeError, LibraryError) as error:
        problems.append(str(error))
    return Verified(row["path"], tuple(checked), tuple(problems))


def _noted(path: Path, row: Row) -> dict[str, str]:
    """Where a hash of this file was noted -> the hash."""
    noted = {}
    stamp = stamp_of(path)
    same_file = (row["mtime_ns"], row["size"], row["inode"]) == (stamp.mtime_ns, stamp.size, stamp.inode)
    if row["file_sha256"] and same_file:
        noted["index"] = str(row["file_sha256"])
    for destination, receipt in read_receipts(path).items():
        sent = receipt.file(path.name)
        if sent is not None:
            noted[f"receipt of {destination}"] = sent.sha256
    sums = beside(path, SUMS_SUFFIX)
    if sums.exists():
        for line in sums.read_text(encoding="utf-8").splitlines():
            expected, _, name = line.partition("  ")
            if name == path.name:
                noted[sums.name] = expected
    return noted


def _manifest_problems(path: Path, checked: list[str]) -> list[str]:
    with h5py.File(path, "r") as file:
        if ATTRIBUTE not in file.attrs:
            return []
        checked.append("manifest")
        wrong = changed_datasets(file)
    return [f"the episode's manifest does not fit {', '.join(wrong)}"] if wrong else []


def _copy_problems(folder: Path, path: Path, checked: list[str]) -> list[str]:
    problems = []
    for destination, receipt in read_receipts(path).items():
        checked.append(f"copy at {destination}")
        try:
            place = Place(destination)
            for sent in receipt.files:
                relative = path.with_name(sent.name).relative_to(folder)
                with faults(f"can't read {sent.url}"):
                    found = place.read_back(relative)
                if found != sent.sha256:
                    problems.append(f"{sent.url} has {found[:12]}…, the receipt says {sent.sha256[:12]}…")
        except CopyError as error:
            problems.append(str(error))
    return problems
