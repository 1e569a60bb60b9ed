# SPDX-License-Identifier: Apache-2.0
"""One serial line in the cyclic path: goals out and state in with one burst a cycle.

In every cycle goals and the first read's request leave in one write; nothing waits in between. What the bytes mean is
`line_frames`' business, who is silent `roll_call`'s.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.bus import Bus, Port
from drivers.errors import PortError
from drivers.group_read import Answers, GroupRead
from drivers.hand_device import HandDevice
from drivers.line_frames import LineFrames
from drivers.noise import NoiseMeter
from drivers.read_plan import plan_reads
from drivers.roll_call import RollCall
from drivers.servo_device import ServoDevice
from drivers.state_arrays import StateArrays

Array = NDArray[np.float64]

OVERSLEPT_NS, GRACE_NS = 1_000_000, 3_000_000
"""Woken this much after a deadline, this computer itself was away: the answer gets a little longer."""
UNMEASURED_TURNAROUND_NS = 1_000_000.0
"""Turnaround of a bus that has not been measured yet: a USB adapter's."""


class Line:
    """The devices of one port.

    Attributes:
        port_lost: why the port is gone; empty while it is there.
        goals_on: whether goals are sent; not after the port was lost, until the robot has been set up anew.
        fast_ids: devices that answer fast reads.
        read_ns: when the devices were read last (middle of the transaction).
    """

    def __init__(
        self,
        name: str,
        port: Port,
        servos: Sequence[ServoDevice],
        hands: Sequence[HandDevice],
        clock_ns: Callable[[], int] = time.monotonic_ns,
        branch: Callable[[int], str] = lambda _: "",
    ) -> None:
        self.name, self.bus, self._port = name, Bus(port), port
        self.servos, self.hands = list(servos), list(hands)
        self.port_lost = ""
        self.goals_on = False
        self.fast_ids: set[int] = set()
        self.noise = NoiseMeter()
        self.read_ns = 0
        self._clock_ns = clock_ns
        self._by_id: dict[int, ServoDevice | HandDevice] = {servo.id: servo for servo in servos}
        self._by_id |= {hand.id: hand for hand in hands}
        self._frames = LineFrames(self.servos, self.hands)
        self.roll = RollCall(self._by_id, branch, lambda i: self.bus.ping_once(i) is not None, self.replan, clock_ns)
        self._fast: tuple[GroupRead, ...] = ()
        self._plain: tuple[GroupRead, ...] = ()
        self._todo: tuple[GroupRead, ...] = ()
        self._was_careful = False
        self._sent_ns = self._burst_bytes = self._spoken_ns = 0
        self._kept: list[_Received] = []

    @property
    def silent(self) -> frozenset[int]:
        """IDs of devices that were put aside."""
        return self.roll.quarantine.silent

    @property
    def reads(self) -> tuple[GroupRead, ...]:
        """The group reads of a cycle while all is well."""
        return self._fast

    @property
    def wire_ns(self) -> int:
        """One cycle of this line on the wire: goals, requests and answers."""
        goals_ns = self._frames.goal_bytes * 10_000_000_000 // self._port.baud
        return goals_ns + sum(read.wire_ns(self._port.baud) for read in self._fast)

    def device(self, device_id: int) -> ServoDevice | HandDevice:
        """The servo or hand controller with this ID."""
        return self._by_id[device_id]

    # --- set-up ------------------------------------------------------------------------------------------------

    def replace_port(self, port: Port) -> None:
        """The adapter is back; everybody is asked before anything is believed."""
        counters = self.bus.counters
        self._port, self.bus = port, Bus(port)
        self.bus.counters = counters
        self.port_lost = ""
        self.goals_on = False  # what the servos hold is better than what has become of the goal meanwhile
        self.roll.doubt_everybody()
        for hand in self.hands:
            hand.trusted = False
        self.replan()

    def set_up(self, fast_ids: set[int]) -> None:
        """Every device was checked and configured: ask them all.

        Args:
            fast_ids: devices that answer fast reads.
        """
        self.fast_ids = fast_ids
        self.roll.fast_works = True
        self.roll.forget()
        self.replan()

    def replan(self) -> None:
        """Make the frames for the devices that are asked now."""
        slots = [self._frames.slot(device) for device in self._by_id.values() if device.id not in self.silent]
        turnaround_ns = self.bus.latency.mean_ns or UNMEASURED_TURNAROUND_NS
        fast = self.fast_ids if self.roll.fast_works else set()
        self._fast = plan_reads(slots, fast, self._port.baud, turnaround_ns)
        self._plain = plan_reads(slots, set(), self._port.baud, turnaround_ns)
        self._frames.plan()

    def keep_alive(self, after_ns: int) -> None:
        """Say something on this line when it was not spoken to for this long; what is answered does not matter."""
        now_ns = self._clock_ns()
        if now_ns - self._spoken_ns > after_ns:
            self._spoken_ns = now_ns
            self.bus.ping_once(next(iter(self._by_id)))

    def write_all(self, name: str, value: Callable[[ServoDevice], int | None]) -> None:
        """Write a register of all servos, unconfirmed; its place depends on the model. None: leave that servo alone.

        Raises:
            PortError: the port is gone.
        """
        places: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
        for servo in self.servos:
            wanted = value(servo)
            if wanted is not None:
                item = servo.table[name]
                places.setdefault((item.address, item.size), []).append((servo.id, item.encode(wanted)))
        for (address, size), writes in places.items():
            self.bus.sync_write(address, size, writes)

    def write_one(self, servo: ServoDevice, name: str, value: int) -> None:
        """Write a register of one servo, unconfirmed.

        Raises:
            PortError: the port is gone.
        """
        self.write_all(name, lambda other: value if other is servo else None)

    # --- one cycle -----------------------------------------------------------------------------------------------

    def start(self, goal_rad: Array, sent_rad: Array, overlap: bool = False) -> None:
        """Send goals and the first request.

        Args:
            goal_rad: (n,) goals of all joints of the robot.
            sent_rad: (n,) filled with what the servos will aim at: goals rounded to ticks.
            overlap: what the cycle before has brought is still to be looked at.
        """
        if not overlap:
            self._kept.clear()
        self._todo = ()
        if self.port_lost:
            return
        self.roll.begin()
        self._was_careful = self.roll.careful
        self._todo = self._plain if self._was_careful else self._fast
        burst = self.burst(goal_rad, sent_rad)
        if burst:
            self._send(burst)

    def burst(self, goal_rad: Array, sent_rad: Array) -> bytes:
        """What starts a cycle: goals, and the first request."""
        goals = self._frames.goals(goal_rad, sent_rad) if self.goals_on else b""
        reads = self._plain if self.roll.careful else self._fast
        return goals + reads[0].request if reads else goals

    @property
    def waiting(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._todo)

    @property
    def calm(self) -> bool:
        """Nothing is wrong that would have to be asked about before the next burst."""
        return not self.port_lost and self.roll.calm and all(hand.trusted for hand in self.hands)

    def collect_one(self, overlap: bool = False) -> None:
        """Wait for the answers of one group read, and send the next request.

        Args:
            overlap: only keep them. Otherwise those behind a silent device are asked at once.
        """
        read, self._todo = self._todo[0], self._todo[1:]
        received = self._collect(read)
        if self.port_lost:
            return
        self._kept.append(received)
        if not overlap:
            behind = self._judge(received)
            self._todo = self._todo if behind is None else (behind, *self._todo)
        if self._todo:
            self._send(self._todo[0].request)

    def digest(self, into: StateArrays, overlap: bool = False) -> None:
        """Note what was collected, and settle who is silent.

        Args:
            into: the robot's state.
            overlap: it is the cycle before's, and the next burst is on the wire.
        """
        kept, self._kept = self._kept, []
        try:
            for received in kept:
                if overlap:
                    self._judge(received)
                self._frames.note(received.read, received.answers, self.bus, into)
                self.read_ns = (received.sent_ns + received.received_ns) // 2
            if kept:
                self.roll.settle(kept[-1].received_ns, was_careful=self._was_careful, may_ping=not overlap)
        except PortError as error:
            self.give_up(error)
        if kept and self.roll.mute_since_ns:
            self.bus.latency.timed_out()

    def give_up(self, error: PortError) -> None:
        """The port is gone."""
        self.port_lost, self._todo = str(error), ()
        self._kept.clear()

    def _judge(self, received: "_Received") -> GroupRead | None:
        answers = received.answers
        self.bus.counters.crc_failures += answers.crc_failures
        self.noise.count(len(received.read.slots), answers.crc_failures, received.received_ns)
        return self.roll.judge(received.read, answers, len(received.data))

    # --- sending and receiving -------------------------------------------------------------------------------------

    def _send(self, burst: bytes) -> None:
        try:
            self._port.discard()
            self._sent_ns, self._burst_bytes = self._clock_ns(), len(burst)
            self._port.write(burst)
        except PortError as error:
            self.give_up(error)
            return
        self.bus.counters.transactions += 1

    def _collect(self, read: GroupRead) -> "_Received":
        wire_ns = (self._burst_bytes + read.answer_bytes) * 10_000_000_000 // self._port.baud
        deadline_ns = self._sent_ns + wire_ns + self.bus.latency.allowance_ns
        received, now_ns, patient = bytearray(), self._sent_ns, True
        try:
            while True:
                data = self._port.read(deadline_ns)
                now_ns = self._clock_ns()
                received += data
                if not data or now_ns > deadline_ns + GRACE_NS:  # a line full of noise never falls silent
                    if not data and patient and now_ns - deadline_ns > OVERSLEPT_NS:
                        patient, deadline_ns = False, now_ns + GRACE_NS
                        continue
                    self.bus.counters.timeouts += 1
                    break
                if read.enough(received) and (read.kind.fast or _settled(read, received)):
                    self.bus.latency.observe(now_ns - self._sent_ns - wire_ns)
                    break
        except PortError as error:
            self.give_up(error)
        return _Received(read, received, self._sent_ns, now_ns)


class _Received:
    """What one group read brought."""

    __slots__ = ("_answers", "data", "read", "received_ns", "sent_ns")

    def __init__(self, read: GroupRead, data: bytearray, sent_ns: int, received_ns: int) -> None:
        self.read, self.data, self.sent_ns, self.received_ns = read, data, sent_ns, received_ns
        self._answers: Answers | None = None

    @property
    def answers(self) -> Answers:
        """Taken apart when somebody asks, and once."""
        if self._answers is None:
            self._answers = self.read.take_apart(self.data)
        return self._answers


def _settled(read: GroupRead, received: bytearray) -> bool:
    """Whether waiting for more is pointless: all there, or damaged. Stuffed packets are longer than usual."""
    answers = read.take_apart(received)
    return answers.complete or answers.crc_failures > 0
