# SPDX-License-Identifier: Apache-2.0
"""Questions to the index: filters, free SQL that can only read, and episodes by name."""

import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from recorder.library_errors import LibraryError
from recorder.library_index import COLUMNS, LibraryIndex
from recorder.library_scan import Row
from recorder.schema import SUFFIX

PATIENCE_S = 20.0
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
MIN_ID_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Filters:
    """Which episodes; everything that is given must hold.

    Attributes:
        task, operator, booth, robot: the text, with ``*`` and ``?`` as in file names.
        verdict: one of these.
        since, until: ISO 8601 date or time, local where it names no zone; a date until is the end of that day.
        tags: each of them.
        min_length_s: at least this long [s].
        success: what was said about it.
        where: an SQL expression over the columns.
    """

    task: str | None = None
    operator: str | None = None
    booth: str | None = None
    robot: str | None = None
    verdict: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    tags: tuple[str, ...] = ()
    min_length_s: float | None = None
    success: bool | None = None
    where: str | None = None

    def clause(self) -> tuple[str, list[object]]:
        """SQL condition and its values.

        Raises:
            LibraryError: a time that is none.
        """
        terms: list[tuple[str, object]] = []
        for name in ("task", "operator", "booth", "robot"):
            if (pattern := getattr(self, name)) is not None:
                terms.append((f"{name} GLOB ?", pattern))
        if self.since is not None:
            terms.append(("created_s >= ?", _moment(self.since).timestamp()))
        if self.until is not None:
            terms.append(("created_s < ?", _end(self.until).timestamp()))
        if self.min_length_s is not None:
            terms.append(("length_s >= ?", self.min_length_s))
        if self.success is not None:
            terms.append(("success = ?", int(self.success)))
        terms += [("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", tag) for tag in self.tags]
        conditions = [condition for condition, _ in terms]
        values = [value for _, value in terms]
        if self.verdict:
            conditions.append(f"verdict IN ({', '.join('?' * len(self.verdict))})")
            values += self.verdict
        if self.where is not None:
            conditions.append(f"({self.where}\n)")
        return " AND ".join(conditions) or "1", values

    def __bool__(self) -> bool:
        return self != Filters()


def select(index: LibraryIndex, filters: Filters = Filters(), order: str = "created_s", limit: int = -1) -> list[Row]:
    """Episodes that pass the filters.

    Args:
        order: a column, with ``-`` before it for the largest first.
        limit: at most so many; -1: all.

    Raises:
        LibraryError: a filter makes no sense, tries to write, or takes longer than 20 s.
    """
    column = order.removeprefix("-")
    if column not in COLUMNS:
        raise LibraryError(f"can't order by {column!r}: expected one of {', '.join(COLUMNS)}")
    direction = "DESC" if order.startswith("-") else "ASC"
    condition, values = filters.clause()
    sql = f"SELECT * FROM episodes WHERE {condition} ORDER BY {column} {direction}, path LIMIT ?"
    database = _read_only(index.path)
    try:
        return [dict(row) for row in database.execute(sql, [*values, limit])]
    except (sqlite3.Error, sqlite3.Warning) as error:
        hint = f"columns are {', '.join(COLUMNS)}; text stands in 'single quotes'"
        raise LibraryError(f"the library can't answer --where {filters.where!r}: {error}; {hint}") from error
    finally:
        database.close()


def discarded_takes(index: LibraryIndex, filters: Filters) -> list[Row]:
    """Takes that their operators threw away, as far as the filters apply to them: who, what, where and when."""
    shared = Filters(filters.task, filters.operator, filters.booth, filters.robot, (), filters.since, filters.until)
    condition, values = shared.clause()
    return index.rows(f"SELECT * FROM discarded WHERE {condition} ORDER BY created_s", values)


def find(index: LibraryIndex, names: list[str]) -> list[Row]:
    """The episodes of these names, each once: a path, a file name, an episode id, or the last digits of one.

    Raises:
        LibraryError: a name fits none, or several.
    """
    rows = index.rows()
    found: dict[str, Row] = {}
    for name in names:
        fits = [row for row in rows if _exactly(index.folder, row, name)] or [row for row in rows if _nearly(row, name)]
        if len(fits) != 1:
            listed = ": " + ", ".join(row["path"] for row in fits[:5]) if fits else ""
            raise LibraryError(
                f"{name!r} names {len(fits)} of the {len(rows)} episodes in {index.folder}{listed}."
                " Expected a path, a file name or an episode id; booth library query lists them"
            )
        found[fits[0]["path"]] = fits[0]
    return list(found.values())


def _exactly(folder: Path, row: Row, name: str) -> bool:
    path = str(row["path"])
    if name in (path, path.removesuffix(SUFFIX), Path(path).name, Path(path).stem, row["episode_id"]):
        return True
    return name.endswith(SUFFIX) and Path(name).is_file() and Path(name).resolve() == (folder / path).resolve()


def _nearly(row: Row, name: str) -> bool:
    digits = name.replace("-", "").lower()
    return len(digits) >= MIN_ID_LENGTH and str(row["episode_id"]).replace("-", "").endswith(digits)


def _read_only(path: Path) -> sqlite3.Connection:
    """A connection that can only select, and gives up on a question that takes too long."""
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    database.execute("SELECT 1 FROM json_each('[]')")  # declares a table, which is denied from here on
    end_s = time.monotonic() + PATIENCE_S
    database.set_progress_handler(lambda: int(time.monotonic() > end_s), 10_000)
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY)
    return database


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise LibraryError(f"expected a date or time such as 2026-11-20 or 2026-11-20T14:30, found {text!r}") from error
    return moment.astimezone() if moment.tzinfo is None else moment


def _end(text: str) -> datetime:
    whole_day = len(text) == len("2026-11-20")
    return _moment(text) + timedelta(days=1) if whole_day else _moment(text)
