# SPDX-License-Identifier: Apache-2.0
"""The HX5-D20 hand: 20 motors that are set up one by one and then run through their controller's two blocks.

Sequence and registers follow robotis_hand ros2_control/hx5_d20_rev2 and dynamixel_hardware_interface's
hx5_d20_rr.model: each finger's SyncTable collects 6 bytes a motor (current, velocity, position) and 9 tactile
bytes, and distributes 4 bytes a motor (goal current, goal position); indirect addresses make one 165-byte block to
read and one 80-byte block to write.
"""

import struct
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from drivers import units
from drivers.bus import Bus
from drivers.control_table import SYNC_TABLES, control_table, sync_table_address
from drivers.errors import BusTimeoutError, ServoStatusError
from drivers.joint_link import JointReading, check_identities, describe_hardware_errors
from robots import Robot

Array = NDArray[np.float64]

MOTORS_PER_FINGER = 4
MOTOR_READ_BYTES, MOTOR_WRITE_BYTES, TACTILE_BYTES = 6, 4, 9
FINGER_READ_BYTES = MOTORS_PER_FINGER * MOTOR_READ_BYTES + TACTILE_BYTES
FINGER_WRITE_BYTES = MOTORS_PER_FINGER * MOTOR_WRITE_BYTES
READ_BLOCK, READ_BYTES = 634, SYNC_TABLES * FINGER_READ_BYTES
WRITE_BLOCK, WRITE_BYTES = 799, SYNC_TABLES * FINGER_WRITE_BYTES
INDIRECT_READ, INDIRECT_WRITE = 122, 452
INDIRECT_SOURCES = (126, 127, 128, 129, 132, 133, 102, 103, 116, 117)
"""Motor registers behind its indirect data: low words of current, velocity, position; goal current, goal position."""

MOTOR_INDIRECT_READ, MOTOR_INDIRECT_WRITE, SENSOR_DATA = 224, 230, 72
CURRENT_BASED_POSITION_MODE = 5
DRIVE_MODE_TIME_PROFILE, DRIVE_MODE_TORQUE_BY_GOAL, DRIVE_MODE_REVERSE = 4, 8, 1
PROFILE_MS, PROFILE_ACCELERATION_MS = 20, 10
"""Two control periods: the driver's limiter already made the motion smooth, the servo only joins the steps."""

POLL_EVERY, SILENT_AFTER = 5, 2
WATCHDOG_FIRED = 0xFF

MOTOR_WATCHDOG_MS = 2000
"""The motors' own watchdog, against the death of the hand's controller; ROBOTIS's value."""


