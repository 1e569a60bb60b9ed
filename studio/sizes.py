# SPDX-License-Identifier: Apache-2.0
"""How large the operator is: lengths of the body from its height, after published body segment tables."""

from __future__ import annotations

from dataclasses import dataclass

REFERENCE_HEIGHT_M = 1.75
"""Height at which hand and head have their drawn size."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths of one operator.

    Shares of height follow Winter, Biomechanics and Motor Control of Human Movement (2009), table 4.1 (after Drillis
    and Contini), with the shoulder's centre moved 2 cm in from the acromion.

    Attributes:
        height_m: standing height.
        hand_scale: hand over the hand of `clips.hand_model` (0.184 m from wrist to middle fingertip).
        limb_scale: arms over those of the average person of this height.
        shoulder_scale: shoulder breadth over the average.
    """

    height_m: float = REFERENCE_HEIGHT_M
    hand_scale: float = 1.0
    limb_scale: float = 1.0
    shoulder_scale: float = 1.0

    @property
    def body_scale(self) -> float:
        """Body over the body of reference height."""
        return self.height_m / REFERENCE_HEIGHT_M

    @property
    def head_scale(self) -> float:
        """Heads differ less than bodies."""
        return float(self.body_scale**0.5)

    @property
    def shoulder_height_m(self) -> float:
        """Shoulder centres above the hips' middle."""
        return 0.288 * self.height_m

    @property
    def half_shoulders_m(self) -> float:
        """Middle of the body to a shoulder's centre."""
        return 0.110 * self.height_m * self.shoulder_scale

    @property
    def upper_arm_m(self) -> float:
        """Shoulder's centre to elbow."""
        return 0.172 * self.height_m * self.limb_scale

    @property
    def forearm_m(self) -> float:
        """Elbow to wrist."""
        return 0.146 * self.height_m * self.limb_scale

    @property
    def skull_height_m(self) -> float:
        """Pivot of the head above the hips' middle."""
        return 0.365 * self.height_m

    @property
    def hip_height_m(self) -> float:
        """Hips' middle above the floor."""
        return 0.530 * self.height_m

    @property
    def half_hips_m(self) -> float:
        """Middle of the body to a hip joint."""
        return 0.052 * self.height_m

    def named(self) -> dict[str, float]:
        """Every length by name, metres (scales without a unit)."""
        names: tuple[str, ...] = (
            "height_m",
            "hand_scale",
            "limb_scale",
            "shoulder_scale",
            "shoulder_height_m",
            "half_shoulders_m",
        )
        names += ("upper_arm_m", "forearm_m", "skull_height_m", "hip_height_m", "half_hips_m", "head_scale")
        return {name: float(getattr(self, name)) for name in names}
