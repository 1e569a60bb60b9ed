# SPDX-License-Identifier: Apache-2.0
"""Fault: what is on the bus is not the robot of the file. Torque never comes on."""

import pytest
from virtual_line import Rig

from drivers.errors import RobotMismatchError
from drivers.safety import State


def rig_with(**changes: object) -> Rig:
    """A driver that expects something else than what the virtual OP3 is."""
    rig = Rig("op3", connect=False)
    servo = next(servo for servo in rig.link.lines[0].servos if servo.id == 5)
    servo.joint = servo.joint.model_copy(update=changes)
    return rig


def torque_is_off(rig: Rig) -> bool:
    return not any(rig.line.virtual.device(joint.id).peek("Torque Enable") for joint in rig.robot.joints)


def test_another_model_on_an_id_is_named_with_expected_and_found() -> None:
    rig = rig_with(model="xm335_t323")
    with pytest.raises(
        RobotMismatchError, match=r"ID 5 \(r_el\): expected xm335_t323 \(model number 1710\), found.*1020"
    ):
        rig.loop.connect()
    assert torque_is_off(rig)
    assert rig.loop.status.state is State.IDLE


def test_absent_servos_are_listed_all_at_once() -> None:
    rig = Rig("op3", connect=False)
    for servo_id in (3, 17):
        rig.line.virtual.set_silent(servo_id, True)
    with pytest.raises(RobotMismatchError) as caught:
        rig.loop.connect()
    assert "ID 3 (r_sho_roll): expected xm430_w350, found nobody" in str(caught.value)
    assert "ID 17 (r_ank_roll)" in str(caught.value)
    assert torque_is_off(rig)


def test_a_silent_bus_asks_for_power_instead_of_listing_every_servo() -> None:
    rig = Rig("hx5_d20_right", connect=False)
    rig.line.virtual.set_power(False)
    with pytest.raises(RobotMismatchError, match=r"nobody answered at all: is the robot powered"):
        rig.loop.connect()


def test_firmware_without_a_bus_watchdog_is_refused() -> None:
    rig = Rig("op3", connect=False)
    rig.line.virtual.device(5).poke("Firmware Version", 37)
    with pytest.raises(RobotMismatchError, match=r"ID 5 \(r_el\): firmware 37, at least 38 needed for a bus watchdog"):
        rig.loop.connect()
    assert torque_is_off(rig)


def test_narrower_limits_in_the_servo_win() -> None:
    rig = Rig("op3", connect=False)
    servo = rig.line.virtual.device(5)
    servo.poke("Min Position Limit", 1800)
    servo.poke("Max Position Limit", 2200)
    rig.loop.connect()
    index = rig.robot.joint_names.index("r_el")
    assert rig.link.lower_rad[index] == pytest.approx((1800 - 2048) * 2 * 3.14159265 / 4096)
    assert rig.link.upper_rad[index] == pytest.approx((2200 - 2048) * 2 * 3.14159265 / 4096)


def test_another_calibration_in_the_servos_is_refused_never_overwritten() -> None:
    rig = Rig("op3", connect=False)
    servo = rig.line.virtual.device(5)
    servo.poke("Homing Offset", 40)
    with pytest.raises(
        RobotMismatchError, match=r"ID 5 \(r_el\): expected reverse 0, homing offset 0, found.*offset 40"
    ):
        rig.loop.connect()
    assert servo.peek("Homing Offset") == 40
    assert torque_is_off(rig)
