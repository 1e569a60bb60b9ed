# SPDX-License-Identifier: Apache-2.0
"""From a robot's file to a control loop on open ports."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from drivers.bus import Port
from drivers.control_loop import ControlLoop
from drivers.port import SerialPort
from drivers.robot_link import RobotLink
from drivers.safety import COMMAND_TTL_NS
from graph.errors import DeviceError
from graph.nodes import bus_ports
from robots import Robot


def open_loop(
    robot: Robot, path: str = "", baud: int = 0, *, feed_forward: bool = True, command_ttl_ns: int = COMMAND_TTL_NS
) -> tuple[RobotLink, ControlLoop]:
    """Open all ports and connect the robot: on return it holds its measured pose with torque on.

    Args:
        robot: the robot.
        path: serial port; of a robot with several buses the common beginning, see `graph.nodes.bus_ports`. Empty: those
            of its file.
        baud: baud rate; 0 takes the robot's.
        feed_forward: whether a moving target is met at its speed.
        command_ttl_ns: how old a command may be.

    Raises:
        DeviceError: port or robot is not what it should be; the ports are closed again and torque is off.
    """
    paths = bus_ports(robot, path)
    ports: dict[str, Callable[[], Port]] = {
        bus.name: partial(SerialPort, paths[bus.name], baud or bus.baud) for bus in robot.buses
    }
    link = RobotLink(robot, ports)
    loop = ControlLoop(robot, link, time.monotonic_ns, feed_forward=feed_forward, command_ttl_ns=command_ttl_ns)
    connected = False
    try:
        loop.connect()
        connected = True
    finally:
        if not connected:
            with suppress(DeviceError):
                loop.disconnect()
            link.close()
    return link, loop
