# SPDX-License-Identifier: Apache-2.0
"""Copy episodes to another place and believe only what was read back from there.

The place is anything that fsspec opens: a folder, a NAS that is mounted, ``sftp://``, ``s3://``. Each file is sent as
``NAME.part``, read back, compared, and then named; what is there already is compared and never replaced.
"""

import importlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from recorder.library_errors import CopyError
from recorder.library_files import LABELS_SUFFIX, SUMS_SUFFIX, beside, now_iso, replays_of
from recorder.library_hash import BLOCK_BYTES, file_sha256
from recorder.library_receipts import Receipt, SentFile, add_receipt, read_receipts, without_secrets
from recorder.recover import TAKE_SUFFIX
from recorder.schema import SUFFIX

PART = ".part"
OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss"}
"""They have no folders, so none are made."""

FOREIGN_FAULTS = (("paramiko", "SSHException"), ("botocore.exceptions", "BotoCoreError"))
"""Errors of the libraries below fsspec that are no OSError."""

Advance = Callable[[int], None]


class Place:
    """Where copies go.

    Args:
        url: folder or fsspec URL.
        options: what fsspec's file system takes besides, such as ``key_filename`` for SFTP.

    Raises:
        CopyError: fsspec or the library for this kind of place is not installed, or it can't be reached.
    """

    def __init__(self, url: str, options: Mapping[str, str] = {}) -> None:
        self.destination = without_secrets(url).rstrip("/") if "://" in url else str(Path(url).resolve())
        try:
            fsspec = importlib.import_module("fsspec.core")
            with faults(f"can't reach {self.destination}"):
                self.files, root = fsspec.url_to_fs(url if "://" in url else self.destination, **options)
        except ImportError as error:
            raise CopyError(
                f"copying to {self.destination} needs a library that is not installed: {error}."
                " Run pip install 'humanoid_booth[library]'; SFTP needs paramiko as well, S3 needs s3fs"
            ) from error
        except ValueError as error:
            raise CopyError(
                f"{url!r} is no place to copy to: {error}. Expected a folder, sftp://… or s3://…"
            ) from error
        self.root = str(root).rstrip("/")

    @property
    def local(self) -> Path | None:
        """The folder, if it is one on this computer."""
        return Path(self.root) if "file" in _protocols(self.files) else None

    def path(self, relative: Path) -> str:
        """Full path of a file there."""
        return f"{self.root}/{relative.as_posix()}"

    def size(self, relative: Path) -> int | None:
        """Bytes of a file there; None if there is none."""
        self.files.invalidate_cache()
        path = self.path(relative)
        return int(self.files.size(path)) if self.files.exists(path) else None

    def make_folder(self, relative: Path) -> None:
        """Make the folder of a file, where there are folders."""
        if not _protocols(self.files) & OBJECT_STORES:
            self.files.makedirs(self.path(relative).rpartition("/")[0], exist_ok=True)

    def send(self, source: Path, relative: Path, advance: Advance) -> str:
        """Write a file and return the SHA-256 of what was sent."""
        digest = sha256()
        with source.open("rb") as here, self.files.open(self.path(relative), "wb") as there:
            while block := here.read(BLOCK_BYTES):
                digest.update(block)
                there.write(block)
                advance(len(block))
            _to_disk(there)
        return digest.hexdigest()

    def read_back(self, relative: Path, advance: Advance = lambda count: None) -> str:
        """SHA-256 of a file there, read from the place itself and not from what this computer remembers of it."""
        self.files.invalidate_cache()
        digest = sha256()
        with self.files.open(self.path(relative), "rb") as there:
            _forget(there)
            while block := there.read(BLOCK_BYTES):
                digest.update(block)
                advance(len(block))
        return digest.hexdigest()

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name."""
        self.files.mv(self.path(old), self.path(new))

    def write_text(self, relative: Path, text: str) -> None:
        """Write a small file."""
        with self.files.open(self.path(relative), "wb") as there:
            there.write(text.encode())
            _to_disk(there)


def files_to_copy(episode: Path, takes: bool) -> list[Path]:
    """The episode, what people said about it, what was kept of its replays and, if asked for, its take."""
    suffixes = (SUFFIX, LABELS_SUFFIX, *([TAKE_SUFFIX] if takes else []))
    return [path for suffix in suffixes if (path := beside(episode, suffix)).exists()] + replays_of(episode)


def copy_episode(folder: Path, episode: Path, place: Place, takes: bool, advance: Advance) -> tuple[Receipt, int]:
    """Copy one episode, read it back, and write the receipt. What a receipt covers already is not sent again.

    Args:
        folder: the library; the episode gets the same path below the place.
        advance: told the bytes as they are done, each byte twice: sent and read back.

    Returns:
        The receipt, and how many files were sent.

    Raises:
        CopyError: other bytes came back, another file of that name is there, or the place fails.
        LibraryError: the receipts can't be read or written.
    """
    before = read_receipts(episode).get(place.destination)
    sent: list[SentFile] = []
    new = 0
    with faults(f"can't copy {episode.name} to {place.destination}"):
        for path in files_to_copy(episode, takes):
            old = before.file(path.name) if before else None
            relative = path.relative_to(folder)
            if old is not None and _untouched(path, old) and place.size(relative) == old.bytes:
                advance(2 * old.bytes)
                sent.append(old)
                continue
            sent.append(_copy_file(path, relative, place, old, advance))
            new += 1
        receipt = Receipt(place.destination, now_iso(), tuple(sent))
        if new or before is None:
            sums = "".join(f"{item.sha256}  {item.name}\n" for item in sent)
            place.write_text(beside(episode, SUMS_SUFFIX).relative_to(folder), sums)
            add_receipt(episode, receipt)
    return receipt, new


def _copy_file(path: Path, relative: Path, place: Place, old: SentFile | None, advance: Advance) -> SentFile:
    facts = path.stat()
    there = place.size(relative)
    if there is not None:
        mine, its = file_sha256(path, advance), place.read_back(relative, advance)
        replaceable = path.name.endswith(LABELS_SUFFIX) and old is not None and its == old.sha256
        if mine != its and not replaceable:
            raise CopyError(
                f"{place.path(relative)} is another file ({there} bytes) than {path} ({facts.st_size} bytes), and"
                " nothing is replaced: move one of them away"
            )
    if there is None or mine != its:
        part = relative.with_name(relative.name + PART)
        place.make_folder(relative)
        mine, its = place.send(path, part, advance), place.read_back(part, advance)
        if mine != its:
            raise CopyError(f"{place.path(part)} reads back as {its[:12]}…, sent was {mine[:12]}…: copy again")
        place.rename(part, relative)
    now = path.stat()
    if (now.st_size, now.st_mtime_ns) != (facts.st_size, facts.st_mtime_ns):
        raise CopyError(f"{path} changed while it was copied: copy again")
    url = f"{place.destination}/{relative.as_posix()}"
    return SentFile(path.name, url, facts.st_size, facts.st_mtime_ns, mine, its)


def _untouched(path: Path, old: SentFile) -> bool:
    facts = path.stat()
    return (facts.st_size, facts.st_mtime_ns) == (old.bytes, old.mtime_ns) and old.sha256 == old.read_back_sha256


@contextmanager
def faults(what: str) -> Iterator[None]:
    """Everything that a place can fail with, as one clear error."""
    try:
        yield
    except _fault_kinds() as error:
        reason = str(error) or type(error).__name__
        raise CopyError(f"{what}: {reason}. Run the same command again to go on where it stopped") from error


def _fault_kinds() -> tuple[type[Exception], ...]:
    """Looked up when something fails: by then the libraries are loaded that could have failed."""
    foreign = [getattr(sys.modules[module], name) for module, name in FOREIGN_FAULTS if module in sys.modules]
    return (OSError, EOFError, *foreign)


def _protocols(files: Any) -> set[str]:
    protocol = files.protocol
    return {protocol} if isinstance(protocol, str) else set(protocol)


def _descriptor(file: Any) -> int | None:
    """Of a file on this computer; None for any other."""
    try:
        return int(file.fileno())
    except (AttributeError, OSError, io.UnsupportedOperation, TypeError):
        return None


def _to_disk(file: Any) -> None:
    descriptor = _descriptor(file)
    if descriptor is not None:
        file.flush()
        os.fsync(descriptor)


def _forget(file: Any) -> None:
    """Have the file read from the disk: what was just written would come back from memory."""
    descriptor = _descriptor(file)
    if descriptor is not None and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
