# SPDX-License-Identifier: Apache-2.0
"""Registers whose value is a code or a set of bits, in words. Source: e-Manual, control tables of X, P and Y series."""

from collections.abc import Mapping
from types import MappingProxyType

from drivers.hardware_error import BITS, Y_ERRORS, Cause


def _short(cause: Cause) -> str:
    return cause.value.replace("-", " ")


OPERATING_MODES: Mapping[int, str] = MappingProxyType(
    {
        0: "current control",
        1: "velocity control",
        3: "position control",
        4: "extended position control (multi-turn)",
        5: "current-based position control",
        16: "PWM control",
    }
)

_BITS: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "Drive Mode": {
            0: "reverse",
            1: "slave of a dual joint",
            2: "time-based profile",
            3: "torque on by goal update",
            6: "dynamic brake",
        },
        "Hardware Error Status": {bit: _short(cause) for bit, cause in BITS.items()},
        "Startup Configuration": {0: "torque on at power-on", 1: "RAM values restored from backup"},
        "Moving Status": {0: "in position", 1: "profile runs", 3: "following error"},
    }
)

_CHOICES: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        "Operating Mode": OPERATING_MODES,
        "Status Return Level": {0: "answers pings only", 1: "answers pings and reads", 2: "answers everything"},
        "Torque Enable": {0: "off", 1: "on"},
        "Table Sync Enable": {0: "off", 1: "on"},
        "LED": {0: "off", 1: "on"},
        "Moving": {0: "stands", 1: "moves"},
        "Protocol Type": {1: "protocol 1.0", 2: "protocol 2.0"},
    }
)


def words(name: str, value: int) -> str:
    """Meaning of a register's value; empty where it is a plain number.

    Args:
        name: register, as in the e-Manual.
        value: raw value.
    """
    if name == "Shutdown":
        return f"stops at: {_bits('Hardware Error Status', value)}"
    if name == "Bus Watchdog" and value == -1:
        return "has fired: write 0 to clear it"
    if name in _BITS:
        return _bits(name, value)
    if name == "Error Code" or name.startswith("Error Code History"):
        return _short(Y_ERRORS[value].cause) if value in Y_ERRORS else "" if value else "none"
    if name == "Secondary ID":
        return "none" if value > 252 else ""
    return _CHOICES.get(name, {}).get(value, "")


def choices(name: str) -> Mapping[str, int]:
    """Words that may be written instead of a number: ``on``, ``position control``."""
    return {text: value for value, text in _CHOICES.get(name, {}).items()}


def _bits(name: str, value: int) -> str:
    known = _BITS[name]
    parts = [text for bit, text in known.items() if value >> bit & 1]
    rest = value & ~sum(1 << bit for bit in known)
    if rest > 0 and name != "Moving Status":
        parts.append(f"bits {rest:#x}")
    return ", ".join(parts) or "none"
