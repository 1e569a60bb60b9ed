# SPDX-License-Identifier: Apache-2.0
"""Reads the maintenance database, also while a driver writes it."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.maintenance_schema import BUSY_S, Actuator, EventCount, MaintenanceFileError, check_version
from drivers.maintenance_tally import COLUMNS

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class History:
    """Everything stored about the servo that is fitted now.

    Attributes:
        weeks: (W,) week numbers, ascending; sums: (W, len(COLUMNS)); degc_max, volt_min, volt_max: (W,), NaN unknown.
    """

    actuator: Actuator
    firmware: int | None
    fitted_s: float
    weeks: NDArray[np.int64]
    sums: Array
    degc_max: Array
    volt_min: Array
    volt_max: Array
    events: tuple[EventCount, ...]


def load(path: Path, robot: str, virtual: bool) -> list[History]:
    """Histories of a robot's fitted actuators; empty when nothing has been stored about it.

    Raises:
        MaintenanceFileError: no database, damaged, or of a newer version.
    """
    if not path.is_file():
        raise MaintenanceFileError(f"no maintenance log at {path} yet: the driver writes it while a robot runs")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
        try:
            check_version(connection, path)
            found = connection.execute(
                "SELECT a.id, joint, servo_id, model, limit_degc, limit_ma, firmware, fitted_s FROM actuator a "
                "JOIN robot r ON r.id = a.robot WHERE r.name = ? AND r.virtual = ? AND generation = "
                "(SELECT MAX(generation) FROM actuator b WHERE b.robot = a.robot AND b.joint = a.joint) ORDER BY a.id",
                (robot, int(virtual)),
            ).fetchall()
            return [_history(connection, row) for row in found]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise MaintenanceFileError(
            f"{path} can't be read as a maintenance log ({error}): move it away, a new one is begun"
        ) from error


def _history(connection: sqlite3.Connection, row: tuple[int, str, int, str, float, float, int, float]) -> History:
    weeks = connection.execute(
        f"SELECT week, degc_max, volt_min, volt_max, {', '.join(COLUMNS)} FROM week WHERE actuator = ? ORDER BY week",
        (row[0],),
    ).fetchall()
    events = connection.execute(
        "SELECT kind, detail, first_s, last_s, count FROM event WHERE actuator = ? ORDER BY first_s", (row[0],)
    ).fetchall()
    table = np.array(weeks, dtype=np.float64).reshape(-1, 4 + len(COLUMNS))
    return History(
        Actuator(*row[1:6]),
        row[6],
        row[7],
        table[:, 0].astype(np.int64),
        table[:, 4:],
        table[:, 1],
        table[:, 2],
        table[:, 3],
        tuple(EventCount(*event) for event in events),
    )
