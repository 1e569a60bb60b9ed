# SPDX-License-Identifier: Apache-2.0
"""The control loop: decide, limit, exchange. One ``cycle`` for each period, handed the time; it owns the joints."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from drivers import safety
from drivers.command import Command
from drivers.command_stream import CommandStreams
from drivers.errors import WatchdogError
from drivers.joint_link import Exchange, JointLink, JointReading
from drivers.safety import Facts, State, Status
from graph.errors import DeviceError
from graph.faults import Fault, FaultCode
from robots import Robot
from robots.limiter import MotionLimiter, Step

Array = NDArray[np.float64]

STALL_NS, STALL_GRACE_NS = 30_000_000, 60_000_000
"""A cycle that starts this late means that the computer paused; commands then get this long to catch up."""

FARTHEST_OUTSIDE_RAD, FARTHEST_OUTSIDE_M = 0.5, 0.05
"""A joint farther outside its limits than this was not pushed there: wrong file, wrong homing offset."""

TIGHT_SHARE = 0.75
"""Where the wire takes more than this share of a period, answers are taken apart during the next burst."""

HURRY_SHARE, HURRY_WIRES = 0.3, 2.0
"""A command that has just come may shorten its cycle to this share of the period, and to so many wire times."""

HOMING_SHARE = 0.25
"""Share of the velocity caps with which the robot moves to a pose of its file."""
ARRIVED_SHARE = 0.01
"""Of a joint's way that still counts as arrived, in seconds at its velocity cap."""


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
    """Drives the joints of one robot. ``cycle`` belongs to the bus thread; the other methods may be called from any
    thread."""

    def __init__(
        self,
        robot: Robot,
        link: JointLink,
        clock_ns: Callable[[], int],
        *,
        feed_forward: bool = True,
        command_ttl_ns: int = safety.COMMAND_TTL_NS,
    ) -> None:
        self._robot, self._link, self._clock_ns = robot, link, clock_ns
        self._lock = Lock()
        self._status = Status(State.IDLE, "not connected")
        lower = np.array([joint.min_rad for joint in robot.joints])
        upper = np.array([joint.max_rad for joint in robot.joints])
        groups, fastest = [members for _, members in robot.groups], np.array(robot.velocity_rad_s)
        self._streams = CommandStreams(groups, lower, upper, fastest, feed_forward, command_ttl_ns)
        self._ttl_ns = command_ttl_ns
        self._strangers: tuple[str, ...] = ()
        self._emitted = np.array(robot.home_rad)
        self._home = self._emitted
        self._faults: tuple[Fault, ...] = ()
        self._recover = self._weak = self._limp = self._reboot = self._confirm = False
        self._last_cycle_ns = self._stepped_ns = 0
        self._pause_ns = self._pause_until_ns = 0
        self._stopped_ns: int | None = None
        self._resumed_ns = 0
        self._tight = False
        self._measured = np.full(len(robot.joints), np.nan)
        self._limiter: MotionLimiter | None = None

    @property
    def status(self) -> Status:
        """The safety state now."""
        with self._lock:
            return self._status

    @property
    def least_period_s(self) -> float:
        """Two cycles may be this close where a command is in a hurry, and not closer."""
        period_s, wire_s = 1.0 / self._robot.rate_hz, self._link.wire_ns * 1e-9
        return min(max(HURRY_SHARE * period_s, HURRY_WIRES * wire_s), period_s)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with joints, buses and ports now, also where nobody moves."""
        return self._faults

    def last_command(self, group: int) -> Command | None:
        """The newest accepted command of one group of joints."""
        with self._lock:
            return self._streams.streams[group].last

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
        self._measured = self._switch_on()
        self._tight = self._link.wire_ns * self._robot.rate_hz > TIGHT_SHARE * 1e9
        with self._lock:
            self._last_cycle_ns = self._clock_ns()
            self._status = Status(State.READY)

    # --- from any thread ---------------------------------------------------------------------------------------

    def offer(self, command: Command, group: int = 0) -> None:
        """Hand in an accepted command of one group of joints; the newest counts."""
        with self._lock:
            self._streams.streams[group].offer(command)

    def set_strangers(self, names: tuple[str, ...]) -> None:
        """Who sends commands besides the one who may."""
        with self._lock:
            self._strangers = names

    def request_engage(self) -> str:
        """An operator's act: follow the commands. Returns why not, or an empty string."""
        with self._lock:
            if self._status.state is State.ENGAGED:
                return ""  # and no further group of joints comes in by this door
            now_ns = self._clock_ns()
            facts = self._facts(now_ns, engaged=False)
            distance, allowed, farthest = self._distance(now_ns)
            recover = self._weak or self._needs_set_up()
            if recover:  # what stands against it may be gone after a new set-up, which checks all of it again
                facts = Facts(facts.command_age_ns, strangers=facts.strangers, command_ttl_ns=self._ttl_ns)
                distance = 0.0
            self._status, refusal = safety.engage(self._status, facts, distance, farthest, allowed)
            if not refusal:
                self._recover |= recover
                self._streams.engage(now_ns)
                self._begin_to_move()
            return refusal

    def request_home(self, ready: bool = False) -> str:
        """An operator's act: move slowly to the home pose, or the ready pose. Returns why not, or an empty string."""
        with self._lock:
            facts = self._facts(self._clock_ns(), engaged=False)
            if self._weak or self._needs_set_up():
                return "servos have stopped or lost power: engage first, which sets them up anew"
            self._status, refusal = safety.home(self._status, facts)
            if not refusal:
                pose = np.array(self._robot.ready_rad if ready else self._robot.home_rad)
                self._home = np.clip(pose, self._link.lower_rad, self._link.upper_rad)
                self._begin_to_move()
            return refusal

    def request_reboot(self) -> str:
        """A person's act: restart servos that report a hardware error. Returns why not, or an empty string."""
        with self._lock:
            if self._status.state in safety.MOVING:
                return "the robot is moving: release first"
            self._reboot = True
            return ""

    def request_release(self) -> None:
        """Stop following; the robot holds where it is."""
        with self._lock:
            self._recover = False
            self._status = safety.release(self._status)

    def request_stop(self, reason: str) -> None:
        """Protective stop: hold, and after the time of the robot's file let go softly."""
        with self._lock:
            self._recover = False
            self._status = safety.stop(self._status, reason)

    # --- the bus thread ----------------------------------------------------------------------------------------

    def cycle(self) -> Cycle:
        """One period: decide by what the last exchange told, limit, exchange."""
        assert self._limiter is not None, "connect() comes first"
        start_ns = self._clock_ns()
        gap_ns = start_ns - self._last_cycle_ns
        if gap_ns > STALL_NS:
            self._pause_ns, self._pause_until_ns = gap_ns + STALL_GRACE_NS, start_ns + STALL_GRACE_NS
        if gap_ns > self._robot.bus_watchdog_ms * 1_000_000:
            self._link.look_at_watchdogs()
        if self._recover:
            self._resume_after_stop()
        if self._reboot:
            self._reboot = False
            self._link.reboot_faulty()
        now_ns = self._clock_ns()
        self._limiter.passed((now_ns - self._stepped_ns) * 1e-9)
        self._stepped_ns = now_ns
        step, capture_ns = self._next_step(now_ns)
        self._emitted = step.position_rad
        exchange = self._link.exchange(step.position_rad, self._tight)
        self._last_cycle_ns = exchange.written_ns
        status = self._look_at(exchange)
        self._link.spare()
        self._after_a_stop(status)
        return Cycle(
            exchange.read_ns,
            exchange.reading,
            step.position_rad,
            exchange.sent_rad,
            step.velocity_rad_s,
            exchange.written_ns,
            capture_ns,
            status,
        )

    def let_go(self, share: float) -> None:
        """One step of a soft release: come to rest, with this share of the strength (1 … 0)."""
        assert self._limiter is not None
        self._emitted = self._limiter.hold().position_rad
        self._link.soften(share)
        self._link.exchange(self._emitted)

    def disconnect(self) -> None:
        """Torque off, as far as the bus still answers."""
        with self._lock:
            self._status = Status(State.IDLE, "stopped")
        self._link.torque_off()

    def _next_step(self, now_ns: int) -> tuple[Step, int | None]:
        """What to send: towards the commands, towards home, or standing still; and the camera frame behind it."""
        assert self._limiter is not None
        with self._lock:
            self._faults = self._link.faults()
            engaged = self._status.state is State.ENGAGED
            self._status = safety.watch(self._status, self._facts(now_ns, engaged))
            target = self._streams.target(now_ns) if self._status.state is State.ENGAGED else None
            if self._confirm and target is not None:  # the first commands after a new set-up: still near enough?
                self._confirm = False
                distance, allowed, farthest = self._distance(now_ns)
                if distance > allowed:
                    self._status = Status(State.HOLD, f"{farthest} is {distance:.2f} rad away from the command")
                    target = None
            state, home = self._status.state, self._home
        if state is State.HOMING:
            return self._limiter.follow(home, share=HOMING_SHARE), None
        if target is None:
            return self._limiter.hold(), None
        position, velocity, capture_ns = target
        silent = np.isnan(position)
        return self._limiter.follow(np.where(silent, self._emitted, position), velocity), capture_ns

    def _look_at(self, exchange: Exchange) -> Status:
        """What the exchange told, and what follows from it."""
        fresh = exchange.reading.fresh
        with self._lock:
            self._measured = np.where(fresh, exchange.reading.position_rad, self._measured)
            near = ARRIVED_SHARE * np.array(self._robot.velocity_rad_s)
            if self._status.state is State.HOMING and (np.abs(self._emitted - self._home) <= near).all():
                self._status = safety.arrived(self._status)
            return self._status

    def _after_a_stop(self, status: Status) -> None:
        """A supported stop: hold for the time of the robot's file, then let go over some seconds, then torque off."""
        motion = self._robot.motion
        if status.state is not State.STOPPED or status.code is not FaultCode.STOP_REQUESTED or not motion.stop_hold_s:
            self._stopped_ns = None
            return
        if self._limp:
            return
        now_ns = self._clock_ns()
        self._stopped_ns = self._stopped_ns or now_ns
        left_s = motion.stop_hold_s + motion.release_s - (now_ns - self._stopped_ns) * 1e-9
        if left_s <= 0.0:
            self._link.torque_off()
            self._limp = True
        elif left_s < motion.release_s:
            self._weak = True
            self._link.soften(left_s / motion.release_s)

    def _needs_set_up(self) -> bool:
        """Whether only a new set-up helps."""
        stopped = self._status.state is State.STOPPED and self._status.code is not FaultCode.STOP_REQUESTED
        return stopped or any(fault.stops for fault in self._faults)

    def _begin_to_move(self) -> None:
        self._stopped_ns = None
        if self._limiter is not None:
            self._limiter.soften()

    def _facts(self, now_ns: int, engaged: bool) -> Facts:
        age_ns = self._streams.age_ns(now_ns, engaged)
        if engaged and age_ns is not None:  # a new set-up took its time: commands count from its end on
            age_ns = min(age_ns, now_ns - self._resumed_ns)
        return Facts(
            command_age_ns=age_ns,
            faults=self._faults,
            strangers=self._strangers,
            pause_ns=self._pause_ns if now_ns < self._pause_until_ns else 0,
            command_ttl_ns=self._ttl_ns,
        )

    def _distance(self, now_ns: int) -> tuple[float, float, str]:
        """The joint that is farthest from its command by its own measure: distance, what is allowed, name."""
        allowed = np.array(self._robot.engage_distance_rad)
        difference = np.nan_to_num(np.abs(self._streams.fresh_target(now_ns) - self._measured))
        farthest = int(np.argmax(difference / allowed))
        return float(difference[farthest]), float(allowed[farthest]), self._robot.joints[farthest].name

    def _resume_after_stop(self) -> None:
        """The operator engaged after servos had stopped, were unreachable or let go: check the robot anew, goals to the
        measured pose, watchdogs armed, then torque. Commands count from its end on, and are near or move nothing."""
        self._recover = False
        try:
            self._check_pose(self._link.prepare())
            with self._lock:
                wanted = self._status.state is State.ENGAGED  # a stop may have come meanwhile
            if not wanted:
                return
            measured = self._switch_on()
        except DeviceError as error:
            if self._limp:
                self._link.torque_off()
            with self._lock:
                code = self._faults[0].code if self._faults else FaultCode.SERVOS_STOPPED
                if isinstance(error, WatchdogError):
                    code = FaultCode.WATCHDOG_NOT_ARMED
                self._status = safety.stop(self._status, str(error), code)
            return
        with self._lock:
            self._weak = self._limp = False
            self._measured, self._faults, self._confirm = measured, (), True
            self._resumed_ns = self._clock_ns()

    def _switch_on(self) -> Array:
        """Torque on, standing still; returns the pose."""
        assert self._limiter is not None
        measured = self._link.torque_on()
        self._limiter.start(measured)
        self._emitted = measured
        return measured

    def _check_pose(self, measured: Array) -> None:
        silent = [joint.name for joint, value in zip(self._robot.joints, measured, strict=True) if np.isnan(value)]
        if silent:
            raise DeviceError(f"no position from {', '.join(silent)}: check cables and IDs, then start again")
        for joint, value in zip(self._robot.joints, measured, strict=True):
            far = FARTHEST_OUTSIDE_M if joint.prismatic else FARTHEST_OUTSIDE_RAD
            if not joint.min_rad - far <= value <= joint.max_rad + far:
                limits = f"{joint.min_rad:.2f} … {joint.max_rad:.2f}"
                raise DeviceError(
                    f"{joint.name} stands at {value:.2f} rad, its limits are {limits}: "
                    "is this the right robot file, and are the servo's homing offset and direction right?"
                )
