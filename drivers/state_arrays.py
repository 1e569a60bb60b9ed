# SPDX-License-Identifier: Apache-2.0
"""State of all joints of one cycle, filled by the lines; a step that no servo could have made is not believed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64] | slice

FASTER = 3.0
"""A joint may be pushed faster than its cap allows it to drive, but not without limit."""
ALWAYS_RAD, ALWAYS_M = 0.1, 0.005
"""Steps up to this are believed at any time: backlash, a joint let go under load."""


def as_index(places: Sequence[int]) -> Index:
    """Places in the robot's joint order, as a slice where they stand side by side: that is faster."""
    first = places[0] if places else 0
    side_by_side = list(places) == list(range(first, first + len(places)))
    return slice(first, first + len(places)) if side_by_side else np.array(places)


class StateArrays:
    """Position [rad], velocity [rad/s], current [mA] of all joints (n,), NaN where nothing credible came.

    The gate is for what a CRC of 16 bits lets through: one damaged packet in 65536. A step larger than what the joint
    can have moved since its last credible position is rejected; the longer nothing was believed, the more is possible,
    so a joint that really was moved is believed again soon.
    """

    def __init__(self, velocity_cap_rad_s: Array, prismatic: Flags | None = None) -> None:
        count = len(velocity_cap_rad_s)
        sliding = np.zeros(count, bool) if prismatic is None else prismatic
        self._always = np.where(sliding, ALWAYS_M, ALWAYS_RAD)
        self._reach_rad_s = FASTER * velocity_cap_rad_s
        self._last = np.full(count, np.nan)
        self._last_ns = np.zeros(count, np.int64)
        self._now_ns = 0
        self._nothing, self._nobody = np.full((3, count), np.nan), np.zeros((2, count), bool)
        self.rejected = 0
        self.begin(0)

    def begin(self, now_ns: int) -> None:
        """A new cycle: nothing is known yet."""
        self._now_ns = now_ns
        self.position_rad, self.velocity_rad_s, self.current_ma = self._nothing.copy()
        self.fresh, self.alert = self._nobody.copy()

    def forget(self) -> None:
        """Believe the next position of every joint whatever it is: the robot was set up anew."""
        self._last[:] = np.nan

    def forget_one(self, index: int) -> None:
        """What was noted of this joint in this cycle is not its state."""
        self.position_rad[index] = self.velocity_rad_s[index] = self.current_ma[index] = np.nan
        self.fresh[index] = False

    def note(
        self,
        index: Index,
        position: Array,
        velocity: Array,
        current: Array,
        good: Flags | None = None,
        alert: Flags | None = None,
    ) -> None:
        """Answers of some joints: ``index`` (k,) and everything else (k,).

        ``good`` are those that answered properly, ``alert`` those that report an error; None: all, and nobody.
        """
        elapsed_s = (self._now_ns - self._last_ns[index]) * 1e-9
        step = np.abs(position - self._last[index])
        reach = self._always[index] + self._reach_rad_s[index] * elapsed_s
        incredible = step > reach  # False where nothing is known yet
        if incredible.any():
            answered = incredible if good is None else good & incredible  # where nothing came stand zeros
            self.rejected += int(answered.sum())
            good = ~incredible if good is None else good & ~incredible
        if alert is not None:
            self.alert[index] = alert
        if good is None:
            self.position_rad[index], self.velocity_rad_s[index], self.current_ma[index] = position, velocity, current
            self.fresh[index] = True
            self._last[index], self._last_ns[index] = position, self._now_ns
            return
        at = np.arange(len(self._last))[index][good]
        self.position_rad[at], self.velocity_rad_s[at] = position[good], velocity[good]
        self.current_ma[at] = current[good]
        self.fresh[at] = True
        self._last[at], self._last_ns[at] = position[good], self._now_ns
