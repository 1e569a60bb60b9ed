# SPDX-License-Identifier: Apache-2.0
"""Raw units of X-series servos, which the fingers of a hand have, to SI and back (e-Manual, "Unit").

Every other model's units are in `drivers.servo_model`. Every function takes a number or an array of any shape and
returns the same shape.
"""

from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

TICKS_PER_REVOLUTION = 4096
CENTRE_TICKS = 2048
"""Position register at joint angle 0."""
RAD_PER_TICK = 2.0 * pi / TICKS_PER_REVOLUTION
RAD_S_PER_UNIT = 0.229 * 2.0 * pi / 60.0
"""Velocity unit, 0.229 rpm."""
WATCHDOG_UNIT_MS = 20
RETURN_DELAY_UNIT_NS = 2_000

Floats = NDArray[np.float64]


def rad_from_ticks(ticks: ArrayLike) -> Floats:
    """Position register to joint angle, rad; 2048 is 0."""
    return (np.asarray(ticks, dtype=np.float64) - CENTRE_TICKS) * RAD_PER_TICK


def ticks_from_rad(position_rad: ArrayLike) -> Floats:
    """Joint angle in rad to the nearest position register value; whole numbers, whether or not the register holds
    them."""
    ticks: Floats = np.rint(np.asarray(position_rad, dtype=np.float64) / RAD_PER_TICK + CENTRE_TICKS)
    return ticks


def rad_s_from_raw(velocity: ArrayLike) -> Floats:
    """Velocity register to rad/s."""
    return np.asarray(velocity, dtype=np.float64) * RAD_S_PER_UNIT


def int32_from_bytes(data: bytes) -> NDArray[np.int32]:
    """Little-endian signed 32-bit registers, side by side, to an array."""
    return np.frombuffer(data, dtype="<i4").astype(np.int32)


def watchdog_raw(timeout_ms: int) -> int:
    """Bus watchdog time to its register value: units of 20 ms, 1 … 127. ValueError otherwise."""
    raw, rest = divmod(timeout_ms, WATCHDOG_UNIT_MS)
    if rest or not 1 <= raw <= 127:
        raise ValueError(f"a bus watchdog is a multiple of 20 ms from 20 to 2540 ms, found {timeout_ms}")
    return raw
