# SPDX-License-Identifier: Apache-2.0
"""Receipts beside an episode: what was copied where, and the hash that was read back from there."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from recorder.library_errors import LibraryError
from recorder.library_files import RECEIPTS_SUFFIX, SUMS_SUFFIX, beside, group_of, write_json
from recorder.library_hash import file_sha256

SCHEMA = "humanoid_booth/receipts"


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file at a destination: its name, size, modification time here [ns], the hash that was sent and that came
    back."""

    name: str
    url: str
    bytes: int
    mtime_ns: int
    sha256: str
    read_back_sha256: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Files of one episode at one destination, and when they were read back (ISO 8601)."""

    destination: str
    verified: str
    files: tuple[SentFile, ...]

    def file(self, name: str) -> SentFile | None:
        """The entry of a file name."""
        return next((item for item in self.files if item.name == name), None)


def read_receipts(episode: Path) -> dict[str, Receipt]:
    """By destination; empty where nothing was copied.

    Raises:
        LibraryError: the file is damaged.
    """
    path = beside(episode, RECEIPTS_SUFFIX)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        receipts = [
            Receipt(item["destination"], item["verified"], tuple(SentFile(**file) for file in item["files"]))
            for item in values["receipts"]
        ]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LibraryError(f"{path} is unusable ({error}): move it away, and copy again") from error
    return {receipt.destination: receipt for receipt in receipts}


def add_receipt(episode: Path, receipt: Receipt) -> None:
    """Write a receipt, in place of an older one of the same destination.

    Raises:
        LibraryError: it can't be written.
    """
    receipts = {**read_receipts(episode), receipt.destination: receipt}
    path = beside(episode, RECEIPTS_SUFFIX)
    try:
        write_json(path, {"schema": SCHEMA, "version": 1, "receipts": [asdict(item) for item in receipts.values()]})
    except OSError as error:
        raise LibraryError(f"can't write {path}: {error.strerror}. Is the folder writable?") from error


def why_not_deletable(episode: Path, receipt: Receipt | None) -> str:
    """Empty when every file of the episode, as it is now, was read back from the receipt's destination; else why not.

    Raises:
        OSError: a file can't be read.
    """
    if receipt is None:
        return "it has no receipt"
    for path in group_of(episode):
        if path.name.endswith((RECEIPTS_SUFFIX, SUMS_SUFFIX)):
            continue
        sent = receipt.file(path.name)
        if sent is None:
            return f"{path.name} was not copied"
        if not sent.sha256 == sent.read_back_sha256 == file_sha256(path):
            return f"{path.name} is not what was copied"
    return ""


def without_secrets(url: str) -> str:
    """A URL without the password in it."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{host}"))
