# SPDX-License-Identifier: Apache-2.0
"""What holds whatever goes wrong: goals inside every limit, and no motion after a fault without an operator's act."""

from math import ceil

import numpy as np
from virtual_line import MS, Rig

from drivers.command import Command
from drivers.safety import COMMAND_TTL_NS, MOVING, State
from drivers.virtual_faults import FaultPanel
from robots import Robot
from robots.limiter import STOP_FACTOR


class FaultRig(Rig):
    """A rig with faults on demand that keeps a diary of what the operator asked for and of every set-up.

    Its time is an hour ahead of the machine's, so that the set-up's own timeouts, which run in real time, cost none.

    Attributes:
        panel: makes faults.
        acts: for every accepted engage or homing the number of cycles before it.
        set_ups: for every time that torque was switched on the number of cycles before it, and the pose to hold.
    """

    def __init__(self, robot: str | Robot, command_ttl_ns: int = COMMAND_TTL_NS) -> None:
        self.acts: list[int] = []
        self.set_ups: list[tuple[int, np.ndarray]] = []
        super().__init__(robot, connect=False, command_ttl_ns=command_ttl_ns)
        self.clock.now_ns += 3_600_000 * MS
        self.loop.connect()
        self.panel = FaultPanel(
            self.robot, {name: line.virtual for name, line in self.lines.items()}, clock_ns=self.clock
        )
        self._torque_on, self.link.torque_on = self.link.torque_on, self._note_set_up
        self.home = np.array(self.robot.home_rad)
        self.period_ns = 1_000 * MS // self.robot.rate_hz
        self.tick_rad = tick_rad(self)
        self._swing = self._start_ns = 0

    @property
    def last(self):
        """The newest cycle."""
        return self.cycles[-1]

    def run(self, cycles: int, command_rad=None):
        """Cycle at the robot's rate, also over many calls; a late cycle starts at once. Returns the last."""
        for _ in range(cycles):
            self._start_ns = self.clock.now_ns = max(self.clock.now_ns, self._start_ns + self.period_ns)
            if command_rad is not None:
                self.offer_all(command_rad)
            self.cycles.append(self.loop.cycle())
        return self.cycles[-1]

    def ask_engage(self) -> str:
        """The operator's request, as it is."""
        refusal = self.loop.request_engage()
        if not refusal:
            self.acts.append(len(self.cycles))
        return refusal

    def ask_home(self, ready: bool = False) -> str:
        """The other act of an operator that may lead to motion."""
        refusal = self.loop.request_home(ready)
        if not refusal:
            self.acts.append(len(self.cycles))
        return refusal

    def engage(self, command_rad=None) -> None:
        """Fresh commands, then a request that must be accepted."""
        self.run(1, self.home if command_rad is None else command_rad)
        refusal = self.ask_engage()
        assert not refusal, refusal

    def swing(self, cycles: int):
        """Follow a commanded swing of all joints about home: everything is in motion. Returns the last cycle."""
        reach = np.minimum(0.2, 0.5 * np.array(self.robot.engage_distance_rad))
        for _ in range(cycles):
            self._swing += 1
            angle = 2.0 * np.pi * self._swing / self.robot.rate_hz
            wanted = np.clip(self.home + reach * np.sin(angle), self.link.lower_rad, self.link.upper_rad)
            self.run(1, wanted)
        return self.last

    def moving(self, cycles: int = 30) -> None:
        """Engaged and in motion."""
        self.engage()
        assert self.swing(cycles).status.state is State.ENGAGED, self.last.status

    def until(self, condition, within_ms: float, command_rad=None) -> float:
        """Cycle until something holds; returns after how long, ms of virtual time."""
        begin_ns = self.clock.now_ns
        while not condition():
            assert self.clock.now_ns - begin_ns <= within_ms * MS, (self.loop.status, self.loop.faults)
            self.run(1, command_rad)
        return (self.clock.now_ns - begin_ns) / MS

    def until_stopped(self, within_ms: float) -> float:
        """The swing goes on until the driver stops following; returns after how long, ms of virtual time."""
        begin_ns = self.clock.now_ns
        while self.swing(1).status.state in MOVING:
            assert self.clock.now_ns - begin_ns <= within_ms * MS, (self.loop.status, self.loop.faults)
        took_ms = (self.clock.now_ns - begin_ns) / MS
        assert took_ms <= within_ms
        return took_ms

    def torque(self) -> list[bool]:
        """Torque of every joint's servo, as it is in the servo."""
        return [bool(self.device(joint.id).peek("Torque Enable")) for joint in self.robot.joints]

    def shafts(self) -> np.ndarray:
        """Where every joint really stands, in ticks of its servo."""
        return np.array([self.device(joint.id).position_ticks(self.clock.now_ns) for joint in self.robot.joints])

    def pass_time(self, seconds: float) -> None:
        """Nobody does anything."""
        self.clock.now_ns += int(seconds * 1e9)

    def offer_all(self, command_rad: np.ndarray) -> None:
        """A fresh command for every group, without a cycle."""
        now_ns = self.clock.now_ns
        for group in range(len(self.robot.groups)):
            self.loop.offer(Command(command_rad, now_ns, now_ns - 30 * MS), group)

    def _note_set_up(self) -> np.ndarray:
        hold_rad = self._torque_on()
        self.set_ups.append((len(self.cycles), hold_rad.copy()))
        return hold_rad


