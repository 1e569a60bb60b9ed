# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between us and the servos; every message says what was expected, what was found, what to do."""

from graph.errors import DeviceError


class PortError(DeviceError):
    """The serial port can't be used. Scenarios: it is missing, another process holds it, no permission, a baud rate
    that the adapter or the SDK does not know, the adapter was unplugged."""


class BusTimeoutError(DeviceError):
    """No complete answer in time. Scenarios: servo without power, wrong ID, wrong baud rate, a broken cable."""


class ServoStatusError(DeviceError):
    """A servo refused an instruction. Scenarios: EEPROM write while torque is on, value out of range."""


class RobotMismatchError(DeviceError):
    """What is on the bus is not the robot of the file. Scenarios: absent servo, another model on an ID, old
    firmware."""


class WatchdogError(DeviceError):
    """A servo did not take its bus watchdog, so nothing would stop it if this computer died. Scenarios: firmware
    before 38, a latched watchdog that was not cleared."""
