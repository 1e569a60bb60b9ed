# SPDX-License-Identifier: Apache-2.0
"""The bus watchdog, without which a dead computer leaves a robot at its last goal (e-Manual, "Bus Watchdog")."""

import pytest
from bench_servo import Servo

from drivers import protocol
from drivers.protocol import ErrorNumber
from drivers.servo_block import GOAL_OFFSET, WATCHDOG_FIRED

ADDRESS = {"x": (98, 1), "p": (546, 1), "y": (8, 2)}
UNITS, SILENCE_S = 3, 0.12
"""Armed for 60 ms; what fires it."""
PATIENT_UNITS, PATIENT_S = 15, 0.45
"""Where it must not fire, even if this computer is late."""
FIRED = -1
CLEAR_ERROR = b"\x02\x45\x52\x43\x4c"
CLEAR = 0x10


def fire(servo: Servo) -> int:
    """Torque on where it stands, armed, then silence; returns the goal it holds."""
    goal = servo.hold()
    servo.set("Bus Watchdog", UNITS)
    servo.line.be_silent(SILENCE_S)
    return goal


def test_watchdog_lies_where_its_family_has_it(servo: Servo) -> None:
    item = servo.table["Bus Watchdog"]
    assert (item.address, item.size) == ADDRESS[servo.model.family]
    assert servo.identity.firmware >= servo.model.watchdog_firmware


@pytest.mark.parametrize("value", [1, 127])
def test_watchdog_is_taken_and_read_back(servo: Servo, value: int) -> None:
    servo.set("Bus Watchdog", value)
    assert servo.get("Bus Watchdog") == value


def test_silence_without_torque_does_not_fire_it(servo: Servo) -> None:
    servo.set("Bus Watchdog", UNITS)
    servo.line.be_silent(SILENCE_S)
    assert servo.get("Bus Watchdog") == UNITS


def test_talk_to_somebody_else_keeps_it_from_firing(servo: Servo) -> None:
    """Any instruction packet on the line feeds it: a read loop alone keeps a stale goal alive."""
    servo.hold()
    servo.set("Bus Watchdog", PATIENT_UNITS)
    servo.line.talk_to(servo.line.absent_id({servo.id}), PATIENT_S)
    assert servo.get("Bus Watchdog") == PATIENT_UNITS


def test_silence_with_torque_fires_and_latches(servo: Servo) -> None:
    servo.point()
    fire(servo)
    assert servo.get("Bus Watchdog") == FIRED
    assert servo.line.bus.read(servo.id, servo.block + 16, 1) == bytes((WATCHDOG_FIRED,))
    assert servo.get("Bus Watchdog") == FIRED, "reading does not clear it"
    assert servo.get("Torque Enable") == 1, "it holds"


@pytest.mark.parametrize("name", ["Goal Position", "Goal PWM", "Goal Velocity"])
def test_a_fired_watchdog_refuses_goals(servo: Servo, name: str) -> None:
    fire(servo)
    before = servo.get(name)
    assert servo.try_write(name, before) == ErrorNumber.DATA_RANGE
    assert servo.get(name) == before


def test_a_fired_watchdog_refuses_goals_through_the_block(servo: Servo) -> None:
    servo.point()
    goal = servo.table["Goal Position"].encode(fire(servo))
    answer = servo.ask(protocol.write(servo.id, servo.block + GOAL_OFFSET, goal))
    assert answer.error_number == ErrorNumber.DATA_RANGE


def test_only_zero_clears_a_fired_watchdog(servo: Servo) -> None:
    goal = fire(servo)
    assert servo.try_write("Bus Watchdog", UNITS) == ErrorNumber.DATA_RANGE
    assert servo.get("Bus Watchdog") == FIRED
    servo.set("Bus Watchdog", 0)
    assert servo.get("Bus Watchdog") == 0
    assert servo.try_write("Goal Position", goal) == ErrorNumber.NONE


@pytest.mark.kinds("x430", "xl330-fw52", "xl330-fw53", "xm335", "xh540", "p", "gripper")
def test_a_fired_watchdog_zeroes_the_profile(servo: Servo) -> None:
    """e-Manual, "Bus Watchdog", the same sentence for X (98) and P (546): profile acceleration and velocity "are
    applied as 0" when it stops. That the registers read 0 afterwards is how we read it.
    """
    servo.hold()
    servo.set("Profile Acceleration", 20)
    servo.set("Profile Velocity", 40)
    servo.set("Bus Watchdog", UNITS)
    servo.line.be_silent(SILENCE_S)
    assert servo.get("Bus Watchdog") == FIRED
    assert (servo.get("Profile Acceleration"), servo.get("Profile Velocity")) == (0, 0)


def test_a_fired_watchdog_is_an_alert_in_the_y_series_only(servo: Servo) -> None:
    fire(servo)
    code = 18 if servo.model.family == "y" else 0
    assert servo.get(servo.error_register) == code
    assert servo.ask(protocol.ping(servo.id)).alert == bool(code)
    servo.set("Bus Watchdog", 0)
    assert servo.get(servo.error_register) == 0


@pytest.mark.kinds("y")
def test_an_error_clear_packet_clears_a_fired_watchdog_too(servo: Servo) -> None:
    goal = fire(servo)
    assert not servo.ask(protocol.encode_instruction(servo.id, CLEAR, CLEAR_ERROR)).error_number
    assert servo.get("Bus Watchdog") == 0
    assert servo.try_write("Goal Position", goal) == ErrorNumber.NONE
