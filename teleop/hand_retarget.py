# SPDX-License-Identifier: Apache-2.0
"""21 landmarks of the operator's hand to the joints of a robot hand, whatever its URDF is.

Gate, bone lengths, One-Euro filter, palm frame, target, solver, neighbours kept apart: each in a file of its own. One
call takes a bounded time, and a refused frame changes nothing.
"""

from dataclasses import dataclass, field

import numpy as np

from robots import Robot
from robots.frames import Array
from robots.load_kinematics import load_kinematics
from robots.robot import RobotFileError
from teleop.hand_calibration import HandCalibration
from teleop.hand_geometry import Side
from teleop.hand_model import HandModel
from teleop.hand_neighbours import Neighbours
from teleop.hand_palm import PalmArch, arch_rad, palm_axes, points_in_arched_palm
from teleop.hand_solver import HandSolver, SolverSettings
from teleop.hand_target import TargetMaker
from teleop.joint_pace import JointPace, PaceSettings
from teleop.landmark_filter import LONGEST_STEP_S, LandmarkFilter, LandmarkSettings, LearnedLengths
from teleop.plausible_hand import PlausibleHand

WIDE_RAD, HUMAN_REACH_RAD = 2.5, 1.4
"""A joint with a wider range can stand where no thumb can; it stays within this of its home."""


@dataclass(frozen=True, slots=True)
class HandSettings:
    """How landmarks are filtered, joints are solved for, and targets are paced; no pace: targets jump as hands do."""

    landmarks: LandmarkSettings = field(default_factory=LandmarkSettings)
    solver: SolverSettings = field(default_factory=SolverSettings)
    pace: PaceSettings | None = field(default_factory=PaceSettings)


class HandRetargeter:
    """Stateful retargeting of one hand.

    Attributes:
        side: the operator's and the robot's hand.
        joints: (k,) indices into the robot's joints; positions of `see` are in this order.
        calibration: the operator's hand; the default knows nothing.
    """

    def __init__(self, robot: Robot, side: Side, settings: HandSettings | None = None) -> None:
        """Read the hand of this side.

        Raises:
            RobotFileError: the robot has no such hand, or its links are no hand.
        """
        settings = settings or HandSettings()
        hands = {hand.side: hand for hand in robot.imitation.hands}
        if side not in hands:
            raise RobotFileError(
                f"{robot.name} has no {side} hand to copy with: expected imitation: hands: with side: {side}, "
                f"found {', '.join(hands) or 'none'}"
            )
        hand = hands[side]
        lower, upper = _human_range(robot)
        try:
            tree = load_kinematics(robot)
            self.model = HandModel(tree, hand.palm, dict(hand.tips.items()), robot.joint_names, lower, upper)
        except ValueError as error:
            raise RobotFileError(f"the {side} hand of {robot.name} can't be copied with: {error}") from error
        self.side: Side = side
        self.joints = np.array([robot.joint_names.index(name) for name in self.model.joint_names])
        self._home = np.array(robot.home_rad)[self.joints]
        self._gate = PlausibleHand(side)
        self._filter = LandmarkFilter(settings.landmarks)
        self._solver = HandSolver(self.model, settings.solver)
        self._targets = TargetMaker(self.model, self._home)
        self._neighbours = Neighbours(self.model)
        caps = (np.array(robot.velocity_rad_s)[self.joints], np.array(robot.acceleration_rad_s2)[self.joints])
        limits = (self.model.lower_rad, self.model.upper_rad)
        self._pace = None if settings.pace is None else JointPace(*caps, *limits, settings.pace)
        self.calibration = HandCalibration()
        self.reset(None)

    @property
    def calibration(self) -> HandCalibration:
        """What is known of the operator's hand."""
        return self._calibration

    @calibration.setter
    def calibration(self, calibration: HandCalibration) -> None:
        self._calibration = calibration
        self._lengths = np.array(calibration.length_m) if calibration.length_m else None
        flat = np.array(calibration.flat_rad).reshape(4, 3)
        self._flat = flat if flat.any() else None

    def reset(self, position_rad: Array | None = None) -> None:
        """Start from this pose (k,), home when None, and forget the last frames; the calibration stays."""
        start = self._home if position_rad is None else np.nan_to_num(np.asarray(position_rad, dtype=np.float64))
        self._position = np.clip(start, self.model.lower_rad, self.model.upper_rad)
        if self._pace is not None:
            self._pace.reset(self._position)
        self._gate.reset()
        self._filter.reset()
        self._targets.reset()
        self._solver.reset()
        self._learned, self._arch = LearnedLengths(), PalmArch()
        self._stamp_ns: int | None = None

    def see(self, points_m: Array, stamp_ns: int) -> Array:
        """Joint positions (k,) [rad] for the hand seen at ``stamp_ns``, inside the limits.

        Args:
            points_m: (21, 3) landmarks [m] in the camera's axes.

        Raises:
            HandGeometryError: no hand that can be the operator's; hold the last positions.
        """
        expected = self._learned.likely_m if self._lengths is None else self._lengths
        points = self._gate.see(points_m, stamp_ns, expected)
        lengths = self._learned.see(points) if self._lengths is None else self._lengths
        elapsed_s = self._elapsed_s(stamp_ns)
        arch = self._calibration.arch_rad
        if arch is None:
            arch = self._arch.see(arch_rad(points, self._gate.axes, self.side))
        calm = self._filter(self._filter.keep_lengths(points, lengths), stamp_ns)
        palm = points_in_arched_palm(calm, palm_axes(calm, self.side), self.side, arch)
        target = self._targets.make(palm, self._flat, elapsed_s)
        self._position = self._solver.solve(target, self._position)
        wanted = self._neighbours.keep_apart(self._position, self._solver.pose, target.weight)
        return wanted.copy() if self._pace is None else self._pace.see(wanted, elapsed_s)

    @property
    def velocity_rad_s(self) -> Array:
        """How fast the positions move that `see` last returned (k,) [rad/s]; 0 without a pace."""
        return np.zeros(len(self.joints)) if self._pace is None else self._pace.velocity_rad_s.copy()

    def _elapsed_s(self, stamp_ns: int) -> float:
        before, self._stamp_ns = self._stamp_ns, stamp_ns
        return 0.0 if before is None else min(max(0.0, (stamp_ns - before) * 1e-9), LONGEST_STEP_S)


def _human_range(robot: Robot) -> tuple[Array, Array]:
    """Limits (n,), (n,) [rad] of all joints, narrowed where a robot's go far beyond a hand's: a solver that strays
    there does not find back."""
    lower = np.array([joint.min_rad for joint in robot.joints])
    upper = np.array([joint.max_rad for joint in robot.joints])
    home, wide = np.array(robot.home_rad), upper - lower > WIDE_RAD
    return np.where(wide, np.maximum(lower, home - HUMAN_REACH_RAD), lower), np.where(
        wide, np.minimum(upper, home + HUMAN_REACH_RAD), upper
    )