class HandLink:
    """All joints of one HX5-D20 hand."""

    def __init__(self, bus: Bus, robot: Robot) -> None:
        self._bus, self._robot = bus, robot
        self._controller = robot.controllers[0].id
        self._controller_model = robot.controllers[0].model
        self._controller_table = control_table(robot.controllers[0].model)
        self._motor_table = control_table(robot.joints[0].model)
        self._ids = [joint.id for joint in robot.joints]
        self._current_ma = robot.controllers[0].goal_current_ma
        self._strength = 1.0
        self._polls = 0
        self._torque_wanted = False
        self._doubtful = False
        self._troubles = [""] * len(self._ids)
        self._limp: set[int] = set()
        self._misses = np.zeros(len(self._ids), np.uint8)
        self._watchdog = units.watchdog_raw(robot.bus_watchdog_ms)
        self.lower_rad = np.array([joint.min_rad for joint in robot.joints])
        self.upper_rad = np.array([joint.max_rad for joint in robot.joints])

    def prepare(self) -> Array:
        """Check all 21 devices, set motors and controller up with torque off."""
        expected = {joint.id: (joint.name, joint.model) for joint in self._robot.joints}
        check_identities(self._bus, self._robot, {self._controller: ("controller", self._controller_model)})
        self._set_controller("Table Sync Enable", 0)  # before the motors are spoken to, as ROBOTIS's own set-up does
        check_identities(self._bus, self._robot, expected)
        self._set_controller("Bus Watchdog", 0)
        for joint in self._robot.joints:
            self._prepare_motor(joint.id, joint.reverse, joint.homing_offset_ticks)
        self._prepare_tables()
        address = self._motor_table["Present Position"].address
        ticks = [units.int32_from_bytes(self._bus.read(servo_id, address, 4))[0] for servo_id in self._ids]
        return units.rad_from_ticks(ticks)

    def torque_on(self, hold_rad: Array) -> None:
        """Watchdogs, goals in the controller's block, tables on, torque: in this order."""
        self._strength = 1.0
        for servo_id in self._ids:
            self._set(servo_id, "Bus Watchdog", units.watchdog_raw(MOTOR_WATCHDOG_MS))
        self._set_controller("Bus Watchdog", self._watchdog)
        self.write(hold_rad)
        self._set_controller("Table Sync Enable", 1)
        self.write(hold_rad)
        for servo_id in self._ids:
            self._set(servo_id, "Torque Enable", 1)
        self._torque_wanted = True
        self._doubtful = False
        self._troubles = [""] * len(self._ids)
        self._limp.clear()
        self._misses[:] = 0

    def read(self) -> JointReading:
        """All joints from the controller's 165-byte block.

        After a failed read the block is believed again only when the tables are still on: a controller that lost
        power answers, too, but with zeros, which would be positions.
        """
        answer = self._bus.read_once(self._controller, READ_BLOCK, READ_BYTES)
        count = len(self._ids)
        if answer is None or answer.error_number:
            self._doubtful = True
        elif self._doubtful:
            item = self._controller_table["Table Sync Enable"]
            tables = self._bus.read_once(self._controller, item.address, item.size)
            self._doubtful = tables is None or tables.params != b"\x01"
        if answer is None or self._doubtful:
            nothing = np.full(count, np.nan)
            return JointReading(nothing, nothing, nothing, np.zeros(count, bool))
        block = np.frombuffer(answer.params, np.uint8).reshape(SYNC_TABLES, FINGER_READ_BYTES)
        motors = units.int16_from_bytes(block[:, : FINGER_READ_BYTES - TACTILE_BYTES].tobytes()).reshape(count, 3)
        return JointReading(
            position_rad=units.rad_from_ticks(motors[:, 2]),
            velocity_rad_s=units.rad_s_from_raw(motors[:, 1]),
            current_ma=units.ma_from_raw(motors[:, 0], self._robot.joints[0].model),
            fresh=self._misses < SILENT_AFTER,
            alerts=tuple(index for index, trouble in enumerate(self._troubles) if trouble),
        )

    def write(self, goal_rad: Array) -> Array:
        """Goal current and goal position of all joints into the controller's 80-byte block."""
        ticks = units.ticks_from_rad(goal_rad)
        current = round(self._current_ma * self._strength)
        words = np.column_stack([np.full(len(ticks), current), ticks])
        self._bus.sync_write(WRITE_BLOCK, WRITE_BYTES, [(self._controller, units.int16_to_bytes(words.ravel()))])
        return units.rad_from_ticks(ticks)

    def soften(self, share: float) -> None:
        """Limit the goal current; takes effect with the next write."""
        self._strength = min(max(share, 0.0), 1.0)

    def torque_off(self) -> None:
        """Tables off, then torque off on every motor; the motors are told even where the controller is silent."""
        for name in ("Table Sync Enable", "Bus Watchdog"):
            with suppress(BusTimeoutError, ServoStatusError):
                self._set_controller(name, 0)
        item = self._motor_table["Torque Enable"]
        self._torque_wanted = False
        for _ in range(2):
            self._bus.sync_write(item.address, 1, [(servo_id, b"\0") for servo_id in self._ids])

    def poll(self) -> None:
        """Every fifth cycle one motor is asked directly, all of them once a second.

        The controller's block says nothing about the motors' health and keeps the last values of a silent one.
        """
        turn, rest = divmod(self._polls, POLL_EVERY)
        self._polls += 1
        if rest == 0:
            self._poll_motor(turn % len(self._ids))

    def stopped_by_themselves(self) -> bool:
        """Whether the controller's watchdog register reads -1, or ``poll`` found a motor without torque."""
        answer = self._bus.read_once(self._controller, self._controller_table["Bus Watchdog"].address, 1)
        return bool(self._limp) or (answer is not None and answer.params == b"\xff")

    def hardware_errors(self, joints: tuple[int, ...]) -> str:
        """What the last polls said about these motors, in words."""
        return "; ".join(f"{self._robot.joints[index].name}: {self._troubles[index]}" for index in joints)

    def _poll_motor(self, index: int) -> None:
        """Torque Enable, Hardware Error Status and Bus Watchdog of one motor; a silent motor is counted."""
        first, error, last = (
            self._motor_table[name] for name in ("Torque Enable", "Hardware Error Status", "Bus Watchdog")
        )
        answer = self._bus.read_once(self._ids[index], first.address, last.end - first.address)
        if answer is None or answer.error_number:
            self._misses[index] = min(self._misses[index] + 1, SILENT_AFTER)
            return
        self._misses[index] = 0
        code = answer.params[error.address - first.address]
        self._troubles[index] = describe_hardware_errors(["error"], [code]).removeprefix("error: ") if code else ""
        if self._torque_wanted and (not answer.params[0] or answer.params[-1] == WATCHDOG_FIRED):
            self._limp.add(index)

    def _prepare_motor(self, servo_id: int, reverse: bool, homing_offset: int) -> None:
        """One motor: torque off, then what differs in EEPROM, then RAM."""
        self._set(servo_id, "Bus Watchdog", 0)
        self._set(servo_id, "Torque Enable", 0)
        drive_mode = DRIVE_MODE_TIME_PROFILE | DRIVE_MODE_TORQUE_BY_GOAL | (DRIVE_MODE_REVERSE if reverse else 0)
        wanted = {
            "Operating Mode": CURRENT_BASED_POSITION_MODE,
            "Drive Mode": drive_mode,
            "Homing Offset": homing_offset,
        }
        for name, value in wanted.items():
            if self._get(servo_id, name) != value:
                self._set(servo_id, name, value)
        self._set(servo_id, "Profile Velocity", PROFILE_MS)
        self._set(servo_id, "Profile Acceleration", PROFILE_ACCELERATION_MS)
        self._set(servo_id, "Position P Gain", 500)
        self._set(servo_id, "Position D Gain", 1000)
        self._bus.write(servo_id, self._motor_table["Indirect Address 1"].address, _words(INDIRECT_SOURCES))

    def _prepare_tables(self) -> None:
        """SyncTables and indirect blocks of the controller."""
        read_sources: list[int] = []
        write_sources: list[int] = []
        for finger in range(SYNC_TABLES):
            base = sync_table_address(finger + 1)
            first = finger * MOTORS_PER_FINGER
            motors = self._ids[first : first + MOTORS_PER_FINGER]
            self._bus.write(self._controller, base, _sync_table(motors))
            read_sources += range(base + 54, base + 54 + FINGER_READ_BYTES)
            write_sources += range(base + 126, base + 126 + FINGER_WRITE_BYTES)
        self._bus.write(self._controller, INDIRECT_READ, _words(read_sources))
        self._bus.write(self._controller, INDIRECT_WRITE, _words(write_sources))

    def _get(self, servo_id: int, name: str) -> int:
        item = self._motor_table[name]
        return item.decode(self._bus.read(servo_id, item.address, item.size))

    def _set(self, servo_id: int, name: str, value: int) -> None:
        item = self._motor_table[name]
        self._bus.write(servo_id, item.address, item.encode(value))

    def _set_controller(self, name: str, value: int) -> None:
        item = self._controller_table[name]
        self._bus.write(self._controller, item.address, item.encode(value))


def _words(values: "list[int] | tuple[int, ...]") -> bytes:
    return struct.pack(f"<{len(values)}H", *values)


def _sync_table(motors: list[int]) -> bytes:
    """Set-up of one finger's SyncTable (54 bytes): IDs, read addresses and sizes, write addresses and sizes.

    The tactile sensor's ID follows the finger's last motor; the sixth slot stays empty.
    """
    ids = bytes([*motors, motors[-1] + 1, 0])
    read_address = [MOTOR_INDIRECT_READ] * MOTORS_PER_FINGER + [SENSOR_DATA, 0]
    read_size = [MOTOR_READ_BYTES] * MOTORS_PER_FINGER + [TACTILE_BYTES, 0]
    write_address = [MOTOR_INDIRECT_WRITE] * MOTORS_PER_FINGER + [0, 0]
    write_size = [MOTOR_WRITE_BYTES] * MOTORS_PER_FINGER + [0, 0]
    return ids + _words(read_address) + _words(read_size) + _words(write_address) + _words(write_size)
