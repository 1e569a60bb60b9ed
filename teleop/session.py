# SPDX-License-Identifier: Apache-2.0
"""One operator session, without ROS: hands clouds in, joint targets and events out; handed the time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.hands_cloud import HANDS
from robots import Robot
from teleop.engage import Clutch, EngageSettings, Phase
from teleop.filters import OneEuroSettings
from teleop.gestures import Gesture, classify
from teleop.hand_geometry import HandGeometryError
from teleop.retarget import HandRetargeter

Array = NDArray[np.float64]

NS_PER_S = 1_000_000_000
SILENCE_NS = NS_PER_S // 4
"""Without a camera frame for this long the tracker counts as silent."""

SILENT = "no camera frame from the tracker"

SIGN_DWELL_NS = NS_PER_S
"""How long the free hand shows a sign before it counts."""

SIGNS = {Gesture.VICTORY: "record_start", Gesture.FIST: "record_stop"}
"""What the free hand can say: victory starts a recording, a fist ends it."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the robot should do now: positions (n,) [rad] and the camera frame that asked for it."""

    position_rad: Array
    capture_ns: int


@dataclass(slots=True)
class SignReader:
    """Turns a sign that the free hand holds for a second into one event; it must be released before the next."""

    _sign: Gesture = Gesture.NONE
    _since_ns: int = 0
    _told: bool = False

    def see(self, sign: Gesture, stamp_ns: int) -> str | None:
        """The event of a sign that has just been held long enough."""
        if sign is not self._sign:
            self._sign, self._since_ns, self._told = sign, stamp_ns, False
        if sign not in SIGNS or self._told or stamp_ns - self._since_ns < SIGN_DWELL_NS:
            return None
        self._told = True
        return SIGNS[sign]


class TeleopSession:
    """Joins geometry, gesture, clutch and retargeting for one robot hand."""

    def __init__(
        self, robot: Robot, engage: EngageSettings | None = None, smoothing: OneEuroSettings | None = None
    ) -> None:
        self.retargeter = HandRetargeter(robot, smoothing)
        self.clutch = Clutch(engage or EngageSettings())
        self.joint_names = robot.joint_names
        self.rejected_frames = 0
        self._row = HANDS.index(self.retargeter.side)
        self._free_row = 1 - self._row
        self._signs = SignReader()
        self._target: Target | None = None
        self._last_frame_ns: int | None = None

    def see(self, cloud: NDArray[np.void], capture_ns: int) -> tuple[Target | None, list[str]]:
        """One camera frame.

        Args:
            cloud: (2, 21) of graph.hands_cloud.POINT.
            capture_ns: the frame's capture stamp; a frame older than the last one is ignored.

        Returns:
            the target to publish, or None; and the events that this frame caused.
        """
        if self._last_frame_ns is not None and capture_ns <= self._last_frame_ns:
            return None, []
        self._last_frame_ns = capture_ns
        before = self.clutch.phase
        angles, gesture = self._read(cloud[self._row])
        self.clutch.see(capture_ns, gesture, angles)
        self._entered(before)
        if angles is not None and self.clutch.phase in (Phase.ASKING, Phase.ENGAGED):
            self._target = Target(self.retargeter.command(angles, capture_ns), capture_ns)
        elif self.clutch.phase is not Phase.ENGAGED:
            self._target = None
        event = self._signs.see(self._free_sign(cloud[self._free_row]), capture_ns)
        return self._target, [event] if event else []

    def tick(self, now_ns: int) -> None:
        """Called regularly: notices a tracker that has gone silent."""
        if self._last_frame_ns is not None and now_ns - self._last_frame_ns > SILENCE_NS:
            self.drop(SILENT, now_ns)
            self.clutch.reason = SILENT

    def drop(self, reason: str, now_ns: int) -> None:
        """Stop asking the robot to follow; a fresh open palm is needed."""
        self.clutch.drop(reason, now_ns)
        self._target = None

    def _entered(self, before: Phase) -> None:
        phase = self.clutch.phase
        if phase is before:
            return
        if phase is Phase.ASKING and self.clutch.calibration is not None:
            self.retargeter.calibration = self.clutch.calibration
            self.retargeter.reset()

    def _read(self, row: NDArray[np.void]) -> tuple[Array | None, Gesture | None]:
        points = points_of(row)
        if points is None:
            return None, None
        try:
            return self.retargeter.angles(points), classify(points, self.retargeter.side)
        except HandGeometryError:
            self.rejected_frames += 1
            return None, None

    def _free_sign(self, row: NDArray[np.void]) -> Gesture:
        points = points_of(row)
        if points is None:
            return Gesture.NONE
        try:
            return classify(points, "left" if self.retargeter.side == "right" else "right")
        except HandGeometryError:
            return Gesture.NONE


def points_of(row: NDArray[np.void]) -> Array | None:
    """(21, 3) landmarks [m] of one row of a hands cloud; None where that hand was not seen."""
    points = np.stack([row["x"], row["y"], row["z"]], axis=1).astype(np.float64)
    return None if bool(np.isnan(points).all()) else points
