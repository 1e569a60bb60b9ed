# SPDX-License-Identifier: Apache-2.0
"""One serial line in the cyclic path: goals out and state in with one burst a cycle, every device on its own.

In every cycle goals and the first read's request leave in one write; nothing waits in between. A device from which
nothing came three times is left out and asked again once a second, so that the others stay fresh.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers import units
from drivers.bus import Bus, Port
from drivers.errors import PortError
from drivers.group_read import MISSING, Answers, GroupRead, Kind, Slot
from drivers.group_write import SyncWrite
from drivers.hand_device import READ_BLOCK, READ_BYTES, WRITE_BLOCK, WRITE_BYTES, HandDevice
from drivers.noise import NoiseMeter
from drivers.quarantine import Quarantine
from drivers.read_plan import plan_reads
from drivers.servo_block import GOAL_BYTES, GOAL_OFFSET, STATE, STATE_BYTES
from drivers.servo_device import ServoDevice
from drivers.state_arrays import Index, StateArrays, as_index

Array = NDArray[np.float64]

OVERSLEPT_NS, GRACE_NS = 1_000_000, 3_000_000
"""Woken this much after a deadline, this computer itself was away: the answer gets a little longer."""
FAST_FAILURES = 10
"""So many broken joint frames in a row while plain reads succeed: this bus can't do fast reads."""
CONTINUE_AT_MOST = 3
"""So many times in a cycle the devices behind a silent one are asked again."""
LOOK_AROUND_NS = 30_000_000
PINGS = 2
MUTE_NS = 500_000_000
"""Nobody has answered for this long: everybody is put aside."""
ALERT = 0x80


@dataclass(frozen=True, slots=True)
class _Units:
    """Some servos of a line with their units, all arrays of the same length."""

    index: Index
    centre: Array
    rad_per_tick: Array
    rad_s_per_unit: Array
    ma_per_unit: Array


