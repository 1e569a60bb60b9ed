# SPDX-License-Identifier: Apache-2.0
"""A way without a jump from where joints of the robot stand to where the operator wants them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PEAK = 1.875
"""Highest speed of a minimum-jerk blend over its mean speed."""


@dataclass(frozen=True, slots=True)
class Blend:
    """A way from where a limb of the robot stands to where the operator wants it, without a jump.

    Attributes:
        start_rad: (k,) where it stands. offset_rad: (k,) that minus what the operator showed at the beginning.
        relative: the operator's motion counts fully from the first moment and only the offset fades; otherwise it
            counts more and more.
    """

    start_rad: Array
    offset_rad: Array
    begin_ns: int
    duration_ns: int
    relative: bool

    def mix(self, wanted_rad: Array, stamp_ns: int) -> Array:
        """Where the limb should be now, (k,)."""
        x = float(np.clip((stamp_ns - self.begin_ns) / self.duration_ns, 0.0, 1.0))
        share = x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
        if self.relative:
            return np.asarray(wanted_rad + (1.0 - share) * self.offset_rad)
        return np.asarray(self.start_rad + share * (wanted_rad - self.start_rad))

    def done(self, stamp_ns: int) -> bool:
        """Whether the operator's pose is all that counts."""
        return stamp_ns - self.begin_ns >= self.duration_ns


def blend_ns(offset_rad: Array, fastest_rad_s: Array, least_ns: int) -> int:
    """How long a blend over an offset (k,) [rad] takes that goes at most so fast (k,) [rad/s], and at least so long."""
    needed_s = PEAK * float((np.abs(offset_rad) / fastest_rad_s).max())
    return max(least_ns, round(needed_s * 1e9))
