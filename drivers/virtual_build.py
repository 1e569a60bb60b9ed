# SPDX-License-Identifier: Apache-2.0
"""From a robot's description to its virtual buses, set up as a technician would have left the real ones."""

from collections.abc import Mapping

from drivers.control_table import control_table
from drivers.servo_model import ServoModel, servo_model
from drivers.virtual_bus import VirtualBus
from drivers.virtual_device import VirtualDevice
from drivers.virtual_hand import VirtualHandController
from drivers.virtual_servo import CURRENT_BASED_POSITION_MODE, REVERSE, TIME_BASED_PROFILE, TORQUE_ON_BY_GOAL
from drivers.virtual_servo import VirtualServo as _VirtualServo
from drivers.virtual_servo_y import VirtualServoY
from robots.robot import Joint, Robot

FIRMWARE: Mapping[str, int] = {
    "xl330_m288": 52,
    "xm335_t323": 52,
    "xm430_w350": 50,
    "xh430_v210": 50,
    "xh540_v150": 50,
    "ph42_020_s300": 14,
    "rh_p12_rn": 14,
    "ym070_210_r099": 10,
    "ym080_230_r099": 10,
    "ym080_230_b001": 10,
    "hx5_d20_right": 10,
    "hx5_d20_left": 10,
}
"""Plausible firmware versions; all servos know the bus watchdog and answer fast reads."""


def virtual_servo(model: ServoModel, id: int, **options: object) -> _VirtualServo:  # noqa: A002 - the protocol's word
    """A servo of any model; ``options`` are those of `VirtualServo`."""
    kind = VirtualServoY if model.family == "y" else _VirtualServo
    return kind(model, id, **options)  # type: ignore[arg-type]


def build_virtual_buses(robot: Robot) -> dict[str, VirtualBus]:
    """Every device of ``robot`` on its line, near its home pose, torque off, IDs, baud, offsets and directions in
    EEPROM; by the lines' names.

    Raises:
        ControlTableError: a model or baud that no table knows.
    """
    return {bus.name: VirtualBus(_devices(robot, bus.name, bus.baud), bus.baud) for bus in robot.buses}


def build_virtual_bus(robot: Robot) -> VirtualBus:
    """The line of a robot that has only one.

    Raises:
        ValueError: it has several; see `build_virtual_buses`.
        ControlTableError: a model or baud that no table knows.
    """
    buses = build_virtual_buses(robot)
    if len(buses) != 1:
        raise ValueError(f"{robot.name} has {len(buses)} buses, expected one: {', '.join(buses)}")
    return next(iter(buses.values()))


def start_ticks(joint: Joint) -> int:
    """Present Position at power-on: a little off home towards the middle of the range, another distance for each ID.

    Nobody's robot rests exactly at home: a driver that assumes it does, instead of measuring, makes a visible step.
    """
    model = servo_model(joint.model)
    off_ticks = (2 + joint.id % 4) * model.ticks_per_revolution // 4096
    inwards = 1 if joint.home_rad <= (joint.min_rad + joint.max_rad) / 2.0 else -1
    home_rad = joint.home_rad / joint.metres_per_rad if joint.prismatic else joint.home_rad
    return round(home_rad / model.rad_per_tick) + model.centre_ticks + inwards * off_ticks


def _devices(robot: Robot, bus: str, baud: int) -> list[VirtualDevice]:
    servos = {joint: _servo(joint, baud) for joint in robot.joints if robot.bus_of(joint) == bus}
    hands: list[VirtualDevice] = []
    for controller in robot.controllers:
        if robot.bus_of(controller) == bus:
            fingers = [servo for joint, servo in servos.items() if joint.controller == controller.id]
            table, firmware = control_table(controller.model), FIRMWARE[controller.model]
            hands.append(VirtualHandController(table, controller.id, fingers, firmware=firmware, baud=baud))
    return [*hands, *servos.values()]


def _servo(joint: Joint, baud: int) -> _VirtualServo:
    hand = joint.controller is not None
    drive_mode = TIME_BASED_PROFILE | TORQUE_ON_BY_GOAL if hand else 0
    return virtual_servo(
        servo_model(joint.model),
        joint.id,
        firmware=FIRMWARE[joint.model],
        baud=baud,
        homing_offset_ticks=joint.homing_offset_ticks,
        drive_mode=drive_mode | (REVERSE if joint.reverse else 0),
        operating_mode=CURRENT_BASED_POSITION_MODE if hand else None,
        position_ticks=start_ticks(joint),
    )
