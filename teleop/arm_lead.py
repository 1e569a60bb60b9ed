# SPDX-License-Identifier: Apache-2.0
"""Makes up for the lag that is known: of a smoothing filter, and of a measurement's own age.

A One-Euro filter trails what moves steadily by the time constant of its cut-off, and the body's landmarks are one or
two frames old when they are used. Both are known, so what is filtered is carried on for as long at the speed that it
has. Slow changes, which may be noise, are carried on less.
"""

from math import pi

import numpy as np

from robots.frames import Array
from teleop.filters import LONGEST_STEP_S, OneEuroFilter, OneEuroSettings

SPEED_HZ = 3.0
"""Cut-off of the speed."""
SLOW = 0.4
"""Unit a second: a speed that is carried on by half; slower, it may be noise."""
OLDEST_S = 0.1
"""Nothing is carried on for a longer age: a guess so far ahead is worse than a late one."""


class LeadingFilter:
    """Smooth at rest, quick and without lag in steady motion."""

    def __init__(self, settings: OneEuroSettings) -> None:
        self._settings, self._filter = settings, OneEuroFilter(settings)
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next value passes unchanged."""
        self._filter.reset()
        self._smooth: Array | None = None
        self._speed: Array | None = None
        self._stamp_ns = 0

    def __call__(self, value: Array, stamp_ns: int, age_s: float = 0.0) -> Array:
        """Filter one sample; ``stamp_ns`` advances from call to call, ``age_s`` is how much older the sample is."""
        smooth = self._filter(value, stamp_ns)
        elapsed_s = (stamp_ns - self._stamp_ns) * 1e-9
        before, self._smooth, self._stamp_ns = self._smooth, smooth, stamp_ns
        if before is None or self._speed is None or not 0.0 < elapsed_s <= LONGEST_STEP_S:
            self._speed = np.zeros_like(value)
            return smooth
        product = 2.0 * pi * SPEED_HZ * elapsed_s
        self._speed = self._speed + product / (1.0 + product) * ((smooth - before) / elapsed_s - self._speed)
        squares = self._speed * self._speed
        ahead_s = min(max(age_s, 0.0), OLDEST_S) + self._lag_s(np.abs(self._speed), elapsed_s)
        return np.asarray(smooth + squares / (squares + SLOW * SLOW) * self._speed * ahead_s)

    def _lag_s(self, speed: Array, elapsed_s: float) -> Array:
        """How far the filter trails steady motion: t = 1 / (2 pi cut-off).

        The filter takes the way from its last output to the new value for one step's, so it sees a speed that is
        1 + t / step times the true one.
        """
        rising = 2.0 * pi * self._settings.beta * speed
        linear = 2.0 * pi * self._settings.minimum_hz + rising
        return np.asarray(2.0 / (linear + np.sqrt(linear * linear + 4.0 * rising / elapsed_s)))
