# SPDX-License-Identifier: Apache-2.0
"""One HX5-D20 hand: 20 motors that are set up one by one and then run through their controller's two blocks.

Sequence and registers follow robotis_hand ros2_control/hx5_d20_rev2 and dynamixel_hardware_interface's
hx5_d20_rr.model: each finger's SyncTable collects 6 bytes a motor (current, velocity, position) and 9 tactile
bytes, and distributes 4 bytes a motor (goal current, goal position); indirect addresses make one 165-byte block to
read and one 80-byte block to write.
"""

import struct
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers import units
from drivers.bus import Bus
from drivers.control_table import SYNC_TABLES, control_table, sync_table_address
from drivers.errors import BusTimeoutError, ServoStatusError, WatchdogError
from robots.robot import HandController, Joint

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
DRIVE_MODE_TIME_PROFILE, DRIVE_MODE_REVERSE = 4, 1
"""ROBOTIS's set-up also lets a goal switch torque on (8). Ours does not: a motor that lost torque must not take it back
by itself."""
PROFILE_MS, PROFILE_ACCELERATION_MS = 20, 10
"""Two control periods: the driver's limiter already made the motion smooth, the servo only joins the steps."""

MOTOR_WATCHDOG_MS = 2000
"""The motors' own watchdog, against the death of the hand's controller; ROBOTIS's value."""


class MotorHealth(NamedTuple):
    """Raw registers of one motor; 255 and 65535 where temperature and voltage are not known."""

    torque: int
    error: int
    watchdog: int
    temperature: int
    voltage: int


