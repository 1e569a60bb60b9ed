# SPDX-License-Identifier: Apache-2.0
"""The control loop: read, decide, limit, write. One ``cycle`` for each period, handed the time; it owns the joints."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from drivers import safety
from drivers.command import Command
from drivers.errors import PortError
from drivers.joint_link import JointLink, JointReading
from drivers.safety import COMMAND_TTL_NS, Facts, State, Status
from graph.errors import DeviceError
from robots import Robot
from robots.limiter import MotionLimiter

Array = NDArray[np.float64]

WATCHDOG_CHECK_NS = 1_000_000_000
STALL_NS, STALL_GRACE_NS = 30_000_000, 60_000_000
"""A cycle that starts this late means that the computer paused; commands then get this long to catch up."""

FARTHEST_OUTSIDE_RAD = 0.5
"""A joint farther outside its limits than this was not pushed there: wrong file, wrong homing offset."""

RELEASE_S = 1.0
"""A soft release takes the servos' strength away over this long before torque goes off."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle did.

    Attributes:
        read_ns: when the servos were read (middle of the transaction), monotonic.
        reading: what they said.
        goal_rad: limiter output (n,) [rad]; sent_rad: the same rounded to servo ticks; velocity_rad_s: its velocity.
        written_ns: when the goals had been handed to the port, monotonic.
        capture_ns: capture stamp of the camera frame that caused the goal; None in a hold.
        status: safety state after the cycle.
    """

    read_ns: int
    reading: JointReading
    goal_rad: Array
    sent_rad: Array
    velocity_rad_s: Array
    written_ns: int
    capture_ns: int | None
    status: Status


class ControlLoop:
    """Drives one set of joints. ``cycle`` belongs to the bus thread; the other methods may be called from any
    thread."""

    def __init__(self, robot: Robot, link: JointLink, clock_ns: Callable[[], int]) -> None:
        self._robot, self._link, self._clock_ns = robot, link, clock_ns
        self._lock = Lock()
        self._status = Status(State.IDLE, "not connected")
        self._command: Command | None = None
        self._commanders = 1
        self._emitted = np.array([joint.home_rad for joint in robot.joints])
        self._answered_ns = 0
        self._alert = ""
        self._expired = False
        self._recover = self._was_silent = False
        self._watchdog_checked_ns = 0
        self._last_cycle_ns = 0
        self._misses = 0
        self._pause_ns = self._pause_until_ns = 0
        self._measured = np.full(len(robot.joints), np.nan)
        self._alerts: tuple[int, ...] = ()
        self._limiter: MotionLimiter | None = None

    @property
    def status(self) -> Status:
        """The safety state now."""
        with self._lock:
            return self._status

    @property
    def last_command(self) -> Command | None:
        """The newest accepted command."""
        with self._lock:
            return self._command

    def connect(self) -> None:
        """Check and set up the robot, then hold the measured pose with torque on.

        Raises:
            DeviceError: this is not the robot, or it does not answer; torque stays off.
        """
        measured = self._link.prepare()
        self._check_pose(measured)
        self._limiter = MotionLimiter(
            self._robot, 1.0 / self._robot.rate_hz, self._link.lower_rad, self._link.upper_rad
        )
        self._hold_from(measured)
        now_ns = self._clock_ns()
        self._measured = measured
        with self._lock:
            self._answered_ns = self._watchdog_checked_ns = self._last_cycle_ns = now_ns
            self._status = Status(State.READY)

    def offer(self, command: Command) -> None:
        """Hand in an accepted command; the newest counts."""
        with self._lock:
            self._command = command

    def set_commanders(self, count: int) -> None:
        """How many publishers the command topic has now."""
        with self._lock:
            self._commanders = count

    def request_engage(self) -> str:
        """An operator's act: follow the commands. Returns why not, or an empty string."""
        with self._lock:
            facts = self._facts(self._clock_ns())
            distance, allowed, farthest = self._distance()
            recover = self._expired or (self._status.state is State.STOPPED and self._was_silent)
            if recover:  # what stands against it may be gone after a new set-up, which checks all of it again
                facts = Facts(facts.command_age_ns, commanders=facts.commanders)
                distance = 0.0
            self._status, refusal = safety.engage(self._status, facts, distance, farthest, allowed)
            if not refusal:
                self._recover |= recover
                self._expired = self._was_silent = False
                if self._limiter is not None:
                    self._limiter.soften()
            return refusal

    def request_release(self) -> None:
        """Stop following; the robot holds where it is."""
        with self._lock:
            self._status = safety.release(self._status)

    def request_stop(self, reason: str) -> None:
        """Protective stop."""
        with self._lock:
            self._status = safety.stop(self._status, reason)

    def cycle(self) -> Cycle:
        """One period: read, decide, limit, write.

        Raises:
            PortError: the port is gone.
        """
        assert self._limiter is not None, "connect() comes first"
        gap_ns = self._clock_ns() - self._last_cycle_ns
        if gap_ns > STALL_NS:
            self._pause_ns, self._pause_until_ns = gap_ns + STALL_GRACE_NS, self._clock_ns() + STALL_GRACE_NS
        if self._recover:
            self._resume_after_stop()
        start_ns = self._clock_ns()
        reading = self._link.read()
        read_ns = (start_ns + self._clock_ns()) // 2
        self._look_closer(reading, read_ns)
        with self._lock:
            if reading.fresh.all():
                self._answered_ns, self._misses = read_ns, 0
                self._measured = reading.position_rad
            else:
                self._misses += 1
            self._status = safety.watch(self._status, self._facts(read_ns))
            self._was_silent |= self._misses >= safety.BUS_HOLD_MISSES
            status, command = self._status, self._command
        fresh = command is not None and read_ns - command.issued_ns <= COMMAND_TTL_NS
        if status.state is State.ENGAGED and command is not None and fresh and not self._recover:
            target = np.where(np.isnan(command.position_rad), self._emitted, command.position_rad)
            step = self._limiter.follow(target)
            capture_ns: int | None = command.capture_ns
        else:
            step = self._limiter.hold()
            capture_ns = None
        self._emitted = step.position_rad
        sent = self._link.write(step.position_rad)
        written_ns = self._clock_ns()
        self._last_cycle_ns = start_ns
        self._link.poll()
        return Cycle(read_ns, reading, step.position_rad, sent, step.velocity_rad_s, written_ns, capture_ns, status)

    def let_go(self, share: float) -> None:
        """One step of a soft release: keep the goal, with this share of the strength (1 … 0)."""
        self._link.soften(share)
        self._link.write(self._emitted)

    def disconnect(self) -> None:
        """Torque off, as far as the bus still answers."""
        with self._lock:
            self._status = Status(State.IDLE, "stopped")
        self._link.torque_off()

    def _facts(self, now_ns: int) -> Facts:
        age = None if self._command is None else max(0, now_ns - self._command.issued_ns)
        return Facts(
            command_age_ns=age,
            bus_silent_ns=max(0, now_ns - self._answered_ns),
            bus_misses=self._misses,
            watchdog_expired=self._expired,
            alert=self._alert,
            commanders=self._commanders,
            pause_ns=self._pause_ns if now_ns < self._pause_until_ns else 0,
        )

    def _distance(self) -> tuple[float, float, str]:
        """The joint that is farthest from its command by its own measure: distance, what is allowed, name."""
        if self._command is None:
            return 0.0, 0.0, ""
        allowed = np.array(self._robot.engage_distance_rad)
        difference = np.nan_to_num(np.abs(self._command.position_rad - self._measured))
        farthest = int(np.argmax(difference / allowed))
        return float(difference[farthest]), float(allowed[farthest]), self._robot.joints[farthest].name

    def _look_closer(self, reading: JointReading, now_ns: int) -> None:
        """Ask for what the cyclic read does not tell: alerts in words, and the servos' watchdog after a long gap."""
        if self._recover:
            return
        try:
            if reading.alerts != self._alerts:
                self._alerts = reading.alerts
                self._alert = self._link.hardware_errors(reading.alerts) if reading.alerts else ""
            gap_ns = now_ns - self._last_cycle_ns
            overdue = gap_ns > self._robot.bus_watchdog_ms * 1_000_000
            if overdue or now_ns - self._watchdog_checked_ns > WATCHDOG_CHECK_NS:
                self._watchdog_checked_ns = now_ns
                self._expired = self._link.stopped_by_themselves()
        except PortError:
            raise
        except DeviceError:
            self._alert = self._alert or "unreadable"

    def _resume_after_stop(self) -> None:
        """The operator engaged after servos had stopped or were unreachable: check the robot anew, goals to the
        measured pose, watchdogs armed, then torque. Refused now where the pose turns out to be too far away."""
        self._recover = False
        try:
            measured = self._link.prepare()
            self._check_pose(measured)
            self._hold_from(measured)
        except PortError:
            raise
        except DeviceError as error:
            self.request_stop(str(error))
            return
        with self._lock:
            self._measured, self._answered_ns, self._misses = measured, self._clock_ns(), 0
            self._alert, self._alerts = "", ()
            distance, allowed, farthest = self._distance()
            if distance > allowed:
                self._status = Status(State.HOLD, f"{farthest} is {distance:.2f} rad away from the command")

    def _hold_from(self, measured: Array) -> None:
        assert self._limiter is not None
        self._limiter.start(measured)
        self._emitted = measured
        self._link.torque_on(measured)

    def _check_pose(self, measured: Array) -> None:
        silent = [joint.name for joint, value in zip(self._robot.joints, measured, strict=True) if np.isnan(value)]
        if silent:
            raise DeviceError(f"no position from {', '.join(silent)}: check cables and IDs, then start again")
        for joint, value in zip(self._robot.joints, measured, strict=True):
            if not joint.min_rad - FARTHEST_OUTSIDE_RAD <= value <= joint.max_rad + FARTHEST_OUTSIDE_RAD:
                limits = f"{joint.min_rad:.2f} … {joint.max_rad:.2f}"
                raise DeviceError(
                    f"{joint.name} stands at {value:.2f} rad, its limits are {limits}: "
                    "is this the right robot file, and are the servo's homing offset and direction right?"
                )
