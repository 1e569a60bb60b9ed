# SPDX-License-Identifier: Apache-2.0
"""Raw servo units to SI and back: the one file where raw units are converted. X-series scales (e-Manual, "Unit").

Scalars and arrays alike: every function takes a number or an array of any shape and returns the same shape.
"""

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

TICKS_PER_REVOLUTION = 4096
CENTRE_TICKS = 2048
"""Position register at joint angle 0."""
RAD_PER_TICK = 2.0 * pi / TICKS_PER_REVOLUTION
RAD_S_PER_UNIT = 0.229 * 2.0 * pi / 60.0
"""Velocity unit, 0.229 rpm."""
RAD_S2_PER_UNIT = 214.577 * 2.0 * pi / 3600.0
"""Profile acceleration unit, 214.577 rev/min²."""
TICKS_S_PER_UNIT = 0.229 / 60.0 * TICKS_PER_REVOLUTION
"""Velocity unit in position ticks per second."""
TICKS_S2_PER_UNIT = 214.577 / 3600.0 * TICKS_PER_REVOLUTION
"""Profile acceleration unit in position ticks per second²."""
WATCHDOG_UNIT_MS = 20
RETURN_DELAY_UNIT_NS = 2_000
VOLT_PER_UNIT = 0.1

MA_PER_UNIT: Mapping[str, float] = MappingProxyType({"xm430_w350": 2.69, "xm335_t323": 1.0})
"""Current unit of each model string, mA."""

_INT32 = np.iinfo(np.int32)
_INT16 = np.iinfo(np.int16)

Floats = NDArray[np.float64]


def rad_from_ticks(ticks: ArrayLike) -> Floats:
    """Position register to joint angle, rad; 2048 is 0."""
    return (np.asarray(ticks, dtype=np.float64) - CENTRE_TICKS) * RAD_PER_TICK


def ticks_from_rad(position_rad: ArrayLike) -> NDArray[np.int32]:
    """Joint angle in rad to the nearest position register value. ValueError for a NaN or an angle off the register."""
    return _round(np.asarray(position_rad, dtype=np.float64) / RAD_PER_TICK + CENTRE_TICKS, "position").astype(np.int32)


def rad_s_from_raw(velocity: ArrayLike) -> Floats:
    """Velocity register to rad/s."""
    return np.asarray(velocity, dtype=np.float64) * RAD_S_PER_UNIT


def raw_from_rad_s(velocity_rad_s: ArrayLike) -> NDArray[np.int32]:
    """Velocity in rad/s to the nearest register value."""
    return _round(np.asarray(velocity_rad_s, dtype=np.float64) / RAD_S_PER_UNIT, "velocity").astype(np.int32)


def ma_from_raw(current: ArrayLike, model: str) -> Floats:
    """Current register of a model to mA."""
    return np.asarray(current, dtype=np.float64) * MA_PER_UNIT[model]


def raw_from_ma(current_ma: ArrayLike, model: str) -> NDArray[np.int16]:
    """Current in mA to the nearest register value of a model."""
    raw = _round(np.asarray(current_ma, dtype=np.float64) / MA_PER_UNIT[model], "current")
    if np.any(raw < _INT16.min) or np.any(raw > _INT16.max):
        raise ValueError(f"current {current_ma!r} mA does not fit a 16-bit register of {model}")
    return raw.astype(np.int16)


def int16_from_bytes(data: bytes) -> NDArray[np.int16]:
    """Little-endian signed 16-bit registers, side by side, to an array."""
    return np.frombuffer(data, dtype="<i2").astype(np.int16)


def int32_from_bytes(data: bytes) -> NDArray[np.int32]:
    """Little-endian signed 32-bit registers, side by side, to an array."""
    return np.frombuffer(data, dtype="<i4").astype(np.int32)


def int16_to_bytes(values: ArrayLike) -> bytes:
    """Array of whole numbers to little-endian signed 16-bit registers. ValueError when one doesn't fit."""
    return _narrow(values, _INT16).astype("<i2").tobytes()


def int32_to_bytes(values: ArrayLike) -> bytes:
    """Array of whole numbers to little-endian signed 32-bit registers. ValueError when one doesn't fit."""
    return _narrow(values, _INT32).astype("<i4").tobytes()


def watchdog_raw(timeout_ms: int) -> int:
    """Bus watchdog time to its register value: units of 20 ms, 1 … 127. ValueError otherwise."""
    raw, rest = divmod(timeout_ms, WATCHDOG_UNIT_MS)
    if rest or not 1 <= raw <= 127:
        raise ValueError(f"a bus watchdog is a multiple of 20 ms from 20 to 2540 ms, found {timeout_ms}")
    return raw


def _narrow(values: ArrayLike, kind: "np.iinfo[np.int16] | np.iinfo[np.int32]") -> NDArray[np.int64]:
    wide = np.asarray(values, dtype=np.int64)
    if np.any(wide < kind.min) or np.any(wide > kind.max):
        raise ValueError(f"values should lie in {kind.min} … {kind.max}, found {values!r}")
    return wide


def _round(raw: Floats, what: str) -> Floats:
    rounded = np.rint(raw)
    if not np.all(np.isfinite(rounded)) or np.any(rounded < _INT32.min) or np.any(rounded > _INT32.max):
        raise ValueError(f"{what} should be a finite number within the register, found raw {raw}")
    return rounded
