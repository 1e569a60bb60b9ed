# SPDX-License-Identifier: Apache-2.0
"""Values of registers as people write and read them: ``90deg``, ``1.2rad``, ``300mA``, ``on``, or the raw number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, pi

from drivers.control_table import ControlTable, Item
from drivers.servo_model import ServoModel
from drivers.servo_tools import Known
from drivers.servo_tools_words import choices, words
from graph.errors import InputError

RPM = 2.0 * pi / 60.0
ACCELERATION_RAD_S2: Mapping[str, float] = {
    "x": 214.577 * 2.0 * pi / 3600.0,
    "p": 2.0 * pi / 3600.0,
    "y": 20.0 * pi / 3600.0,
}
"""Profile acceleration units: 214.577, 1 and 10 rev/min² (e-Manual, "Unit", X, P and Y series)."""

TIME_BASED_PROFILE = 4
"""Drive Mode bit 2: profile registers are milliseconds."""

SHOWN_TWICE = ("deg", "rad/s")
"""Units that are shown with a second one beside them: degrees with radians, rad/s with rpm."""

_NUMBER = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)$", re.IGNORECASE)


class ValueTextError(InputError):
    """A value that a register can't take. Scenarios: a unit of another quantity, out of range, a fraction without a
    unit. The message names the units and the range."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How a register counts: ``value = (raw - zero) * scale`` for each symbol; the first is shown."""

    scales: Mapping[str, float]
    zero: int = 0


def unit_of(item: Item, known: Known, drive_mode: int = 0) -> Unit | None:
    """The unit of a register; None for a plain number.

    Args:
        item: the register.
        known: model of the device.
        drive_mode: its Drive Mode, which turns profile registers into times.
    """
    name, servo = item.name, known.servo
    if name == "Return Delay Time":
        return Unit({"us": 2.0})
    if name == "Bus Watchdog":
        return Unit({"ms": 20.0})
    if name == "Realtime Tick":
        return Unit({"ms": 1.0})
    if "Temperature" in name:
        return Unit({"degC": 1.0, "C": 1.0})
    if "PWM" in name and "PWM Limit" in known.table:
        return Unit({"%": 100.0 / (known.table["PWM Limit"].maximum or 1)})
    if servo is None:
        return Unit({"V": 0.1, "mV": 100.0}) if "Voltage" in name else None
    return _servo_unit(name, servo, drive_mode)


def _servo_unit(name: str, servo: ServoModel, drive_mode: int) -> Unit | None:
    if "Gain" in name or "LPF" in name or "Excitation" in name or "Overexcitation" in name:
        return None
    if name.startswith("Profile") and (name.endswith("Time") or (drive_mode & TIME_BASED_PROFILE)):
        return Unit({"ms": 0.2 if servo.family == "y" else 1.0, "s": 0.0002 if servo.family == "y" else 0.001})
    if "Position Limit Threshold" in name or name in ("Homing Offset", "In-Position Threshold"):
        return _angle(servo, 0)
    if "Position" in name:
        return _angle(servo, servo.centre_ticks)
    if "Velocity" in name or name == "Moving Threshold":
        scale = servo.rad_s_per_unit
        return Unit({"rad/s": scale, "rpm": scale / RPM, "deg/s": scale * 180.0 / pi})
    if "Current" in name:
        return Unit({"mA": servo.ma_per_unit, "A": servo.ma_per_unit / 1000.0})
    if "Voltage" in name:
        return Unit({"V": servo.volt_per_unit, "mV": servo.volt_per_unit * 1000.0})
    if "Acceleration" in name:
        return Unit({"rad/s2": ACCELERATION_RAD_S2[servo.family]})
    return None


def _angle(servo: ServoModel, zero: int) -> Unit:
    scale = servo.rad_per_tick
    return Unit({"deg": scale * 180.0 / pi, "rad": scale, "rev": scale / (2.0 * pi)}, zero)


def describe(item: Item, raw: int, known: Known, drive_mode: int = 0) -> str:
    """A raw value in units and words: ``+12.3 deg = +0.215 rad``, ``overload, overheating``, ``1000000 baud``."""
    if item.name.startswith("Baud Rate"):
        return f"{known.table.baud_rates[raw]} baud" if raw in known.table.baud_rates else "no known speed"
    if item.name == "Model Number":
        return known.name
    said = words(item.name, raw)
    unit = unit_of(item, known, drive_mode)
    if said or unit is None:
        return said
    symbols = list(unit.scales)
    shown = symbols[:2] if symbols[0] in SHOWN_TWICE else symbols[:1]
    return " = ".join(_show((raw - unit.zero) * unit.scales[symbol], symbol) for symbol in shown)


