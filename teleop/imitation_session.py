# SPDX-License-Identifier: Apache-2.0
"""One operator session, without ROS: what the camera shows in, joint targets and events out; handed the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robots import Robot
from robots.frames import read_only
from teleop.body_calibration import average_adult
from teleop.clutch import Clutch, ClutchSettings
from teleop.clutch_table import Action, Event, LimbState, State
from teleop.frame_pace import SLOWEST_HZ, FramePace
from teleop.hand_calibration import HandCalibrationError
from teleop.hand_geometry import Side
from teleop.limb_clutch import LimbClutch
from teleop.limb_group import LimbGroup
from teleop.limbs import Limb, LimbName, learn_body
from teleop.operator_profile import OperatorProfile
from teleop.operator_signs import RELEASE, OperatorSigns
from teleop.operator_view import OperatorFrame

Array = NDArray[np.float64]


SILENT = "no camera frame: is the tracker running and the camera plugged in?"
PEDAL_GONE = "the pedal does not answer: plug it in again"
PEDAL_LOST = "the pedal was unplugged: plug it in again, or show the open palm to go on without it"
PEDAL_UP = "pedal released: press it, then show the open palm"
RELEASED = "released by the sign: show the open palm to go on"
LOWERED = "hands lowered: show the open palm to go on"
TOO = "palm too"
LET_GO = "close the hands first, then show the open palms anew"
UNKNOWN_POSE = "the robot's pose is not known: is the driver running?"


@dataclass(frozen=True, slots=True)
class Target:
    """What the robot should do now.

    Attributes:
        position_rad: (n,) of all the robot's joints; those of no active limb stay where they were at the engagement.
        capture_ns: the camera frame that asked for it.
        velocity_rad_s: (n,) how fast it moves; NaN where that is not known.
        stamps: for every active limb the frame that it follows; older than ``capture_ns`` where it is held.
    """

    position_rad: Array
    capture_ns: int
    stamps: Mapping[str, int]
    velocity_rad_s: Array


class ImitationSession:
    """Joins signs, clutch and limbs for one robot.

    Attributes:
        clutch: where the operator is, and why.
        notes: what does not fit the operator's profile.
        out_of_order: frames that were not newer than the last one.
    """

    def __init__(
        self,
        robot: Robot,
        limbs: Sequence[Limb],
        settings: ClutchSettings | None = None,
        profile: OperatorProfile | None = None,
        prediction_ms: float = 0.0,
    ) -> None:
        """Take limbs as `teleop.limbs.build_limbs` makes them, what is known of the operator, and how far ahead hands
        and arms are predicted, see `teleop.prediction`."""
        self._settings = settings or ClutchSettings()
        self._group = LimbGroup(robot, limbs, self._settings, prediction_ms)
        self._signs = OperatorSigns(self._group.driving, self._settings)
        self.clutch = Clutch(self._settings, reason=self._invitation())
        self._pace = FramePace()
        self._limbs = tuple(limbs)
        self._profile: OperatorProfile | None = None
        self._wished: OperatorProfile | None = profile
        self._measured = np.full(len(robot.joints), np.nan)
        self._start = np.zeros(len(robot.joints))
        self._target: Target | None = None
        self._pedal: bool | None = None
        self._events: list[str] = []
        self._release = False
        self.out_of_order = 0
        self.notes: tuple[str, ...] = ()
        self._take_profile()

    # ---- what the node reads ----------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the operator is."""
        return self.clutch.state

    @property
    def limbs(self) -> Mapping[LimbName, LimbClutch]:
        """Whether each of them follows, and why not."""
        return self._group.limbs

    @property
    def active_joints(self) -> NDArray[np.int_]:
        """Indices of the joints that copy the operator."""
        return self._group.joints

    @property
    def target(self) -> Target | None:
        """The newest target; None while nothing is asked of the robot."""
        return self._target

    @property
    def profile(self) -> OperatorProfile | None:
        """Whose calibration counts; None: nobody's."""
        return self._profile

    @property
    def reason(self) -> str:
        """What the operator should know or do; empty when all is well."""
        return self.clutch.reason or self._group.reasons(held_only=True)

    def progress(self, stamp_ns: int) -> float:
        """How much of the open palm's time is done, 0 … 1."""
        if self.state is State.HOLDING_SIGN:
            return self._signs.progress(stamp_ns)
        return 0.0 if self.state is State.WAITING else 1.0

    def take_events(self) -> list[str]:
        """What has happened since the last call: engaged, "released: why", "held: limb: why", "resumed: limb",
        record_start, record_stop, yes, no."""
        events, self._events = self._events, []
        return events

    def take_release(self) -> bool:
        """Whether the operator let go on purpose since the last call: tell the driver, which else holds by itself."""
        release, self._release = self._release, False
        return release

    def status(self, now_ns: int) -> dict[str, str | float | int]:
        """State, reason, progress, the sign that is held, camera rate, and for every limb its state and why it does not
        follow."""
        shown = ("", 0.0) if self._pace.silent(now_ns) else self._signs.showing(now_ns, self._palms_count)
        return {
            "state": self.state.value,
            "reason": self.reason,
            "progress": round(self.progress(now_ns), 2),
            "sign": shown[0],
            "sign_progress": round(shown[1], 2),
            "rate_hz": round(self._pace.rate_hz, 1),
            "rejected_hands": self._signs.rejected,
            "out_of_order": self.out_of_order,
            "notes": "; ".join(self.notes),
            **self._group.status(),
        }

    @property
    def _palms_count(self) -> bool:
        """Whether an open palm means something: to engage, or to let a limb in again."""
        if self.clutch.following:
            return any(limb.state is LimbState.HELD for limb in self._group.limbs.values())
        return self.state is State.HOLDING_SIGN

    # ---- what the node hands in -------------------------------------------------------------------------------

    def measure(self, position_rad: Array) -> None:
        """The robot's measured pose (n,); a joint that is not known now keeps its last value."""
        self._measured = np.where(np.isfinite(position_rad), position_rad, self._measured)

    def use_profile(self, profile: OperatorProfile | None) -> bool:
        """Another operator's calibration, or None: nobody's. While a robot is being engaged or follows it waits, and
        is taken when it is let go: nothing that moves is measured anew.

        Returns:
            whether it counts already.
        """
        self._wished = profile
        self._take_profile()
        return self._profile is profile

    def press(self, pedal: bool | None, now_ns: int) -> None:
        """The hold-to-run pedal: pressed or not; None: there is none. One that was there and is gone counts as up.

        A palm that is up when it is pressed does not count: it is shown after the press.
        """
        gone, before = pedal is None and self._pedal is not None, self._pedal
        self._pedal = False if gone else pedal
        if self._pedal is False:
            reason = PEDAL_GONE if gone else PEDAL_UP
            self._happen(Event.PEDAL_UP, now_ns, reason)
            self.clutch.reason = reason
        elif self._pedal and before is False:
            self.clutch.reason = self._invitation()
            self._signs.forget_shown()

    def unplug(self, now_ns: int) -> None:
        """A pedal that speaks to the session was unplugged: its foot can't stop anything any more, so nothing goes on
        until the operator says so anew."""
        self._happen(Event.PEDAL_UP, now_ns, PEDAL_LOST)
        if self._pedal is None:
            self.clutch.reason = PEDAL_LOST

    def answer(self, accepted: bool, reason: str, now_ns: int) -> None:
        """What the driver said to the request to engage."""
        if accepted:
            self._happen(Event.ACCEPTED, now_ns)
        else:
            self._happen(Event.REFUSED, now_ns, f"the driver refused: {reason}")

    def drop(self, reason: str, now_ns: int) -> None:
        """The driver no longer follows: a fresh open palm is needed."""
        self._happen(Event.DROPPED, now_ns, reason)

    def tick(self, now_ns: int) -> None:
        """Called regularly: notices a camera that has gone silent. Nothing is sent again meanwhile: the driver holds by
        itself when its last command is 100 ms old."""
        if self._pace.silent(now_ns):
            self._stall(now_ns)

    def see(self, frame: OperatorFrame) -> Target | None:
        """One camera frame; a frame that is not newer than the last one is ignored.

        Args:
            frame: what it shows.

        Returns:
            the target to send now; None where nothing new is asked of the robot.
        """
        stamp_ns = frame.capture_ns
        if self._pace.silent(stamp_ns):
            self._stall(stamp_ns)
        if not self._pace.see(stamp_ns):
            self.out_of_order += 1
            return None
        if self.clutch.reason == SILENT:
            self.clutch.reason = self._invitation()
        for said in self._signs.see(frame):
            if said == RELEASE:
                self._happen(Event.RELEASE_SIGN, stamp_ns, RELEASED)
            else:
                self._events.append(said)
        self._look_for_the_sign(stamp_ns)
        if self.state not in (State.WAITING, State.HOLDING_SIGN):
            self._look_at_limbs(frame)
        if self.state is State.ALIGNING:
            self._align(stamp_ns)
        if self.clutch.following:
            self._events += [f"resumed: {limb.limb.name}" for limb in self._group.let_in(self._signs, stamp_ns)]
            if self._signs.lowered(stamp_ns):
                self._happen(Event.LOWERED, stamp_ns, LOWERED)
        self._move(stamp_ns)
        return self._target

    # ---- the way in -------------------------------------------------------------------------------------------

    def _look_for_the_sign(self, stamp_ns: int) -> None:
        missing, driving = self._signs.missing, self._signs.driving
        if self.state is State.WAITING and self._pedal is not False:
            if not missing:
                self._happen(Event.SIGN_SHOWN, stamp_ns, f"hold the open {_palms(driving)} still")
            elif len(missing) < len(driving):
                self.clutch.reason = f"show the open {missing[0]} {TOO}"
            elif self.clutch.reason.endswith(TOO):
                self.clutch.reason = self._invitation()
            elif any(palm.to_let_go for palm in self._signs.palms.values()) and not self.clutch.reason.endswith(LET_GO):
                self.clutch.reason = f"{self.clutch.reason}; {LET_GO}"
        if self.state is not State.HOLDING_SIGN:
            return
        if missing:
            self._happen(Event.SIGN_BROKEN, stamp_ns, f"the open {missing[0]} palm was not held long enough")
        elif self._signs.held(stamp_ns):
            try:
                self.notes = self._group.learn_hands(self._signs, self._profile)
            except HandCalibrationError as error:
                self._happen(Event.SIGN_USELESS, stamp_ns, str(error))
                return
            self._happen(Event.SIGN_HELD, stamp_ns, "bring arms and hands to the robot's posture")

    def _align(self, stamp_ns: int) -> None:
        """Ask the driver once every active limb of the operator is near enough to the robot's."""
        reason = self._misalignment()
        if not reason:
            self._happen(Event.ALIGNED, stamp_ns, "asking the driver")
        elif stamp_ns - self.clutch.since_ns > self._settings.align_ns:
            self._happen(Event.LATE, stamp_ns, f"{reason}; then show the open {_palms(self._signs.driving)} again")
        else:
            self.clutch.reason = reason

    def _misalignment(self) -> str:
        """Why the driver is not asked yet; empty when it may be."""
        if 0.0 < self._pace.rate_hz < SLOWEST_HZ:
            return (
                f"the camera gives {self._pace.rate_hz:.0f} frames a second, at least {SLOWEST_HZ:.0f} are needed: "
                "more light, a lower resolution, or a faster computer"
            )
        if not np.isfinite(self._measured).all():
            return UNKNOWN_POSE
        return self._group.misalignment(self._measured)

    # ---- limbs ------------------------------------------------------------------------------------------------

    def _look_at_limbs(self, frame: OperatorFrame) -> None:
        """Read every limb; notice those that are lost, and whether nothing is left to follow."""
        for limb in self._group.look(frame, self._signs):
            self._events.append(f"held: {limb.limb.name}: {limb.reason}")
        if self.clutch.following:
            lost = self._group.all_held()
        else:
            lost = self._group.any_missing() if self.state is State.ASKING else self._group.all_missing()
        if self.clutch.following and self._group.hands_gone() and self._signs.left_low():
            self._happen(Event.LOWERED, frame.capture_ns, LOWERED)
        elif lost:
            self._happen(Event.ALL_LOST, frame.capture_ns, self._group.reasons())

    # ---- what follows from it ---------------------------------------------------------------------------------

    def _move(self, stamp_ns: int) -> None:
        """The target of this frame."""
        if self.state not in (State.ASKING, State.RAMPING, State.ENGAGED):
            self._target = None
            return
        position, velocity = self._start.copy(), np.full(len(self._start), np.nan)
        if self.clutch.following:
            position, velocity = self._group.move(self._start, stamp_ns)
            if not self._group.blending:
                self._happen(Event.RAMPED, stamp_ns)
        stamps = self._group.stamps(stamp_ns)
        self._target = Target(read_only(position), stamp_ns, stamps, read_only(velocity))

    def _stall(self, now_ns: int) -> None:
        self._happen(Event.STALLED, now_ns, SILENT)
        self._signs.forget()
        self.clutch.reason = SILENT

    def _happen(self, event: Event, stamp_ns: int, reason: str = "") -> None:
        before = self.state
        action = self.clutch.on(event, stamp_ns, reason)
        if action is Action.LEARN:
            self._group.watch(self._measured)
        elif action is Action.ASK:
            self._start = self._measured.copy()
            self._group.place(self._start)
        elif action is Action.RAMP:
            self._group.engage(self._pace.last_ns)
        elif action is Action.TELL:
            self._events.append("engaged")
        if action in (Action.RELEASE, Action.LET_GO):
            self._end(action, before, reason)
        elif before is not State.WAITING and self.state is State.WAITING:
            self._target = None
            self._signs.forget()
        self._take_profile()

    def _end(self, action: Action, before: State, reason: str) -> None:
        self._target = None
        self._release |= action is Action.RELEASE
        self._group.stop()
        self._signs.forget(until_let_go=True)
        if before is not State.ASKING:
            self._events.append(f"released: {reason}")

    def _take_profile(self) -> None:
        """The calibration that is wished for, as soon as nothing moves by it. Hands are measured at the open palm."""
        if self._wished is self._profile or self.state not in (State.WAITING, State.HOLDING_SIGN):
            return
        self._profile, self.notes = self._wished, ()
        body = None if self._profile is None else self._profile.body
        learn_body(self._limbs, average_adult() if body is None else body.calibration())

    def _invitation(self) -> str:
        return f"show the open {_palms(self._signs.driving)} to the camera and hold still"


def _palms(sides: Sequence[Side]) -> str:
    return "palms of both hands" if len(sides) == 2 else f"{sides[0]} palm"
