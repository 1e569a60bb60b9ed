# SPDX-License-Identifier: Apache-2.0
"""The maintenance database: SQLite in WAL mode, one row for each actuator and week.

Size: 0.5 kB a row, measured; 57 joints that run in every week make 1.5 MB a year. Events are counted in
rows of an hour, and timeouts older than `KEEP_DETAIL_S` in rows of a week.

Tables: robot (name, virtual) · actuator (one fitted servo; a replaced one begins a new ``generation``) · week (sums of
`drivers.maintenance_tally.COLUMNS`, extremes; ``week`` counts from Monday 1970-01-05) · event (kind, detail,
first and last time, count).
"""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from drivers.maintenance_tally import COLUMNS
from graph.errors import InputError

ENV_PATH = "BOOTH_MAINTENANCE_DB"
SCHEMA_VERSION = 1
WEEK_S, HOUR_S = 7 * 86_400, 3_600
MONDAY_S = 4 * 86_400
"""The epoch was a Thursday."""
KEEP_DETAIL_S = 90 * 86_400
BUSY_S = 2.0
"""How long to wait for another process that writes."""

SCHEMA = f"""
CREATE TABLE robot (id INTEGER PRIMARY KEY, name TEXT NOT NULL, virtual INTEGER NOT NULL, UNIQUE (name, virtual));
CREATE TABLE actuator (
    id INTEGER PRIMARY KEY, robot INTEGER NOT NULL REFERENCES robot, joint TEXT NOT NULL,
    generation INTEGER NOT NULL, servo_id INTEGER NOT NULL, model TEXT NOT NULL, firmware INTEGER,
    limit_degc REAL, limit_ma REAL, fitted_s REAL NOT NULL, UNIQUE (robot, joint, generation));
CREATE TABLE week (
    actuator INTEGER NOT NULL REFERENCES actuator, week INTEGER NOT NULL, degc_max REAL, volt_min REAL, volt_max REAL,
    {", ".join(f"{name} REAL NOT NULL" for name in COLUMNS)}, PRIMARY KEY (actuator, week)) WITHOUT ROWID;
CREATE TABLE event (
    actuator INTEGER NOT NULL REFERENCES actuator, hour INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
    first_s REAL NOT NULL, last_s REAL NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (actuator, hour, kind, detail)) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""

ADD_WEEK = f"""
INSERT INTO week (actuator, week, degc_max, volt_min, volt_max, {", ".join(COLUMNS)})
VALUES ({", ".join("?" * (5 + len(COLUMNS)))})
ON CONFLICT DO UPDATE SET
    degc_max = COALESCE(MAX(degc_max, excluded.degc_max), degc_max, excluded.degc_max),
    volt_min = COALESCE(MIN(volt_min, excluded.volt_min), volt_min, excluded.volt_min),
    volt_max = COALESCE(MAX(volt_max, excluded.volt_max), volt_max, excluded.volt_max),
    {", ".join(f"{name} = {name} + excluded.{name}" for name in COLUMNS)}
"""

_JOIN_EVENT = """
ON CONFLICT DO UPDATE SET first_s = MIN(first_s, excluded.first_s), last_s = MAX(last_s, excluded.last_s),
    count = count + excluded.count
"""
ADD_EVENT = f"INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?) {_JOIN_EVENT}"
_OLD_TIMEOUTS = "FROM event WHERE kind = 'timeout' AND last_s < ? AND hour % 168"
FOLD_TIMEOUTS = (
    "INSERT INTO event SELECT actuator, hour / 168 * 168, kind, detail, MIN(first_s), MAX(last_s), SUM(count) "
    f"{_OLD_TIMEOUTS} GROUP BY 1, 2, 3, 4 {_JOIN_EVENT}",
    f"DELETE {_OLD_TIMEOUTS}",
)


class MaintenanceFileError(InputError):
    """A maintenance database that can't be read. Scenarios: none yet, damaged, written by a newer version."""


@dataclass(frozen=True, slots=True)
class Actuator:
    """A servo as it is fitted; limits None where the model has none."""

    joint: str
    servo_id: int
    model: str
    limit_degc: float | None
    limit_ma: float | None


@dataclass(frozen=True, slots=True)
class EventCount:
    """What happened ``count`` times between two moments, seconds since the epoch."""

    kind: str
    detail: str
    first_s: float
    last_s: float
    count: int


def database_path() -> Path:
    """Where the database lies: BOOTH_MAINTENANCE_DB, else below XDG_DATA_HOME (~/.local/share)."""
    given = os.environ.get(ENV_PATH)
    if given:
        return Path(given)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "humanoid_booth" / "maintenance.sqlite"


def week_of(moment_s: float) -> int:
    """Number of the week, which begins on Monday, UTC."""
    return int((moment_s - MONDAY_S) // WEEK_S)


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Schema version of an open database, 0 for an empty one.

    Raises:
        MaintenanceFileError: written by a newer version.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise MaintenanceFileError(
            f"{path} has schema version {version}, expected {SCHEMA_VERSION}: update this program, or move it away"
        )
    return version
