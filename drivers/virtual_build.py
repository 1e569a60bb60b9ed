# SPDX-License-Identifier: Apache-2.0
"""From a robot's description to its virtual bus, set up as a technician would have left the real one."""

from drivers.control_table import control_table
from drivers.units import ticks_from_rad
from drivers.virtual_bus import VirtualBus
from drivers.virtual_device import VirtualDevice
from drivers.virtual_hand import VirtualHandController
from drivers.virtual_servo import (
    CURRENT_BASED_POSITION_MODE,
    POSITION_MODE,
    REVERSE,
    TIME_BASED_PROFILE,
    TORQUE_ON_BY_GOAL,
    VirtualServo,
)
from robots.robot import Joint, Robot

FIRMWARE = {"xm430_w350": 50, "xm335_t323": 52, "hx5_d20_right": 10, "hx5_d20_left": 10}
"""Plausible firmware versions; both servos know fast reads and the bus watchdog."""


def build_virtual_bus(robot: Robot) -> VirtualBus:
    """Every device of ``robot``, near its home pose, torque off, IDs, baud, offsets and directions in EEPROM.

    Raises:
        ControlTableError: a model or baud that no table knows.
    """
    baud = robot.buses[0].baud
    servos = {joint: _servo(joint, baud, hand=joint.controller is not None) for joint in robot.joints}
    hands: list[VirtualDevice] = []
    for controller in robot.controllers:
        fingers = [servo for joint, servo in servos.items() if joint.controller == controller.id]
        table, firmware = control_table(controller.model), FIRMWARE[controller.model]
        hands.append(VirtualHandController(table, controller.id, fingers, firmware=firmware, baud=baud))
    return VirtualBus([*hands, *servos.values()], baud)


def start_ticks(joint: Joint) -> int:
    """Present Position at power-on: a few ticks from home towards the middle of the range, another number for each ID.

    Nobody's robot rests exactly at home: a driver that assumes it does, instead of measuring, makes a visible step.
    """
    off = 2 + joint.id % 4
    inwards = 1 if joint.home_rad <= (joint.min_rad + joint.max_rad) / 2.0 else -1
    return int(ticks_from_rad(joint.home_rad)) + inwards * off


def _servo(joint: Joint, baud: int, *, hand: bool) -> VirtualServo:
    drive_mode = TIME_BASED_PROFILE | TORQUE_ON_BY_GOAL if hand else 0
    return VirtualServo(
        control_table(joint.model),
        joint.id,
        firmware=FIRMWARE[joint.model],
        baud=baud,
        homing_offset_ticks=joint.homing_offset_ticks,
        drive_mode=drive_mode | (REVERSE if joint.reverse else 0),
        operating_mode=CURRENT_BASED_POSITION_MODE if hand else POSITION_MODE,
        position_ticks=start_ticks(joint),
    )
