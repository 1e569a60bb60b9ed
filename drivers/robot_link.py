# SPDX-License-Identifier: Apache-2.0
"""All joints of a robot over all of its lines: one exchange a cycle, and in its shadow the care for who is ill."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from drivers.bus import Bus, Port
from drivers.diagnosis import silent_faults, stopped_fault
from drivers.errors import BusTimeoutError, PortError, ServoStatusError
from drivers.group_read import GroupRead, Kind, Slot
from drivers.hand_device import READ_BLOCK, READ_BYTES, HandDevice
from drivers.hardware_error import is_overload
from drivers.identity import check_identities
from drivers.joint_health import JointHealth, Limits
from drivers.joint_link import Exchange, JointReading
from drivers.line import Line
from drivers.servo_block import HEALTH, HEALTH_BYTES, HEALTH_OFFSET, STATE_BYTES
from drivers.servo_device import ServoDevice, refuse_other_calibration
from drivers.servo_model import servo_model
from drivers.state_arrays import StateArrays
from graph.faults import Fault, FaultCode
from robots import Robot

Array = NDArray[np.float64]

MS = 1_000_000
POLLS_PER_S = 50
"""Health reads, one device each."""
REOPEN_EVERY_NS = 100 * MS
MUTE_HOLD_NS, MUTE_STOP_NS = 50 * MS, 500 * MS
STALE_NS = 150 * MS
NOISE_HOLD_SHARE = 0.1
"""More damaged answers than this in the last second: what the joints do is no longer known well enough."""
NOISE_WARN_SHARE = 0.005
SILENT_FINGER = 2
OVERLOAD_RELEASE_S = 1.0

OpenPort = Callable[[], Port]


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
        self._robot, self._ports, self._clock_ns = robot, ports, clock_ns
        self.lower_rad = np.array([joint.min_rad for joint in robot.joints])
        self.upper_rad = np.array([joint.max_rad for joint in robot.joints])
        self.health = JointHealth(robot)
        self.state = StateArrays(np.array(robot.velocity_rad_s))
        self._period_s = 1.0 / robot.rate_hz
        self.lines: list[Line] = []
        self._open: dict[str, Port] = {}
        try:
            for bus in robot.buses:
                self._open[bus.name] = ports[bus.name]()
                self.lines.append(self._line(bus.name, self._open[bus.name]))
        except PortError:
            self.close()
            raise
        self._finger_misses: dict[int, int] = {}
        self._turns = cycle(self._patients())
        self._cycles = 0
        self._poll_every = max(1, robot.rate_hz // POLLS_PER_S)
        self._reopen_ns = 0
        self._fresh_ns = np.zeros(len(robot.joints), np.int64)
        self._releasing: dict[int, float] = {}
        self._sent = np.zeros(len(robot.joints))
        self._wants_torque = False

    # --- set-up --------------------------------------------------------------------------------------------------

    def prepare(self) -> Array:
        """Every device checked and configured; see `JointLink`."""
        self._reopen(patient=False)
        for line in self.lines:
            if line.port_lost:
                raise PortError(line.port_lost)
            self._check(line)
        measured = np.full(len(self._robot.joints), np.nan)
        limits = [Limits()] * len(measured)
        for line in self.lines:
            for servo in line.servos:
                measured[servo.index] = servo.prepare(line.bus, self._period_s)
                lower, upper = servo.limits_rad(line.bus)
                joint = servo.joint
                self.lower_rad[servo.index] = max(joint.min_rad, lower)
                self.upper_rad[servo.index] = min(joint.max_rad, upper)
                limits[servo.index] = servo.health_limits(line.bus)
            for hand in line.hands:
                measured[hand.indices] = hand.prepare(line.bus)
                for index, motor in zip(hand.indices, hand.joints, strict=True):
                    model = servo_model(motor.model)
                    low, high = model.voltage_limits_v
                    current_ma = float(hand.controller.goal_current_ma)
                    limits[index] = Limits(model.temperature_limit_degc, low, high, current_ma)
            self._try_fast_reads(line)
            line.set_up()
        self.health.limits = limits
        self.state.forget()
        return measured

    def torque_on(self, hold_rad: Array) -> None:
        """Watchdogs read back, goals confirmed, then torque; see `JointLink`."""
        watchdog_ms = self._robot.bus_watchdog_ms
        for line in self.lines:
            for servo in line.servos:
                servo.arm(line.bus, hold_rad[servo.index], watchdog_ms)
            for hand in line.hands:
                hand.arm(line.bus, hold_rad[hand.indices], watchdog_ms)
        for line in self.lines:
            for servo in line.servos:
                servo.set(line.bus, "Torque Enable", 1)
            for hand in line.hands:
                hand.torque_on(line.bus)
        self._wants_torque = True
        self._sent = hold_rad.copy()
        self._finger_misses.clear()
        self._releasing.clear()
        self.health.set_up()
        self._fresh_ns[:] = self._clock_ns()

    # --- one cycle -----------------------------------------------------------------------------------------------

    def exchange(self, goal_rad: Array) -> Exchange:
        """Goals out, state in, on all lines at once."""
        self._cycles += 1
        start_ns = self._clock_ns()
        self.state.begin(start_ns)
        sent = goal_rad.copy()
        for line in self.lines:
            line.start(goal_rad, sent)
        written_ns = self._clock_ns()
        while waiting := [line for line in self.lines if line.waiting]:
            for line in waiting:
                line.finish_one(self.state)
        self._sent = sent
        state, read = self.state, [line.read_ns for line in self.lines if line.read_ns >= start_ns]
        fresh = state.fresh
        for index, misses in self._finger_misses.items():
            if misses >= SILENT_FINGER:
                fresh[index] = False
        read_ns = min(read) if read else written_ns
        self._fresh_ns[fresh] = read_ns
        reading = JointReading(state.position_rad, state.velocity_rad_s, state.current_ma, fresh)
        return Exchange(sent, written_ns, read_ns, reading)

    def spare(self) -> None:
        """At most one slow question a cycle."""
        now_ns = self._clock_ns()
        for index in np.flatnonzero(self.state.alert & (self.health.error == 0) & ~self.health.watchdog_fired):
            if self._look_at(int(index)):
                return
        if self._cycles % self._poll_every == 0:
            self.health.strain(self.state.current_ma, self._poll_every * self._period_s)
        if self._releasing:
            self._release_a_little()
        if any(line.port_lost for line in self.lines):
            self._reopen()
        for line in self.lines:
            servo = None if line.port_lost else line.quarantine.due(now_ns)
            if servo is not None:
                self._probe(line, servo)
                return
        if self._cycles % self._poll_every == 0 and self._wants_torque:
            self._look_at(next(self._turns))

    def look_at_watchdogs(self) -> None:
        """Ask every device once, now."""
        for line in self.lines:
            if line.port_lost:
                continue
            with suppress(PortError):
                for servo in line.servos:
                    if servo.id not in line.silent:
                        self._look_at(servo.index)
                for hand in line.hands:
                    if hand.id not in line.silent and hand.watchdog_fired(line.bus):
                        self.health.watchdog_fired[hand.indices] = True

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
        there = [line for line in self.lines if not line.port_lost and not line.mute_since_ns]
        silent = {(line.name, servo) for line in there for servo in line.silent}
        fingers = {index for index, misses in self._finger_misses.items() if misses >= SILENT_FINGER}
        if silent or fingers:
            out += silent_faults(self._robot, silent, fingers)
        stopped = self.health.stopped() if self._wants_torque else []
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

    def reboot_faulty(self) -> None:
        """Restart servos with a hardware error; they come back limp, and the next engage sets them up anew."""
        for index in np.flatnonzero(self.health.error):
            line, device = self._where(int(index))
            if line.port_lost:
                continue
            try:
                line.bus.reboot(self._robot.joints[int(index)].id)
            except PortError as error:
                line.give_up(error)
                continue
            self.health.forget(int(index))
            if isinstance(device, ServoDevice):
                line.quarantine.put_aside(device.id, self._clock_ns())
                line.replan()

    # --- strength ------------------------------------------------------------------------------------------------

    def soften(self, share: float) -> None:
        """Goal PWM of servos, goal current of hands."""
        for line in self.lines:
            for hand in line.hands:
                hand.soften(share)
            try:
                for servo in line.servos if not line.port_lost else ():
                    self._limit_pwm(line, servo, share)
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
                    self._zero(line, name)
                for hand in line.hands:
                    hand.torque_off(line.bus)

    def close(self) -> None:
        """Give the ports back; may be called twice."""
        for port in self._open.values():
            port.close()
        self._open.clear()

    # --- care ----------------------------------------------------------------------------------------------------

    def _probe(self, line: Line, device_id: int) -> None:
        """Ask a device that was put aside; it is believed again only when what it would say is its state."""
        try:
            if line.bus.ping_once(device_id) is None:
                return
            device = line.device(device_id)
            if isinstance(device, HandDevice):
                device.trusted = device.tables_are_on(line.bus)
                if not device.trusted:  # it lost its tables with its power: it has nothing to say until set up anew
                    self.health.torque[device.indices] = 0
                    return
            else:
                if not device.points(line.bus):
                    device.point(line.bus)
        except (BusTimeoutError, ServoStatusError):
            return
        except PortError as error:
            line.give_up(error)
            return
        line.quarantine.release(device_id)
        line.mute_since_ns = 0
        line.replan()
        if isinstance(device, ServoDevice):
            self._look_at(device.index)

    def _look_at(self, index: int) -> bool:
        """Read the health of one joint's servo; True when something was asked."""
        line, device = self._where(index)
        if line.port_lost or device.id in line.silent:
            return False
        try:
            if isinstance(device, HandDevice):
                self._look_at_finger(line, device, index)
                return True
            answer = line.bus.read_once(device.id, device.block + HEALTH_OFFSET, HEALTH_BYTES)
        except PortError as error:
            line.give_up(error)
            return True
        if answer is not None and not answer.error_number:
            raw = np.frombuffer(answer.params, HEALTH)[0]
            self.health.note(index, *(int(raw[name]) for name in HEALTH.names or ()))
            self._let_go_when_overloaded(index, device)
        return True

    def _look_at_finger(self, line: Line, hand: HandDevice, index: int) -> None:
        found = hand.motor_health(line.bus, int(np.flatnonzero(hand.indices == index)[0]))
        if found is None:
            if line.noise.share < NOISE_WARN_SHARE:  # else it may well have answered
                self._finger_misses[index] = self._finger_misses.get(index, 0) + 1
            return
        self._finger_misses.pop(index, None)
        self.health.note(index, *found)

    def _let_go_when_overloaded(self, index: int, servo: ServoDevice) -> None:
        """An overloaded servo that still has torque is let go softly; it is never rebooted by us."""
        overloaded = is_overload(servo.model.family, int(self.health.error[index]))
        if overloaded and self.health.torque[index] == 1 and index not in self.health.released:
            self._releasing.setdefault(index, 1.0)

    def _release_a_little(self) -> None:
        for index, share in list(self._releasing.items()):
            line, device = self._where(index)
            assert isinstance(device, ServoDevice)
            left = share - self._period_s / OVERLOAD_RELEASE_S
            if line.port_lost:
                continue
            try:
                self._limit_pwm(line, device, max(left, 0.0))
                if left <= 0.0:
                    device.set(line.bus, "Torque Enable", 0)
            except (BusTimeoutError, ServoStatusError):
                continue
            except PortError as error:
                line.give_up(error)
                continue
            self._releasing[index] = left
            if left <= 0.0:
                self._releasing.pop(index)
                self.health.released.add(index)
                self.health.torque[index] = 0

    def _reopen(self, patient: bool = True) -> None:
        """Try to open lost ports again: an adapter that was plugged in again appears at its stable path."""
        now_ns = self._clock_ns()
        if patient and now_ns - self._reopen_ns < REOPEN_EVERY_NS:
            return
        self._reopen_ns = now_ns
        for line in self.lines:
            if not line.port_lost:
                continue
            self._open.pop(line.name).close() if line.name in self._open else None
            try:
                self._open[line.name] = self._ports[line.name]()
            except PortError as error:
                line.port_lost = str(error)
                continue
            line.replace_port(self._open[line.name])
            for hand in line.hands:
                hand.trusted = False

    # --- small print ---------------------------------------------------------------------------------------------

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
        """Who is there, with tables of hands off before their motors are spoken to."""
        robot, bus = self._robot.name, line.bus
        check_identities(
            bus, robot, {h.id: ("controller", h.controller.model) for h in line.hands}
        ) if line.hands else None
        for hand in line.hands:
            hand.stop_tables(bus)
        expected = {servo.id: (servo.joint.name, servo.joint.model) for servo in line.servos}
        expected |= {joint.id: (joint.name, joint.model) for hand in line.hands for joint in hand.joints}
        found = check_identities(bus, robot, expected)
        for servo in line.servos:
            servo.firmware = found[servo.id].firmware
        refuse_other_calibration(bus, line.servos, robot)

    def _try_fast_reads(self, line: Line) -> None:
        """Who answers a fast read: by firmware where that is documented, by trying it where not."""
        line.fast_ids = set()
        line.fast_works = True
        for servo in line.servos:
            known = servo.model.fast_read_firmware
            if (known is not None and servo.firmware >= known) or (
                known is None and self._answers_fast(line.bus, Slot(servo.id, servo.block, STATE_BYTES))
            ):
                line.fast_ids.add(servo.id)
        for hand in line.hands:
            if self._answers_fast(line.bus, Slot(hand.id, READ_BLOCK, READ_BYTES)):
                line.fast_ids.add(hand.id)

    @staticmethod
    def _answers_fast(bus: Bus, slot: Slot) -> bool:
        return GroupRead([slot], Kind.FAST_SYNC).take_apart(bus.ask_once(GroupRead([slot], Kind.FAST_SYNC))).complete

    def _where(self, index: int) -> tuple[Line, ServoDevice | HandDevice]:
        for line in self.lines:
            for servo in line.servos:
                if servo.index == index:
                    return line, servo
            for hand in line.hands:
                if index in hand.indices:
                    return line, hand
        raise IndexError(index)

    def _patients(self) -> list[int]:
        """Whom to ask after their health, in turn: hands' joints and servos mixed, so that nobody waits long."""
        return list(range(len(self._robot.joints)))

    def _limit_pwm(self, line: Line, servo: ServoDevice, share: float) -> None:
        item = servo.table["Goal PWM"]
        data = item.encode(round(servo.model.full_pwm * min(max(share, 0.0), 1.0)))
        line.bus.sync_write(item.address, item.size, [(servo.id, data)])

    @staticmethod
    def _zero(line: Line, name: str) -> None:
        places: dict[tuple[int, int], list[int]] = {}
        for servo in line.servos:
            item = servo.table[name]
            places.setdefault((item.address, item.size), []).append(servo.id)
        for (address, size), ids in places.items():
            line.bus.sync_write(address, size, [(servo_id, b"\0" * size) for servo_id in ids])

    @staticmethod
    def _is_mute(line: Line, now_ns: int) -> bool:
        return bool(line.mute_since_ns) and now_ns - line.mute_since_ns > MUTE_HOLD_NS and not line.port_lost

    @staticmethod
    def _mute(line: Line, now_ns: int) -> Fault:
        silent_ns = now_ns - line.mute_since_ns
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
