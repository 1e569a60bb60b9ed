# SPDX-License-Identifier: Apache-2.0
"""A protective stop was asked for: the robot holds, and after a while lets go softly. An engage brings it back."""

import itertools

import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from drivers.safety import State
from graph.faults import FaultCode
from robots import load_robot


@pytest.mark.parametrize("name", ["op3", "ffw_sh5"])
def test_it_holds_then_lets_go_softly_then_torque_is_off_and_an_engage_brings_it_back(name: str) -> None:
    robot = load_robot(name)
    shorter = robot.motion.model_copy(update={"stop_hold_s": counted(3.0, robot.motion.stop_hold_s)})
    rig = FaultRig(robot.model_copy(update={"motion": shorter}))
    motion, rate, servo = rig.robot.motion, rig.robot.rate_hz, rig.device(rig.robot.joints[0].id)
    full = servo.model.full_pwm
    rig.moving()
    rig.loop.request_stop("asked")
    rig.run(5, rig.home)
    assert (rig.loop.status.state, rig.loop.status.code) == (State.STOPPED, FaultCode.STOP_REQUESTED)
    rig.run(int((motion.stop_hold_s - 1.0) * rate))
    assert all(rig.torque())
    assert servo.peek("Goal PWM") == full
    rig.run(rate, rig.home)
    strengths = []
    for _ in range(int(motion.release_s * rate) + 5):
        rig.run(1, rig.home)
        strengths.append(servo.peek("Goal PWM"))
    assert not any(rig.torque())
    fading = [value for value in strengths if value < full]
    assert len(fading) > 0.8 * motion.release_s * rate
    assert all(after <= before for before, after in itertools.pairwise(strengths))
    stood = rig.shafts()
    rig.run(rate, rig.home)
    assert rig.loop.status.state is State.STOPPED
    assert (abs(rig.shafts() - stood) <= 1).all()
    rig.engage()
    assert rig.run(rate, rig.home).status.state is State.ENGAGED
    assert all(rig.torque())
    assert servo.peek("Goal PWM") == full
    assert_invariants(rig)


def test_an_engage_while_the_strength_fades_gives_all_of_it_back() -> None:
    rig = FaultRig("op3")
    motion, servo = rig.robot.motion, rig.device(1)
    rig.moving()
    rig.loop.request_stop("asked")
    rig.run(int((motion.stop_hold_s + motion.release_s / 2) * rig.robot.rate_hz))
    assert servo.peek("Goal PWM") < 0.6 * servo.model.full_pwm
    rig.engage(rig.home)
    rig.run(rig.robot.rate_hz, rig.home)
    assert rig.loop.status.state is State.ENGAGED
    assert servo.peek("Goal PWM") == servo.model.full_pwm


def test_a_hand_holds_for_as_long_as_it_takes() -> None:
    rig = FaultRig("hx5_d20_right")
    rig.moving()
    rig.loop.request_stop("asked")
    rig.run(counted(5, 30) * rig.robot.rate_hz)
    assert rig.loop.status.state is State.STOPPED
    assert all(rig.torque())
    assert_invariants(rig)


def test_the_stop_wins_over_an_operator_who_goes_on_moving() -> None:
    rig = FaultRig("op3")
    rig.moving()
    rig.loop.request_stop("asked")
    for _ in range(100):
        assert rig.swing(1).status.state is State.STOPPED
    assert_invariants(rig)


def test_homing_is_refused_while_an_operator_is_engaged_and_stops_when_asked() -> None:
    rig = FaultRig("op3")
    rig.moving()
    assert rig.ask_home() == "the operator is engaged: release first"
    assert rig.loop.status.state is State.ENGAGED
    rig.loop.request_release()
    rig.run(50)
    assert rig.ask_home(ready=True) == ""
    assert rig.run(10).status.state is State.HOMING
    rig.loop.request_stop("asked")
    assert rig.run(1).status.state is State.STOPPED
    rig.run(50)
    assert_invariants(rig)
