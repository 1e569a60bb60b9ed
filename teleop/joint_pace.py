# SPDX-License-Identifier: Apache-2.0
"""Targets at a pace that the joints can follow: where a limb should be at this frame, and how fast it should move.

A hand opens within three camera frames; a servo needs ten. A target that runs away makes the motion limiter behind it
go from one cap to the other. This second-order follower (critically damped, speed and acceleration below the caps)
gives it a path that it can keep, and the path's velocity, so that nothing has to be differentiated again.
"""

from dataclasses import dataclass

import numpy as np

from robots.frames import Array

STEPS = 4
"""Of the integration, for every frame."""


@dataclass(frozen=True, slots=True)
class PaceSettings:
    """bandwidth_rad_s: of the follower. velocity_share, acceleration_share: of the joints' caps."""

    bandwidth_rad_s: float = 25.0
    velocity_share: float = 0.96
    acceleration_share: float = 0.75


class JointPace:
    """Follows targets of n joints; ``position_rad`` and ``velocity_rad_s`` (n,) are what it last gave."""

    def __init__(
        self,
        velocity_rad_s: Array,
        acceleration_rad_s2: Array,
        lower_rad: Array,
        upper_rad: Array,
        settings: PaceSettings | None = None,
    ) -> None:
        settings = settings or PaceSettings()
        self._fastest = settings.velocity_share * velocity_rad_s
        self._hardest = settings.acceleration_share * acceleration_rad_s2
        self._bandwidth = settings.bandwidth_rad_s
        self._lower, self._upper = lower_rad, upper_rad
        self.reset(np.clip(np.zeros(len(lower_rad)), lower_rad, upper_rad))

    def reset(self, position_rad: Array) -> None:
        """Begin at rest here."""
        self.position_rad, self.velocity_rad_s = position_rad.copy(), np.zeros(len(position_rad))

    def see(self, target_rad: Array, elapsed_s: float) -> Array:
        """Position (n,) [rad] after this time; the target is finite and inside the limits."""
        position, velocity = self.position_rad, self.velocity_rad_s
        step_s = elapsed_s / STEPS
        share = 1.0 - np.exp(-2.0 * self._bandwidth * step_s)
        most = self._hardest * step_s
        for _ in range(STEPS):
            wanted = 0.5 * self._bandwidth * (target_rad - position)
            wanted = np.minimum(np.maximum(wanted, -self._fastest), self._fastest)
            velocity = velocity + np.minimum(np.maximum(share * (wanted - velocity), -most), most)
            position = position + step_s * velocity
        inside = np.minimum(np.maximum(position, self._lower), self._upper)
        self.velocity_rad_s = np.where(inside == position, velocity, 0.0)
        self.position_rad = inside
        return inside.copy()
