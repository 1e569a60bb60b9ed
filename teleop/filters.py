# SPDX-License-Identifier: Apache-2.0
"""One-Euro filter (Casiez, Roussel, Vogel: "1€ Filter", CHI 2012) over a whole vector."""

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LONGEST_STEP_S = 0.2
"""After a longer pause the filter starts afresh: the old value says nothing about the new one."""


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """minimum_hz: cut-off at rest; beta: how much faster it gets per unit/s; derivative_hz: cut-off of the speed."""

    minimum_hz: float = 1.2
    beta: float = 0.6
    derivative_hz: float = 2.0


class OneEuroFilter:
    """Smooth at rest, quick in motion. Every element has its own cut-off."""

    def __init__(self, settings: OneEuroSettings | None = None) -> None:
        self._settings = settings or OneEuroSettings()
        self._value: Array | None = None
        self._speed: Array | None = None
        self._stamp_ns = 0

    def reset(self) -> None:
        """Forget everything; the next value passes unchanged."""
        self._value = None

    def __call__(self, value: Array, stamp_ns: int) -> Array:
        """Filter one sample taken at ``stamp_ns``; a stamp that does not advance returns the last output."""
        elapsed_s = (stamp_ns - self._stamp_ns) * 1e-9
        if self._value is None or self._speed is None or elapsed_s > LONGEST_STEP_S:
            self._value, self._speed, self._stamp_ns = value.copy(), np.zeros_like(value), stamp_ns
            return value.copy()
        if elapsed_s <= 0:
            return self._value.copy()
        settings = self._settings
        raw_speed = (value - self._value) / elapsed_s
        share = _smoothing(np.float64(settings.derivative_hz), elapsed_s)
        self._speed = self._speed + share * (raw_speed - self._speed)
        cutoff_hz = settings.minimum_hz + settings.beta * np.abs(self._speed)
        self._value = self._value + _smoothing(cutoff_hz, elapsed_s) * (value - self._value)
        self._stamp_ns = stamp_ns
        return np.asarray(self._value.copy())


def _smoothing(cutoff_hz: Array | np.float64, elapsed_s: float) -> Array | np.float64:
    """Share of the new value for a cut-off frequency and a time step."""
    product = 2 * pi * cutoff_hz * elapsed_s
    return product / (1 + product)
