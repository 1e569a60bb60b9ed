# SPDX-License-Identifier: Apache-2.0
"""The maintenance log that a driver keeps of every actuator, across runs.

    log = MaintenanceLog.open(robot, virtual=False)
    log.observe(1.0, temperature_degc, current_ma, voltage_v, travelled_rad, torque_on)   # once a second
    log.event(joint_index, "hardware error", "overload")
    log.firmware(joint_index, "xm430_w350", 50)
    log.close()

Nothing here raises into the driver or waits for a disk: calls only add to arrays in memory, and a thread of its own
stores them every `FLUSH_S`. A process that is killed loses no more than that. While the disk is full or the file
locked, one warning is logged and the sums are kept until it works again.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from drivers.control_table import ControlTable
from drivers.maintenance_schema import HOUR_S, Actuator, EventCount, database_path, week_of
from drivers.maintenance_store import add, open_for_writing, register, set_firmware
from drivers.maintenance_tally import Tally
from drivers.servo_model import servo_model
from graph.errors import InputError
from graph.stamps import graph_clock
from robots.robot import Joint, Robot

FLUSH_S = 10.0
CLOSE_S = 5.0
"""How long `close` waits for the last transaction."""
MOST_EVENTS = 2000
"""Different events that are kept while nothing can be stored."""

HARDWARE_ERROR, TIMEOUT, QUARANTINE, REBOOT, FIRMWARE = "hardware error", "timeout", "quarantine", "reboot", "firmware"
"""Kinds of events; the detail of a hardware error is its cause, for example ``overload``."""

_log = logging.getLogger("maintenance")
_Key = tuple[int, int, str, str]


class MaintenanceLog:
    """One robot's log; see the module. Made by `open`; may be called from several threads."""

    def __init__(
        self, robot: str, virtual: bool, actuators: list[Actuator], path: Path, clock_s: Callable[[], float]
    ) -> None:
        self._robot, self._virtual, self._actuators, self._path = robot, virtual, actuators, path
        self._clock_s = clock_s
        self._limits_ma = np.array([actuator.limit_ma or np.nan for actuator in actuators])
        self._lock = threading.Lock()
        self._tally = Tally(len(actuators))
        self._events: dict[_Key, EventCount] = {}
        self._firmwares: dict[int, tuple[str, int]] = {}
        self._wake = threading.Event()
        self._closing = False
        self._warned = False
        self._connection: sqlite3.Connection | None = None
        self._rows: list[int] = []
        self._thread = threading.Thread(target=self._keep_storing, name="maintenance", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls, robot: Robot, *, virtual: bool, path: Path | None = None, clock_s: Callable[[], float] | None = None
    ) -> "MaintenanceLog":
        """Begin to keep the log of a robot. Never raises for a disk: that is one warning.

        Args:
            robot: its joints, in the order of all arrays.
            virtual: keeps hours of a virtual robot apart from those of the real one.
            path: database; None: `database_path`.
            clock_s: wall time, seconds since the epoch; None: the graph's.
        """
        if clock_s is None:
            clock = graph_clock()
            clock_s = lambda: clock.now_ns() * 1e-9  # noqa: E731
        return cls(robot.name, virtual, actuators_of(robot), path or database_path(), clock_s)

    def observe(
        self,
        seconds: float,
        temperature_degc: ArrayLike,
        current_ma: ArrayLike,
        voltage_v: ArrayLike,
        travelled_rad: ArrayLike,
        torque_on: ArrayLike,
    ) -> None:
        """Add what the last ``seconds`` were like; arrays (n,), NaN = not known, see `Tally.add`."""
        with self._lock:
            try:
                self._tally.add(
                    seconds, temperature_degc, current_ma, voltage_v, travelled_rad, torque_on, self._limits_ma
                )
            except (ValueError, TypeError) as error:
                self._warn(f"maintenance log: an observation was left out: {error}")
            due = self._tally.seconds >= FLUSH_S
        if due:
            self._wake.set()

    def event(self, joint_index: int, kind: str, detail: str = "") -> None:
        """Count something that happened to a joint."""
        if not 0 <= joint_index < len(self._actuators):
            return
        now_s = self._clock_s()
        key = (joint_index, int(now_s // HOUR_S), kind, detail)
        with self._lock:
            self._count(key, EventCount(kind, detail, now_s, now_s, 1))

    def firmware(self, joint_index: int, model: str, firmware: int) -> None:
        """What a joint's servo says it is; a change against what is stored becomes an event."""
        if 0 <= joint_index < len(self._actuators):
            with self._lock:
                self._firmwares[joint_index] = (model, firmware)

    def close(self) -> None:
        """Store what is left; may be called again."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout=CLOSE_S)

    # --- the storing thread --------------------------------------------------------------------------------------

    def _keep_storing(self) -> None:
        last = False
        while not last:
            self._wake.wait(timeout=FLUSH_S)
            self._wake.clear()
            last = self._closing
            self._store()
        if self._connection is not None:
            self._connection.close()

    def _store(self) -> None:
        """Take what is pending and store it; put it back when that fails."""
        with self._lock:
            tally, self._tally = self._tally, Tally(len(self._actuators))
            events, self._events = self._events, {}
            firmwares, self._firmwares = self._firmwares, {}
        now_s = self._clock_s()
        try:
            if self._connection is None:
                connection = open_for_writing(self._path)
                try:
                    self._rows = register(connection, self._robot, self._virtual, self._actuators, now_s)
                except sqlite3.Error:
                    connection.close()
                    raise
                self._connection = connection
            self._note_firmware(self._connection, firmwares, events, now_s)
            changes = [(key[0], event) for key, event in events.items()]
            if tally.seconds or changes:
                add(self._connection, self._rows, tally, changes, week_of(now_s))
            if self._warned:
                _log.info("maintenance log: stored again at %s", self._path)
            self._warned = False
        except (sqlite3.Error, OSError, InputError) as error:
            self._put_back(tally, events, firmwares)
            self._warn(f"maintenance log: nothing can be stored at {self._path} ({error}); the robot runs on without")

    def _note_firmware(
        self,
        connection: sqlite3.Connection,
        firmwares: dict[int, tuple[str, int]],
        events: dict[_Key, EventCount],
        now_s: float,
    ) -> None:
        """Store what the servos are; a change becomes one of ``events``."""
        for joint, (model, firmware) in firmwares.items():
            old_model, old_firmware = set_firmware(connection, self._rows[joint], model, firmware)
            if old_firmware is not None and (old_model, old_firmware) != (model, firmware):
                detail = f"{old_model} {old_firmware} -> {model} {firmware}"
                key = (joint, int(now_s // HOUR_S), FIRMWARE, detail)
                events[key] = EventCount(FIRMWARE, detail, now_s, now_s, 1)

    def _put_back(self, tally: Tally, events: dict[_Key, EventCount], firmwares: dict[int, tuple[str, int]]) -> None:
        with self._lock:
            tally.merge(self._tally)
            self._tally = tally
            for key, event in events.items():
                self._count(key, event)
            self._firmwares = firmwares | self._firmwares

    def _count(self, key: _Key, event: EventCount) -> None:
        """Add an event to those of the same hour, kind and detail; the lock is held."""
        old = self._events.get(key)
        if old is not None:
            first, last = min(old.first_s, event.first_s), max(old.last_s, event.last_s)
            self._events[key] = EventCount(event.kind, event.detail, first, last, old.count + event.count)
        elif len(self._events) < MOST_EVENTS:
            self._events[key] = event

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(text)


def actuators_of(robot: Robot) -> list[Actuator]:
    """Every joint's servo with its limits: Temperature Limit, and what current it is allowed.

    The current limit is the model's Current Limit, or the goal current of the robot's file where that is lower.
    """
    return [_actuator(robot, joint) for joint in robot.joints]


def _actuator(robot: Robot, joint: Joint) -> Actuator:
    model = servo_model(joint.model)
    degc = _default(model.table, "Temperature Limit", "Motor Temperature Limit")
    units = _default(model.table, "Current Limit")
    allowed = [units * model.ma_per_unit] if units else []
    goal = joint.goal_current_ma
    if goal is None and joint.controller is not None:
        goal = robot.controller(joint.controller).goal_current_ma
    allowed += [float(goal)] if goal is not None else []
    return Actuator(joint.name, joint.id, joint.model, degc, min(allowed) if allowed else None)


def _default(table: ControlTable, *names: str) -> float | None:
    return next((float(table[name].default) for name in names if name in table), None)
