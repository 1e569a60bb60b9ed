# SPDX-License-Identifier: Apache-2.0
"""Measuring an operator once: open hands, arms at the sides, arms forward, two still seconds of each.

Nobody must: the open palm that engages measures the flat hand anyhow. What is measured here is surer, and it is kept
(`teleop.operator_profile`).
"""

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from teleop.body_calibration import BodyCalibration, BodyCalibrationError, calibrate_body
from teleop.body_geometry import ELBOW, HIP, SEEN, SHOULDER, WRIST, BodyGeometryError, check_body
from teleop.gestures import Gesture, classify
from teleop.hand_bones import bone_lengths
from teleop.hand_calibration import HandCalibration, HandCalibrationError, calibrate_hand
from teleop.hand_geometry import HandGeometryError, Side
from teleop.hand_tracks import hand_length
from teleop.limbs import LimbLostError, body_of
from teleop.operator_profile import OperatorProfile, body_profile, hand_profile
from teleop.operator_view import BodyView, OperatorFrame

Array = NDArray[np.float64]

STILL_NS = 2_000_000_000
GAP_NS = 200_000_000
"""A longer gap between two frames starts a posture anew."""
FEWEST_VIEWS = 16
EDGE = 0.01
"""A landmark nearer to the image's edge, as a share of it, may be cut off."""
HAND_DRIFT = 0.15
"""How far a landmark of a still hand may move, in hand lengths."""
BODY_DRIFT_M = 0.05
DOWN, FORWARD = 0.85, 0.6
"""Cosine between an arm and down, or the direction to the camera (whose depth is a guess)."""


class Step(Enum):
    """What the operator is asked for."""

    HANDS = "hands"
    ARMS_DOWN = "arms down"
    ARMS_FORWARD = "arms forward"
    DONE = "done"


class NotYetError(ValueError):
    """A frame that does not count. Scenarios: a hand half out of view, a limb that moves, another posture."""


