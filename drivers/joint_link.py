# SPDX-License-Identifier: Apache-2.0
"""What the control loop needs of a set of joints, whatever wiring they have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.bus import Bus
from drivers.control_table import control_table
from drivers.errors import BusTimeoutError, RobotMismatchError
from robots import Robot

Array = NDArray[np.float64]

HARDWARE_ERROR_BITS = {
    0: "input voltage",
    1: "hall sensor",
    2: "overheating",
    3: "encoder",
    4: "electric shock",
    5: "overload",
}
"""Hardware Error Status (70) of X-series servos; e-Manual XM430-W350."""

WATCHDOG_FIRMWARE = 38
"""X series: first firmware with a bus watchdog."""

GIVE_UP_AFTER = 3
"""So many silent IDs and nobody who answered: the bus as a whole is dead."""


@dataclass(frozen=True, slots=True)
class JointReading:
    """One read of all joints, each array (n,).

    ``fresh`` says which joints answered; values of the others are NaN, never an old or a made-up number.
    """

    position_rad: Array
    velocity_rad_s: Array
    current_ma: Array
    fresh: NDArray[np.bool_]
    alerts: tuple[int, ...] = ()


class JointLink(Protocol):
    """Joints behind one port. Set-up methods raise DeviceError; cyclic ones report what they got."""

    lower_rad: Array
    upper_rad: Array

    def prepare(self) -> Array:
        """Check every device, configure it with torque off, and return the measured positions (n,) [rad]."""

    def torque_on(self, hold_rad: Array) -> None:
        """Arm the bus watchdog, set goals to ``hold_rad`` and only then switch torque on."""

    def read(self) -> JointReading:
        """One cyclic read."""

    def write(self, goal_rad: Array) -> Array:
        """Send goals; returns what the servos will aim at, i.e. rounded to their ticks (n,) [rad]."""

    def soften(self, share: float) -> None:
        """Limit the servos' strength to a share of the normal one, 0 … 1."""

    def torque_off(self) -> None:
        """Switch torque off."""

    def poll(self) -> None:
        """A little of what the cyclic read does not tell; called once in every cycle, after the write."""

    def stopped_by_themselves(self) -> bool:
        """Whether servos have stopped without being told: their bus watchdog fired, or torque is gone."""

    def hardware_errors(self, joints: tuple[int, ...]) -> str:
        """Hardware errors of the joints with these indices, in words."""


def check_identities(bus: Bus, robot: Robot, expected: Mapping[int, tuple[str, str]]) -> None:
    """Make sure that the bus holds the servos of the robot's file; every deviation is listed at once.

    Args:
        expected: for each ID what it is (joint name) and its model string.

    Raises:
        RobotMismatchError: with expected, found and what to do.
    """
    problems: list[str] = []
    answered = 0
    for servo_id, (name, model) in expected.items():
        if not answered and len(problems) == GIVE_UP_AFTER:
            problems.append("the others were not asked")
            break
        table = control_table(model)
        try:
            identity = bus.ping(servo_id)
        except BusTimeoutError:
            problems.append(f"ID {servo_id} ({name}): expected {model}, found nobody")
            continue
        answered += 1
        if identity.model_number != table.model_number:
            problems.append(
                f"ID {servo_id} ({name}): expected {model} (model number {table.model_number}), "
                f"found model number {identity.model_number}"
            )
        elif model.startswith("x") and identity.firmware < WATCHDOG_FIRMWARE:
            problems.append(
                f"ID {servo_id} ({name}): firmware {identity.firmware}, "
                f"at least {WATCHDOG_FIRMWARE} needed: update it with ROBOTIS's DYNAMIXEL Wizard"
            )
    if not answered:
        problems.append("nobody answered at all: is the robot powered, is the baud rate right?")
    if problems:
        raise RobotMismatchError(f"this is not a {robot.name}:\n" + "\n".join(f"  - {text}" for text in problems))


def describe_hardware_errors(names: list[str], codes: list[int]) -> str:
    """Hardware error bytes in words, for example ``r_el: overload, overheating``; an unknown code as a number."""
    parts = []
    for name, code in zip(names, codes, strict=True):
        bits = [text for bit, text in HARDWARE_ERROR_BITS.items() if code >> bit & 1]
        parts.append(f"{name}: {', '.join(bits) or f'hardware error code {code}'}")
    return "; ".join(parts)
