# SPDX-License-Identifier: Apache-2.0
"""The index of a library: one SQLite file in its folder. It only repeats what the files say: delete it at any time."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from recorder.library_errors import LibraryError
from recorder.library_files import episode_files, trash_folders
from recorder.library_scan import UNUSABLE, Row, Stamp, describe, discarded, edits, hashes_of, stamp_of, take_facts
from recorder.library_sessions import sessions

INDEX_NAME = ".booth_library.sqlite"
INDEX_VERSION = 2

COLUMNS = {
    "path": "TEXT PRIMARY KEY",
    "episode_id": "TEXT",
    "task": "TEXT",
    "operator": "TEXT",
    "booth": "TEXT",
    "robot": "TEXT",
    "session": "TEXT",
    "session_id": "TEXT",
    "episode_number": "INTEGER",
    "created": "TEXT",
    "created_s": "REAL",
    "length_s": "REAL",
    "rows": "INTEGER",
    "rate_hz": "REAL",
    "verdict": "TEXT",
    "findings": "TEXT",
    "dropped_rows": "INTEGER",
    "complete": "INTEGER",
    "sim": "INTEGER",
    "cameras": "TEXT",
    "success": "INTEGER",
    "tags": "TEXT",
    "labels": "TEXT",
    "notes": "TEXT",
    "derived_from": "TEXT",
    "content_sha256": "TEXT",
    "file_sha256": "TEXT",
    "problem": "TEXT",
    "label_problem": "TEXT",
    "mtime_ns": "INTEGER",
    "size": "INTEGER",
    "inode": "INTEGER",
    "labels_mtime_ns": "INTEGER",
}
"""Column to SQL type. ``findings`` is JSON, code to level of what is not ok; ``tags``, ``cameras`` and ``derived_from``
are JSON lists, ``labels`` is a JSON object. ``problem`` is why a file is no episode, else empty."""

DISCARDED = ("path", "task", "operator", "booth", "robot", "created_s", "length_s")

SCHEMA = f"""
CREATE TABLE files ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())});
CREATE TABLE discarded ({", ".join(DISCARDED)});
CREATE VIEW episodes AS SELECT * FROM files WHERE problem = '';
CREATE INDEX by_time ON files (created_s);
CREATE INDEX by_content ON files (content_sha256);
"""

COMMIT_EVERY = 100
"""An index run that is interrupted keeps what it has."""

Tell = Callable[[int, int, str], None]


@dataclass(slots=True)
class Changes:
    """What a run over the files found: files in the library, and how many of them are what."""

    files: int = 0
    read: int = 0
    relabelled: int = 0
    hashed: int = 0
    removed: int = 0
    bad: int = 0


class LibraryIndex:
    """The index of one folder. Use as a context manager, or call ``close``.

    Args:
        folder: the library.
        path: the index file, where it does not belong into the folder.

    Raises:
        LibraryError: no such folder, or the index can't be written.
    """

    def __init__(self, folder: Path, path: Path | None = None) -> None:
        if not folder.is_dir():
            raise LibraryError(f"no library at {folder}: expected a folder with episodes; name one with --folder")
        self.folder = folder
        self.path = path or folder / INDEX_NAME
        try:
            self._db = _open(self.path)
        except (sqlite3.Error, OSError) as error:
            raise LibraryError(
                f"can't write the index {self.path} ({error}): make the folder writable, or name another place"
                " with --index"
            ) from error

    def refresh(self, hashes: bool = False, tell: Tell = lambda done, of, name: None) -> Changes:
        """Read what is new or has changed since the last time; forget what is gone.

        Args:
            hashes: whether to read whole files for their hashes.
            tell: called with files done, files in all, and a name.

        Raises:
            LibraryError: the index can't be written.
        """
        try:
            return self._refresh(hashes, tell)
        except sqlite3.Error as error:
            raise LibraryError(
                f"can't write the index {self.path} ({error}): is another booth library at work, or the disk full?"
            ) from error

    def rows(self, sql: str = "SELECT * FROM episodes ORDER BY created_s", values: Iterable[object] = ()) -> list[Row]:
        """The answer to a query, as dictionaries by column."""
        return [dict(row) for row in self._db.execute(sql, tuple(values))]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> "LibraryIndex":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refresh(self, hashes: bool, tell: Tell) -> Changes:
        known = {row["path"]: row for row in self._db.execute("SELECT * FROM files")}
        found = episode_files(self.folder)
        changes = Changes(files=len(found))
        for number, path in enumerate(found):
            tell(number, len(found), path.name)
            self._look(path, known.pop(str(path.relative_to(self.folder)), None), hashes, changes)
            if number % COMMIT_EVERY == COMMIT_EVERY - 1:
                self._db.commit()
        for name in known:
            self._db.execute("DELETE FROM files WHERE path = ?", (name,))
        changes.removed = len(known)
        self._discarded()
        (nameless,) = self._db.execute("SELECT count(*) FROM episodes WHERE session IS NULL").fetchone()
        if nameless or changes.removed:
            self._name_sessions()
        self._db.commit()
        (changes.bad,) = self._db.execute("SELECT count(*) FROM files WHERE problem != ''").fetchone()
        tell(len(found), len(found), "")
        return changes

    def _look(self, path: Path, known: sqlite3.Row | None, hashes: bool, changes: Changes) -> None:
        name = str(path.relative_to(self.folder))
        try:
            stamp = stamp_of(path)
        except OSError:  # moved away since the folder was listed
            return
        if known is None or (known["mtime_ns"], known["size"], known["inode"]) != (
            stamp.mtime_ns,
            stamp.size,
            stamp.inode,
        ):
            changes.read += 1
            changes.hashed += hashes
            self._put(name, stamp, describe(path, hashes))
            return
        if known["problem"]:
            return
        update: Row = {}
        if known["labels_mtime_ns"] != stamp.labels_mtime_ns:
            changes.relabelled += 1
            update = {**edits(path), "labels_mtime_ns": stamp.labels_mtime_ns}
        if hashes and known["file_sha256"] is None:
            changes.hashed += 1
            update |= _hashes(path)
        if update:
            assignments = ", ".join(f"{column} = ?" for column in update)
            self._db.execute(f"UPDATE files SET {assignments} WHERE path = ?", (*update.values(), name))

    def _put(self, name: str, stamp: Stamp, facts: Row) -> None:
        row = {"path": name, **asdict(stamp), **facts}
        marks = ", ".join("?" * len(row))
        self._db.execute(f"INSERT OR REPLACE INTO files ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))

    def _discarded(self) -> None:
        """Takes that were thrown away; each is read once."""
        known = {path for (path,) in self._db.execute("SELECT path FROM discarded")}
        found = {str(take): take for folder in trash_folders(self.folder) for take in discarded(folder)}
        for name in known - found.keys():
            self._db.execute("DELETE FROM discarded WHERE path = ?", (name,))
        for name in sorted(found.keys() - known):
            facts = take_facts(found[name])
            if facts is not None:
                values = [{"path": name, **facts}[column] for column in DISCARDED]
                self._db.execute(f"INSERT INTO discarded VALUES ({', '.join('?' * len(DISCARDED))})", values)

    def _name_sessions(self) -> None:
        named = sessions(self.rows("SELECT path, operator, booth, session_id, created_s, length_s FROM episodes"))
        self._db.executemany(
            "UPDATE files SET session = ? WHERE path = ?", [(session, path) for path, session in named.items()]
        )


def _hashes(path: Path) -> Row:
    try:
        return hashes_of(path)
    except UNUSABLE as error:
        return {"problem": str(error)}


def _open(path: Path) -> sqlite3.Connection:
    """Open the index, a fresh one where it is damaged or of another version."""
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, read-only, no such place
            raise
        path.unlink()
        return _prepared(path)


def _prepared(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=10.0)
    try:
        database.row_factory = sqlite3.Row
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
        if version != INDEX_VERSION:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
                database.execute(f"DROP VIEW {name}")
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                database.execute(f"DROP TABLE {name}")
            database.executescript(f"{SCHEMA} PRAGMA user_version = {INDEX_VERSION};")
    except sqlite3.Error:
        database.close()
        raise
    return database
