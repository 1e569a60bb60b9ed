# SPDX-License-Identifier: Apache-2.0
"""When the robot may follow: the operator's side of the clutch, as a state object that is handed the time.

WAITING → (open palm held still, which also calibrates) → ASKING the driver → ENGAGED → hand lost → WAITING again.
Only the operator's fresh open palm leads to ENGAGED; nothing re-engages by itself.
"""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from teleop.calibration import SMALLEST_SAMPLES, Calibration, CalibrationError, calibrate
from teleop.gestures import Gesture

Array = NDArray[np.float64]

NS_PER_S = 1_000_000_000


class Phase(Enum):
    """Where the operator is."""

    WAITING = "WAITING"
    CALIBRATING = "CALIBRATING"
    ASKING = "ASKING"
    ENGAGED = "ENGAGED"


@dataclass(frozen=True, slots=True)
class EngageSettings:
    """Times of the clutch.

    Attributes:
        dwell_ns: how long the open palm is held.
        coast_ns: how long a hand may be missing before it counts as lost; the last target is kept meanwhile.
        flicker_ns: how long the gesture may flicker off without starting anew.
        retry_ns: pause after the driver has refused.
    """

    dwell_ns: int = int(0.6 * NS_PER_S)
    coast_ns: int = int(0.1 * NS_PER_S)
    flicker_ns: int = int(0.1 * NS_PER_S)
    retry_ns: int = int(1.0 * NS_PER_S)


@dataclass(slots=True)
class Clutch:
    """The state; ``see`` is called once for each camera frame, with that frame's capture stamp."""

    settings: EngageSettings = field(default_factory=EngageSettings)
    phase: Phase = Phase.WAITING
    reason: str = "show an open palm to the camera and hold it still"
    calibration: Calibration | None = None
    _since_ns: int = 0
    _seen_ns: int = 0
    _gesture_ns: int = 0
    _not_before_ns: int = 0
    _samples: list[Array] = field(default_factory=list)

    def progress(self, stamp_ns: int) -> float:
        """How much of the dwell is done, 0 … 1."""
        if self.phase is not Phase.CALIBRATING:
            return 0.0
        return min(1.0, max(0.0, (stamp_ns - self._since_ns) / self.settings.dwell_ns))

    def see(self, stamp_ns: int, gesture: Gesture | None, angles_rad: Array | None) -> None:
        """One camera frame: the gesture and the joint angles, or None where the hand was not seen."""
        if angles_rad is None or gesture is None:
            self._without_hand(stamp_ns)
            return
        self._seen_ns = stamp_ns
        if self.phase is Phase.WAITING and gesture is Gesture.OPEN_PALM and stamp_ns >= self._not_before_ns:
            self.phase, self.reason = Phase.CALIBRATING, "hold the open palm still"
            self._since_ns, self._samples = stamp_ns, []
        if self.phase is Phase.CALIBRATING:
            self._calibrating(stamp_ns, gesture, angles_rad)

    def answer(self, accepted: bool, reason: str, stamp_ns: int) -> None:
        """What the driver said to the request to engage."""
        if self.phase is not Phase.ASKING:
            return
        if accepted:
            self.phase, self.reason = Phase.ENGAGED, ""
        else:
            self._back(f"the driver refused: {reason}", stamp_ns)

    def drop(self, reason: str, stamp_ns: int) -> None:
        """The driver no longer follows, or the tracker went silent: a fresh open palm is needed."""
        if self.phase is not Phase.WAITING:
            self._back(reason, stamp_ns)

    def _calibrating(self, stamp_ns: int, gesture: Gesture, angles_rad: Array) -> None:
        if gesture is Gesture.OPEN_PALM:
            self._gesture_ns = stamp_ns
            self._samples.append(angles_rad)
        elif stamp_ns - self._gesture_ns > self.settings.flicker_ns:
            self.phase, self.reason = Phase.WAITING, "the open palm was not held long enough"
            return
        if stamp_ns - self._since_ns < self.settings.dwell_ns or len(self._samples) < SMALLEST_SAMPLES:
            return
        try:
            self.calibration = calibrate(np.array(self._samples))
        except CalibrationError as error:
            self.phase, self.reason = Phase.WAITING, str(error)
            return
        self.phase, self.reason = Phase.ASKING, "asking the driver"

    def _without_hand(self, stamp_ns: int) -> None:
        if self.phase is not Phase.WAITING and stamp_ns - self._seen_ns > self.settings.coast_ns:
            self._back("hand lost", stamp_ns)

    def _back(self, reason: str, stamp_ns: int) -> None:
        retry = self.phase is Phase.ASKING
        self.phase, self.reason = Phase.WAITING, reason
        self._not_before_ns = stamp_ns + (self.settings.retry_ns if retry else 0)