def parse_value(text: str, item: Item, known: Known, drive_mode: int = 0) -> int:
    """What a person wrote to the raw value of a register.

    Raises:
        ValueTextError: not a value of this register.
    """
    stripped = text.strip()
    named = {word.casefold(): value for word, value in choices(item.name).items()}
    if stripped.casefold() in named:
        return _checked(named[stripped.casefold()], text, item, known, drive_mode)
    if re.fullmatch(r"[+-]?0x[0-9a-f]+", stripped, re.IGNORECASE):
        return _checked(int(stripped, 16), text, item, known, drive_mode)
    match = _NUMBER.match(stripped)
    if match is None:
        raise ValueTextError(f"{item.name}: {text!r} is no value; {_takes(item, known, drive_mode)}")
    number, suffix = float(match[1]), match[2].strip().replace("°C", "C").replace("°", "deg")
    if not isfinite(number):
        raise ValueTextError(f"{item.name}: {text!r} is no finite number; {_takes(item, known, drive_mode)}")
    return _checked(_raw(number, suffix, text, item, known, drive_mode), text, item, known, drive_mode)


def _raw(number: float, suffix: str, text: str, item: Item, known: Known, drive_mode: int) -> int:
    if item.name.startswith("Baud Rate") and (suffix.casefold() in ("baud", "bps") or number > item_maximum(item)):
        return known.table.baud_index(round(number))
    if not suffix:
        if number != round(number):
            raise ValueTextError(
                f"{item.name}: {text!r} without a unit should be a whole number; {_takes(item, known, drive_mode)}"
            )
        return round(number)
    unit = unit_of(item, known, drive_mode)
    symbols = {symbol.casefold(): symbol for symbol in unit.scales} if unit is not None else {}
    if unit is None or suffix.casefold() not in symbols:
        raise ValueTextError(f"{item.name}: no unit {suffix!r} here; {_takes(item, known, drive_mode)}")
    return round(number / unit.scales[symbols[suffix.casefold()]]) + unit.zero


def item_maximum(item: Item) -> int:
    """Largest raw value of a register: its own bound, else that of its size."""
    return item.maximum if item.maximum is not None else (1 << (8 * item.size - item.signed)) - 1


def item_minimum(item: Item) -> int:
    """Smallest raw value of a register."""
    if item.minimum is not None:
        return item.minimum
    return -(1 << (8 * item.size - 1)) if item.signed else 0


def readable(table: ControlTable) -> list[Item]:
    """Registers for people: without indirect addresses and tables of a hand controller, which are the driver's."""
    return [item for item in table.items if not item.name.startswith(("Indirect", "SyncTable"))]


def _checked(raw: int, text: str, item: Item, known: Known, drive_mode: int) -> int:
    if not item_minimum(item) <= raw <= item_maximum(item):
        raise ValueTextError(f"{item.name}: {text!r} is out of range; {_takes(item, known, drive_mode)}")
    return raw


def _takes(item: Item, known: Known, drive_mode: int) -> str:
    low, high = item_minimum(item), item_maximum(item)
    text = f"it takes raw {low} … {high}"
    unit = unit_of(item, known, drive_mode)
    if unit is not None:
        symbol = next(iter(unit.scales))
        ends = [_show((raw - unit.zero) * unit.scales[symbol], symbol) for raw in (low, high)]
        text += f", that is {ends[0]} … {ends[1]}; units: {', '.join(unit.scales)}"
    if item.name.startswith("Baud Rate"):
        text += f", or a speed: {', '.join(str(rate) for rate in known.table.baud_rates.values())}"
    if choices(item.name):
        text += f"; words: {', '.join(choices(item.name))}"
    return text


def _show(value: float, symbol: str) -> str:
    digits = {"deg": 2, "rad": 4, "rad/s": 3, "rpm": 2, "V": 1, "A": 2, "%": 1}.get(symbol, 0)
    return f"{value:.{digits}f} {symbol}"
