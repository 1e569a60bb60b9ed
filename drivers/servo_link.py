# SPDX-License-Identifier: Apache-2.0
"""Joints that are X-series servos on one bus (OP3): one sync read of 10 bytes and one sync write of 4 in every
cycle."""

import numpy as np
from numpy.typing import NDArray

from drivers import units
from drivers.bus import Bus
from drivers.control_table import control_table
from drivers.errors import RobotMismatchError
from drivers.joint_link import JointReading, check_identities, describe_hardware_errors
from robots import Robot

Array = NDArray[np.float64]

POSITION_MODE = 3
DRIVE_MODE_REVERSE = 1
FULL_PWM = 885
"""Goal PWM register at 100 %."""


class ServoLink:
    """All joints of a robot whose servos answer for themselves."""

    def __init__(self, bus: Bus, robot: Robot) -> None:
        self._bus, self._robot = bus, robot
        self._ids = [joint.id for joint in robot.joints]
        self._models = [joint.model for joint in robot.joints]
        self._table = control_table(self._models[0])
        self._state = self._table["Present Current"].address
        self._state_length = self._table["Present Position"].end - self._state
        self._goal = self._table["Goal Position"]
        self._watchdog = units.watchdog_raw(robot.bus_watchdog_ms)
        self.lower_rad = np.array([joint.min_rad for joint in robot.joints])
        self.upper_rad = np.array([joint.max_rad for joint in robot.joints])

    def prepare(self) -> Array:
        """Check models and firmware, torque off, position mode, no profile; limits become the servos' own where
        narrower."""
        check_identities(self._bus, self._robot, {joint.id: (joint.name, joint.model) for joint in self._robot.joints})
        self._set_all("Bus Watchdog", 0)
        self._set_all("Torque Enable", 0)
        self._refuse_other_calibration()
        for index, servo_id in enumerate(self._ids):
            reverse = self._get(servo_id, "Drive Mode") & DRIVE_MODE_REVERSE
            for name, value in {"Operating Mode": POSITION_MODE, "Drive Mode": reverse, "Return Delay Time": 0}.items():
                if self._get(servo_id, name) != value:
                    self._set(servo_id, name, value)
            bounds = [self._get(servo_id, "Min Position Limit"), self._get(servo_id, "Max Position Limit")]
            lower, upper = units.rad_from_ticks(bounds)
            self.lower_rad[index] = max(self.lower_rad[index], lower)
            self.upper_rad[index] = min(self.upper_rad[index], upper)
        self._set_all("Profile Acceleration", 0)
        self._set_all("Profile Velocity", 0)
        ticks = [self._get(servo_id, "Present Position") for servo_id in self._ids]
        return units.rad_from_ticks(ticks)

    def torque_on(self, hold_rad: Array) -> None:
        """Watchdog, goals, torque: in this order."""
        self._set_all("Goal PWM", FULL_PWM)
        self._set_all("Bus Watchdog", self._watchdog)
        self.write(hold_rad)
        self._set_all("Torque Enable", 1)

    def read(self) -> JointReading:
        """Current, velocity and position of all servos in one sync read."""
        answers = self._bus.sync_read(self._state, self._state_length, self._ids)
        count = len(self._ids)
        position, velocity, current = (np.full(count, np.nan) for _ in range(3))
        fresh = np.zeros(count, bool)
        alerts = []
        for index, servo_id in enumerate(self._ids):
            answer = answers.get(servo_id)
            if answer is None or answer.error_number:
                continue
            fresh[index] = True
            if answer.alert:
                alerts.append(index)
            current[index] = units.ma_from_raw(units.int16_from_bytes(answer.params[0:2])[0], self._models[index])
            speed, ticks = units.int32_from_bytes(answer.params[2:10])
            velocity[index], position[index] = units.rad_s_from_raw(speed), units.rad_from_ticks(ticks)
        return JointReading(position, velocity, current, fresh, tuple(alerts))

    def write(self, goal_rad: Array) -> Array:
        """Goal positions of all servos in one sync write."""
        ticks = units.ticks_from_rad(goal_rad)
        data = units.int32_to_bytes(ticks)
        self._bus.sync_write(
            self._goal.address, 4, [(servo_id, data[4 * i : 4 * i + 4]) for i, servo_id in enumerate(self._ids)]
        )
        return units.rad_from_ticks(ticks)

    def soften(self, share: float) -> None:
        """Limit the PWM, which limits the torque in position mode."""
        item = self._table["Goal PWM"]
        data = item.encode(round(FULL_PWM * min(max(share, 0.0), 1.0)))
        self._bus.sync_write(item.address, item.size, [(servo_id, data) for servo_id in self._ids])

    def torque_off(self) -> None:
        """Torque off and watchdog disarmed, on all servos at once, twice because nobody confirms."""
        for name in ("Torque Enable", "Bus Watchdog") * 2:
            item = self._table[name]
            self._bus.sync_write(item.address, 1, [(servo_id, b"\0") for servo_id in self._ids])

    def poll(self) -> None:
        """Nothing: every answer of the cyclic read carries the servo's alert bit."""

    def stopped_by_themselves(self) -> bool:
        """Whether any servo's watchdog register reads -1 or its torque is off; both in one sync read."""
        first, last = self._table["Torque Enable"], self._table["Bus Watchdog"]
        answers = self._bus.sync_read(first.address, last.end - first.address, self._ids).values()
        return any(answer.params[0] == 0 or answer.params[-1] == 0xFF for answer in answers if not answer.error_number)

    def hardware_errors(self, joints: tuple[int, ...]) -> str:
        """Hardware Error Status of some joints, in words."""
        address = self._table["Hardware Error Status"].address
        codes = [self._bus.read(self._ids[index], address, 1)[0] for index in joints]
        return describe_hardware_errors([self._robot.joints[index].name for index in joints], codes)

    def _refuse_other_calibration(self) -> None:
        """Direction and homing offset are a technician's work: never overwritten, but they must be the file's.

        Raises:
            RobotMismatchError: with every joint that differs.
        """
        problems = []
        for joint in self._robot.joints:
            found = self._get(joint.id, "Drive Mode") & DRIVE_MODE_REVERSE, self._get(joint.id, "Homing Offset")
            if found != (int(joint.reverse), joint.homing_offset_ticks):
                problems.append(
                    f"ID {joint.id} ({joint.name}): expected reverse {int(joint.reverse)}, homing offset "
                    f"{joint.homing_offset_ticks}, found reverse {found[0]}, homing offset {found[1]}"
                )
        if problems:
            text = "\n".join(f"  - {problem}" for problem in problems)
            raise RobotMismatchError(
                f"calibration in the servos differs from {self._robot.name}'s file; mend one:\n{text}"
            )

    def _get(self, servo_id: int, name: str) -> int:
        item = self._table[name]
        return item.decode(self._bus.read(servo_id, item.address, item.size))

    def _set(self, servo_id: int, name: str, value: int) -> None:
        item = self._table[name]
        self._bus.write(servo_id, item.address, item.encode(value))

    def _set_all(self, name: str, value: int) -> None:
        for servo_id in self._ids:
            self._set(servo_id, name, value)
