# SPDX-License-Identifier: Apache-2.0
"""One limb of the robot at the clutch: what it was told last, whether it follows, and how it begins without a jump.

Everything is handed the time: the capture stamp of the camera frame.
"""

import numpy as np
from numpy.typing import NDArray

from robots import Robot
from teleop.blend import Blend, blend_ns
from teleop.clutch import MS, ClutchSettings
from teleop.clutch_table import LIMB_TABLE, LimbEvent, LimbState
from teleop.fingers import fingers_of
from teleop.grasp_takeover import GraspTakeover, TakeoverSettings
from teleop.limbs import ArmLimb, HandLimb, Limb, LimbLostError
from teleop.operator_view import OperatorFrame

Array = NDArray[np.float64]

LONGEST_STEP_NS = 100 * MS
"""A stall of the camera never allows a bigger step of a target than this time at full speed."""


class LimbClutch:
    """One limb.

    Attributes:
        state, reason: whether it follows, and why not, or not all the way.
        position_rad: (k,) its last target. followed_ns: the frame that this target comes from.
        wanted_rad: (k,) what the operator shows in the newest frame; None where that can't be told.
        missed: frames in a row in which that could not be told. held_ns: since when it is held.
    """

    def __init__(self, robot: Robot, limb: Limb, settings: ClutchSettings) -> None:
        joints = [robot.joints[int(index)] for index in limb.joints]
        self.limb, self.label = limb, limb.name.replace("_", " ")
        self._robot, self._settings = robot, settings
        self._lower = np.array([joint.min_rad for joint in joints])
        self._upper = np.array([joint.max_rad for joint in joints])
        self._fastest = np.array(robot.velocity_rad_s)[limb.joints]
        self._allowed = np.array(robot.engage_distance_rad)[limb.joints]
        self.state, self.reason = LimbState.OFF, ""
        self.position_rad = np.zeros(len(joints))
        self.wanted_rad: Array | None = None
        self.followed_ns = self.held_ns = self.missed = 0
        self._shown_rad = self.position_rad
        self._stepped_ns = 0
        self._blend: Blend | None = None
        self._takeover: GraspTakeover | None = None

    @property
    def blending(self) -> bool:
        """Whether it is still on its way from where the robot stood."""
        return self._blend is not None

    @property
    def missing(self) -> bool:
        """Whether the operator's limb has been out of view for longer than is bridged."""
        return self.missed > self._settings.coast_frames

    def watch(self, position_rad: Array) -> None:
        """Begin to look at the operator, with the robot at this pose (k,)."""
        self._on(LimbEvent.STOPPED)
        self.limb.reset()
        self.position_rad, self.wanted_rad, self.missed, self.reason = position_rad.copy(), None, 0, ""

    def see(self, frame: OperatorFrame) -> bool:
        """Read the operator's limb in one frame; returns whether this is the frame from which it is held."""
        if self.missing:
            self.limb.reset()
        try:
            wanted = self.limb.see(frame, self.position_rad)
            if not np.isfinite(wanted).all():
                raise LimbLostError(f"the {self.label} gave no finite position")
        except LimbLostError as error:
            self.wanted_rad, self.missed = None, self.missed + 1
            if self.state is not LimbState.HELD:
                self.reason = str(error)
            return self._on(LimbEvent.GONE if self.missing else LimbEvent.MISSED, frame.capture_ns)
        self.wanted_rad = self._shown_rad = np.clip(wanted, self._lower, self._upper)
        self.missed = 0
        if self.state is not LimbState.HELD:
            self.reason = ""
        return self._on(LimbEvent.SEEN)

    def too_far(self, robot_rad: Array, factor: float = 1.0) -> str:
        """Which joint of the operator's is too far from the robot's (k,), and what to do; empty when none is."""
        over = np.abs(self._shown_rad - robot_rad) / (factor * self._allowed)
        worst = int(np.argmax(over))
        if over[worst] <= 1.0:
            return ""
        joint = self._robot.joints[int(self.limb.joints[worst])]
        allowed, unit = factor * self._allowed[worst], "m" if joint.prismatic else "rad"
        found = f"{joint.label or joint.name} by {over[worst] * allowed:.2f} {unit}, at most {allowed:.2f}"
        return f"{self.label} too far from the robot's: {found}; bring the {self.label} nearer to the robot's posture"

    def engage(self, stamp_ns: int, relative: bool = False) -> None:
        """Follow from now on what was shown last: away from the last target, without a jump."""
        self._on(LimbEvent.STARTED)
        self._on(LimbEvent.RECLUTCHED)
        offset = self.position_rad - self._shown_rad
        self._takeover = self._grasp(stamp_ns)
        moved = offset if self._takeover is None else np.where(self._takeover.kept, 0.0, offset)
        duration_ns = blend_ns(moved, self._settings.ramp_share * self._fastest, self._settings.ramp_ns)
        self._blend = Blend(self.position_rad.copy(), offset, stamp_ns, duration_ns, relative)
        self._stepped_ns = self.followed_ns = stamp_ns
        self.reason = ""

    def step(self, stamp_ns: int) -> Array:
        """The limb's target (k,) for a frame that `see` has read; never farther from the last than its caps allow."""
        elapsed_ns = min(max(stamp_ns - self._stepped_ns, 0), LONGEST_STEP_NS)
        self._stepped_ns = max(stamp_ns, self._stepped_ns)
        if self.state is not LimbState.FOLLOWING or self.wanted_rad is None:
            return self.position_rad
        aim = self.wanted_rad if self._blend is None else self._blend.mix(self.wanted_rad, stamp_ns)
        if self._takeover is not None:
            aim = self._takeover.mix(aim, self.wanted_rad, stamp_ns)
        reach = self._fastest * (elapsed_ns * 1e-9)
        moved = np.clip(np.clip(aim, self._lower, self._upper) - self.position_rad, -reach, reach)
        self.position_rad = self._inside(self.position_rad + moved, reach, elapsed_ns * 1e-9)
        self.reason = self._hint()
        self.followed_ns = stamp_ns
        if self._blend is not None and self._blend.done(stamp_ns):
            self._blend = None
        if self._takeover is not None and self._takeover.done and self._blend is None:
            self._takeover = None
        return self.position_rad

    def _grasp(self, stamp_ns: int) -> GraspTakeover | None:
        """The grasp that a hand keeps although the operator's is open; None: there is none."""
        if not isinstance(self.limb, HandLimb):
            return None
        home = np.array(self._robot.home_rad)[self.limb.joints]
        settings = TakeoverSettings(
            self._settings.ramp_share * self._fastest,
            self._settings.ramp_ns,
            self._settings.grasp_rad,
            self._settings.let_go_ns,
        )
        fingers = fingers_of(self.limb.retargeter, home)
        grasp = GraspTakeover(fingers, self.position_rad, self._shown_rad, stamp_ns, settings)
        return None if grasp.done else grasp

    def _hint(self) -> str:
        """What a limb that follows does not copy, and what to do; empty when it copies all."""
        if self._takeover is not None and self._takeover.keeps:
            return f"{self.label}: close your hand to take over the grasp, or keep it open to let go"
        return self.limb.hint if isinstance(self.limb, ArmLimb) else ""

    def _inside(self, wanted_rad: Array, reach_rad: Array, elapsed_s: float) -> Array:
        """A target (k,) that an arm's fence allows: blends and stalls lead elsewhere than its own retargeter does."""
        guard, here = self.limb.guard if isinstance(self.limb, ArmLimb) else None, self.position_rad
        if guard is None:
            return wanted_rad
        lower = np.maximum(np.minimum(self._lower - here, 0.0), -reach_rad)
        upper = np.minimum(np.maximum(self._upper - here, 0.0), reach_rad)
        return guard.step(here, wanted_rad, lower, upper, elapsed_s)

    @property
    def velocity_rad_s(self) -> Array | None:
        """How fast the last target is to be passed (k,) [rad/s], where the limb says so and no blend is on."""
        there = self.wanted_rad is not None and np.allclose(self.position_rad, self.wanted_rad, rtol=0.0, atol=1e-9)
        follows = self.state is LimbState.FOLLOWING and not self.blending and there
        return self.limb.velocity_rad_s if follows and isinstance(self.limb, HandLimb | ArmLimb) else None

    def stop(self) -> None:
        """Follow no longer."""
        self._on(LimbEvent.STOPPED)
        self._blend, self._takeover, self.reason = None, None, ""

    def _on(self, event: LimbEvent, stamp_ns: int = 0) -> bool:
        """Let one event happen; returns whether the limb is held from now on."""
        before, self.state = self.state, LIMB_TABLE[self.state].get(event, self.state)
        if self.state is not LimbState.HELD or before is LimbState.HELD:
            return False
        self.held_ns, self._blend, self._takeover = stamp_ns, None, None
        return True
