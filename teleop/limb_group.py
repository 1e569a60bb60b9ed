# SPDX-License-Identifier: Apache-2.0
"""All limbs that copy the operator, together: who is lost, who may come back, and where the robot should be."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from robots import Robot
from teleop.arm_fence import FenceGuard
from teleop.clutch import ClutchSettings
from teleop.clutch_table import LimbState
from teleop.hand_calibration import calibrate_hand
from teleop.hand_geometry import Side
from teleop.limb_clutch import LimbClutch
from teleop.limbs import ARMS, HANDS, SIDES, ArmLimb, HandLimb, Limb, LimbName
from teleop.operator_profile import OperatorProfile, check, hand_sizes
from teleop.operator_signs import OperatorSigns
from teleop.operator_view import OperatorFrame
from teleop.prediction import Guard, JointPrediction, checked_horizon_s

Array = NDArray[np.float64]

TOLD = (LimbState.HELD, LimbState.FOLLOWING)


class LimbGroup:
    """The limbs of one robot.

    Attributes:
        limbs: by name.
        joints: indices of all their joints.
        driving: the hands that engage: those whose hand or arm is copied, or else the right one.
    """

    def __init__(
        self, robot: Robot, limbs: Sequence[Limb], settings: ClutchSettings, prediction_ms: float = 0.0
    ) -> None:
        """Take limbs, and how far ahead hands and arms are predicted [ms].

        Raises:
            InputError: see `teleop.prediction.checked_horizon_s`.
        """
        self._settings = settings
        self.limbs: dict[LimbName, LimbClutch] = {limb.name: LimbClutch(robot, limb, settings) for limb in limbs}
        self.joints: NDArray[np.int_] = np.unique(np.concatenate([limb.joints for limb in limbs]))
        self.joints.setflags(write=False)
        sides = tuple(side for side in SIDES if any(limb.side == side for limb in limbs))
        self.driving: tuple[Side, ...] = sides or SIDES[:1]
        moving = [limb.joints for limb in limbs if limb.name in HANDS + ARMS]
        self._prediction = JointPrediction(
            checked_horizon_s(prediction_ms),
            np.concatenate([np.empty(0, dtype=np.int_), *moving]),
            np.array([joint.min_rad for joint in robot.joints]),
            np.array([joint.max_rad for joint in robot.joints]),
            np.array(robot.velocity_rad_s),
            [fence for limb in limbs if isinstance(limb, ArmLimb) for fence in _fences(limb)],
        )

    # ---- as a whole -------------------------------------------------------------------------------------------

    def watch(self, robot_rad: Array) -> None:
        """Begin to look at the operator, with the robot at this pose (n,)."""
        for limb in self.limbs.values():
            limb.watch(np.nan_to_num(robot_rad[limb.limb.joints]))

    def place(self, robot_rad: Array) -> None:
        """The robot is asked to be at this pose (n,), from which limbs will begin."""
        self._prediction.reset()
        for limb in self.limbs.values():
            limb.position_rad = robot_rad[limb.limb.joints]

    def engage(self, stamp_ns: int) -> None:
        """All follow from now on, blended from where the robot is."""
        for limb in self.limbs.values():
            limb.engage(stamp_ns)

    def stop(self) -> None:
        """None follows any longer."""
        for limb in self.limbs.values():
            limb.stop()

    def move(self, start_rad: Array, stamp_ns: int) -> tuple[Array, Array]:
        """Where all joints should be for this frame (n,), and how fast they should move (n,) [rad/s].

        Joints of no limb stay at ``start_rad`` (n,); velocities are NaN where they are not known.
        """
        position, velocity = start_rad.copy(), np.full(len(start_rad), np.nan)
        for limb in self.limbs.values():
            position[limb.limb.joints] = limb.step(stamp_ns)
            if (known := limb.velocity_rad_s) is not None:
                velocity[limb.limb.joints] = known
        return self._prediction.see(position, velocity, stamp_ns)

    def stamps(self, stamp_ns: int) -> dict[str, int]:
        """The frame that every limb follows; this one for those that have not begun."""
        return {str(name): limb.followed_ns or stamp_ns for name, limb in self.limbs.items()}

    @property
    def blending(self) -> bool:
        """Whether any is still on its way from where the robot stood."""
        return any(limb.blending for limb in self.limbs.values())

    # ---- who is seen ------------------------------------------------------------------------------------------

    def look(self, frame: OperatorFrame, signs: OperatorSigns) -> list[LimbClutch]:
        """Read every limb in a frame; returns those that are held from now on. Their open palm must be shown anew."""
        held = [limb for limb in self.limbs.values() if limb.see(frame)]
        for limb in held:
            limb.reason = f"{limb.label} lost, {_way_back(limb)} ({limb.reason})"
            for side in self._sides_of(limb):
                signs.palms[side].forget()
        return held

    def any_missing(self) -> bool:
        """Whether one has been out of view for longer than is bridged."""
        return any(limb.missing for limb in self.limbs.values())

    def all_missing(self) -> bool:
        """Whether nothing of the operator has been in view for longer than is bridged."""
        return all(limb.missing for limb in self.limbs.values())

    def all_held(self) -> bool:
        """Whether none follows."""
        return all(limb.state is LimbState.HELD for limb in self.limbs.values())

    def hands_gone(self) -> bool:
        """Whether hands are copied, and none of them is in view any more."""
        hands = [self.limbs[name] for name in HANDS if name in self.limbs]
        return bool(hands) and all(limb.missing for limb in hands)

    def reasons(self, held_only: bool = False) -> str:
        """Why limbs don't follow, or not all the way; with ``held_only`` only of those that follow or are held."""
        told = [limb for limb in self.limbs.values() if not held_only or limb.state in TOLD]
        return "; ".join(limb.reason for limb in told if limb.reason)

    # ---- who may begin ----------------------------------------------------------------------------------------

    def misalignment(self, robot_rad: Array) -> str:
        """Which limb is not near enough to the robot's pose (n,), or not in view; empty when all are."""
        for limb in self.limbs.values():
            there, factor = robot_rad[limb.limb.joints], self._settings.align_factor
            reason = limb.reason if limb.wanted_rad is None else limb.too_far(there, factor)
            if reason:
                return reason
        return ""

    def let_in(self, signs: OperatorSigns, stamp_ns: int) -> list[LimbClutch]:
        """Held limbs follow again after their hand's open palm, shown since they were lost; returns them."""
        resumed = []
        for limb in self.limbs.values():
            if limb.state is not LimbState.HELD:
                continue
            if not any(signs.palms[side].held(stamp_ns) for side in self._sides_of(limb)):
                continue
            if limb.wanted_rad is None:
                limb.reason = f"{limb.label} lost and not seen yet, {_way_back(limb)}"
                continue
            limb.reason = limb.too_far(limb.position_rad, self._settings.reengage_factor)
            if not limb.reason:
                limb.engage(stamp_ns, limb.limb.relative)
                resumed.append(limb)
        return resumed

    def learn_hands(self, signs: OperatorSigns, profile: OperatorProfile | None) -> tuple[str, ...]:
        """Measure the hands on the open palms that were held, unless the operator's profile knows them.

        Returns:
            what does not fit the profile.

        Raises:
            HandCalibrationError: the palms tell nothing.
        """
        known = {} if profile is None else profile.hands
        notes: list[str] = []
        for limb in (each.limb for each in self.limbs.values()):
            if not isinstance(limb, HandLimb):
                continue
            calibration = calibrate_hand(signs.frames(limb.side), limb.side)
            if profile is not None and limb.side in known:
                strange = check(profile, {limb.side: hand_sizes(calibration)})
                notes += strange
                calibration = calibration if strange else known[limb.side].calibration()
            limb.learn(calibration)
        return tuple(notes)

    def status(self) -> Mapping[str, str]:
        """State of every limb, and why it does not follow."""
        told: dict[str, str] = {}
        for name, limb in self.limbs.items():
            told[name], told[f"{name}_reason"] = limb.state.value, limb.reason
        return told

    def _sides_of(self, limb: LimbClutch) -> tuple[Side, ...]:
        """Whose open palm lets a limb in again."""
        return self.driving if limb.limb.side is None else (limb.limb.side,)


def _fences(limb: ArmLimb) -> list[tuple[NDArray[np.int_], Guard]]:
    """What keeps an arm's prediction inside its fence: a guard of its own, so that the arm's own keeps its state."""
    arm = limb.retargeter.arm
    return [] if arm.fence is None else [(limb.joints, FenceGuard(arm.fence, arm.chain, arm.points).step)]


def _way_back(limb: LimbClutch) -> str:
    side = limb.limb.side
    return f"show the open {side} palm to go on" if side else "show an open palm to go on"