def tick_rad(rig: Rig) -> np.ndarray:
    """Smallest step of every joint's goal (n,)."""
    out = np.full(len(rig.robot.joints), 2.0 * np.pi / 4096)
    for line in rig.link.lines:
        for servo in line.servos:
            out[servo.index] = servo.rad_per_tick
    return out


def assert_invariants(rig: FaultRig) -> None:
    """Over all cycles so far: goals are finite, inside the limits and no faster than the caps; after a fault nothing
    moves without a fresh act; and where nobody moves goals stand still as soon as the robot has braked."""
    sent = np.array([cycle.sent_rad for cycle in rig.cycles])
    states = [cycle.status.state for cycle in rig.cycles]
    tick = rig.tick_rad
    assert np.isfinite(sent).all()
    lowest = np.minimum(rig.link.lower_rad, np.min([pose for _, pose in rig.set_ups] or [rig.link.lower_rad], axis=0))
    highest = np.maximum(rig.link.upper_rad, np.max([pose for _, pose in rig.set_ups] or [rig.link.upper_rad], axis=0))
    assert (sent >= lowest - tick).all(), "a goal below a limit"
    assert (sent <= highest + tick).all(), "a goal above a limit"
    _assert_steps(rig, sent)
    _assert_acts(rig, states)
    _assert_standstill(rig, sent, states)


def _assert_steps(rig: FaultRig, sent: np.ndarray) -> None:
    anew = {at for at, _ in rig.set_ups}
    steps = np.abs(np.diff(sent, axis=0))
    most = np.array(rig.robot.velocity_rad_s) / rig.robot.rate_hz * 1.01 + rig.tick_rad
    for at, pose in rig.set_ups:
        if at < len(sent):  # a new set-up starts at the measured pose, whatever the goal was before
            assert (np.abs(sent[at] - pose) <= most).all(), "the first goal after a set-up is not the measured pose"
    for k in np.flatnonzero((steps > most).any(axis=1)):
        names = [rig.robot.joint_names[j] for j in np.flatnonzero(steps[k] > most)]
        assert int(k) + 1 in anew, f"cycle {k + 1}: step of {steps[k].max():.4f} rad at {', '.join(names)}"


def _assert_acts(rig: FaultRig, states: list[State]) -> None:
    still = True
    for k, state in enumerate(states):
        if state in MOVING and still:
            since = max((i for i in range(k) if states[i] not in MOVING), default=0)
            assert any(since <= act <= k for act in rig.acts), f"cycle {k}: {state} without an operator's act"
        still = state not in MOVING


def _assert_standstill(rig: FaultRig, sent: np.ndarray, states: list[State]) -> None:
    velocity, acceleration = np.array(rig.robot.velocity_rad_s), np.array(rig.robot.acceleration_rad_s2)
    braking = ceil(float((velocity / acceleration).max()) / STOP_FACTOR * rig.robot.rate_hz) + 5
    anew = {at for at, _ in rig.set_ups}
    quiet = 0
    for k, state in enumerate(states):
        quiet = 0 if state in MOVING or k in anew else quiet + 1
        if quiet > braking:
            moved = np.abs(sent[k] - sent[k - 1])
            assert (moved <= 0.5 * rig.tick_rad).all(), f"cycle {k}: goals move in {state}"