class Calibrating:
    """The steps, one after the other; called once for each camera frame.

    Attributes:
        step: what is asked for now. reason: what the operator should do, or do better.
        hands, body: what has been measured. quality: of the measures, 0 … 1, best 1; a word for each.
    """

    def __init__(self, sides: Sequence[Side], body: bool) -> None:
        """Sides: whose hands are measured; body: whether arms or head are copied."""
        steps = ([Step.HANDS] if sides else []) + ([Step.ARMS_DOWN, Step.ARMS_FORWARD] if body else [])
        self._steps = [*steps, Step.DONE]
        self._sides = tuple(sides)
        self.hands: dict[Side, HandCalibration] = {}
        self.body: BodyCalibration | None = None
        self.quality: dict[str, float] = {}
        self._since_ns = self._last_ns = 0
        self._points: list[Array] = []
        self._views: list[BodyView] = []
        self._hands_m: dict[Side, list[Array]] = {}
        self.reason = ""
        self._begin()

    @property
    def step(self) -> Step:
        """What is asked for now."""
        return self._steps[0]

    def progress(self, stamp_ns: int) -> float:
        """Share of the two still seconds that is done, 0 … 1."""
        if self.step is Step.DONE:
            return 1.0
        if not self._points:
            return 0.0
        return min(1.0, max(0.0, (stamp_ns - self._since_ns) / STILL_NS), len(self._points) / FEWEST_VIEWS)

    def see(self, frame: OperatorFrame) -> None:
        """One camera frame; frames that are not newer than the last one are ignored."""
        if self.step is Step.DONE or frame.capture_ns <= self._last_ns:
            return
        gap_ns, self._last_ns = frame.capture_ns - self._last_ns, frame.capture_ns
        try:
            if self._points and gap_ns > GAP_NS:
                raise NotYetError("the camera paused: hold still once more")
            self._collect(frame)
        except NotYetError as error:
            self._begin(str(error))
            return
        if self.progress(frame.capture_ns) >= 1.0:
            self._finish()

    def profile(self, name: str, measured: str = "") -> OperatorProfile:
        """What has been measured, to be kept.

        Args:
            name: of the operator. measured: a date, for people.
        """
        return OperatorProfile(
            name=name,
            measured=measured,
            hands={side: hand_profile(each, 1.0 - self.quality[f"{side} hand"]) for side, each in self.hands.items()},
            body=None if self.body is None else body_profile(self.body),
        )

    # ---- one posture ------------------------------------------------------------------------------------------

    def _begin(self, reason: str = "") -> None:
        hands = "both hands" if len(self._sides) == 2 else f"the {''.join(self._sides[:1])} hand"
        ask = {
            Step.HANDS: f"show the open {'palms' if len(self._sides) == 2 else 'palm'} of {hands} to the camera",
            Step.ARMS_DOWN: "stand back, face the camera and let both arms hang at your sides",
            Step.ARMS_FORWARD: "stretch both arms forward, to the camera",
            Step.DONE: "measured",
        }[self.step]
        self.reason = reason or ask
        self._points, self._views, self._hands_m = [], [], {side: [] for side in self._sides}

    def _collect(self, frame: OperatorFrame) -> None:
        """Take one frame in.

        Raises:
            NotYetError: it does not show the posture, or something moved.
        """
        if self.step is Step.HANDS:
            points = np.concatenate([self._palm(frame, side) for side in self._sides])
            limit, what = HAND_DRIFT, "the hand moves"
        else:
            view = self._body(frame)
            if self._views and view.stamp_ns == self._views[-1].stamp_ns:
                return
            places = [index for joint in (SHOULDER, ELBOW, WRIST) for index in joint.values()]
            points, limit, what = view.world_m[places], BODY_DRIFT_M, "the body moves"
        if self._points and float(np.linalg.norm(points - np.median(self._points, axis=0), axis=1).max()) > limit:
            raise NotYetError(f"{what}: hold still for two seconds")
        if not self._points:
            self._since_ns = frame.capture_ns
        self._points.append(points)
        self.reason = "hold still"
        if self.step is not Step.HANDS:
            self._views.append(view)
            return
        for side in self._sides:
            self._hands_m[side].append(frame.hands[side].world_m)

    def _palm(self, frame: OperatorFrame, side: Side) -> Array:
        """(21, 2) an open palm's landmarks in the image, in hand lengths."""
        hand = frame.hands.get(side)
        if hand is None:
            raise NotYetError(f"show the open palm of the {side} hand to the camera")
        if float(hand.image.min()) < EDGE or float(hand.image.max()) > 1.0 - EDGE:
            raise NotYetError(f"the {side} hand is only half in view: move it to the middle of the image")
        try:
            sign = classify(hand.world_m, side)
        except HandGeometryError as error:
            raise NotYetError(f"the {side} hand is not recognised: {error}") from error
        length = hand_length(hand.world_m, hand.image)
        if sign is not Gesture.OPEN_PALM or length is None:
            raise NotYetError(f"open the {side} hand and turn its palm to the camera")
        return np.asarray(hand.image / length)

    def _body(self, frame: OperatorFrame) -> BodyView:
        try:
            view = body_of(frame)
            check_body(view)
        except (LimbLostError, BodyGeometryError) as error:
            raise NotYetError(f"{error}: stand back so that the camera sees you from head to hips") from error
        joints = {"shoulder": SHOULDER, "elbow": ELBOW, "wrist": WRIST} | (
            {"hip": HIP} if self.step is Step.ARMS_DOWN else {}
        )
        for name, sides in joints.items():
            for side, index in sides.items():
                inside = bool((view.image[index] > EDGE).all() and (view.image[index] < 1.0 - EDGE).all())
                if view.visibility[index] < SEEN or not inside:
                    raise NotYetError(f"the {side} {name} is not in view: stand back, or move to the middle")
        down = self.step is Step.ARMS_DOWN
        for side in SHOULDER:
            if self._towards(view, side) < (DOWN if down else FORWARD):
                raise NotYetError(
                    f"let the {side} arm hang" if down else f"stretch the {side} arm forward, to the camera"
                )
        return view

    def _towards(self, view: BodyView, side: Side) -> float:
        """Cosine between an arm and the direction that is asked for."""
        arm = view.world_m[WRIST[side]] - view.world_m[SHOULDER[side]]
        axis = np.array([0.0, 1.0, 0.0] if self.step is Step.ARMS_DOWN else [0.0, 0.0, -1.0])
        return float(arm @ axis / max(float(np.linalg.norm(arm)), 1e-6))

    # ---- what it tells ----------------------------------------------------------------------------------------

    def _finish(self) -> None:
        try:
            if self.step is Step.HANDS:
                for side, frames in self._hands_m.items():
                    self.hands[side] = calibrate_hand(np.array(frames), side)
                    self.quality[f"{side} hand"] = 1.0 - _spread(np.array([bone_lengths(each) for each in frames]))
            elif self.step is Step.ARMS_DOWN:
                self.body = calibrate_body(self._views)
                self.quality["arms"] = 1.0 - _spread(np.array([_arm_lengths(view) for view in self._views]))
            else:
                towards = [self._towards(view, side) for view in self._views for side in SHOULDER]
                self.quality["depth"] = float(np.clip(np.mean(towards), 0.0, 1.0))
        except (HandCalibrationError, BodyCalibrationError) as error:
            self._begin(str(error))
            return
        del self._steps[0]
        self._begin()


def _arm_lengths(view: BodyView) -> Array:
    """(4,) upper arms and forearms [m]."""
    pairs = [(SHOULDER[side], ELBOW[side]) for side in SHOULDER] + [(ELBOW[side], WRIST[side]) for side in SHOULDER]
    return np.array([np.linalg.norm(view.world_m[a] - view.world_m[b]) for a, b in pairs])


def _spread(sizes: Array) -> float:
    """Median deviation of sizes (n, k) over their median, the mean of all, at most 1."""
    middle = np.median(sizes, axis=0)
    return float(np.clip((np.median(np.abs(sizes - middle), axis=0) / middle).mean(), 0.0, 1.0))
