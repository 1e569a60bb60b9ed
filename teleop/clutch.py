# SPDX-License-Identifier: Apache-2.0
"""The operator's clutch at work: applies `teleop.clutch_table` and remembers since when and why."""

from dataclasses import dataclass, field
from math import radians

from teleop.clutch_table import TABLE, Action, Event, State

MS = 1_000_000


@dataclass(frozen=True, slots=True)
class ClutchSettings:
    """Times and distances of the clutch.

    Attributes:
        dwell_ns: how long the open palm is held. flicker_ns: how long a sign may flicker off without starting anew.
        fewest_frames: that an open palm is seen in, whatever the camera's rate.
        sign_ns: how long any other sign is held. lowered_ns: how long hands hang before that counts.
        align_ns: after this long without alignment the sign is needed again.
        retry_ns: pause after the driver has refused.
        coast_frames: how many camera frames in a row a limb may be missing; its last target is kept meanwhile.
        ramp_ns: least time of the blend from the robot's pose to the operator's; longer where that is far.
        ramp_share: of the velocity caps, how fast a blend may be.
        align_factor: how much farther than the driver's own engage distance a limb may be at the sign: the blend takes
            the time that the way needs.
        reengage_factor: how much farther than at the engagement a limb may be when it is engaged again.
        grasp_rad: how near a finger of the operator must come to one that grasps, see `teleop.grasp_takeover`.
        let_go_ns: how long an open hand stays open, after the blend, before a grasp that was kept is let go.
    """

    dwell_ns: int = 600 * MS
    flicker_ns: int = 100 * MS
    fewest_frames: int = 8
    sign_ns: int = 1000 * MS
    lowered_ns: int = 300 * MS
    align_ns: int = 8000 * MS
    retry_ns: int = 1000 * MS
    coast_frames: int = 3
    ramp_ns: int = 1000 * MS
    ramp_share: float = 0.5
    align_factor: float = 6.0
    reengage_factor: float = 4.0
    grasp_rad: float = radians(15)
    let_go_ns: int = 3000 * MS


@dataclass(slots=True)
class Clutch:
    """Where the operator is, since when, and why."""

    settings: ClutchSettings = field(default_factory=ClutchSettings)
    state: State = State.WAITING
    reason: str = "show an open palm to the camera and hold it still"
    since_ns: int = 0
    not_before_ns: int = 0

    @property
    def following(self) -> bool:
        """Whether the robot is asked to move."""
        return self.state in (State.RAMPING, State.ENGAGED)

    def on(self, event: Event, stamp_ns: int, reason: str = "") -> Action:
        """Let one event happen; returns what is to be done about it."""
        move = TABLE[self.state].get(event)
        if move is None or (event is Event.SIGN_SHOWN and stamp_ns < self.not_before_ns):
            return Action.NONE
        self.state, self.reason, self.since_ns = move.state, reason, stamp_ns
        if move.action is Action.PAUSE:
            self.not_before_ns = stamp_ns + self.settings.retry_ns
        return move.action
