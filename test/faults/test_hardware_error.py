# SPDX-License-Identifier: Apache-2.0
"""Fault: a servo reports a hardware error: every bit of the X and P series, every code of the Y (row 5)."""

import itertools
from pathlib import Path

import pytest
from counted import counted
from invariants import FaultRig, assert_invariants
from two_lines import PAIR

from drivers import protocol
from drivers.hardware_error import BITS, WORDS, Y_ERRORS, Cause, describe
from drivers.protocol import Instruction
from drivers.safety import State
from graph.faults import FaultCode

PAGE = Path(__file__).parents[2] / "docs/faults/hardware_error.md"
TIMES = counted(1, 3)
X, Y, P = 1, 2, 3
"""Servos of every family in the robot of two lines."""

BIT_CASES = [(servo, 1 << bit) for servo in (X, P) for bit in range(8)]
BATTERY_LOW = 9
CODE_CASES = [(Y, code) for code in (*Y_ERRORS, 6, 99) if code != BATTERY_LOW]


def test_a_low_battery_is_a_warning_that_stops_nothing() -> None:
    rig = FaultRig(PAIR)
    rig.moving(10)
    rig.device(Y).raise_hardware_error(BATTERY_LOW, rig.clock.now_ns)
    rig.swing(2 * rig.robot.rate_hz)
    assert rig.loop.status.state is State.ENGAGED, rig.loop.status
    assert any("battery is low" in warning.text for warning in rig.link.warnings())


@pytest.mark.parametrize(("servo", "code"), [*BIT_CASES, *CODE_CASES])
def test_every_error_is_named_holds_the_robot_and_is_never_rebooted_away(servo: int, code: int) -> None:
    rig = FaultRig(PAIR)
    joint = next(joint for joint in rig.robot.joints if joint.id == servo)
    family = {X: "x", Y: "y", P: "p"}[servo]
    words = describe(family, code)
    watchdog_of_a_y = family == "y" and code == 18
    for _ in range(TIMES):
        rig.moving(10)
        rig.device(servo).raise_hardware_error(code, rig.clock.now_ns)
        rig.until_stopped(300)
        rig.run(20, rig.home)
        if watchdog_of_a_y:  # a Y tells that it has stopped as if it were an error
            assert rig.loop.status.code is FaultCode.SERVOS_STOPPED
            return
        assert rig.loop.status.code is FaultCode.HARDWARE_ERROR
        assert f"{joint.name} (ID {servo}): {words[0]}" in rig.loop.status.reason
        assert words[0] in rig.ask_engage(), "it must not be engaged while the error stands"
        rig.run(3 * rig.robot.rate_hz, rig.home)
        assert rig.loop.status.state is State.HOLD
        rig.device(servo).reboot(rig.clock.now_ns)  # what a technician does
        rig.pass_time(0.3)
        rig.run(4 * rig.robot.rate_hz, rig.home)
        assert not any(fault.code is FaultCode.HARDWARE_ERROR for fault in rig.link.faults())
        assert rig.loop.status.state is not State.ENGAGED
        rig.engage()
        rig.run(20, rig.home)
        assert rig.loop.status.state is State.ENGAGED, rig.loop.status
        rig.loop.request_release()
        rig.run(1)
    assert instructions(rig).isdisjoint({Instruction.REBOOT, Instruction.FACTORY_RESET, Instruction.CLEAR})
    assert_invariants(rig)


def instructions(rig: FaultRig) -> set[int]:
    """Every kind of instruction that was on the wire."""
    seen: set[int] = set()
    for line in rig.lines.values():
        for burst in line.instructions:
            seen |= {packet.instruction for packet in protocol.PacketReader().feed(burst)}
    return seen


@pytest.mark.parametrize("servo", [X, P])
def test_an_overloaded_servo_that_keeps_its_torque_is_let_go_softly_and_no_other(servo: int) -> None:
    rig = FaultRig(PAIR)
    device = rig.device(servo)
    device.poke("Shutdown", 0)  # a servo that would push on for ever
    rig.moving(10)
    device.fail(Cause.OVERLOAD, rig.clock.now_ns)
    rig.until_stopped(300)
    strengths, torque = [], True
    for _ in range(2 * rig.robot.rate_hz):
        rig.run(1, rig.home)
        strengths.append(device.peek("Goal PWM"))
        torque = bool(device.peek("Torque Enable"))
        if not torque:
            break
    assert not torque
    assert len(strengths) >= 0.9 * rig.robot.rate_hz, "it was dropped, not let go softly"
    assert all(after <= before for before, after in itertools.pairwise(strengths))
    rig.run(2 * rig.robot.rate_hz, rig.home)
    others = [joint.id for joint in rig.robot.joints if joint.id != servo]
    assert all(rig.device(other).peek("Torque Enable") for other in others)
    assert all(rig.device(other).peek("Goal PWM") == rig.device(other).model.full_pwm for other in others)
    assert rig.loop.status.code is FaultCode.HARDWARE_ERROR
    assert_invariants(rig)


def test_the_overload_of_a_finger_is_named() -> None:
    rig = FaultRig("hx5_d20_right")
    rig.moving(10)
    rig.panel.fail(117, Cause.OVERLOAD)
    rig.until(lambda: rig.loop.status.code is FaultCode.HARDWARE_ERROR, 2000, rig.home)
    assert "finger_r_joint6 (ID 117): overloaded" in rig.loop.status.reason


def test_an_overloaded_finger_that_keeps_its_torque_is_let_go_as_well() -> None:
    rig = FaultRig("hx5_d20_right")
    device = rig.device(117)
    device.poke("Shutdown", 0)
    rig.moving(10)
    rig.panel.fail(117, Cause.OVERLOAD)
    rig.until(lambda: rig.loop.status.code is FaultCode.HARDWARE_ERROR, 2000, rig.home)
    rig.run(3 * rig.robot.rate_hz, rig.home)
    assert not device.peek("Torque Enable")


def test_the_page_explains_every_bit_and_code_in_the_drivers_own_words() -> None:
    page = PAGE.read_text()
    assert [words for words in WORDS.values() if words not in page] == []
    for bit, cause in BITS.items():
        assert f"| {bit} | {WORDS[cause]}" in page
    for code, error in Y_ERRORS.items():
        assert f"| {code} | {WORDS[error.cause]}" in page
