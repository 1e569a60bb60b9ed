# SPDX-License-Identifier: Apache-2.0
"""A recorded operator through the limbs of a robot and its driver on virtual servos, in virtual time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from booth.retarget_operator import RecordedFrame, RecordedOperator
from drivers.command import Command
from drivers.safety import State as DriverState
from drivers.virtual_time import VirtualTimeDriver
from graph.errors import BoothError
from recorder.replay import minimum_jerk, ramp_duration_s
from robots import Robot
from teleop.clutch import ClutchSettings
from teleop.limb_group import LimbGroup
from teleop.limbs import Limb
from teleop.operator_signs import OperatorSigns
from teleop.operator_view import OperatorFrame

Array = NDArray[np.float64]

HOMING_S = 30.0
RAMP_RAD_S = 1.0
"""On virtual servos nobody waits for a slow ramp."""
RENEW_NS = 50_000_000
"""A command is said again after this long: rows need not hold every camera frame, and the driver wants fresh ones."""
STILL_S, STILL_HZ = 1.5, 30
"""For at least so long an operator stands before the robot follows."""
PATIENCE_NS = 100_000_000
"""Between two requests to engage."""


@dataclass(slots=True)
class Requests:
    """What was asked of the robot, each with its moment and the frame that caused it [ns, virtual time]."""

    issued_ns: list[int] = field(default_factory=list)
    capture_ns: list[int] = field(default_factory=list)
    position_rad: list[Array] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """What happened.

    Attributes:
        driver: has the cycles.
        later_ns: virtual time minus graph time.
        requests: commands.
        events: (virtual time, stream, text).
        seen: by limb, in which share of the frames that counted it was seen, 0 … 1.
    """

    driver: VirtualTimeDriver
    later_ns: int
    requests: Requests
    events: tuple[tuple[int, str, str], ...]
    seen: Mapping[str, float]


class Copier:
    """The limbs, engaged when the recording says so; else the same steps as a live session takes."""

    def __init__(self, robot: Robot, limbs: tuple[Limb, ...], prediction_ms: float) -> None:
        settings = ClutchSettings()
        self._group = LimbGroup(robot, limbs, settings, prediction_ms)
        self._signs = OperatorSigns(self._group.driving, settings)
        self._start = np.zeros(len(robot.joints))
        self._following = False
        self._last_ns = 0
        self.joints = self._group.joints
        self.events: list[str] = []
        self.seen: dict[str, int] = dict.fromkeys(map(str, self._group.limbs), 0)
        self.frames = 0

    def watch(self, robot_rad: Array) -> None:
        """The operator is looked at, with the robot at this pose."""
        self._following = False
        self._group.stop()
        self._group.watch(robot_rad)

    def engage(self, robot_rad: Array, stamp_ns: int) -> None:
        """All limbs follow, blended from this pose."""
        self._start, self._following = robot_rad.copy(), True
        self._group.place(robot_rad)
        self._group.engage(self._last_ns or stamp_ns)

    def see(self, frame: OperatorFrame) -> tuple[Array, Array] | None:
        """One frame; where the robot should be and how fast it should move, or None while it does not follow."""
        self._last_ns = frame.capture_ns
        self._signs.see(frame)
        for limb in self._group.look(frame, self._signs):
            if self._following:
                self.events.append(f"held: {limb.limb.name}: {limb.reason}")
        if not self._following:
            return None
        self.frames += 1
        for name, limb in self._group.limbs.items():
            self.seen[str(name)] += limb.missed == 0
        self.events += [f"resumed: {limb.limb.name}" for limb in self._group.let_in(self._signs, frame.capture_ns)]
        return self._group.move(self._start, frame.capture_ns)


class _Simulation:
    """One run. Times are the driver's own virtual ones."""

    def __init__(self, robot: Robot, copier: Copier, operator: RecordedOperator, first_pose: Array | None) -> None:
        self.robot, self.copier, self.operator = robot, copier, operator
        self.driver = VirtualTimeDriver(robot)
        self.driver.loop.connect()
        self.period_ns = round(1e9 / robot.rate_hz)
        self.at_ns = self.driver.clock.now_ns
        self.requests, self.events = Requests(), []  # type: Requests, list[tuple[int, str, str]]
        self._first_pose = first_pose
        self._command: tuple[Array, Array | None, int] | None = None
        self._said_ns = self._asked_ns = 0
        self._state = ""

    def make_ready(self) -> None:
        """To the ready pose, and from there to where the recorded robot stood, if that is known."""
        refusal = self.driver.loop.request_home(ready=True)
        for _ in range(round(HOMING_S * 1e9 / self.period_ns)):
            self.cycle()
            if not refusal and self.driver.loop.status.state is DriverState.READY:
                break
        else:
            raise BoothError(f"{self.robot.name} is not ready: {refusal or self.driver.loop.status.reason}")
        if self._first_pose is not None:
            self._glide(self.measured(), self._first_pose)

    def measured(self) -> Array:
        """The newest measured pose (J,)."""
        return self.driver.cycles[-1].reading.position_rad.copy()

    def cycle(self) -> None:
        """The driver's next cycle."""
        self.at_ns += self.period_ns
        self.driver.cycle_at(self.at_ns)

    def _glide(self, start: Array, aim: Array) -> None:
        steps = round(ramp_duration_s(float(np.abs(aim - start).max()), RAMP_RAD_S) * 1e9 / self.period_ns)
        for step in range(steps + self.robot.rate_hz // 2):
            share = minimum_jerk(min(1.0, step / steps))
            self._offer(start + share * (aim - start), None, self.at_ns)
            if step == 0 and (refusal := self.driver.loop.request_engage()):
                raise BoothError(f"{self.robot.name} can't be brought to its recorded pose: {refusal}")
            self.cycle()
        self.driver.loop.request_release()

    def _offer(self, position: Array, velocity: Array | None, capture_ns: int) -> None:
        for group, (_, members) in enumerate(self.robot.groups):
            if np.isfinite(position[list(members)]).any():
                fits = velocity is not None and bool(np.isfinite(velocity[list(members)]).all())
                known = np.nan_to_num(velocity) if fits and velocity is not None else None
                self.driver.loop.offer(Command(position, self.at_ns, capture_ns, known), group)

    def run(self, first_ns: int, last_ns: int, each: Callable[[float], None]) -> Run:
        """Everything from a little before the first to the last row [graph time]."""
        lead_ns = 2 * self.period_ns
        later_ns = self.at_ns + lead_ns - first_ns
        self.driver.cycles.clear()
        waiting = [_later(each_frame, later_ns) for each_frame in self.operator.frames]
        self.cycle()
        self.copier.watch(self.measured())
        self._stand_still(waiting)
        following, place = False, 0
        while self.at_ns < last_ns + later_ns:
            wanted = self.operator.engaged_at(self.at_ns - later_ns)
            if following and not wanted:
                self._let_go()
            while place < len(waiting) and waiting[place].issued_ns <= self.at_ns:
                self._see(waiting[place], following)
                place += 1
            if wanted and not following:
                self._engage()
            following = wanted
            self._keep_going(wanted)
            self.cycle()
            self._note()
            each(min(1.0, (self.at_ns - later_ns - first_ns) / max(1, last_ns - first_ns)))
        seen = {name: count / max(1, self.copier.frames) for name, count in self.copier.seen.items()}
        return Run(self.driver, later_ns, self.requests, tuple(self.events), seen)

    def _stand_still(self, waiting: list[RecordedFrame]) -> None:
        """A recording that begins with the engagement lacks the time before it, in which the operator held still and
        filters and solvers came to rest: the first frame, or the first one with a body, stands for it."""
        start_ns = self.operator.engaged[0][0]
        first = self.operator.frames[0]
        if first.issued_ns < start_ns - STILL_S * 1e9 / 2:
            return
        near = [each for each in waiting if each.issued_ns - waiting[0].issued_ns < STILL_S * 1e9]
        still = next((each for each in near if each.frame.body is not None), waiting[0])
        ahead_ns = still.frame.capture_ns - waiting[0].frame.capture_ns
        for number in range(round(STILL_S * STILL_HZ), 0, -1):
            self.copier.see(_later(still, -ahead_ns - round(number * 1e9 / STILL_HZ)).frame)

    def _see(self, recorded: RecordedFrame, following: bool) -> None:
        target = self.copier.see(recorded.frame)
        self.events += [(self.at_ns, "teleop_event", text) for text in self.copier.events]
        self.copier.events.clear()
        if target is not None and following:
            self._ask(target[0], target[1], recorded.frame.capture_ns, recorded.issued_ns)

    def _engage(self) -> None:
        start = self.measured()
        self.copier.engage(start, self.at_ns)
        self._ask(start, None, self.at_ns, self.at_ns)

    def _let_go(self) -> None:
        self.driver.loop.request_release()
        self._command = None
        self.copier.watch(self.measured())

    def _ask(self, position: Array, velocity: Array | None, capture_ns: int, issued_ns: int) -> None:
        """A new command, of the joints that copy the operator; the driver has it with its next cycle."""
        asked = np.full(len(position), np.nan)
        asked[self.copier.joints] = position[self.copier.joints]
        self._command = (asked, velocity, capture_ns)
        self._said_ns = self.at_ns
        self._offer(asked, velocity, capture_ns)
        self.requests.issued_ns.append(max([issued_ns, *self.requests.issued_ns[-1:]]))
        self.requests.capture_ns.append(capture_ns)
        self.requests.position_rad.append(asked)

    def _keep_going(self, wanted: bool) -> None:
        """Renew what was asked, and ask the driver to follow until it does."""
        if not wanted or self._command is None:
            return
        if self.at_ns - self._said_ns >= RENEW_NS:
            self._said_ns = self.at_ns
            self._offer(self._command[0], None, self._command[2])
        if self.driver.loop.status.state is not DriverState.ENGAGED and self.at_ns - self._asked_ns >= PATIENCE_NS:
            self._asked_ns = self.at_ns
            if refusal := self.driver.loop.request_engage():
                self.events.append((self.at_ns, "driver_state", f"engage refused: {refusal}"))

    def _note(self) -> None:
        status = self.driver.cycles[-1].status
        word = f"{status.state.value}: {status.reason}" if status.reason else status.state.value
        if word != self._state:
            self._state = word
            self.events.append((self.at_ns, "driver_state", word))


def follow_recorded(
    robot: Robot,
    limbs: tuple[Limb, ...],
    operator: RecordedOperator,
    span_ns: tuple[int, int],
    prediction_ms: float,
    first_pose: Array | None,
    each: Callable[[float], None] = lambda _: None,
) -> Run:
    """Let a virtual robot copy a recorded operator.

    Args:
        limbs: calibrated.
        span_ns: graph times of the first and the last row.
        prediction_ms: see `teleop.prediction`.
        first_pose: (J,) where the robot stands at the first row [rad]; None: in its ready pose.
        each: told again and again how much is done, 0 … 1.

    Raises:
        BoothError: the robot can't be made ready.
    """
    simulation = _Simulation(robot, Copier(robot, limbs, prediction_ms), operator, first_pose)
    simulation.make_ready()
    return simulation.run(*span_ns, each)


def _later(recorded: RecordedFrame, later_ns: int) -> RecordedFrame:
    frame = recorded.frame
    body = None if frame.body is None else replace(frame.body, stamp_ns=frame.body.stamp_ns + later_ns)
    return RecordedFrame(OperatorFrame(frame.capture_ns + later_ns, frame.hands, body), recorded.issued_ns + later_ns)
