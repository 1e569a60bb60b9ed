# SPDX-License-Identifier: Apache-2.0
"""Which port and speed a technician means, and which joint: from --robot, --bus, --port, --baud and an ID or name."""

from dataclasses import dataclass
from difflib import get_close_matches

from graph.errors import InputError
from robots import Robot
from robots.robot import Bus, HandController, Joint

FACTORY_BAUD = 57_600
"""What most X-series servos talk at out of the box (e-Manual, Baud Rate, index 1); XM335: 1 000 000."""


class WhereError(InputError):
    """A request that does not say where. Scenarios: neither --robot nor --port, a joint name without --robot, a robot
    of several buses and one --port."""


@dataclass(frozen=True, slots=True)
class Place:
    """One line to talk on.

    Attributes:
        port: serial port.
        baud: bits per second.
        bus: the line's name in the robot's file; empty without a robot.
        options: what to add to a command so that it talks on the same line.
    """

    port: str
    baud: int
    bus: str
    options: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A device that the robot's file expects."""

    id: int
    name: str
    model: str
    joint: Joint | None


def slots(robot: Robot, bus: str) -> dict[int, Slot]:
    """Every device that the robot's file expects on one of its lines, by ID."""
    found = {
        joint.id: Slot(joint.id, joint.name, joint.model, joint) for joint in robot.joints if robot.bus_of(joint) == bus
    }
    for controller in robot.controllers:
        if robot.bus_of(controller) == bus:
            found[controller.id] = Slot(controller.id, "hand controller", controller.model, None)
    return dict(sorted(found.items()))


def device_id(who: str, robot: Robot | None) -> int:
    """ID of a device given by ID or, with a robot, by joint name.

    Raises:
        WhereError: no such joint, with the nearest names; or no ID 0 … 252.
    """
    if who.isdecimal():
        if int(who) > 252:
            raise WhereError(f"an ID is 0 … 252, found {who}")
        return int(who)
    if robot is None:
        raise WhereError(f"{who!r} is no ID: give a number 0 … 252, or a joint name together with --robot NAME")
    for joint in robot.joints:
        if joint.name == who:
            return joint.id
    near = ", ".join(get_close_matches(who, robot.joint_names, n=4, cutoff=0.4)) or ", ".join(robot.joint_names[:4])
    raise WhereError(f"{robot.name} has no joint {who!r}; nearest: {near}")


def joint_of(robot: Robot | None, servo_id: int) -> Joint | None:
    """The robot's joint with this ID."""
    return next((joint for joint in robot.joints if joint.id == servo_id), None) if robot is not None else None


def places(robot: Robot | None, argument: str, bus: str, port: str, baud: int) -> list[Place]:
    """The lines to look at: those of the robot, or the one of --port.

    Args:
        robot: the robot of --robot.
        argument: what --robot said.
        bus, port, baud: options; empty or 0: the robot's.
    """
    if robot is None:
        if not port:
            raise WhereError("which line? give --port /dev/ttyUSB0, or --robot NAME (booth robot list names them)")
        speed = baud or FACTORY_BAUD
        return [Place(port, speed, "", f"--port {port} --baud {speed}")]
    chosen = [_bus(robot, bus)] if bus else list(robot.buses)
    if port and len(chosen) > 1:
        names = ", ".join(item.name for item in robot.buses)
        raise WhereError(f"{robot.name} has several buses: with --port say which one it is, --bus {names}")
    result = []
    for item in chosen:
        options = [f"--robot {argument}"]
        options += [f"--bus {item.name}"] if len(robot.buses) > 1 else []
        options += [f"--port {port}"] if port else []
        options += [f"--baud {baud}"] if baud else []
        result.append(Place(port or item.port, baud or item.baud, item.name, " ".join(options)))
    return result


def place_of(robot: Robot | None, argument: str, bus: str, port: str, baud: int, servo_id: int) -> Place:
    """The line that a device is on: its joint's, else --bus, else the robot's only one."""
    if robot is not None and not bus:
        devices: list[Joint | HandController] = [*robot.joints, *robot.controllers]
        found = next((robot.bus_of(device) for device in devices if device.id == servo_id), "")
        if not found and len(robot.buses) > 1:
            names = ", ".join(item.name for item in robot.buses)
            raise WhereError(f"{robot.name}'s file has no ID {servo_id}: say which line it is on, --bus {names}")
        bus = found
    return places(robot, argument, bus, port, baud)[0]


def _bus(robot: Robot, name: str) -> Bus:
    for bus in robot.buses:
        if bus.name == name:
            return bus
    raise WhereError(f"{robot.name} has no bus {name!r}: expected one of {', '.join(b.name for b in robot.buses)}")
