# SPDX-License-Identifier: Apache-2.0
"""A grasp that the robot's hand keeps while the operator takes it over, finger by finger.

Whoever is let in again shows an open palm, and a hand that copied it would drop what it holds. So a finger that is
closed farther than the operator's stands where it is until his own has come as far; then it follows him, blended:

    KEPT ─his finger is as far closed, or his hand stayed open on purpose→ TAKING ─blended→ FREE

The thumb stays as long as no finger has been taken over, because it holds from the other side; alone it holds nothing.
An operator who wants to let go keeps his hand open for a while after the ramp.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from teleop.blend import Blend, blend_ns
from teleop.fingers import Fingers

Array = NDArray[np.float64]


class FingerState(Enum):
    """Whose a finger of the robot is: the grasp's, on its way to the operator, the operator's."""

    KEPT = "kept"
    TAKING = "taking"
    FREE = "free"


class FingerEvent(Enum):
    """REACHED: the operator's finger is as far closed · LET_GO: his hand stayed open · BLENDED: the way is over."""

    REACHED = "reached"
    LET_GO = "let go"
    BLENDED = "blended"


_ROWS: Mapping[FingerState, Mapping[FingerEvent, FingerState]] = {
    FingerState.KEPT: {FingerEvent.REACHED: FingerState.TAKING, FingerEvent.LET_GO: FingerState.TAKING},
    FingerState.TAKING: {FingerEvent.BLENDED: FingerState.FREE},
    FingerState.FREE: {},
}
FINGER_TABLE = MappingProxyType({state: MappingProxyType(row) for state, row in _ROWS.items()})
"""What every event does to a finger; one that a state does not list changes nothing."""


@dataclass(frozen=True, slots=True)
class TakeoverSettings:
    """When a grasp is the operator's.

    Attributes:
        near_rad: a finger that is open by less than this against the robot's has reached it (mean of its joints; the
            tracker's own error is half of it), and one that has moved by less since the beginning is still open.
        let_go_ns: how long an open hand stays open, after the ramp, before the grasp is let go.
        ramp_ns: least time of a blend. ramp_rad_s: (k,) how fast it may be.
    """

    ramp_rad_s: Array
    ramp_ns: int
    near_rad: float
    let_go_ns: int


class GraspTakeover:
    """One hand, from the moment at which it is let in again.

    Attributes:
        states: (d) of every digit.
    """

    def __init__(
        self, fingers: Fingers, held_rad: Array, shown_rad: Array, begin_ns: int, settings: TakeoverSettings
    ) -> None:
        """Begin with the robot's joints here (k,) and the operator's there (k,)."""
        self._fingers, self._settings = fingers, settings
        self._held_rad = held_rad.copy()
        self._held, self._shown = fingers.closure_rad(held_rad), fingers.closure_rad(shown_rad)
        kept = self._held - self._shown > settings.near_rad
        if fingers.thumb is not None:
            kept[fingers.thumb] = np.delete(kept, fingers.thumb).any()
        self._grasping = kept
        self.states = [FingerState.KEPT if each else FingerState.FREE for each in kept]
        self._ways: dict[int, Blend] = {}
        self._ramped_ns = self._open_ns = begin_ns + settings.ramp_ns

    @property
    def done(self) -> bool:
        """Whether every finger is the operator's."""
        return all(state is FingerState.FREE for state in self.states)

    @property
    def keeps(self) -> bool:
        """Whether a finger waits for the operator's."""
        return FingerState.KEPT in self.states

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which joints (k,) wait for the operator's."""
        return np.asarray(self._fingers.members[[state is FingerState.KEPT for state in self.states]].any(axis=0))

    def mix(self, aim_rad: Array, wanted_rad: Array, stamp_ns: int) -> Array:
        """Where the hand should be now (k,).

        Args:
            aim_rad: (k,) where it would be without a grasp.
            wanted_rad: (k,) what the operator shows in this frame.
            stamp_ns: of this frame.
        """
        self._look(wanted_rad, stamp_ns)
        mixed = aim_rad.copy()
        for digit, state in enumerate(self.states):
            mine = self._fingers.members[digit]
            if state is FingerState.KEPT:
                mixed[mine] = self._held_rad[mine]
            elif digit in self._ways:
                mixed[mine] = self._ways[digit].mix(wanted_rad[mine], stamp_ns)
        return mixed

    def _look(self, wanted_rad: Array, stamp_ns: int) -> None:
        """Let happen what this frame shows."""
        closure, near_rad = self._fingers.closure_rad(wanted_rad), self._settings.near_rad
        for digit, way in self._ways.items():
            if way.done(stamp_ns):
                self._on(digit, FingerEvent.BLENDED)
        reached = closure >= self._held - near_rad
        thumb = self._fingers.thumb
        for finger in np.flatnonzero(reached):
            if finger != thumb:
                self._on(int(finger), FingerEvent.REACHED, wanted_rad, stamp_ns)
        if thumb is not None and reached[thumb] and self._thumb_is_free():
            self._on(thumb, FingerEvent.REACHED, wanted_rad, stamp_ns)
        kept = np.array([state is FingerState.KEPT for state in self.states])
        if (closure[kept] > self._shown[kept] + near_rad).any():
            self._open_ns = max(stamp_ns, self._ramped_ns)
        elif stamp_ns - self._open_ns >= self._settings.let_go_ns:
            for finger in np.flatnonzero(kept):
                self._on(int(finger), FingerEvent.LET_GO, wanted_rad, stamp_ns)

    def _thumb_is_free(self) -> bool:
        """Whether a finger that grasped with the thumb has been taken over."""
        others = [int(finger) for finger in np.flatnonzero(self._grasping) if finger != self._fingers.thumb]
        return any(self.states[finger] is not FingerState.KEPT for finger in others)

    def _on(self, digit: int, event: FingerEvent, wanted_rad: Array | None = None, stamp_ns: int = 0) -> None:
        before = self.states[digit]
        self.states[digit] = FINGER_TABLE[before].get(event, before)
        if wanted_rad is None or self.states[digit] is before:
            return
        mine, settings = self._fingers.members[digit], self._settings
        offset = self._held_rad[mine] - wanted_rad[mine]
        duration_ns = blend_ns(offset, settings.ramp_rad_s[mine], settings.ramp_ns)
        self._ways[digit] = Blend(self._held_rad[mine], offset, stamp_ns, duration_ns, relative=False)
