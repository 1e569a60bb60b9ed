# SPDX-License-Identifier: Apache-2.0
"""Fault: bits flip on the bus, packets get lost, a line babbles (row 4). Wrong values are not believed."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants
from virtual_line import MS, VirtualLine

from drivers.safety import State
from graph.faults import FaultCode

SWEEP_S = counted(3, 120)
LOSS_S = counted(10, 600)
FUZZED = counted(300, 100_000)


def worst_error_rad(rig: FaultRig, since: int) -> float:
    """How far what was believed is from where the joints can have been: they stand still at home."""
    seen = np.array([cycle.reading.position_rad for cycle in rig.cycles[since:]])
    return float(np.nanmax(np.abs(seen - rig.home)))


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right"])
@pytest.mark.parametrize("rate", [1e-6, 1e-5, 1e-4, 1e-3])
def test_whatever_the_bit_error_rate_nothing_wrong_is_believed(name: str, rate: float) -> None:
    rig = FaultRig(name)
    rig.engage()
    rig.run(rig.robot.rate_hz, rig.home)
    begin = len(rig.cycles)
    rig.panel.set_noise(rate, seed=4)
    rig.run(SWEEP_S * rig.robot.rate_hz, rig.home)
    assert worst_error_rad(rig, begin) < 0.1, "more than the plausibility gate lets through at rest"
    assert rig.link.lines[0].bus.counters.crc_failures > 0 or rate < 1e-4
    if rate <= 1e-5:
        assert rig.loop.status.state is State.ENGAGED, rig.loop.status
    rig.panel.set_noise(0.0)
    rig.run(3 * rig.robot.rate_hz, rig.home)
    assert rig.last.reading.fresh.all()
    assert {fault.code for fault in rig.link.faults()} <= {FaultCode.SERVOS_STOPPED}
    assert_invariants(rig)


def losing(share: float, seed: int):
    """A port's answers of which a share gets lost as a whole."""
    rng = random.Random(seed)
    return lambda data: b"" if data and rng.random() < share else data


def test_one_percent_of_lost_answers_goes_unnoticed() -> None:
    rig = FaultRig("op3")
    rig.engage()
    rig.line.mangle = losing(0.01, 1)
    for _ in range(LOSS_S):
        assert rig.run(rig.robot.rate_hz, rig.home).status.state is State.ENGAGED, rig.loop.status
        rig.line.instructions.clear()
    assert_invariants(rig)


def test_one_percent_of_lost_answers_goes_unnoticed_at_a_hand() -> None:
    rig = FaultRig("hx5_d20_right")
    rig.engage()
    rig.line.mangle = losing(0.01, 1)
    for _ in range(counted(60, 600)):
        assert rig.run(rig.robot.rate_hz, rig.home).status.state is State.ENGAGED, rig.loop.status
        rig.line.instructions.clear()


def test_one_percent_of_lost_answers_goes_unnoticed_where_every_servo_answers_singly() -> None:
    rig = FaultRig("op3")
    rig.link.lines[0].roll.fast_works = False
    rig.link.lines[0].replan()
    rig.engage()
    rng = random.Random(3)
    handle = rig.line.virtual.handle
    rig.line.virtual.handle = lambda chunk, now_ns: [a for a in handle(chunk, now_ns) if rng.random() >= 0.01]
    for _ in range(LOSS_S):
        assert rig.run(rig.robot.rate_hz, rig.home).status.state is State.ENGAGED, rig.loop.status
        rig.line.instructions.clear()
    assert_invariants(rig)


def test_thirty_percent_of_answers_lost_one_by_one_hold_the_robot() -> None:
    rig = FaultRig("op3")
    rig.link.lines[0].roll.fast_works = False
    rig.link.lines[0].replan()
    rig.engage()
    rng, handle = random.Random(5), rig.line.virtual.handle
    rig.line.virtual.handle = lambda chunk, now_ns: [a for a in handle(chunk, now_ns) if rng.random() >= 0.3]
    rig.until(lambda: rig.loop.status.state is State.HOLD, 10_000, rig.home)
    assert rig.loop.status.code is FaultCode.SERVO_SILENT
    assert_invariants(rig)


def test_thirty_percent_of_lost_joint_frames_hold_the_robot() -> None:
    rig = FaultRig("op3")
    rig.engage()
    rig.line.mangle = losing(0.3, 5)
    rig.until(lambda: rig.loop.status.state is State.HOLD, 20_000, rig.home)


