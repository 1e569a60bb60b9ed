# SPDX-License-Identifier: Apache-2.0
"""One SQLite file: opened with care, brought up to date, never overwritten; errors as one sentence with what to do."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from booth.session.errors import StoreError
from booth.session.schema import APPLICATION_ID, MIGRATIONS

PATIENCE_S = 10.0
"""How long another process may write."""


class Database:
    """A file with the store's tables. Safe to use from several threads; each transaction is whole or not at all.

    Args:
        path: the file; made where there is none, readable by its owner only.
        migrations: what leads from one version to the next.

    Raises:
        StoreError: the file is damaged, of another program, of a newer version, or can't be written.
    """

    def __init__(self, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        self.path = path
        self._lock = RLock()
        self._depth = 0
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.touch(mode=0o600)
            self._connection = _connected(path)
        except (OSError, sqlite3.Error) as error:
            raise self._answer(error) from error
        try:
            self._prepare(migrations)
        except (sqlite3.Error, StoreError) as error:
            self._connection.close()
            raise self._answer(error) from error

    @property
    def stamp(self) -> tuple[int, int]:
        """Differs whenever anything in the file was changed, by this or by another process."""
        (other,) = self.rows("PRAGMA data_version")[0]
        return self._connection.total_changes, int(other)

    def rows(self, sql: str, values: Iterable[object] | Mapping[str, object] = ()) -> list[sqlite3.Row]:
        """The answer to a query, its values by place or by name.

        Raises:
            StoreError: the file can't be read.
        """
        with self._lock:
            try:
                return self._connection.execute(
                    sql, values if isinstance(values, Mapping) else tuple(values)
                ).fetchall()
            except sqlite3.Error as error:
                raise self._answer(error) from error

    def change(self, sql: str, values: Iterable[object] = ()) -> int:
        """Change rows, in a transaction; returns how many.

        Raises:
            StoreError: the file can't be written.
        """
        with self.transaction():
            try:
                return self._connection.execute(sql, tuple(values)).rowcount
            except sqlite3.Error as error:
                raise self._answer(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything within happens or nothing does; one within another belongs to it.

        Raises:
            StoreError: the file can't be written.
        """
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._execute("BEGIN IMMEDIATE")
                yield
                if self._depth == 1:
                    self._execute("COMMIT")
            finally:
                self._depth -= 1
                if self._depth == 0 and self._connection.in_transaction:
                    self._connection.rollback()

    def settle(self) -> None:
        """Write everything into the one file, and empty its log beside it: what was erased is then nowhere."""
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _execute(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except sqlite3.Error as error:
            raise self._answer(error) from error

    def _prepare(self, migrations: Sequence[Sequence[str]]) -> None:
        ours, version, state = _facts(self._connection)
        if state != "ok":
            raise sqlite3.DatabaseError(" ".join(state.split()))
        if not ours:
            raise StoreError(
                f"{self.path} is a database of another program: name another file with $BOOTH_STORE; nothing"
                " was changed"
            )
        if version > len(migrations):
            raise StoreError(
                f"{self.path} was written by a newer version (schema {version}, this reads up to {len(migrations)}):"
                " update humanoid_booth"
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA secure_delete = ON")
        if version < len(migrations):
            self._migrate(migrations)

    def _migrate(self, migrations: Sequence[Sequence[str]]) -> None:
        """All steps in one transaction; another process may have been faster."""
        with self.transaction():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            for statement in (statement for step in migrations[version:] for statement in step):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(migrations)}")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _answer(self, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        if isinstance(error, (OSError, sqlite3.OperationalError)):
            return StoreError(
                f"{self.path} can't be used ({error}): is its folder writable, the disk full, or another program at it?"
            )
        if isinstance(error, sqlite3.IntegrityError):
            return StoreError(f"{self.path} refuses a change ({error}): nothing was changed")
        return StoreError(
            f"{self.path} is damaged ({error}): move it away to begin a new one, or put a copy of an earlier day in its"
            " place; nothing was changed"
        )


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _facts(connection: sqlite3.Connection) -> tuple[bool, int, str]:
    """(whether the file is new or ours, its version, what SQLite's check says)."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return application == APPLICATION_ID or (tables, version, application) == (0, 0, 0), int(version), str(state)
