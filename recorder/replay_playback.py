# SPDX-License-Identifier: Apache-2.0
"""A plan in the course of time: played, paused, taken up again. Handed the time; what it says is sent to the driver."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recorder.errors import ReplayError
from recorder.replay import Phase, ReplayPlan, minimum_jerk, ramp_duration_s

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Ramp:
    """The way to where the motion goes on; it begins at ``since_ns``."""

    start: Float64
    aim: Float64
    since_ns: int
    duration_ns: int


class Playback:
    """One run of a plan.

    While it is paused the target stands still. Going on is a ramp of its own, from where the robot is asked to be to
    the pose at which the motion was interrupted; only then does the recorded motion run again.
    """

    def __init__(self, plan: ReplayPlan, start_ns: int, ramp_speed_rad_s: float = 0.5) -> None:
        """Begin with the plan's own ramp at ``start_ns`` [ns]; ``ramp_speed_rad_s`` is for the ramps after pauses."""
        self._plan, self._speed = plan, ramp_speed_rad_s
        self._ramp: _Ramp | None = _Ramp(plan.start, plan.actions[0], start_ns, round(plan.ramp_s * 1e9))
        self._along_ns = 0
        self._since_ns: int | None = None
        self._target = plan.start.copy()
        self._paused = False
        self._played: list[tuple[int, int, int]] = []
        self.pauses = 0

    @property
    def paused(self) -> bool:
        """Whether it stands still until somebody says otherwise."""
        return self._paused

    @property
    def target(self) -> Float64:
        """(J,) what was asked for last [rad]."""
        return self._target

    def share(self, now_ns: int) -> float:
        """How much of the recorded motion has been played, 0 … 1."""
        end_s = float(self._plan.times_s[-1])
        return min(1.0, self._along_at(now_ns) / 1e9 / end_s) if end_s > 0.0 else 1.0

    def over(self, now_ns: int, settle_s: float) -> bool:
        """Whether the last action was held for ``settle_s``."""
        return not self._paused and self._along_at(now_ns) > (float(self._plan.times_s[-1]) + settle_s) * 1e9

    def step(self, now_ns: int) -> tuple[Float64, Phase]:
        """Where the robot should be now, (J,) rad, and the phase."""
        if self._paused:
            return self._target, Phase.PAUSED
        if self._ramp is not None:
            elapsed_ns = now_ns - self._ramp.since_ns
            if elapsed_ns < self._ramp.duration_ns:
                share = minimum_jerk(max(0, elapsed_ns) / self._ramp.duration_ns)
                self._target = self._ramp.start + share * (self._ramp.aim - self._ramp.start)
                return self._target, Phase.RAMP
            self._since_ns = self._ramp.since_ns + self._ramp.duration_ns
            self._ramp = None
        self._target, phase = self._plan.along(self._along_at(now_ns) / 1e9)
        return self._target, phase

    def pause(self, now_ns: int) -> None:
        """Stand still from now on.

        Raises:
            ReplayError: it does already.
        """
        if self._paused:
            raise ReplayError("the replay is paused already: resume or stop it")
        self.step(now_ns)
        self._note_played(now_ns)
        self._along_ns, self._since_ns = self._along_at(now_ns), None
        self._paused, self._ramp = True, None
        self.pauses += 1

    def resume(self, now_ns: int) -> float:
        """Go on: first slowly to where the motion was interrupted; returns how long that takes [s].

        Raises:
            ReplayError: it is not paused.
        """
        if not self._paused:
            raise ReplayError("the replay is not paused")
        aim, _ = self._plan.along(self._along_ns / 1e9)
        duration_s = ramp_duration_s(float(np.abs(aim - self._target).max()), self._speed)
        self._ramp = _Ramp(self._target.copy(), aim, now_ns, round(duration_s * 1e9))
        self._paused = False
        return duration_s

    def end(self, now_ns: int) -> None:
        """Nothing that comes after ``now_ns`` was played."""
        self._note_played(now_ns)
        self._along_ns, self._since_ns = self._along_at(now_ns), None

    def along_s(self, stamps_ns: Int64) -> Float64:
        """(N,) how far along the recorded motion each moment lies [s]; NaN for ramps and pauses."""
        along = np.full(len(stamps_ns), np.nan)
        for from_ns, to_ns, offset_ns in self._played:
            during = (stamps_ns >= from_ns) & (stamps_ns < to_ns)
            along[during] = (stamps_ns[during] - from_ns + offset_ns) / 1e9
        return along

    def _along_at(self, now_ns: int) -> int:
        return self._along_ns + (0 if self._since_ns is None else max(0, now_ns - self._since_ns))

    def _note_played(self, now_ns: int) -> None:
        if self._since_ns is not None:
            self._played.append((self._since_ns, now_ns, self._along_ns))
