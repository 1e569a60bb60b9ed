# SPDX-License-Identifier: Apache-2.0
"""The motion limiter: jerk-limited motion from the last *emitted* command, inside every limit of the robot.

Ruckig (Berscheid and Kroeger, RSS 2021) computes a time-optimal trajectory to the target in every cycle. While
following, nothing that leaves here exceeds position limits, velocity, acceleration or jerk, whatever comes in; a hold
brakes up to STOP_FACTOR times harder, at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ruckig import ControlInterface, InputParameter, OutputParameter, Ruckig, RuckigError, Synchronization

from robots.robot import Robot

Array = NDArray[np.float64]

STOP_FACTOR = 3.0
"""A hold may brake this much harder than an ordinary motion accelerates; it gets there and lets go within one period
when following goes on."""

BRAKING_SHARE = 0.5
"""Share of the acceleration cap that is counted on to stop before a joint limit."""
FEED_SHARE = 0.9
"""A moving target is met with at most this share of the velocity cap, so that a lag can be made up."""

ON_TIME_SHARE, LEAST_SHARE = 0.9, 0.1
"""A step is a whole period from this share of it on, so that jitter is no motion; it is never less than the other."""

SOFT_START_S = 1.0
SOFT_START_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    """One emitted command: position [rad] and velocity [rad/s], both (n,)."""

    position_rad: Array
    velocity_rad_s: Array


class MotionLimiter:
    """Follows a target within the robot's limits; one call of ``follow`` or ``hold`` for each control period, or for
    what has `passed` of it."""

    def __init__(
        self, robot: Robot, period_s: float, lower_rad: Array | None = None, upper_rad: Array | None = None
    ) -> None:
        """Limits are the robot file's, or narrower ones that the servos themselves hold."""
        count = len(robot.joints)
        self._period_s = period_s
        self._lower = np.array([joint.min_rad for joint in robot.joints]) if lower_rad is None else lower_rad
        self._upper = np.array([joint.max_rad for joint in robot.joints]) if upper_rad is None else upper_rad
        self._velocity = np.array(robot.velocity_rad_s)
        self._acceleration = np.array(robot.acceleration_rad_s2)
        self._jerk = np.array(robot.jerk_rad_s3)
        self._stop = BRAKING_SHARE * self._acceleration
        self._lost = self._stop * self._stop / self._jerk
        """Velocity that is lost while a deceleration builds up."""
        self._lowest, self._highest = self._lower, self._upper
        self._otg = Ruckig(count, period_s)
        self._step_s = period_s
        self._input = InputParameter(count)
        self._output = OutputParameter(count)
        self._input.synchronization = Synchronization.No
        self._count = count
        self._since_engage_s = 0.0
        self._braking = False

    def start(self, measured_rad: Array) -> None:
        """Begin at rest at the measured position, with a soft start.

        A joint that is outside its limits (pushed there by hand while limp) stays there in a hold, and glides inside
        with the first motion; it never goes further out.

        Raises:
            ValueError: a position is not a finite number.
        """
        if not np.isfinite(measured_rad).all():
            raise ValueError(f"can't start from a pose that is not known: {measured_rad.tolist()}")
        self._lowest, self._highest = np.minimum(self._lower, measured_rad), np.maximum(self._upper, measured_rad)
        self._input.current_position = measured_rad.tolist()
        self._input.current_velocity = [0.0] * self._count
        self._input.current_acceleration = [0.0] * self._count
        self.soften()

    def soften(self) -> None:
        """Start slowly from here: the velocity cap rises from a quarter to full within a second."""
        self._since_engage_s = 0.0

    def passed(self, elapsed_s: float) -> None:
        """So much time lies between the last step and the next one. More than a period counts as one: a stall is no
        reason for a big step."""
        share = min(max(elapsed_s / self._period_s, LEAST_SHARE), 1.0)
        self._step_s = self._otg.delta_time = self._period_s * (1.0 if share > ON_TIME_SHARE else share)

    def follow(self, target_rad: Array, velocity_rad_s: Array | None = None, share: float = 1.0) -> Step:
        """One period towards the target; the target is clipped to the joint limits, one with a NaN is a hold.

        Args:
            target_rad: where to (n,).
            velocity_rad_s: how fast the target itself moves (n,), finite; it is met at that speed, not at rest, as far
                as velocity caps and the way to the next joint limit allow.
            share: of the velocity caps, for slow motions.
        """
        if np.isnan(target_rad).any():
            return self.hold()
        if self._braking:
            self._let_go_of_the_brake()
        rise = min(1.0, self._since_engage_s / SOFT_START_S)
        share *= SOFT_START_SHARE + (1.0 - SOFT_START_SHARE) * rise
        self._since_engage_s += self._step_s
        self._input.control_interface = ControlInterface.Position
        self._input.max_velocity = (self._velocity * share).tolist()
        self._input.max_acceleration = self._acceleration.tolist()
        self._input.max_jerk = self._jerk.tolist()
        target = np.clip(target_rad, self._lower, self._upper)
        self._input.target_position = target.tolist()
        if velocity_rad_s is None:
            self._input.target_velocity = [0.0] * self._count
        else:
            self._input.target_velocity = self._meetable(target, velocity_rad_s, share).tolist()
        self._input.target_acceleration = [0.0] * self._count
        return self._advance()

    def _meetable(self, target: Array, velocity: Array, share: float) -> Array:
        """As much of a target's velocity as leaves room to stop before the joint limit behind it."""
        way = np.where(velocity >= 0.0, self._upper - target, target - self._lower)
        room = np.sqrt(2.0 * self._stop * np.maximum(way, 0.0) + self._lost * self._lost) - self._lost
        most = np.minimum(room, FEED_SHARE * share * self._velocity)
        met: Array = np.minimum(np.maximum(velocity, -most), most)
        return met

    def hold(self) -> Step:
        """One period of braking to standstill, and then of standing still."""
        self._input.control_interface = ControlInterface.Velocity
        self._braking = True
        braking = self._acceleration * STOP_FACTOR
        self._input.max_acceleration = braking.tolist()
        self._input.max_jerk = np.maximum(self._jerk, braking / self._step_s).tolist()
        self._input.target_velocity = [0.0] * self._count
        self._input.target_acceleration = [0.0] * self._count
        return self._advance()

    def _let_go_of_the_brake(self) -> None:
        """Keep no more of the hold's deceleration than an ordinary motion may have and can end without turning."""
        self._braking = False
        acceleration = np.array(self._input.current_acceleration)
        velocity = np.array(self._input.current_velocity)
        kept = np.sqrt(2.0 * self._jerk * np.abs(velocity))
        kept = np.minimum(np.minimum(kept, self._acceleration), np.abs(acceleration))
        kept[acceleration * velocity >= 0] = 0.0
        self._input.current_acceleration = (np.sign(acceleration) * kept).tolist()

    def _advance(self) -> Step:
        before = self._input.current_position
        try:
            self._otg.update(self._input, self._output)
        except RuckigError:
            self._input.current_velocity = [0.0] * self._count
            self._input.current_acceleration = [0.0] * self._count
            return Step(np.array(before), np.zeros(self._count))
        self._output.pass_to_input(self._input)
        position = np.clip(np.array(self._output.new_position), self._lowest, self._highest)
        self._lowest = np.maximum(self._lowest, np.minimum(self._lower, position))
        self._highest = np.minimum(self._highest, np.maximum(self._upper, position))
        self._input.current_position = position.tolist()
        return Step(position, np.array(self._output.new_velocity))
