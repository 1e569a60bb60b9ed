# SPDX-License-Identifier: Apache-2.0
"""Homing Offset and reverse: what the driver's angles and `booth servo calibrate` are built on. Nothing moves."""

import pytest
from bench_servo import Servo

pytestmark = pytest.mark.writes_eeprom
REVERSE = 1
ROUNDING_TICKS = 1
"""Whether an X counts 4095 - n or 4096 - n in reverse is documented nowhere."""


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("offset", [100, -100])
def test_homing_offset_is_added_in_both_directions(servo: Servo, offset: int, reverse: bool) -> None:
    """Present = actual + offset; the offset's sign does not turn with the direction (e-Manual, "Homing Offset")."""
    if servo.table["Homing Offset"].minimum == 0 and offset < 0:
        pytest.skip("it has no negative offsets")
    if reverse and "Drive Mode" not in servo.table:
        pytest.skip("it has no Drive Mode")
    if reverse:
        servo.set("Drive Mode", servo.get("Drive Mode") ^ REVERSE)
    old = servo.get("Homing Offset")
    before = servo.get("Present Position")
    servo.set("Homing Offset", old + offset)
    assert abs(servo.get("Present Position") - before - offset) <= servo.jitter_ticks
    servo.set("Homing Offset", old)
    assert abs(servo.get("Present Position") - before) <= servo.jitter_ticks


def test_reverse_mirrors_the_position_about_joint_angle_zero(servo: Servo) -> None:
    if "Drive Mode" not in servo.table:
        pytest.skip("it has no Drive Mode")
    centre, offset = servo.model.centre_ticks, servo.get("Homing Offset")
    before = servo.get("Present Position") - offset
    servo.set("Drive Mode", servo.get("Drive Mode") ^ REVERSE)
    after = servo.get("Present Position") - offset
    assert abs(after - (2 * centre - before)) <= servo.jitter_ticks + ROUNDING_TICKS


def test_settings_outlive_a_reboot(servo: Servo) -> None:
    offset = servo.get("Homing Offset") + 50
    servo.set("Homing Offset", offset)
    servo.reboot()
    assert servo.get("Homing Offset") == offset
