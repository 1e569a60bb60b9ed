# SPDX-License-Identifier: Apache-2.0
"""The line and the device that a `booth servo` command is about, found from its options and opened."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from booth.output import result, result_json, say
from drivers.bus import Bus, Port
from drivers.errors import PortError
from drivers.port import SerialPort
from drivers.servo_tools import Device
from drivers.servo_tools_line import TracedPort
from drivers.servo_tools_where import Place, WhereError, device_id, joint_of, place_of, places, slots
from graph.errors import BoothError
from robots import Robot, load_robot

DRY_RUN = "Nothing has been written. To do it, add --apply"


def the_robot(args: argparse.Namespace) -> Robot | None:
    """The robot that --robot names, None without it."""
    return load_robot(args.robot) if args.robot else None


def needed_robot(args: argparse.Namespace) -> Robot:
    """As `the_robot`, for commands that can't do without; WhereError says so."""
    if not args.robot:
        raise WhereError(f"booth servo {args.action} needs --robot NAME (booth robot list names them)")
    return load_robot(args.robot)


def baud_of(args: argparse.Namespace) -> int:
    """--baud in bits per second; 0: not given, or all usual ones."""
    if not args.baud or args.baud == "all":
        return 0
    if not args.baud.isdecimal() or int(args.baud) == 0:
        raise WhereError(f"--baud is a number such as 57600 or 4000000, found {args.baud!r}")
    return int(args.baud)


@contextmanager
def open_line(args: argparse.Namespace, path: str, baud: int) -> Iterator[Port]:
    """The port, closed afterwards; with --trace every packet is told."""
    with SerialPort(path, baud) as port:
        yield TracedPort(port, say) if args.trace else port


@dataclass(frozen=True, slots=True)
class Session:
    """A device on its open line."""

    device: Device
    port: Port
    place: Place
    robot: Robot | None

    @property
    def who(self) -> str:
        """For example ``ID 5 (r_el)``."""
        joint = joint_of(self.robot, self.device.id)
        return f"ID {self.device.id}{f' ({joint.name})' if joint is not None else ''}"


@contextmanager
def open_device(args: argparse.Namespace, servo_id: int | None = None) -> Iterator[Session]:
    """The device that a command is about, on its line."""
    robot = the_robot(args)
    servo_id = device_id(args.device, robot) if servo_id is None else servo_id
    place = place_of(robot, args.robot, args.bus, args.port, baud_of(args), servo_id)
    with open_line(args, place.port, place.baud) as port:
        try:
            device = Device(Bus(port), servo_id)
        except BoothError as error:
            if isinstance(error, PortError):
                raise
            hint = f"on {place.port} at {place.baud} baud: {error}"
            raise type(error)(f"{hint} Try: booth servo scan --port {place.port} --baud all") from error
        yield Session(device, port, place, robot)


def drive_mode_of(device: Device) -> int:
    """Its Drive Mode, 0 where it has none."""
    return device.get("Drive Mode") if "Drive Mode" in device.model.table else 0


def all_ids(robot: Robot, args: argparse.Namespace) -> list[int]:
    """Every device of a robot, on all of its lines."""
    found = places(robot, args.robot, args.bus, args.port, baud_of(args))
    return [servo_id for place in found for servo_id in slots(robot, place.bus)]


def tell(args: argparse.Namespace, values: Mapping[str, object], text: str) -> None:
    """The result: values with --json, else text."""
    if args.json:
        result_json(values)
    else:
        result(text)
