# SPDX-License-Identifier: Apache-2.0
"""What the driver tells the maintenance log: once a second how every servo is, and all that went wrong."""

from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np

from drivers.control_loop import Cycle
from drivers.hardware_error import causes
from drivers.maintenance import HARDWARE_ERROR, QUARANTINE, REBOOT, TIMEOUT, MaintenanceLog
from drivers.robot_link import RobotLink
from drivers.servo_model import servo_model
from graph.errors import BoothError
from graph.nodes import is_pseudo_terminal
from robots import Robot

EVERY_NS = 1_000_000_000


class MaintenanceFeed:
    """Belongs to the publisher thread. Without a log (switched off, or it can't be opened) it does nothing."""

    def __init__(
        self, robot: Robot, link: RobotLink, ports: Mapping[str, str], *, wanted: bool, warn: Callable[[str], None]
    ) -> None:
        self._robot, self._link = robot, link
        count = len(robot.joints)
        self._since_ns = 0
        self._travelled = np.zeros(count)
        self._last = np.full(count, np.nan)
        self._current = np.full(count, np.nan)
        self._errors = np.zeros(count, np.int16)
        self._silent: set[int] = set()
        self._stale = np.zeros(count, np.int64)
        self._log: MaintenanceLog | None = None
        if not wanted:
            return
        virtual = any(is_pseudo_terminal(path) for path in ports.values())
        try:
            self._log = MaintenanceLog.open(robot, virtual=virtual)
        except (BoothError, OSError) as error:
            warn(f"no maintenance log is kept: {error}")
            return
        for line in link.lines:
            for servo in line.servos:
                self._log.firmware(servo.index, servo.joint.model, servo.firmware)

    def see(self, cycle: Cycle) -> None:
        """A cycle; once a second it goes into the log."""
        if self._log is None:
            return
        position = cycle.reading.position_rad
        self._travelled += np.nan_to_num(np.abs(position - self._last))
        self._last = np.where(np.isnan(position), self._last, position)
        self._current = cycle.reading.current_ma
        self._stale += ~cycle.reading.fresh
        if not self._since_ns:
            self._since_ns = cycle.read_ns
        elapsed_ns = cycle.read_ns - self._since_ns
        if elapsed_ns >= EVERY_NS:
            self._since_ns = cycle.read_ns
            self._observe(self._log, elapsed_ns * 1e-9)

    def rebooted(self) -> None:
        """A person has restarted the servos that report an error."""
        if self._log is not None:
            for index in np.flatnonzero(self._link.health.error):
                self._log.event(int(index), REBOOT)

    def close(self) -> None:
        """Store what is left."""
        if self._log is not None:
            self._log.close()

    def _observe(self, log: MaintenanceLog, seconds: float) -> None:
        health = self._link.health
        log.observe(
            seconds, health.temperature_degc, self._current, health.voltage_v, self._travelled, health.torque == 1
        )
        self._travelled = np.zeros(len(self._travelled))
        for new in np.flatnonzero(health.error & ~self._errors):
            joint = self._robot.joints[int(new)]
            for cause in causes(servo_model(joint.model).family, int(health.error[new])):
                log.event(int(new), HARDWARE_ERROR, str(cause))
        self._errors = health.error.copy()
        silent = self._silent_now()
        for missed in np.flatnonzero(self._stale):
            if int(missed) not in silent:
                log.event(int(missed), TIMEOUT)
        self._stale[:] = 0
        for k in silent - self._silent:
            log.event(k, QUARANTINE)
        self._silent = silent

    def _silent_now(self) -> set[int]:
        with suppress(RuntimeError):  # the bus thread may change a set while it is read
            return {servo.index for line in self._link.lines for servo in line.servos if servo.id in line.silent}
        return self._silent
