# SPDX-License-Identifier: Apache-2.0
"""What the operator says with the hands: open palms held, signs of both or of the free hand, hands lowered.

Everything is handed the time: the capture stamp of the camera frame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teleop.body_geometry import HIP, SEEN, WRIST
from teleop.clutch import ClutchSettings
from teleop.gestures import Gesture, classify
from teleop.hand_geometry import FINGER_MCPS, HandGeometryError, Side
from teleop.limbs import BODY_AGE_NS, SIDES
from teleop.operator_view import OperatorFrame

Array = NDArray[np.float64]

RELEASE = "release"
FREE_HAND_SIGNS: Mapping[Gesture, str] = {
    Gesture.VICTORY: "record_start",
    Gesture.FIST: "record_stop",
    Gesture.THUMB_DOWN: RELEASE,
}
"""What the free hand says while the other one drives."""
BOTH_HANDS_SIGNS: Mapping[Gesture, str] = {
    Gesture.VICTORY: "record_start",
    Gesture.THUMB_UP: "record_stop",
    Gesture.THUMB_DOWN: RELEASE,
}
"""What two driving hands say together: shown by both at once, which no ordinary grasp does."""
YES, NO = "yes", "no"
ANSWERS: Mapping[Gesture, str] = {Gesture.THUMB_UP: YES, Gesture.THUMB_DOWN: NO}
"""What the same hands answer to a question of the session; said beside what the sign says else, in the same moment and
first: a thumb that ends a take is no answer to the question that comes after it."""

LOW = 0.8
"""A palm that was last seen below this share of the image's height, and then no more, has been lowered."""
MOST_FRAMES = 90
PALM = [0, *FINGER_MCPS.tolist()]


@dataclass(slots=True)
class SignHold:
    """How long one sign has been shown without a pause longer than a flicker, however slow the camera is."""

    dwell_ns: int
    flicker_ns: int
    fewest_frames: int = 1
    since_ns: int | None = None
    frames: int = 0
    _shown_ns: int = 0
    _frame_ns: int = 0
    _spent: bool = False

    def see(self, shown: bool, stamp_ns: int) -> None:
        """One camera frame."""
        without_break = shown and self._shown_ns == self._frame_ns
        if stamp_ns - self._shown_ns > self.flicker_ns and not without_break:
            self.since_ns, self.frames, self._spent = None, 0, False
        self._frame_ns = stamp_ns
        if not shown:
            return
        self._shown_ns = stamp_ns
        if self._spent:
            return
        if self.since_ns is None:
            self.since_ns = stamp_ns
        self.frames += 1

    def forget(self, until_let_go: bool = False) -> None:
        """What was shown until now no longer counts; nor what is shown on and on, if it must be let go first."""
        self.since_ns, self.frames = None, 0
        self._spent = self._spent or until_let_go

    @property
    def to_let_go(self) -> bool:
        """Whether it is shown, but must be let go before it counts again."""
        return self._spent and self._shown_ns == self._frame_ns

    def progress(self, stamp_ns: int) -> float:
        """Share of the dwell that is done, 0 … 1."""
        if self.since_ns is None:
            return 0.0
        share = min((stamp_ns - self.since_ns) / self.dwell_ns, self.frames / self.fewest_frames)
        return min(1.0, max(0.0, share))

    def held(self, stamp_ns: int) -> bool:
        """Whether it has been shown long enough, in this frame too."""
        return self._shown_ns == stamp_ns and self.progress(stamp_ns) >= 1.0


class SignReader:
    """Turns signs that are held into one event each; a sign must be let go before it counts again.

    Attributes:
        holds: how long each of its signs has been shown.
    """

    def __init__(self, events: Mapping[Gesture, str], settings: ClutchSettings) -> None:
        self._events = events
        self.holds = {sign: SignHold(settings.sign_ns, settings.flicker_ns) for sign in events}

    def see(self, sign: Gesture, stamp_ns: int) -> str | None:
        """The event of a sign that has just been held long enough."""
        for each, hold in self.holds.items():
            hold.see(each is sign, stamp_ns)
        if sign not in self.holds or not self.holds[sign].held(stamp_ns):
            return None
        self.holds[sign].forget(until_let_go=True)
        return self._events[sign]