def test_more_than_a_tenth_of_damaged_answers_is_a_fault_with_advice() -> None:
    rig = FaultRig("op3")
    rig.moving(10)
    position = rig.link.lines[0]
    turn = iter(range(10**9))

    def damage(data: bytes) -> bytes:
        if len(data) < 100:
            return data
        spoilt = bytearray(data)
        for device in range(5):  # 5 of 20 servos, other ones in every cycle, so that everybody is heard now and then
            spoilt[8 + ((next(turn) * 5 + device) % 20) * 14 + 3] ^= 1
        return bytes(spoilt)

    rig.line.mangle = damage
    rig.until(lambda: rig.loop.status.code is FaultCode.BUS_NOISE, 3000, rig.home)
    assert position.noise.share > 0.1
    assert "of the answers are damaged: check shield, ground and plugs" in rig.loop.status.reason
    assert rig.loop.status.state is State.HOLD
    assert_invariants(rig)


def test_noise_that_does_not_hurt_yet_is_a_warning() -> None:
    rig = FaultRig("op3")
    rig.moving(10)
    rig.panel.set_noise(2e-5, seed=8)
    rig.until(lambda: any(w.code is FaultCode.BUS_NOISE for w in rig.link.warnings()), 20_000, rig.home)
    assert rig.loop.status.state is State.ENGAGED


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right"])
def test_fuzzed_answers_never_raise_and_are_never_believed(name: str) -> None:
    rig, rng = FaultRig(name), random.Random(6)
    rig.engage()
    rig.run(5, rig.home)
    begin = len(rig.cycles)

    def fuzz(data: bytes) -> bytes:
        kind = rng.randrange(6)
        if kind == 0:
            return rng.randbytes(rng.randrange(400))
        if kind == 1:
            return data[: rng.randrange(len(data) + 1)]
        if kind == 2:
            return rng.randbytes(rng.randrange(20)) + data
        if kind == 3:
            return data + data
        spoilt = bytearray(data)
        for _ in range(rng.randrange(1, 4) if spoilt else 0):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        return bytes(spoilt)

    rig.line.mangle = lambda data: fuzz(data) if rng.random() < 0.5 else data
    for _ in range(FUZZED):
        rig.run(1, rig.home)
        rig.line.instructions.clear()
    assert worst_error_rad(rig, begin) < 0.1
    rig.line.mangle = None
    rig.run(2 * rig.robot.rate_hz, rig.home)
    assert rig.last.reading.fresh.all()
    assert_invariants(rig)


def test_a_wrong_value_that_a_crc_let_through_is_not_believed() -> None:
    rig = FaultRig("op3")
    rig.engage()
    rig.run(10, rig.home)
    servo = rig.device(5)
    stood = servo.position_ticks(rig.clock.now_ns)
    servo.turn_to(stood + 1500)  # 2.3 rad in one cycle: no servo can
    cycle = rig.run(1, rig.home)
    assert not cycle.reading.fresh[4]
    assert np.isnan(cycle.reading.position_rad[4])
    assert rig.link.state.rejected >= 1
    servo.turn_to(stood)
    assert rig.run(1, rig.home).reading.fresh[4]
    assert rig.loop.status.state is State.ENGAGED


def test_half_frames_are_survived_one_after_the_other() -> None:
    rig = FaultRig("op3")
    rig.moving(10)
    for _ in range(counted(20, 500)):
        rig.panel.cut_next_answer()
        rig.swing(5)
        assert rig.last.status.state is State.ENGAGED, rig.last.status
        assert rig.last.reading.fresh.all()
    assert_invariants(rig)


class Babble:
    """A line on which somebody talks without end: every read brings noise, and takes the time of its bytes."""

    def __init__(self, line: VirtualLine) -> None:
        self._line, self._rng = line, random.Random(9)
        self._read, self.reads = line.read, 0
        line.read = self.read

    def read(self, deadline_ns: int) -> bytes:
        self.reads += 1
        assert self.reads < 1_000_000, "the driver hangs on a line that babbles"
        self._line.waiting.clear()
        noise = self._rng.randbytes(64)
        self._line.now_ns += 64 * 10 * 1_000_000_000 // self._line.baud
        return noise

    def stop(self) -> None:
        self._line.read = self._read


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right"])
def test_a_line_that_babbles_without_end_does_not_hang_the_driver(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = FaultRig(name)
    monkeypatch.setattr("drivers.bus.time", SimpleNamespace(monotonic_ns=rig.clock))
    rig.moving(10)
    babble = Babble(rig.line)
    for _ in range(30):
        rig.swing(1)
    starts = np.diff([cycle.written_ns for cycle in rig.cycles[-30:]])
    assert starts.max() < 200 * MS
    assert rig.loop.status.state in (State.HOLD, State.STOPPED), rig.loop.status
    babble.stop()
    rig.run(4 * rig.robot.rate_hz, rig.home)
    assert rig.last.reading.fresh.all()
    assert rig.loop.status.state in (State.HOLD, State.STOPPED)
    assert_invariants(rig)
