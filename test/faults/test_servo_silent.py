# SPDX-License-Identifier: Apache-2.0
"""Fault: one servo stops answering (row 3). The others stay fresh, the robot holds, the message says which and why."""

import numpy as np
import pytest
from counted import SOAK, counted
from invariants import FaultRig, assert_invariants

from drivers import protocol
from drivers.protocol import Instruction
from drivers.safety import State
from graph.faults import FaultCode
from robots import load_robot

TIMES = counted(1, 20)
OP3 = load_robot("op3")
SH5 = load_robot("ffw_sh5")
FINGER_NOTICED_S = 3.0
"""Motors of hands are asked one after the other, each about once a second, and must miss twice."""


def singles(robot, every: int = 1) -> list[int]:
    """Joints that answer for themselves."""
    return [k for k, joint in enumerate(robot.joints) if joint.controller is None][:: 1 if SOAK else every]


def fall_silent_and_come_back(rig: FaultRig, index: int) -> None:
    joint = rig.robot.joints[index]
    others = np.arange(len(rig.robot.joints)) != index
    begin, begin_ns = len(rig.cycles), rig.clock.now_ns
    rig.panel.set_silent(joint.id, True)
    rig.until(lambda: joint.id in rig.link.lines[0].silent, 500, rig.home)
    careful = len(rig.cycles) - begin
    assert careful <= 1 + 3, "one broken joint frame, then three misses"
    rig.run(1, rig.home)
    assert rig.loop.status.state is State.HOLD
    assert rig.loop.status.code is FaultCode.SERVO_SILENT
    for words in (joint.name, f"(ID {joint.id})", "cable"):
        assert words in rig.loop.status.reason
    rig.run(100, rig.home)
    fresh = np.array([cycle.reading.fresh for cycle in rig.cycles[begin:]])
    assert fresh[:, others].mean(axis=0).min() >= 0.95
    assert not fresh[3:, index].any()
    assert rig.clock.now_ns - begin_ns < (100 + careful) * rig.period_ns * 1.5, "the loop became slow"
    rig.panel.set_silent(joint.id, False)
    rig.until(lambda: joint.id not in rig.link.lines[0].silent, 1200, rig.home)
    rig.until(lambda: rig.last.reading.fresh.all(), 100, rig.home)
    assert {fault.code for fault in rig.link.faults()} <= {FaultCode.SERVOS_STOPPED}, "its own watchdog may have fired"
    assert rig.loop.status.state in (State.HOLD, State.STOPPED), "it resumed by itself"
    rig.run(2 * rig.robot.rate_hz, rig.home)
    rig.engage(rig.home)
    assert rig.run(20, rig.home).status.state is State.ENGAGED, rig.loop.status
    rig.loop.request_release()
    rig.run(1)


@pytest.mark.parametrize("index", singles(OP3, every=3), ids=lambda k: OP3.joints[k].name)
def test_every_joint_of_op3(index: int) -> None:
    rig = FaultRig(OP3)
    for _ in range(TIMES):
        rig.moving(10)
        fall_silent_and_come_back(rig, index)
    assert_invariants(rig)


@pytest.mark.parametrize("index", singles(SH5, every=6), ids=lambda k: SH5.joints[k].name)
def test_every_joint_of_ffw_sh5_that_answers_for_itself(index: int) -> None:
    rig = FaultRig(SH5)
    for _ in range(TIMES):
        rig.moving(10)
        fall_silent_and_come_back(rig, index)
    assert_invariants(rig)


@pytest.mark.parametrize(
    "index",
    [k for k, joint in enumerate(SH5.joints) if joint.controller is not None][:: 1 if SOAK else 13],
    ids=lambda k: SH5.joints[k].name,
)
def test_every_finger_of_ffw_sh5(index: int) -> None:
    rig = FaultRig(SH5)
    joint = SH5.joints[index]
    rig.moving(10)
    rig.panel.set_silent(joint.id, True)
    rig.until(lambda: rig.loop.status.state is State.HOLD, FINGER_NOTICED_S * 1e3, rig.home)
    assert f"{joint.name} (ID {joint.id}) does not answer" in rig.loop.status.reason
    rig.run(2, rig.home)
    assert not rig.last.reading.fresh[index]
    assert rig.last.reading.fresh.sum() == len(SH5.joints) - 1
    rig.panel.set_silent(joint.id, False)
    rig.until(lambda: not any(f.code is FaultCode.SERVO_SILENT for f in rig.link.faults()), FINGER_NOTICED_S * 1e3)
    assert rig.loop.status.state is not State.ENGAGED
    assert_invariants(rig)


def test_a_silent_servo_is_asked_once_a_second() -> None:
    rig = FaultRig(OP3)
    rig.moving(10)
    rig.panel.set_silent(7, True)
    rig.until(lambda: 7 in rig.link.lines[0].silent, 500)
    rig.line.instructions.clear()
    rig.run(10 * rig.robot.rate_hz)
    pings = [data for data in rig.line.instructions if data == protocol.ping(7)]
    assert len(pings) in (9, 10, 11)
    asked = [data for data in rig.line.instructions if protocol.PacketReader().feed(data)[-1].id == 7]
    assert all(protocol.decode(data).instruction == Instruction.PING for data in asked)


def test_a_servo_that_lost_its_power_meanwhile_does_not_follow_before_it_is_set_up_anew() -> None:
    """Also when the operator engages at the very moment at which it answers again."""
    rig = FaultRig(OP3)
    rig.moving(10)
    servo = rig.device(5)
    servo.set_power(False, rig.clock.now_ns)
    rig.until(lambda: rig.loop.status.state is State.HOLD, 200, rig.home)
    servo.set_power(True, rig.clock.now_ns)
    rig.until(lambda: not rig.ask_engage(), 3000, rig.home)
    for _ in range(2 * rig.robot.rate_hz):
        rig.run(1, rig.home)
        assert rig.loop.status.state is not State.ENGAGED or servo.peek("Torque Enable"), "engaged with a limp joint"
    assert_invariants(rig)


def test_a_silent_hand_controller_names_the_hand() -> None:
    rig = FaultRig(SH5)
    rig.moving(10)
    rig.panel.set_silent(110, True)
    rig.until(lambda: rig.loop.status.state is State.HOLD, 300, rig.home)
    assert rig.loop.status.code is FaultCode.SERVO_SILENT
    assert "hand controller 110 does not answer" in rig.loop.status.reason
    assert rig.run(3, rig.home).reading.fresh.sum() == len(SH5.joints) - 20


def test_a_hand_controller_that_was_deaf_for_longer_than_its_watchdog_does_not_pretend_to_follow() -> None:
    rig = FaultRig(SH5)
    rig.moving(10)
    rig.panel.set_silent(110, True)
    rig.run(rig.robot.rate_hz, rig.home)
    rig.panel.set_silent(110, False)
    rig.until(lambda: 110 not in rig.link.lines[0].silent, 1500, rig.home)
    target = rig.home.copy()
    finger = SH5.joint_names.index("finger_r_joint6")
    target[finger] = 1.0
    rig.run(1, rig.home)
    rig.ask_engage()
    rig.run(rig.robot.rate_hz, target)
    if rig.loop.status.state is State.ENGAGED:
        assert rig.last.reading.position_rad[finger] > 0.9, "engaged, but the hand does not follow"
    assert_invariants(rig)
