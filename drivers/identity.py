# SPDX-License-Identifier: Apache-2.0
"""Is this the robot of the file? Every device is asked who it is before anything else happens."""

from collections.abc import Mapping

from drivers.bus import Bus, Identity
from drivers.control_table import control_table
from drivers.errors import BusTimeoutError, RobotMismatchError
from drivers.servo_model import SERVO_MODELS

GIVE_UP_AFTER = 3
"""So many silent IDs and nobody who answered: the bus as a whole is dead."""


def check_identities(bus: Bus, robot_name: str, expected: Mapping[int, tuple[str, str]]) -> dict[int, Identity]:
    """Make sure that a bus holds the devices of the robot's file; every deviation is listed at once.

    Args:
        expected: for each ID what it is (joint name) and its model string.

    Returns:
        model number and firmware of every ID.

    Raises:
        RobotMismatchError: with expected, found and what to do.
    """
    found: dict[int, Identity] = {}
    problems: list[str] = []
    for servo_id, (name, model) in expected.items():
        if not found and len(problems) == GIVE_UP_AFTER:
            problems.append("the others were not asked")
            break
        try:
            found[servo_id] = bus.ping(servo_id)
        except BusTimeoutError:
            problems.append(f"ID {servo_id} ({name}): expected {model}, found nobody")
            continue
        problem = _problem(model, found[servo_id])
        if problem:
            problems.append(f"ID {servo_id} ({name}): {problem}")
    if not found:
        problems.append("nobody answered at all: is the robot powered, is the baud rate right?")
    if problems:
        raise RobotMismatchError(f"this is not a {robot_name}:\n" + "\n".join(f"  - {text}" for text in problems))
    return found


def _problem(model: str, found: Identity) -> str:
    table = SERVO_MODELS[model].table if model in SERVO_MODELS else control_table(model)
    if found.model_number != table.model_number:
        return f"expected {model} (model number {table.model_number}), found model number {found.model_number}"
    needed = SERVO_MODELS[model].watchdog_firmware if model in SERVO_MODELS else 0
    if found.firmware < needed:
        return (
            f"firmware {found.firmware}, at least {needed} needed for a bus watchdog: "
            "update it with ROBOTIS's DYNAMIXEL Wizard"
        )
    return ""
