# SPDX-License-Identifier: Apache-2.0
"""How a virtual servo's shaft moves: trapezoid profiles and a first-order lag, in closed form.

Positions are encoder ticks (float), velocities ticks/s. Nothing steps or sleeps: `Shaft.advance` jumps to any later
time, exactly, so that the cost doesn't depend on how long nobody looked.
"""

from math import copysign, exp, sqrt
from typing import NamedTuple

LAG_S = 0.015
"""Time constant with which the shaft follows its profile; ours, the order of a small geared servo."""
_AT_REST_TICKS = 1e-3


class Phase(NamedTuple):
    """A stretch of constant acceleration: duration in s, velocities at both ends in ticks/s."""

    duration_s: float
    start_ticks_s: float
    end_ticks_s: float


def plan_by_velocity(distance: float, velocity: float, top: float, acceleration: float) -> tuple[Phase, ...]:
    """Velocity-based profile over ``distance`` ticks, starting at ``velocity``.

    Args:
        distance: ticks, signed.
        velocity: ticks/s at the start, signed.
        top: largest velocity, ticks/s, above 0.
        acceleration: ticks/s²; 0 means no limit, as in the servo's register.
    """
    if acceleration <= 0.0:
        cruise = copysign(top, distance)
        return (Phase(abs(distance) / top, cruise, cruise),) if distance else ()
    way = 1.0 if distance >= velocity * abs(velocity) / (2.0 * acceleration) else -1.0
    ahead, start = way * distance, way * velocity
    cruise = min(top, sqrt(max(acceleration * ahead + start * start / 2.0, 0.0)))
    rise_s, fall_s = abs(cruise - start) / acceleration, cruise / acceleration
    flat = ahead - (start + cruise) / 2.0 * rise_s - cruise / 2.0 * fall_s
    flat_s = max(flat, 0.0) / cruise if cruise > 0.0 else 0.0
    return (
        Phase(rise_s, velocity, way * cruise),
        Phase(flat_s, way * cruise, way * cruise),
        Phase(fall_s, way * cruise, 0.0),
    )


def plan_by_time(distance: float, velocity: float, top: float, duration_s: float, ramp_s: float) -> tuple[Phase, ...]:
    """Time-based profile (Drive Mode bit 2): ``duration_s`` in all, ``ramp_s`` of it at each end.

    The ramp takes at most half of the duration (e-Manual, "Profile Acceleration"). Where ``top`` is too slow for the
    distance the motion takes longer.
    """
    if duration_s <= 0.0:
        return plan_by_velocity(distance, velocity, top, 0.0)
    ramp_s = min(ramp_s, duration_s / 2.0)
    after_ramp = distance - velocity * ramp_s / 2.0
    duration_s = max(duration_s, ramp_s + abs(after_ramp) / top)
    cruise = after_ramp / (duration_s - ramp_s)
    return (
        Phase(ramp_s, velocity, cruise),
        Phase(duration_s - 2.0 * ramp_s, cruise, cruise),
        Phase(ramp_s, cruise, 0.0),
    )


class Shaft:
    """Where the shaft is, where its profile is, and how both go on."""

    __slots__ = ("_elapsed_s", "_goal", "_phases", "position", "reference", "time_ns")

    def __init__(self, position: float) -> None:
        self.position = position
        """Encoder ticks, not wrapped."""
        self.reference = position
        """Where the profile is now, ticks."""
        self.time_ns = 0
        self._goal = position
        self._phases: tuple[Phase, ...] = ()
        self._elapsed_s = 0.0

    @property
    def velocity(self) -> float:
        """Shaft velocity, ticks/s."""
        return (self.reference - self.position) / LAG_S

    @property
    def reference_velocity(self) -> float:
        """Velocity of the profile, ticks/s."""
        if not self._phases:
            return 0.0
        phase = self._phases[0]
        if phase.duration_s <= 0.0:
            return phase.end_ticks_s
        share = self._elapsed_s / phase.duration_s
        return phase.start_ticks_s + (phase.end_ticks_s - phase.start_ticks_s) * share

    @property
    def profile_runs(self) -> bool:
        """True until the profile has reached the goal; the shaft follows a little later."""
        return bool(self._phases)

    def follow(self, goal: float, phases: tuple[Phase, ...]) -> None:
        """Follow a new profile from here; it ends at ``goal``."""
        self._goal = goal
        self._phases = phases
        self._elapsed_s = 0.0
        if not phases:
            self.reference = goal

    def stop(self) -> None:
        """Stand still here and forget the profile."""
        self.put(self.position)

    def put(self, position: float) -> None:
        """Stand at ``position``: somebody turned the shaft, or its turn counter was cleared."""
        self.position = self.reference = self._goal = position
        self._phases = ()
        self._elapsed_s = 0.0

    def brake(self, duration_s: float) -> None:
        """Slow down evenly to a standstill and forget the goal."""
        velocity = self.velocity
        if duration_s <= 0.0 or velocity == 0.0:
            self.stop()
            return
        self.reference = self.position + LAG_S * velocity
        self.follow(self.reference + velocity * duration_s / 2.0, (Phase(duration_s, velocity, 0.0),))

    def advance(self, to_ns: int) -> None:
        """Move on to the time ``to_ns``; an earlier time than the last one changes nothing."""
        left_s = (to_ns - self.time_ns) * 1e-9
        if left_s <= 0.0:
            return
        self.time_ns = to_ns
        while self._phases and left_s > 0.0:
            left_s = self._advance_phase(left_s)
        if left_s > 0.0 and self.position != self.reference:
            gap = (self.position - self.reference) * exp(-left_s / LAG_S)
            self.position = self.reference + (gap if abs(gap) > _AT_REST_TICKS else 0.0)

    def _advance_phase(self, left_s: float) -> float:
        """Spend up to ``left_s`` in the current phase; returns what is left."""
        duration_s, first, last = self._phases[0]
        elapsed_s = self._elapsed_s
        step_s = min(left_s, duration_s - elapsed_s)
        if step_s > 0.0:
            acceleration = (last - first) / duration_s
            start = first + acceleration * elapsed_s
            end = start + acceleration * step_s
            # position' = (reference - position) / lag has this solution for a quadratic reference
            behind = LAG_S * LAG_S * acceleration
            fade = (self.position - (self.reference - LAG_S * start + behind)) * exp(-step_s / LAG_S)
            self.reference += (start + end) / 2.0 * step_s
            self.position = self.reference - LAG_S * end + behind + fade
            self._elapsed_s = elapsed_s = elapsed_s + step_s
        if elapsed_s >= duration_s - 1e-12:
            self._phases = self._phases[1:]
            self._elapsed_s = 0.0
            if not self._phases:
                self.reference = self._goal
        return left_s - max(step_s, 0.0)
