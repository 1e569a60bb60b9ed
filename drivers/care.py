# SPDX-License-Identifier: Apache-2.0
"""Care for a robot's devices beside the fast path: one question a cycle, to whom it matters most."""

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import cycle

import numpy as np

from drivers.bus import Port
from drivers.errors import BusTimeoutError, PortError, ServoStatusError
from drivers.hand_device import HandDevice
from drivers.hardware_error import is_overload
from drivers.joint_health import JointHealth
from drivers.line import Line
from drivers.servo_block import HEALTH, HEALTH_BYTES, HEALTH_OFFSET
from drivers.servo_device import ServoDevice
from drivers.state_arrays import StateArrays
from robots import Robot

MS = 1_000_000
POLLS_PER_S = 50
"""Health reads, one device each."""
REOPEN_EVERY_NS = 100 * MS
SILENT_FINGER = 3
"""Unanswered health reads in a row; the second and third follow the first at once."""
NOISE_WARN_SHARE = 0.005
OVERLOAD_RELEASE_S = 1.0

OpenPort = Callable[[], Port]


class Care:
    """Polls, probes, reopens, and lets go. Belongs to the bus thread.

    Attributes:
        silent_fingers: joints behind a hand controller whose motor does not answer; replaced, never changed.
    """

    def __init__(
        self,
        robot: Robot,
        lines: list[Line],
        health: JointHealth,
        ports: Mapping[str, OpenPort],
        opened: dict[str, Port],
        clock_ns: Callable[[], int],
    ) -> None:
        self._robot, self._lines, self._health = robot, lines, health
        self._ports, self._opened, self._clock_ns = ports, opened, clock_ns
        self._period_s = 1.0 / robot.rate_hz
        self._poll_every = max(1, robot.rate_hz // POLLS_PER_S)
        self._cycles = 0
        self._turns = cycle(range(len(robot.joints)))
        self._again: deque[int] = deque()
        self._finger_misses: dict[int, int] = {}
        self.silent_fingers: frozenset[int] = frozenset()
        self._releasing: dict[int, float] = {}
        self._reopened_ns = 0

    def set_up(self) -> None:
        """Everything was switched on anew."""
        self._finger_misses.clear()
        self.silent_fingers = frozenset()
        self._releasing.clear()
        self._again.clear()

    def spare(self, state: StateArrays, polling: bool) -> None:
        """What one cycle leaves time for."""
        now_ns = self._clock_ns()
        self._cycles += 1
        its_turn = self._cycles % self._poll_every == 0
        if its_turn:
            self._health.strain(state.current_ma, self._poll_every * self._period_s)
        if self._releasing:
            self._release_a_little()
        if any(line.port_lost for line in self._lines):
            self.reopen()
        for line in self._lines:
            if not line.port_lost and self._ask_who_is_missing(line, now_ns):
                return
        if not its_turn:
            return
        unexplained = state.alert & (self._health.error == 0) & ~self._health.watchdog_fired
        if unexplained.any() and self._cycles % (2 * self._poll_every) == 0:
            self._look_at(int(np.flatnonzero(unexplained)[0]))
        elif polling:
            self._look_at(self._again.popleft() if self._again else next(self._turns))

    def look_at_watchdogs(self) -> None:
        """After a long pause: ask every device once, now."""
        for line in self._lines:
            if line.port_lost:
                continue
            with suppress(PortError):
                for servo in line.servos:
                    if servo.id not in line.silent:
                        self._look_at(servo.index)
                for hand in line.hands:
                    if hand.id not in line.silent:
                        hand.look_at_watchdog(line.bus)

    def reboot_faulty(self) -> None:
        """Restart servos with a hardware error; they come back limp, and the next engage sets them up anew."""
        for index in np.flatnonzero(self._health.error):
            line, device = self._where(int(index))
            if line.port_lost:
                continue
            try:
                line.bus.reboot(self._robot.joints[int(index)].id)
            except PortError as error:
                line.give_up(error)
                continue
            self._health.forget(int(index))
            if isinstance(device, ServoDevice):
                line.roll.quarantine.put_aside(device.id, self._clock_ns())
                line.replan()

    def reopen(self, patient: bool = True) -> None:
        """Try to open lost ports again: an adapter that was plugged in again appears at its stable path."""
        now_ns = self._clock_ns()
        if patient and now_ns - self._reopened_ns < REOPEN_EVERY_NS:
            return
        self._reopened_ns = now_ns
        for line in self._lines:
            if not line.port_lost:
                continue
            if line.name in self._opened:
                self._opened.pop(line.name).close()
            try:
                self._opened[line.name] = self._ports[line.name]()
            except PortError as error:
                line.port_lost = str(error)
                continue
            line.replace_port(self._opened[line.name])

    def limit_pwm(self, line: Line, share: float) -> None:
        """Goal PWM of the servos of a line as a share of all, except of those that were let go."""
        share = min(max(share, 0.0), 1.0)
        gone = {*self._releasing, *self._health.released}
        line.write_all("Goal PWM", lambda servo: None if servo.index in gone else round(servo.full_pwm * share))

    def close(self) -> None:
        """Give the ports back; may be called twice."""
        for port in self._opened.values():
            port.close()
        self._opened.clear()

    # --- who is missing ------------------------------------------------------------------------------------------

    def _ask_who_is_missing(self, line: Line, now_ns: int) -> bool:
        """One device that was put aside, or may have to be; True when one was asked."""
        try:
            if line.roll.ask_a_suspect():
                return True
            servo = line.roll.quarantine.due(now_ns)
            if servo is not None:
                self._probe(line, servo)
        except PortError as error:
            line.give_up(error)
            return True
        return servo is not None

    def _probe(self, line: Line, device_id: int) -> None:
        """Ask a device that was put aside; it is believed again only when what it would say is its state."""
        if line.bus.ping_once(device_id) is None:
            return
        device = line.device(device_id)
        try:
            if isinstance(device, HandDevice):
                device.trusted = device.tables_are_on(line.bus)
                device.look_at_watchdog(line.bus)
                if not device.trusted:  # it lost its tables with its power: it has nothing to say until set up anew
                    device.stopped = True
                    return
            elif not device.points(line.bus):
                device.point(line.bus)
        except (BusTimeoutError, ServoStatusError):
            return
        line.roll.quarantine.release(device_id)
        line.roll.mute_since_ns = 0
        line.replan()
        if isinstance(device, ServoDevice):
            self._look_at(device.index)

    # --- health --------------------------------------------------------------------------------------------------

    def _look_at(self, index: int) -> None:
        """Read the health of one joint's servo."""
        line, device = self._where(index)
        if line.port_lost or device.id in line.silent:
            return
        try:
            if isinstance(device, HandDevice):
                self._look_at_finger(line, device, index)
                return
            answer = line.bus.read_once(device.id, device.block + HEALTH_OFFSET, HEALTH_BYTES)
        except PortError as error:
            line.give_up(error)
            return
        if answer is not None and not answer.error_number:
            raw = np.frombuffer(answer.params, HEALTH)[0]
            self._health.note(index, *(int(raw[name]) for name in HEALTH.names or ()))
            if self._overloaded_with_torque(index):
                self._releasing.setdefault(index, 1.0)

    def _look_at_finger(self, line: Line, hand: HandDevice, index: int) -> None:
        k = int(np.flatnonzero(hand.indices == index)[0])
        if k == 0:
            hand.look_at_watchdog(line.bus)
        found = hand.motor_health(line.bus, k)
        if found is not None:
            self._finger_misses.pop(index, None)
            self._health.note(index, *found)
            if self._overloaded_with_torque(index):
                self._let_go_of_a_finger(line, hand, index, k)
        elif line.noise.share < NOISE_WARN_SHARE:  # else it may well have answered
            self._finger_misses[index] = self._finger_misses.get(index, 0) + 1
            if self._finger_misses[index] < SILENT_FINGER:
                self._again.append(index)
        self.silent_fingers = frozenset(k for k, misses in self._finger_misses.items() if misses >= SILENT_FINGER)

    # --- letting go ----------------------------------------------------------------------------------------------

    def _overloaded_with_torque(self, index: int) -> bool:
        """An overloaded servo that still has torque is let go; it is never rebooted by us."""
        family = self._health.family(index)
        overloaded = is_overload(family, int(self._health.error[index]))
        return overloaded and self._health.torque[index] == 1 and index not in self._health.released

    def _let_go_of_a_finger(self, line: Line, hand: HandDevice, index: int, k: int) -> None:
        """At once: its strength is the whole hand's."""
        with suppress(BusTimeoutError, ServoStatusError):
            hand.let_go(line.bus, k)
            self._health.let_go(index)

    def _release_a_little(self) -> None:
        for index, share in list(self._releasing.items()):
            line, device = self._where(index)
            assert isinstance(device, ServoDevice)
            left = max(share - self._period_s / OVERLOAD_RELEASE_S, 0.0)
            if line.port_lost:
                continue
            try:
                line.write_one(device, "Goal PWM", round(device.full_pwm * left))
                if left == 0.0:
                    device.set(line.bus, "Torque Enable", 0)
            except (BusTimeoutError, ServoStatusError):
                continue
            except PortError as error:
                line.give_up(error)
                continue
            self._releasing[index] = left
            if left == 0.0:
                self._releasing.pop(index)
                self._health.let_go(index)

    def _where(self, index: int) -> tuple[Line, ServoDevice | HandDevice]:
        for line in self._lines:
            for servo in line.servos:
                if servo.index == index:
                    return line, servo
            for hand in line.hands:
                if index in hand.indices:
                    return line, hand
        raise IndexError(index)
