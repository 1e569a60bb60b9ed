# SPDX-License-Identifier: Apache-2.0
"""From a robot's file to a control loop on an open port."""

import time
from contextlib import suppress

from drivers.bus import Bus
from drivers.control_loop import ControlLoop
from drivers.hand_link import HandLink
from drivers.port import SerialPort
from drivers.servo_link import ServoLink
from graph.errors import DeviceError
from robots import Robot


def open_loop(robot: Robot, path: str, baud: int = 0) -> tuple[SerialPort, Bus, ControlLoop]:
    """Open the port and connect the robot: on return it holds its measured pose with torque on.

    Args:
        robot: the robot.
        path: serial port.
        baud: baud rate; 0 takes the robot's.

    Raises:
        DeviceError: port or robot is not what it should be; the port is closed again and torque is off.
    """
    port = SerialPort(path, baud or robot.buses[0].baud)
    bus = Bus(port)
    link = HandLink(bus, robot) if robot.controllers else ServoLink(bus, robot)
    loop = ControlLoop(robot, link, time.monotonic_ns)
    connected = False
    try:
        loop.connect()
        connected = True
    finally:
        if not connected:
            with suppress(DeviceError):
                loop.disconnect()
            port.close()
    return port, bus, loop