class OperatorSigns:
    """Reads every frame once.

    Attributes:
        driving: the hands that engage: those whose hand or arm is copied.
        palms: their open palms.
        rejected: hands that were none.
    """

    def __init__(self, driving: Sequence[Side], settings: ClutchSettings) -> None:
        self.driving = tuple(driving)
        self.palms = {
            side: SignHold(settings.dwell_ns, settings.flicker_ns, settings.fewest_frames) for side in self.driving
        }
        self.rejected = 0
        self._both = len(self.driving) == 2
        self._said = SignReader(BOTH_HANDS_SIGNS if self._both else FREE_HAND_SIGNS, settings)
        self._answered = SignReader(ANSWERS, settings)
        self._hanging = SignHold(settings.lowered_ns, settings.flicker_ns)
        self._frames: dict[Side, list[Array]] = {side: [] for side in self.driving}
        self._heights: dict[Side, float] = {}

    def see(self, frame: OperatorFrame) -> tuple[str, ...]:
        """One camera frame; returns what was just said: yes, no, record_start, record_stop, release. A thumb may say
        two of them at once."""
        shown = self._gestures(frame)
        for side, palm in self.palms.items():
            palm.see(shown[side] is Gesture.OPEN_PALM, frame.capture_ns)
            if palm.since_ns is None:
                self._frames[side].clear()
            elif shown[side] is Gesture.OPEN_PALM:
                self._frames[side].append(frame.hands[side].world_m)
                del self._frames[side][:-MOST_FRAMES]
        self._hanging.see(self._wrists_below_hips(frame), frame.capture_ns)
        if self._both:
            sign = shown["right"] if shown["right"] is shown["left"] else Gesture.NONE
        else:
            sign = shown["left" if self.driving[0] == "right" else "right"]
        said = (reader.see(sign, frame.capture_ns) for reader in (self._answered, self._said))
        return tuple(word for word in said if word is not None)

    def showing(self, stamp_ns: int, palms: bool) -> tuple[str, float]:
        """The sign that is being held and the share of its time that is done, 0 … 1, for a ring that fills.

        Args:
            palms: whether open palms mean something now.

        Returns:
            such as ("thumb up", 0.4); ("", 0.0) where nothing that counts is shown.
        """
        holds = {**self._said.holds, **self._answered.holds}
        shown = {sign: hold.progress(stamp_ns) for sign, hold in holds.items() if hold.since_ns is not None}
        if palms and not self.missing:
            shown[Gesture.OPEN_PALM] = self.progress(stamp_ns)
        if not shown:
            return "", 0.0
        sign = max(shown, key=lambda each: shown[each])
        return sign.value, shown[sign]

    @property
    def missing(self) -> list[Side]:
        """Driving hands that show no open palm."""
        return [side for side, palm in self.palms.items() if palm.since_ns is None]

    def held(self, stamp_ns: int) -> bool:
        """Whether all driving hands have shown the open palm long enough."""
        return all(palm.held(stamp_ns) for palm in self.palms.values())

    def progress(self, stamp_ns: int) -> float:
        """Share of the dwell, 0 … 1, of the hand that began last."""
        return min(palm.progress(stamp_ns) for palm in self.palms.values())

    def frames(self, side: Side) -> Array:
        """(m, 21, 3) landmarks [m] of the frames in which the palm has been held until now."""
        return np.array(self._frames[side]).reshape(-1, 21, 3)

    def forget(self, until_let_go: bool = False) -> None:
        """Open palms count anew, see `SignHold.forget`."""
        for palm in self.palms.values():
            palm.forget(until_let_go)
        self._hanging.forget()

    def forget_shown(self) -> None:
        """Open palms that are shown right now count only after they were let go."""
        for palm in self.palms.values():
            palm.forget(until_let_go=palm.since_ns is not None)

    def lowered(self, stamp_ns: int) -> bool:
        """Whether the wrists of all driving hands have hung below the hips."""
        return self._hanging.held(stamp_ns)

    def left_low(self) -> bool:
        """Whether all driving hands were last seen at the image's lower edge."""
        return all(self._heights.get(side, 0.0) > LOW for side in self.driving)

    def _gestures(self, frame: OperatorFrame) -> dict[Side, Gesture]:
        found = dict.fromkeys(SIDES, Gesture.NONE)
        for side, hand in frame.hands.items():
            try:
                found[side] = classify(hand.world_m, side)
            except HandGeometryError:
                self.rejected += 1
                continue
            self._heights[side] = float(hand.image[PALM, 1].mean())
        return found

    def _wrists_below_hips(self, frame: OperatorFrame) -> bool:
        body = frame.body
        if body is None or frame.capture_ns - body.stamp_ns > BODY_AGE_NS:
            return False
        hips, wrists = list(HIP.values()), [WRIST[side] for side in self.driving]
        if not float(body.visibility[hips + wrists].min()) >= SEEN:
            return False
        return bool(body.image[wrists, 1].min() > body.image[hips, 1].mean())
