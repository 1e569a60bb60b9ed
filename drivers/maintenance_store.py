# SPDX-License-Identifier: Apache-2.0
"""Writes the maintenance database; `maintenance_schema` says what is in it."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.maintenance_schema import (
    ADD_EVENT,
    ADD_WEEK,
    BUSY_S,
    FOLD_TIMEOUTS,
    HOUR_S,
    KEEP_DETAIL_S,
    SCHEMA,
    Actuator,
    EventCount,
    MaintenanceFileError,
    check_version,
)
from drivers.maintenance_tally import Tally

Array = NDArray[np.float64]


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or create the database.

    Raises:
        sqlite3.Error, OSError: it can't be.
        MaintenanceFileError: written by a newer version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        if check_version(connection, path) == 0:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def register(
    connection: sqlite3.Connection, robot: str, virtual: bool, actuators: Sequence[Actuator], now_s: float
) -> list[int]:
    """Row numbers of the actuators that are fitted now; new ones are added. Changed limits are taken over."""
    with _transaction(connection):
        row = _robot(connection, robot, virtual)
        for statement in FOLD_TIMEOUTS:
            connection.execute(statement, (now_s - KEEP_DETAIL_S,))
        return [_actuator(connection, row, actuator, now_s) for actuator in actuators]


def replaced(path: Path, robot: str, virtual: bool, actuator: Actuator, now_s: float) -> None:
    """Another servo has been fitted to a joint: its history begins anew, the old one's is kept.

    Raises:
        MaintenanceFileError: the database can't be written.
    """
    try:
        connection = open_for_writing(path)
        try:
            with _transaction(connection):
                row = _robot(connection, robot, virtual)
                _fit(connection, row, actuator, _generation(connection, row, actuator.joint) + 1, now_s)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise MaintenanceFileError(f"{path} can't be written: {error}") from error


def add(
    connection: sqlite3.Connection,
    rows: Sequence[int],
    tally: Tally,
    events: Iterable[tuple[int, EventCount]],
    week: int,
) -> None:
    """Add a tally and events (joint index, event) in one transaction."""
    extremes = np.column_stack([tally.degc_max, tally.volt_min, tally.volt_max])
    with _transaction(connection):
        if tally.seconds > 0:
            connection.executemany(
                ADD_WEEK,
                [
                    (row, week, *(None if np.isnan(x) else float(x) for x in extremes[k]), *tally.sums[k].tolist())
                    for k, row in enumerate(rows)
                ],
            )
        connection.executemany(
            ADD_EVENT,
            [
                (
                    rows[k],
                    int(event.first_s // HOUR_S),
                    event.kind,
                    event.detail,
                    event.first_s,
                    event.last_s,
                    event.count,
                )
                for k, event in events
            ],
        )


def set_firmware(connection: sqlite3.Connection, row: int, model: str, firmware: int) -> tuple[str, int | None]:
    """Store model and firmware of an actuator; returns those before."""
    before = connection.execute("SELECT model, firmware FROM actuator WHERE id = ?", (row,)).fetchone()
    connection.execute("UPDATE actuator SET model = ?, firmware = ? WHERE id = ?", (model, firmware, row))
    return str(before[0]), before[1]


def _robot(connection: sqlite3.Connection, name: str, virtual: bool) -> int:
    connection.execute("INSERT OR IGNORE INTO robot (name, virtual) VALUES (?, ?)", (name, int(virtual)))
    found = connection.execute("SELECT id FROM robot WHERE name = ? AND virtual = ?", (name, int(virtual)))
    return int(found.fetchone()[0])


def _generation(connection: sqlite3.Connection, robot: int, joint: str) -> int:
    found = connection.execute("SELECT MAX(generation) FROM actuator WHERE robot = ? AND joint = ?", (robot, joint))
    return int(found.fetchone()[0] or 0)


def _actuator(connection: sqlite3.Connection, robot: int, actuator: Actuator, now_s: float) -> int:
    generation = _generation(connection, robot, actuator.joint)
    if generation == 0:
        return _fit(connection, robot, actuator, 1, now_s)
    found = connection.execute(
        "SELECT id FROM actuator WHERE robot = ? AND joint = ? AND generation = ?", (robot, actuator.joint, generation)
    )
    row = int(found.fetchone()[0])
    connection.execute(
        "UPDATE actuator SET servo_id = ?, limit_degc = ?, limit_ma = ? WHERE id = ?",
        (actuator.servo_id, actuator.limit_degc, actuator.limit_ma, row),
    )
    return row


def _fit(connection: sqlite3.Connection, robot: int, actuator: Actuator, generation: int, now_s: float) -> int:
    cursor = connection.execute(
        "INSERT INTO actuator (robot, joint, generation, servo_id, model, limit_degc, limit_ma, fitted_s) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            robot,
            actuator.joint,
            generation,
            actuator.servo_id,
            actuator.model,
            actuator.limit_degc,
            actuator.limit_ma,
            now_s,
        ),
    )
    return int(cursor.lastrowid or 0)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK when anything fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
