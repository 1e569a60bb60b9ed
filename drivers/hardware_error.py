# SPDX-License-Identifier: Apache-2.0
"""What a servo's hardware error means: bits of Hardware Error Status (X, P, hand controller) or a Y's Error Code.

Sources: ROBOTIS e-Manual, "Shutdown" and "Hardware Error Status" of the X and P series, dxl/y "Error Code(153)"; the
same tables are in dynamixel_hardware_interface 1.5.1. That driver reads the hand controller's status as X bits; no page
says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from drivers.control_table_types import Family


class Cause(StrEnum):
    """Why a servo is in trouble; the value is a stable key for logs, diagnostics and pages in docs/faults."""

    INPUT_VOLTAGE = "input-voltage"
    HALL_SENSOR = "hall-sensor"
    OVERHEATING = "overheating"
    ENCODER = "encoder"
    ELECTRIC_SHOCK = "electric-shock"
    OVERLOAD = "overload"
    OVER_VOLTAGE = "over-voltage"
    LOW_VOLTAGE = "low-voltage"
    INVERTER_OVERHEATING = "inverter-overheating"
    MOTOR_OVERHEATING = "motor-overheating"
    INVERTER = "inverter"
    BATTERY_WARNING = "battery-warning"
    BATTERY = "battery"
    MAGNET = "magnet"
    MULTI_TURN = "multi-turn"
    CALIBRATION = "calibration"
    FOLLOWING_ERROR = "following-error"
    BUS_WATCHDOG = "bus-watchdog"
    OVER_SPEED = "over-speed"
    POSITION_LIMIT = "position-limit"
    UNKNOWN = "unknown"


WORDS: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.INPUT_VOLTAGE: "input voltage outside of its limits",
        Cause.HALL_SENSOR: "motor hall sensor failed",
        Cause.OVERHEATING: "overheated",
        Cause.ENCODER: "encoder failed",
        Cause.ELECTRIC_SHOCK: "electric shock on its circuit, or too little power to run the motor",
        Cause.OVERLOAD: "overloaded",
        Cause.OVER_VOLTAGE: "supply voltage above its limit",
        Cause.LOW_VOLTAGE: "supply voltage below its limit",
        Cause.INVERTER_OVERHEATING: "inverter overheated",
        Cause.MOTOR_OVERHEATING: "motor overheated",
        Cause.INVERTER: "inverter failed",
        Cause.BATTERY_WARNING: "multi-turn battery is low, replace it",
        Cause.BATTERY: "multi-turn battery is empty",
        Cause.MAGNET: "multi-turn position lost, reset it",
        Cause.MULTI_TURN: "multi-turn counter failed",
        Cause.CALIBRATION: "no calibration data",
        Cause.FOLLOWING_ERROR: "did not follow its goal closely enough",
        Cause.BUS_WATCHDOG: "bus watchdog stopped it",
        Cause.OVER_SPEED: "turned at 120 % of its velocity limit or more",
        Cause.POSITION_LIMIT: "went beyond its position limit",
        Cause.UNKNOWN: "unknown error",
    }
)
"""What a person is told."""


@dataclass(frozen=True, slots=True)
class YError:
    """One Error Code of a Y.

    Attributes:
        cause: what it means.
        keeps_torque: torque stays on; otherwise it goes off.
        holds: it decelerates, holds, and refuses goals until the error is cleared.
        clearable: an Error Clear packet ends it, once its cause is gone; otherwise only a reboot can.
    """

    cause: Cause
    keeps_torque: bool = False
    holds: bool = False
    clearable: bool = True


Y_ERRORS: Mapping[int, YError] = MappingProxyType(
    {
        1: YError(Cause.OVER_VOLTAGE),
        2: YError(Cause.LOW_VOLTAGE),
        3: YError(Cause.INVERTER_OVERHEATING),
        4: YError(Cause.MOTOR_OVERHEATING),
        5: YError(Cause.OVERLOAD),
        7: YError(Cause.INVERTER, clearable=False),
        9: YError(Cause.BATTERY_WARNING, keeps_torque=True, clearable=False),
        10: YError(Cause.BATTERY, clearable=False),
        11: YError(Cause.MAGNET, clearable=False),
        12: YError(Cause.MULTI_TURN, clearable=False),
        13: YError(Cause.ENCODER, clearable=False),
        14: YError(Cause.HALL_SENSOR, clearable=False),
        15: YError(Cause.CALIBRATION, clearable=False),
        17: YError(Cause.FOLLOWING_ERROR, keeps_torque=True, holds=True),
        18: YError(Cause.BUS_WATCHDOG, keeps_torque=True, holds=True),
        19: YError(Cause.OVER_SPEED, keeps_torque=True, holds=True),
        20: YError(Cause.POSITION_LIMIT, keeps_torque=True, holds=True),
    }
)
"""A Y's Error Code in decimal -> what it means and does."""

BITS: Mapping[int, Cause] = MappingProxyType(
    {
        0: Cause.INPUT_VOLTAGE,
        1: Cause.HALL_SENSOR,
        2: Cause.OVERHEATING,
        3: Cause.ENCODER,
        4: Cause.ELECTRIC_SHOCK,
        5: Cause.OVERLOAD,
    }
)
"""Bit of Hardware Error Status -> cause. Bit 1 is in use in the P series only."""


def causes(family: Family, code: int) -> tuple[Cause, ...]:
    """Every cause in the error register of a servo of this family; empty for 0."""
    return tuple(cause for cause, _ in _read(family, code))


def describe(family: Family, code: int) -> tuple[str, ...]:
    """The same in words, one entry a cause; what has no name is given as a number."""
    return tuple(f"{WORDS[cause]} ({number})" if number else WORDS[cause] for cause, number in _read(family, code))


def is_overload(family: Family, code: int) -> bool:
    """Whether an overload is among the causes."""
    return Cause.OVERLOAD in causes(family, code)


def _read(family: Family, code: int) -> list[tuple[Cause, str]]:
    """Causes, each with the number that stands for it when it is unknown."""
    if family == "y":
        known = Y_ERRORS.get(code)
        if known is not None:
            return [(known.cause, "")]
        return [(Cause.UNKNOWN, f"code {code}")] if code else []
    found = []
    for bit in range(8):
        if code >> bit & 1:
            cause = Cause.UNKNOWN if bit == 1 and family != "p" else BITS.get(bit, Cause.UNKNOWN)
            found.append((cause, f"bit {bit}" if cause is Cause.UNKNOWN else ""))
    return found