class Line:
    """The devices of one port.

    Attributes:
        port_lost: why the port is gone; empty while it is there.
        silent: IDs put aside.
        goals_on: whether goals are sent; not after the port was lost, until the robot has been set up anew.
        mute_since_ns: since when nobody at all has answered; 0: somebody does.
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
        self._branch = branch
        self.name, self.bus = name, Bus(port)
        self.servos, self.hands = list(servos), list(hands)
        self.port_lost = ""
        self.goals_on = False
        self.mute_since_ns = 0
        self.noise = NoiseMeter()
        self.sent_ns = self.read_ns = 0
        self.fast_ids: set[int] = set()
        self.fast_works = True
        self._clock_ns = clock_ns
        self._port = port
        self._by_id: dict[int, ServoDevice | HandDevice] = {servo.id: servo for servo in servos}
        self._by_id |= {hand.id: hand for hand in hands}
        self.quarantine = Quarantine(self._by_id)
        self._fast: tuple[GroupRead, ...] = ()
        self._plain: tuple[GroupRead, ...] = ()
        self._units: dict[GroupRead, list[_Units | None]] = {}
        self._writes: list[tuple[SyncWrite, _Units]] = []
        self._hand_write: SyncWrite | None = None
        self._careful = False
        self._fast_failures = 0
        self._todo: tuple[GroupRead, ...] = ()
        self._burst_bytes = 0
        self._todo_was_plain = self._broken_frame = False
        self._missing: list[int] = []
        self._heard_bytes = self._continued = self._spoken_ns = 0
        self._suspects: deque[tuple[int, int]] = deque()
        self._unheard: list[int] = []
        self._somebody_answered = False
        self._received_ns = 0
        self._in_flight = False
        self._kept: list[tuple[GroupRead, bytearray, int, int]] = []

    @property
    def silent(self) -> frozenset[int]:
        """IDs of devices that are not asked in the fast path."""
        return self.quarantine.silent

    @property
    def wire_ns(self) -> int:
        """One cycle of this line on the wire: goals, requests and answers."""
        out = sum(write.frame_bytes for write, _ in self._writes)
        out += self._hand_write.frame_bytes if self._hand_write is not None else 0
        return out * 10_000_000_000 // self._port.baud + sum(read.wire_ns(self._port.baud) for read in self._fast)

    def replace_port(self, port: Port) -> None:
        """The adapter is back; everybody is asked before anything is believed."""
        self._port = port
        counters, self.bus = self.bus.counters, Bus(port)
        self.bus.counters = counters
        self.port_lost, self.mute_since_ns = "", 0
        self._suspects.clear()
        self.goals_on = False  # what the servos hold is better than what has become of the goal meanwhile
        for servo in self._by_id:
            self.quarantine.put_aside(servo, 0)
        for hand in self.hands:
            hand.trusted = False
        self.replan()

    def set_up(self) -> None:
        """Every device was checked and configured: ask them all."""
        self.quarantine.clear()
        self._suspects.clear()
        self.mute_since_ns = self._fast_failures = 0
        self._careful = False
        self.replan()

    def replan(self) -> None:
        """Make the frames for the devices that are asked now."""
        self._units.clear()
        active = [device for device in self._by_id.values() if device.id not in self.silent]
        slots = [
            Slot(device.id, READ_BLOCK, READ_BYTES)
            if isinstance(device, HandDevice)
            else Slot(device.id, device.block, STATE_BYTES)
            for device in active
        ]
        fast = self.fast_ids if self.fast_works else set()
        turnaround_ns = self.bus.latency.mean_ns or 1e6
        self._fast = plan_reads(slots, fast, self._port.baud, turnaround_ns)
        self._plain = plan_reads(slots, set(), self._port.baud, turnaround_ns)
        self._plan_writes()

    def device(self, device_id: int) -> ServoDevice | HandDevice:
        """The servo or hand controller with this ID."""
        return self._by_id[device_id]

    # --- one cycle --------------------------------------------------------------------------------------

    def start(self, goal_rad: Array, sent_rad: Array) -> None:
        """Send goals and the first request.

        Args:
            goal_rad: (n,) goals of all joints of the robot.
            sent_rad: (n,) filled with what the servos will aim at: goals rounded to ticks.
        """
        self._todo = ()
        if self.port_lost:
            return
        self._todo = self._plain if self._careful else self._fast
        self._todo_was_plain = self._careful
        self._missing, self._heard_bytes, self._broken_frame, self._continued = [], 0, False, 0
        burst = self.burst(goal_rad, sent_rad)
        if burst:
            self._send(burst)

    @property
    def reads(self) -> tuple[GroupRead, ...]:
        """The group reads of a cycle while all is well."""
        return self._fast

    def burst(self, goal_rad: Array, sent_rad: Array | None = None) -> bytes:
        """What starts a cycle: goals, and the first request."""
        sent_rad = np.empty(len(goal_rad)) if sent_rad is None else sent_rad
        frames = []
        if self.goals_on:
            frames = [self._goals(write, servos, goal_rad, sent_rad) for write, servos in self._writes]
        if self.goals_on and self._hand_write is not None:
            rows = np.empty((len(self.hands), WRITE_BYTES), np.uint8)
            for row, hand in enumerate(self.hands):
                ticks = units.ticks_from_rad(goal_rad[hand.indices])
                rows[row], sent_rad[hand.indices] = hand.encode(ticks), units.rad_from_ticks(ticks)
            frames.append(self._hand_write.encode(rows))
        reads = self._plain if self._careful else self._fast
        if reads:
            frames.append(reads[0].request)
        return b"".join(frames)

    @property
    def waiting(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._todo)

    @property
    def calm(self) -> bool:
        """Nothing is wrong that would have to be asked about before the next burst."""
        quiet = not (self.port_lost or self._careful or self._suspects or self.mute_since_ns)
        return quiet and all(hand.trusted for hand in self.hands)

    def keep_one(self) -> None:
        """Wait for the answers of one group read and keep them for `digest`; send the next request."""
        read, self._todo = self._todo[0], self._todo[1:]
        received, now_ns = self._collect(read)
        if self.port_lost:
            self._todo = ()
            return
        self._kept.append((read, received, self.sent_ns, now_ns))
        if self._todo:
            self._send(self._todo[0].request)

    def digest(self, into: StateArrays) -> None:
        """Note the answers that were kept, while the next burst is on the wire."""
        kept, self._kept = self._kept, []
        in_flight = self._todo, self.sent_ns
        self._in_flight = True
        self._missing, self._heard_bytes, self._broken_frame = [], 0, False
        for read, received, self.sent_ns, self._received_ns in kept:
            answers = read.take_apart(received)
            self._judge(read, answers, len(received))
            self._note(read, answers, into)
        if kept:
            self._settle()
        self._todo, self.sent_ns = in_flight
        self._in_flight = False

    def finish_one(self, into: StateArrays) -> None:
        """Wait for the answers of one group read, note them, send the next request."""
        self._kept.clear()
        read, self._todo = self._todo[0], self._todo[1:]
        received, self._received_ns = self._collect(read)
        if self.port_lost:
            self._todo = ()
            return
        answers = read.take_apart(received)
        self._judge(read, answers, len(received))
        try:
            self._note(read, answers, into)
        except PortError as error:
            self.give_up(error)
            return
        if self._todo:
            self._send(self._todo[0].request)
        else:
            try:
                self._settle()
            except PortError as error:
                self.give_up(error)

    def give_up(self, error: PortError) -> None:
        """The port is gone."""
        self.port_lost, self._todo = str(error), ()

    # --- sending and receiving ----------------------------------------------------------------------------

    def _send(self, burst: bytes) -> None:
        try:
            self._port.discard()
            self.sent_ns, self._burst_bytes = self._clock_ns(), len(burst)
            self._port.write(burst)
        except PortError as error:
            self.give_up(error)
            return
        self.bus.counters.transactions += 1

    def _collect(self, read: GroupRead) -> tuple[bytearray, int]:
        wire_ns = (self._burst_bytes + read.answer_bytes) * 10_000_000_000 // self._port.baud
        deadline_ns = self.sent_ns + wire_ns + self.bus.latency.allowance_ns
        received, now_ns, patient = bytearray(), self.sent_ns, True
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
                if read.enough(received) and (read.kind.fast or self._settled(read, received)):
                    self.bus.latency.observe(now_ns - self.sent_ns - wire_ns)
                    break
        except PortError as error:
            self.give_up(error)
        return received, now_ns

    @staticmethod
    def _settled(read: GroupRead, received: bytearray) -> bool:
        """Whether waiting for more is pointless: all there, or damaged. Stuffed packets are longer than usual."""
        answers = read.take_apart(received)
        return answers.complete or answers.crc_failures > 0

    # --- judging -------------------------------------------------------------------------------------

    def _judge(self, read: GroupRead, answers: Answers, received_bytes: int) -> None:
        """Note who was not heard in this read, and who was merely not understood."""
        missing = [] if answers.complete else [read.slots[int(k)].id for k in np.flatnonzero(answers.error == MISSING)]
        self.bus.counters.crc_failures += answers.crc_failures
        self.noise.count(len(read.slots), answers.crc_failures, self._received_ns)
        self._heard_bytes += received_bytes
        silent = len(missing) > answers.crc_failures and received_bytes < read.answer_bytes
        if not silent:
            self.quarantine.heard(read.ids)
        elif read.kind.fast:  # a joint frame ends at the first device that is silent: ask everybody singly
            self._broken_frame = True
        else:
            self._blame(read, set(missing))

    def _blame(self, read: GroupRead, missing: set[int]) -> None:
        """Who is silent in a plain read that came short.

        Devices answer in turn, each after the one before it, and behind a silent one many models say nothing either
        (ROBOTIS, DynamixelSDK issue 364). So of those missing at the end only the first is to blame; the others are
        asked at once, those of other branches first, so that they stay fresh.
        """
        order = [slot.id for slot in read.slots]
        answered = [place for place, servo in enumerate(order) if servo not in missing]
        end = answered[-1] + 1 if answered else 0
        self.quarantine.heard(order[place] for place in answered)
        self._missing += [servo for servo in order[:end] if servo in missing]
        if end == len(order):
            return
        first, rest = read.slots[end], list(read.slots[end + 1 :])
        self._missing.append(first.id)
        if rest and self._continued < (CONTINUE_AT_MOST if self._heard_bytes else 1):
            self._continued += 1
            rest.sort(key=lambda slot: self._branch(slot.id) == self._branch(first.id))
            alike = len({(slot.address, slot.length) for slot in rest}) == 1
            self._todo = (GroupRead(rest, Kind.SYNC if alike else Kind.BULK), *self._todo)

    def _settle(self) -> None:
        """The cycle is over: put aside who has been silent for too long, unless the whole line was."""
        now_ns = self._received_ns
        if self._broken_frame:
            self._careful = True
            self._count_fast_failure()
        elif not self._missing:
            self._careful = False
            self.mute_since_ns = 0
            self._fast_failures = self._fast_failures if self._todo_was_plain else 0
        elif not self._heard_bytes:
            self.mute_since_ns = self.mute_since_ns or now_ns
            self.bus.latency.timed_out()
            self._look_around_when_mute(now_ns)
        else:
            self.mute_since_ns = 0
            before = self.silent
            if self.quarantine.missed(self._missing, now_ns) and self._confirm(self.silent - before):
                self._careful, self._fast_failures = False, 0
                hit = {self._branch(servo) for servo in self.silent - before}
                self._suspect(servo for servo in self._by_id if self._branch(servo) in hit)
                self.replan()

    def _confirm(self, servos: Iterable[int]) -> bool:
        """One ping before a device is put aside: on a noisy line three answers get lost. True: some stay silent."""
        if self._in_flight:
            return True
        for servo in servos:
            if self.bus.ping_once(servo) is not None:
                self.quarantine.release(servo)
        return bool(self.silent)

    def _look_around_when_mute(self, now_ns: int) -> None:
        """Nobody answers: ask everybody singly, because a few silent ones in front can hide the others; after half a
        second put everybody aside."""
        mute_ns = now_ns - self.mute_since_ns
        if mute_ns > MUTE_NS:
            self._suspects.clear()
            for servo in set(self._by_id) - self.silent:
                self.quarantine.put_aside(servo, now_ns)
            self.replan()
        elif mute_ns > LOOK_AROUND_NS and not self._suspects:
            self._suspect(self._by_id)

    def _suspect(self, servos: Iterable[int]) -> None:
        """Ask these singly, one a cycle."""
        self._suspects.extend((servo, 0) for servo in servos if servo not in self.silent)
        self._somebody_answered = False
        self._unheard = []

    def ask_a_suspect(self) -> bool:
        """Ping one device whose silence is suspected; True when there was one.

        A device that misses two pings is put aside as soon as anybody else is known to answer.

        Raises:
            PortError: the port is gone.
        """
        if not self._suspects:
            return False
        servo, misses = self._suspects.popleft()
        if servo in self.silent:
            return True
        if self.bus.ping_once(servo) is not None:
            self._somebody_answered = True
        elif misses + 1 < PINGS:
            self._suspects.append((servo, misses + 1))
        else:
            self._unheard.append(servo)
        if self._unheard and (self._somebody_answered or not self.mute_since_ns):
            for gone in self._unheard:
                self.quarantine.put_aside(gone, self._clock_ns())
            self._unheard = []
            self.replan()
        return True

    def keep_alive(self, after_ns: int) -> None:
        """Say something on this line when nothing was said for this long; what is answered does not matter."""
        now_ns = self._clock_ns()
        if now_ns - self._spoken_ns > after_ns:
            self._spoken_ns = now_ns
            self.bus.ping_once(next(iter(self._by_id)))

    def write_one(self, servo: ServoDevice, name: str, value: int) -> None:
        """Write a register of one servo, unconfirmed.

        Raises:
            PortError: the port is gone.
        """
        self.write_all(name, lambda other: value if other is servo else None)

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

    def _count_fast_failure(self) -> None:
        self._fast_failures += 1
        if self._fast_failures >= FAST_FAILURES:
            self.fast_works = False
            self.replan()

    def _note(self, read: GroupRead, answers: Answers, into: StateArrays) -> None:
        """Raw answers to SI, joint by joint."""
        for (first, count, _), data, servos in zip(read.runs, answers.data, self._units_of(read), strict=True):
            good: NDArray[np.bool_] | None = None
            alert: NDArray[np.bool_] | None = None
            if not answers.healthy:
                error = answers.error[first : first + count]
                alert = error == ALERT
                good = (error == 0) | alert
            if servos is None:
                for row, slot in enumerate(read.slots[first : first + count]):
                    hand = self._by_id[slot.id]
                    assert isinstance(hand, HandDevice)
                    hand.alert = alert is not None and bool(alert[row])
                    self._note_hand(hand, good is None or bool(good[row]), data[row], into)
                continue
            raw = np.ascontiguousarray(data).view(STATE)[:, 0]
            into.note(
                servos.index,
                (raw["position"] - servos.centre) * servos.rad_per_tick,
                raw["velocity"] * servos.rad_s_per_unit,
                raw["current"] * servos.ma_per_unit,
                good,
                alert,
            )
        self.read_ns = (self.sent_ns + self._received_ns) // 2

    def _units_of(self, read: GroupRead) -> "list[_Units | None]":
        """For every run of a read the units of its servos; None for hands."""
        known = self._units.get(read)
        if known is None:
            known = [
                None
                if isinstance(self._by_id[read.slots[first].id], HandDevice)
                else _units([self._servo(slot.id) for slot in read.slots[first : first + count]])
                for first, count, _ in read.runs
            ]
            self._units[read] = known
        return known

    def _note_hand(self, hand: HandDevice, good: bool, block: NDArray[np.uint8], into: StateArrays) -> None:
        if not good:
            hand.trusted = False
        elif not hand.trusted:
            hand.trusted = hand.tables_are_on(self.bus)
        if good and hand.trusted:
            position, velocity, current = hand.decode(block)
            into.note(hand.indices, position, velocity, current)

    # --- frames ---------------------------------------------------------------------------------------------

    def _goals(self, write: SyncWrite, servos: _Units, goal_rad: Array, sent_rad: Array) -> bytes:
        ticks = np.rint(goal_rad[servos.index] / servos.rad_per_tick + servos.centre)
        sent_rad[servos.index] = (ticks - servos.centre) * servos.rad_per_tick
        return write.encode(ticks.astype("<i4").view(np.uint8).reshape(-1, GOAL_BYTES))

    def _plan_writes(self) -> None:
        """Goals go to everybody, also to those who are silent: they may still hear."""
        by_block: dict[int, list[ServoDevice]] = {}
        for servo in self.servos:
            by_block.setdefault(servo.block, []).append(servo)
        self._writes = [
            (SyncWrite(block + GOAL_OFFSET, GOAL_BYTES, [servo.id for servo in servos]), _units(servos))
            for block, servos in by_block.items()
        ]
        if self.hands:
            self._hand_write = SyncWrite(WRITE_BLOCK, WRITE_BYTES, [hand.id for hand in self.hands])

    def _servo(self, servo_id: int) -> ServoDevice:
        device = self._by_id[servo_id]
        assert isinstance(device, ServoDevice)
        return device


def _units(servos: Sequence[ServoDevice]) -> _Units:
    models = [servo.model for servo in servos]
    return _Units(
        as_index([servo.index for servo in servos]),
        np.array([model.centre_ticks for model in models], float),
        np.array([servo.rad_per_tick for servo in servos]),
        np.array([servo.model.rad_s_per_unit * servo.scale for servo in servos]),
        np.array([model.ma_per_unit for model in models]),
    )
