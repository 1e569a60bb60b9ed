# SPDX-License-Identifier: Apache-2.0
"""Where joints will be a moment from now, at the speed that they have: makes up for some of the delay, off by default.

Camera, inference, filters and servos come late. A target that is asked for a little earlier is met a little earlier;
where the operator turns round, the robot goes too far by what it was ahead. Fences are kept; but nothing here knows the
robot's own body: a predicted arm may come nearer to it than the arm's own target would.
"""

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from graph.errors import InputError

Array = NDArray[np.float64]
Guard = Callable[[Array, Array, Array, Array, float], Array]
"""From here (k,) [rad], wanted, lowest and highest step (k,) and time [s] to where joints may go: `FenceGuard.step`."""

MOST_MS = 100.0
"""A quick finger taps five times a second and turns round every 100 ms: what is farther ahead is guessed."""
WINDOW_NS = 60_000_000
"""A velocity that nobody knows is measured over so long: the body is looked for in every other frame of 30 Hz."""
LONGEST_STEP_NS = 100_000_000
"""A longer pause between two frames allows no longer step, and tells no velocity."""


def ahead(position_rad: Array, velocity_rad_s: Array, horizon_s: float, lower_rad: Array, upper_rad: Array) -> Array:
    """Positions (n,) after a time at constant velocity (n,), inside the limits (n,); finite in, finite out."""
    moved: Array = np.minimum(np.maximum(position_rad + horizon_s * velocity_rad_s, lower_rad), upper_rad)
    return moved


def checked_horizon_s(horizon_ms: float) -> float:
    """The horizon [s].

    Raises:
        InputError: it is negative, longer than `MOST_MS`, or no number.
    """
    if not 0.0 <= horizon_ms <= MOST_MS:
        raise InputError(f"prediction_ms should lie between 0 (off) and {MOST_MS:.0f} ms, found {horizon_ms}")
    return horizon_ms * 1e-3


class JointPrediction:
    """Predicts n joints from target to target; a horizon of 0 gives back what it gets.

    What comes out stays inside the limits, and moves no faster than the caps even where the velocity jumps.
    """

    def __init__(
        self,
        horizon_s: float,
        joints: NDArray[np.int_],
        lower_rad: Array,
        upper_rad: Array,
        fastest_rad_s: Array,
        guards: Sequence[tuple[NDArray[np.int_], Guard]] = (),
    ) -> None:
        """Take how far to look ahead [s], which joints of n are predicted, limits and caps (n,) of all, and what keeps
        some of the joints where they may be."""
        self._guards = tuple(guards)
        self._horizon_s = horizon_s
        self._chosen = np.zeros(len(lower_rad), dtype=bool)
        self._chosen[joints] = True
        self._lower, self._upper, self._fastest = lower_rad, upper_rad, fastest_rad_s
        self._past: deque[tuple[int, Array]] = deque()
        self._told: Array | None = None

    def reset(self) -> None:
        """Forget the last targets: the next one tells no velocity, and passes as it is."""
        self._past.clear()
        self._told = None

    def see(self, position_rad: Array, velocity_rad_s: Array, stamp_ns: int) -> tuple[Array, Array]:
        """What to ask for instead of a target.

        Args:
            position_rad: (n,) of the target. velocity_rad_s: (n,) how fast it moves, NaN where that is not known.
            stamp_ns: of its frame; newer than the last one's.

        Returns:
            position (n,), and the velocity (n,) that it was predicted with, 0 where that leads out of the limits. A
            driver need not derive it from positions that are ahead, which would be noisier. Joints that are not
            predicted are as they were given.
        """
        if self._horizon_s == 0.0:
            return position_rad, velocity_rad_s
        elapsed_ns = stamp_ns - self._past[-1][0] if self._past else 0
        if not 0 < elapsed_ns <= LONGEST_STEP_NS:
            self._past.clear()
        speed = np.where(np.isfinite(velocity_rad_s), velocity_rad_s, self._measured(position_rad, stamp_ns))
        self._past.append((stamp_ns, position_rad.copy()))
        speed = np.where(self._chosen, np.clip(speed, -self._fastest, self._fastest), 0.0)
        wanted = ahead(position_rad, speed, self._horizon_s, self._lower, self._upper)
        elapsed_s = min(max(elapsed_ns, 0), LONGEST_STEP_NS) * 1e-9
        self._told = np.where(self._chosen, self._step(wanted, elapsed_s, position_rad), position_rad)
        at_end = (self._told <= self._lower) & (speed < 0.0) | (self._told >= self._upper) & (speed > 0.0)
        return self._told.copy(), np.where(self._chosen, np.where(at_end, 0.0, speed), velocity_rad_s)

    def _step(self, wanted_rad: Array, elapsed_s: float, position_rad: Array) -> Array:
        """From what was asked last towards what is wanted, as far as caps and guards allow; (n,)."""
        here = position_rad if self._told is None else self._told
        reach = self._fastest * elapsed_s
        there = here + np.minimum(np.maximum(wanted_rad - here, -reach), reach)
        for joints, guard in self._guards:
            lower = np.maximum(np.minimum(self._lower - here, 0.0), -reach)[joints]
            upper = np.minimum(np.maximum(self._upper - here, 0.0), reach)[joints]
            there[joints] = guard(here[joints], there[joints], lower, upper, elapsed_s)
        return np.asarray(there)

    def _measured(self, position_rad: Array, stamp_ns: int) -> Array:
        """How fast targets have moved over the window (n,) [rad/s]; 0 until it is full."""
        while len(self._past) > 1 and stamp_ns - self._past[1][0] >= WINDOW_NS:
            self._past.popleft()
        if not self._past or stamp_ns - self._past[0][0] < WINDOW_NS:
            return np.zeros(len(position_rad))
        begin_ns, begin_rad = self._past[0]
        return np.asarray((position_rad - begin_rad) / ((stamp_ns - begin_ns) * 1e-9))