class HandDevice:
    """One hand as 20 joints of the robot.

    Attributes:
        indices: places of its joints in the robot's joint order.
        trusted: False after a failed read until the tables were seen to be on: a controller that lost power answers,
            too, but with zeros, which would be positions.
        alert: the controller's last answer said that it has a hardware error.
        stopped: its bus watchdog has fired.
    """

    def __init__(self, controller: HandController, indices: list[int], joints: list[Joint]) -> None:
        self.controller, self.joints = controller, joints
        self.indices = np.array(indices)
        self.id = controller.id
        self.ids = [joint.id for joint in joints]
        self.trusted = False
        self.alert = self.stopped = False
        self._strength = 1.0
        self._table = control_table(controller.model)
        self._motor_table = control_table(joints[0].model)

    def stop_tables(self, bus: Bus) -> None:
        """Tables off, before the motors are spoken to, as ROBOTIS's own set-up does."""
        self.trusted = False
        self._set_controller(bus, "Table Sync Enable", 0)

    def prepare(self, bus: Bus) -> Array:
        """Set motors and controller up with torque off; returns the measured positions (20,) [rad]."""
        self._set_controller(bus, "Bus Watchdog", 0)
        for joint in self.joints:
            self._prepare_motor(bus, joint)
        self._prepare_tables(bus)
        address = self._motor_table["Present Position"].address
        ticks = [units.int32_from_bytes(bus.read(servo_id, address, 4))[0] for servo_id in self.ids]
        return units.rad_from_ticks(ticks)

    def switch_on(self, bus: Bus, watchdog_ms: int) -> Array:
        """Hold where it stands now: watchdogs read back, goals in the controller's block, tables on, then torque.

        Returns:
            the positions that it holds (20,) [rad].

        Raises:
            WatchdogError: controller or a motor did not take its watchdog.
        """
        self._strength = 1.0
        motor, controller = units.watchdog_raw(MOTOR_WATCHDOG_MS), units.watchdog_raw(watchdog_ms)
        for servo_id in self.ids:
            self._set(bus, servo_id, "Bus Watchdog", motor)
            _confirm(bus.read(servo_id, self._motor_table["Bus Watchdog"].address, 1)[0], motor, f"ID {servo_id}")
        self._set_controller(bus, "Bus Watchdog", controller)
        _confirm(bus.read(self.id, self._table["Bus Watchdog"].address, 1)[0], controller, f"controller {self.id}")
        address = self._motor_table["Present Position"].address
        raw = [units.int32_from_bytes(bus.read(servo_id, address, 4))[0] for servo_id in self.ids]
        ticks = np.array(raw, float)
        bus.write(self.id, WRITE_BLOCK, self.encode(ticks).tobytes())
        self._set_controller(bus, "Table Sync Enable", 1)
        bus.write(self.id, WRITE_BLOCK, self.encode(ticks).tobytes())
        for servo_id in self.ids:
            self._set(bus, servo_id, "Torque Enable", 1)
        self.trusted, self.stopped = True, False
        return units.rad_from_ticks(ticks)

    def torque_off(self, bus: Bus) -> None:
        """Tables off, then torque off on every motor; the motors are told even where the controller is silent."""
        self.trusted = False
        for name in ("Table Sync Enable", "Bus Watchdog"):
            with suppress(BusTimeoutError, ServoStatusError):
                self._set_controller(bus, name, 0)
        address = self._motor_table["Torque Enable"].address
        for _ in range(2):
            bus.sync_write(address, 1, [(servo_id, b"\0") for servo_id in self.ids])

    def soften(self, share: float) -> None:
        """Limit the goal current; takes effect with the next write."""
        self._strength = min(max(share, 0.0), 1.0)

    def encode(self, ticks: Array) -> NDArray[np.uint8]:
        """Goal current and goal position of all motors (80,), from goals in whole ticks (20,).

        All limits of a hand lie within one turn, so they fit the 16-bit goals.
        """
        words = np.empty((len(self.ids), 2), "<i2")
        words[:, 0], words[:, 1] = round(self.controller.goal_current_ma * self._strength), ticks
        return words.view(np.uint8).ravel()

    @staticmethod
    def decode(block: NDArray[np.uint8]) -> tuple[Array, Array, Array]:
        """Position [rad], velocity [rad/s] and current [mA] of the 20 joints from the controller's 165 bytes."""
        fingers = block.reshape(SYNC_TABLES, FINGER_READ_BYTES)[:, : FINGER_READ_BYTES - TACTILE_BYTES]
        motors = np.ascontiguousarray(fingers).view("<i2").reshape(SYNC_TABLES * MOTORS_PER_FINGER, 3)
        raw = motors.astype(np.float64)
        return units.rad_from_ticks(raw[:, 2]), units.rad_s_from_raw(raw[:, 1]), raw[:, 0]

    def tables_are_on(self, bus: Bus) -> bool:
        """Whether the controller still mirrors its motors."""
        item = self._table["Table Sync Enable"]
        answer = bus.read_once(self.id, item.address, item.size)
        return answer is not None and answer.params == b"\x01"

    def look_at_watchdog(self, bus: Bus) -> None:
        """Note whether the controller's bus watchdog reads -1."""
        answer = bus.read_once(self.id, self._table["Bus Watchdog"].address, 1)
        self.stopped |= answer is not None and answer.params == b"\xff"

    def let_go(self, bus: Bus, k: int) -> None:
        """Torque off at motor ``k``; goals do not bring it back."""
        bus.write(self.ids[k], self._motor_table["Torque Enable"].address, b"\0")

    def motor_health(self, bus: Bus, k: int) -> MotorHealth | None:
        """Torque, error, watchdog, voltage and temperature of motor ``k``, asked directly; None: no answer.

        The controller's block says nothing about the motors' health and keeps the last values of a silent one.
        """
        first, error, watchdog = (
            self._motor_table[name] for name in ("Torque Enable", "Hardware Error Status", "Bus Watchdog")
        )
        answer = bus.read_once(self.ids[k], first.address, watchdog.end - first.address)
        if answer is None or answer.error_number:
            return None
        voltage = self._motor_table["Present Input Voltage"]
        more = bus.read_once(self.ids[k], voltage.address, 3)
        volt, degc = (0xFFFF, 0xFF) if more is None or more.error_number else struct.unpack("<HB", more.params)
        raw = answer.params
        return MotorHealth(raw[0], raw[error.address - first.address], raw[-1], degc, volt)

    def _prepare_motor(self, bus: Bus, joint: Joint) -> None:
        """One motor: torque off, then what differs in EEPROM, then RAM."""
        self._set(bus, joint.id, "Bus Watchdog", 0)
        self._set(bus, joint.id, "Torque Enable", 0)
        drive_mode = DRIVE_MODE_TIME_PROFILE | (DRIVE_MODE_REVERSE if joint.reverse else 0)
        wanted = {
            "Operating Mode": CURRENT_BASED_POSITION_MODE,
            "Drive Mode": drive_mode,
            "Homing Offset": joint.homing_offset_ticks,
        }
        for name, value in wanted.items():
            item = self._motor_table[name]
            if item.decode(bus.read(joint.id, item.address, item.size)) != value:
                self._set(bus, joint.id, name, value)
        self._set(bus, joint.id, "Profile Velocity", PROFILE_MS)
        self._set(bus, joint.id, "Profile Acceleration", PROFILE_ACCELERATION_MS)
        self._set(bus, joint.id, "Position P Gain", 500)
        self._set(bus, joint.id, "Position D Gain", 1000)
        bus.write(joint.id, self._motor_table["Indirect Address 1"].address, _words(INDIRECT_SOURCES))

    def _prepare_tables(self, bus: Bus) -> None:
        """SyncTables and indirect blocks of the controller."""
        read_sources: list[int] = []
        write_sources: list[int] = []
        for finger in range(SYNC_TABLES):
            base = sync_table_address(finger + 1)
            first = finger * MOTORS_PER_FINGER
            bus.write(self.id, base, _sync_table(self.ids[first : first + MOTORS_PER_FINGER]))
            read_sources += range(base + 54, base + 54 + FINGER_READ_BYTES)
            write_sources += range(base + 126, base + 126 + FINGER_WRITE_BYTES)
        bus.write(self.id, INDIRECT_READ, _words(read_sources))
        bus.write(self.id, INDIRECT_WRITE, _words(write_sources))

    def _set(self, bus: Bus, servo_id: int, name: str, value: int) -> None:
        item = self._motor_table[name]
        bus.write(servo_id, item.address, item.encode(value))

    def _set_controller(self, bus: Bus, name: str, value: int) -> None:
        item = self._table[name]
        bus.write(self.id, item.address, item.encode(value))


def _confirm(found: int, wanted: int, who: str) -> None:
    if found != wanted:
        raise WatchdogError(f"{who}: bus watchdog {found} after writing {wanted}: torque stays off")


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
