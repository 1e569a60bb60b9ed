# SPDX-License-Identifier: Apache-2.0
"""All joints of a robot over all of its lines: set-up, one exchange a cycle, and what is wrong."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from drivers.bus import Bus, Port
from drivers.care import NOISE_WARN_SHARE, Care, OpenPort
from drivers.diagnosis import silent_faults, stopped_fault
from drivers.errors import PortError
from drivers.group_read import GroupRead, Kind, Slot
from drivers.hand_device import READ_BLOCK, READ_BYTES, HandDevice
from drivers.identity import check_identities
from drivers.joint_health import JointHealth, Limits
from drivers.joint_link import Exchange, JointReading
from drivers.line import Line
from drivers.servo_block import STATE_BYTES
from drivers.servo_device import ServoDevice, refuse_other_calibration
from drivers.servo_model import servo_model
from drivers.state_arrays import StateArrays
from graph.faults import Fault, FaultCode
from robots import Robot

Array = NDArray[np.float64]

MS = 1_000_000
MUTE_HOLD_NS, MUTE_STOP_NS = 50 * MS, 500 * MS
MUTE_CYCLES = 4
"""At least so many questions must have stayed unanswered: time passes as well while this computer stands still."""
STALE_NS = 150 * MS
NOISE_HOLD_SHARE = 0.1
"""More damaged answers than this in the last second: what the joints do is no longer known well enough."""


class RobotLink:
    """JointLink over any number of lines.

    Args:
        robot: the robot.
        ports: for each bus name a function that opens its port.
        clock_ns: monotonic clock.
    """

    def __init__(
        self, robot: Robot, ports: Mapping[str, OpenPort], clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._robot, self._clock_ns = robot, clock_ns
        self.lower_rad = np.array([joint.min_rad for joint in robot.joints])
        self.upper_rad = np.array([joint.max_rad for joint in robot.joints])
        self.health = JointHealth(robot)
        self.state = StateArrays(np.array(robot.velocity_rad_s), np.array([joint.prismatic for joint in robot.joints]))
        self._period_s = 1.0 / robot.rate_hz
        self.lines: list[Line] = []
        opened: dict[str, Port] = {}
        try:
            for bus in robot.buses:
                opened[bus.name] = ports[bus.name]()
                self.lines.append(self._line(bus.name, opened[bus.name]))
        except PortError:
            for port in opened.values():
                port.close()
            raise
        self.care = Care(robot, self.lines, self.health, ports, opened, clock_ns)
        self._kept: set[int] = set()
        self._firmware: dict[str, dict[int, int]] = {}
        self._fresh_ns = np.zeros(len(robot.joints), np.int64)
        self._sent = np.full(len(robot.joints), np.nan)
        self._started_ns = 0
        self._wants_torque = False

    # --- set-up --------------------------------------------------------------------------------------------------

    def prepare(self) -> Array:
        """Every device checked and configured; see `JointLink`."""
        self.care.reopen(patient=False)
        for line in self.lines:
            if line.port_lost:
                raise PortError(line.port_lost)
        for line in self.lines:
            self._check(line)
        measured = np.full(len(self._robot.joints), np.nan)
        limits = list(self.health.limits)
        for line in self.lines:
            for servo in line.servos:
                measured[servo.index] = servo.prepare(line.bus, self._period_s)
                lower, upper = servo.limits_rad(line.bus)
                joint = servo.joint
                self.lower_rad[servo.index] = max(joint.min_rad, lower)
                self.upper_rad[servo.index] = min(joint.max_rad, upper)
                limits[servo.index] = servo.health_limits(line.bus)
                self._feed_the_others(line)
            for hand in line.hands:
                if hand.id in self._kept:
                    measured[hand.indices] = self._sent[hand.indices]
                    continue
                measured[hand.indices] = hand.prepare(line.bus)
                self._feed_the_others(line)
                for index, motor in zip(hand.indices, hand.joints, strict=True):
                    model = servo_model(motor.model)
                    low, high = model.voltage_limits_v
                    current_ma = float(hand.controller.goal_current_ma)
                    limits[index] = Limits(model.temperature_limit_degc, low, high, current_ma)
            line.set_up(self._fast_ids(line))
        self.health.limits = limits
        self.state.forget()
        return measured

    def torque_on(self) -> Array:
        """All watchdogs read back, then device by device goal and torque; see `JointLink`."""
        self._wants_torque = True
        watchdog_ms = self._robot.bus_watchdog_ms
        hold = np.full(len(self._robot.joints), np.nan)
        for line in self.lines:
            for servo in line.servos:
                servo.arm(line.bus, watchdog_ms)
                self._feed_the_others(line)
        for line in self.lines:
            for servo in line.servos:
                hold[servo.index] = servo.switch_on(line.bus)
                self._feed_the_others(line)
            for hand in line.hands:
                if hand.id in self._kept:
                    hand.soften(1.0)
                    hold[hand.indices] = self._sent[hand.indices]
                else:
                    hold[hand.indices] = hand.switch_on(line.bus, watchdog_ms)
                self._feed_the_others(line)
            line.goals_on = True
        self._sent = hold.copy()
        self.care.set_up()
        self.health.set_up()
        self._fresh_ns[:] = self._clock_ns()
        return hold

    def facts(self) -> list[dict[str, object]]:
        """Every device that `prepare` found: bus, ID, model, firmware, and of servos direction and homing offset."""
        joints = {(self._robot.bus_of(joint), joint.id): joint for joint in self._robot.joints}
        told: list[dict[str, object]] = []
        for bus, found in self._firmware.items():
            for device, firmware in found.items():
                entry: dict[str, object] = {"bus": bus, "id": device, "firmware": firmware}
                if (bus, device) in joints:
                    joint = joints[bus, device]
                    entry |= {"joint": joint.name, "model": joint.model, "reverse": joint.reverse}
                    entry |= {"homing_offset_ticks": joint.homing_offset_ticks}
                told.append(entry)
        return told

    # --- one cycle -----------------------------------------------------------------------------------------------

    @property
    def wire_ns(self) -> int:
        """One cycle on the wire; lines run at the same time."""
        return max(line.wire_ns for line in self.lines)

    def exchange(self, goal_rad: Array, overlap: bool = False) -> Exchange:
        """Goals out, state in, on all lines at once.

        Args:
            goal_rad: goals (n,).
            overlap: take the answers of the cycle before apart while this cycle is on the wire; its reading is one
                cycle older (and the first one empty), but nothing then stands between two cycles but the wire. For
                loops whose period is hardly longer than their wire time.
        """
        start_ns = self._clock_ns()
        self.state.begin(start_ns)
        overlap = overlap and all(line.calm for line in self.lines)
        sent = self._sent.copy()
        for line in self.lines:
            line.start(goal_rad, sent, overlap)
        written_ns = self._clock_ns()
        self._sent = sent
        if overlap:
            done = self._digested(self._started_ns, written_ns, overlap)
            self._collect(overlap)
        else:
            self._collect(overlap)
            done = self._digested(start_ns, written_ns, overlap)
        self._started_ns = start_ns
        return done

    def _collect(self, overlap: bool) -> None:
        """Line by line in turn, so that their wires work at the same time."""
        while waiting := [line for line in self.lines if line.waiting]:
            for line in waiting:
                line.collect_one(overlap)

    def _digested(self, since_ns: int, written_ns: int, overlap: bool) -> Exchange:
        """What the lines have read since then."""
        for line in self.lines:
            line.digest(self.state, overlap)
        state, read = self.state, [line.read_ns for line in self.lines if line.read_ns >= since_ns]
        for index in self.care.silent_fingers:  # their controller keeps telling the last that it knows
            state.forget_one(index)
        read_ns = min(read) if read else written_ns
        self._fresh_ns[state.fresh] = read_ns
        reading = JointReading(state.position_rad, state.velocity_rad_s, state.current_ma, state.fresh)
        return Exchange(self._sent, written_ns, read_ns, reading)

    def spare(self) -> None:
        """At most one slow question a cycle."""
        self.care.spare(self.state, self._wants_torque)

    def look_at_watchdogs(self) -> None:
        """Ask every device once, now."""
        self.care.look_at_watchdogs()

    def reboot_faulty(self) -> None:
        """Restart servos with a hardware error."""
        self.care.reboot_faulty()

    # --- what is wrong -------------------------------------------------------------------------------------------

    def faults(self) -> tuple[Fault, ...]:
        """Ports, buses, branches, servos: worst first."""
        now_ns = self._clock_ns()
        out = [
            Fault(FaultCode.PORT_LOST, f"bus {line.name}: {line.port_lost}", stops=True)
            for line in self.lines
            if line.port_lost
        ]
        out += [self._mute(line, now_ns) for line in self.lines if self._is_mute(line, now_ns)]
        there = [line for line in self.lines if not line.port_lost and not line.roll.mute_since_ns]
        silent = {(line.name, servo) for line in there for servo in line.silent}
        fingers = self.care.silent_fingers
        if silent or fingers:
            out += silent_faults(self._robot, silent, fingers)
        stopped = self.stopped_joints()
        if stopped and not silent:
            out.append(stopped_fault([self._robot.joints[k].name for k in stopped]))
        out += self.health.faults
        out += [_controller_error(hand.id) for line in there for hand in line.hands if hand.alert]
        out += [self._noise(line) for line in there if line.noise.share > NOISE_HOLD_SHARE]
        if not out:
            out += self._stale(now_ns)
        return tuple(sorted(out, key=lambda fault: not fault.stops)) if out else ()

    def warnings(self) -> tuple[Fault, ...]:
        """Near limits, and noise that does not hurt yet."""
        noisy = [self._noise(line) for line in self.lines if line.noise.share > NOISE_WARN_SHARE]
        return (*self.health.warnings(), *noisy)

    def stopped_joints(self) -> list[int]:
        """Joints that have stopped without being told, while they ought to have torque."""
        return self._stopped() if self._wants_torque else []

    # --- strength ------------------------------------------------------------------------------------------------

    def soften(self, share: float) -> None:
        """Goal PWM of servos, goal current of hands. Joints that were let go stay let go."""
        for line in self.lines:
            for hand in line.hands:
                hand.soften(share)
            try:
                if not line.port_lost:
                    self.care.limit_pwm(line, share)
            except PortError as error:
                line.give_up(error)

    def torque_off(self) -> None:
        """Torque off and watchdog disarmed, twice because nobody confirms."""
        self._wants_torque = False
        for line in self.lines:
            if line.port_lost:
                continue
            with suppress(PortError):
                for name in ("Torque Enable", "Bus Watchdog") * 2:
                    line.write_all(name, lambda _: 0)
                for hand in line.hands:
                    hand.torque_off(line.bus)

    def close(self) -> None:
        """Give the ports back; may be called twice."""
        self.care.close()

    # --- small print ---------------------------------------------------------------------------------------------

    def _stopped(self) -> list[int]:
        """Joints that have stopped without being told, with those behind a controller that has."""
        hands = [int(k) for line in self.lines for hand in line.hands if hand.stopped for k in hand.indices]
        return sorted({*self.health.stopped(), *hands})

    def _feed_the_others(self, line: Line) -> None:
        """Set-up speaks to one line at a time; the servos of the others must not take that for our end."""
        for other in self.lines:
            if other is not line and not other.port_lost:
                other.keep_alive(self._robot.bus_watchdog_ms * MS // 4)

    def _line(self, name: str, port: Port) -> Line:
        joints = [(k, joint) for k, joint in enumerate(self._robot.joints) if self._robot.bus_of(joint) == name]
        servos = [ServoDevice(k, joint) for k, joint in joints if joint.controller is None]
        hands = []
        for controller in self._robot.controllers:
            if self._robot.bus_of(controller) == name:
                mine = [(k, joint) for k, joint in joints if joint.controller == controller.id]
                hands.append(HandDevice(controller, [k for k, _ in mine], [joint for _, joint in mine]))
        branches = {servo.id: self._robot.branch_of(servo.joint) for servo in servos}
        branches |= {hand.id: self._robot.branch_of(hand.controller) for hand in hands}
        return Line(name, port, servos, hands, self._clock_ns, branches.__getitem__)

    def _check(self, line: Line) -> None:
        """Who is there. A hand that still holds is left alone; the tables of others go off before their motors are
        spoken to."""
        robot, bus = self._robot.name, line.bus
        self._kept -= {hand.id for hand in line.hands}
        self._kept |= {hand.id for hand in line.hands if self._still_holds(line, hand)}
        controllers = {hand.id: ("controller", hand.controller.model) for hand in line.hands}
        hands = check_identities(bus, robot, controllers) if controllers else {}
        new = [hand for hand in line.hands if hand.id not in self._kept]
        for hand in new:
            hand.stop_tables(bus)
        expected = {servo.id: (servo.joint.name, servo.joint.model) for servo in line.servos}
        expected |= {joint.id: (joint.name, joint.model) for hand in new for joint in hand.joints}
        found = check_identities(bus, robot, expected) if expected else {}
        known = self._firmware.setdefault(line.name, {})
        known.update({device: identity.firmware for device, identity in {**hands, **found}.items()})
        for servo in line.servos:
            servo.firmware = found[servo.id].firmware
        refuse_other_calibration(bus, line.servos, robot)

    def _still_holds(self, line: Line, hand: HandDevice) -> bool:
        """Whether nothing has happened to a hand, so that it may keep what it has grasped."""
        ill = bool(set(hand.indices.tolist()) & {*self._stopped(), *self.care.silent_fingers})
        hand.look_at_watchdog(line.bus)
        return self._wants_torque and hand.trusted and not hand.stopped and not ill and hand.tables_are_on(line.bus)

    def _fast_ids(self, line: Line) -> set[int]:
        """Who answers a fast read: by firmware where that is documented, by trying it where not."""
        fast = set()
        for servo in line.servos:
            known = servo.model.fast_read_firmware
            if (known is not None and servo.firmware >= known) or (
                known is None and self._answers_fast(line.bus, Slot(servo.id, servo.block, STATE_BYTES))
            ):
                fast.add(servo.id)
        for hand in line.hands:
            if self._answers_fast(line.bus, Slot(hand.id, READ_BLOCK, READ_BYTES)):
                fast.add(hand.id)
        return fast

    @staticmethod
    def _answers_fast(bus: Bus, slot: Slot) -> bool:
        return GroupRead([slot], Kind.FAST_SYNC).take_apart(bus.ask_once(GroupRead([slot], Kind.FAST_SYNC))).complete

    @staticmethod
    def _is_mute(line: Line, now_ns: int) -> bool:
        roll = line.roll
        return roll.mute_cycles >= MUTE_CYCLES and now_ns - roll.mute_since_ns > MUTE_HOLD_NS and not line.port_lost

    @staticmethod
    def _mute(line: Line, now_ns: int) -> Fault:
        silent_ns = now_ns - line.roll.mute_since_ns
        return Fault(
            FaultCode.BUS_SILENT,
            f"bus {line.name}: nobody answers for {silent_ns // MS} ms, the port is open: check robot power, bus cable",
            stops=silent_ns > MUTE_STOP_NS,
        )

    @staticmethod
    def _noise(line: Line) -> Fault:
        return Fault(
            FaultCode.BUS_NOISE,
            f"bus {line.name}: {line.noise.share:.1%} of the answers are damaged: check shield, ground and plugs",
        )

    def _stale(self, now_ns: int) -> list[Fault]:
        old = np.flatnonzero(now_ns - self._fresh_ns > STALE_NS)
        if not len(old) or not self._wants_torque:
            return []
        names = ", ".join(self._robot.joints[int(k)].name for k in old[:3])
        return [
            Fault(FaultCode.BUS_NOISE, f"nothing credible from {names} for {STALE_NS // MS} ms: check cable, ground")
        ]


def _controller_error(controller: int) -> Fault:
    return Fault(
        FaultCode.HARDWARE_ERROR,
        f"hardware error: hand controller {controller} reports one; booth servo read {controller} shows it",
    )
