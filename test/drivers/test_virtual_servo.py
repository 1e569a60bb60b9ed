# SPDX-License-Identifier: Apache-2.0
"""The rules of one virtual servo, at its registers. Time is a number that the test hands in."""

import pytest
from registers import get, put

from drivers.protocol import ErrorNumber
from drivers.servo_model import servo_model
from drivers.virtual_servo import (
    CURRENT_BASED_POSITION_MODE,
    EXTENDED_POSITION_MODE,
    REVERSE,
    TIME_BASED_PROFILE,
    TORQUE_ON_BY_GOAL,
    VirtualServo,
)

MS = 1_000_000
S = 1_000_000_000
OK = ErrorNumber.NONE


def xm430(**options):
    return VirtualServo(servo_model("xm430_w350"), 1, **{"firmware": 50, "baud": 2_000_000, **options})


def xm335(**options):
    given = {"operating_mode": CURRENT_BASED_POSITION_MODE, "drive_mode": TIME_BASED_PROFILE | TORQUE_ON_BY_GOAL}
    return VirtualServo(servo_model("xm335_t323"), 111, **{"firmware": 52, "baud": 4_000_000, **given, **options})


# --- motion


def test_a_goal_moves_the_servo_and_it_stops_at_the_goal():
    servo = xm430()
    put(servo, "Torque Enable", 1)
    assert put(servo, "Goal Position", 2500) == OK
    assert 2048 < get(servo, "Present Position", 100 * MS) < 2500
    assert get(servo, "Moving", 100 * MS) == 1
    assert get(servo, "Present Velocity", 100 * MS) > 100
    assert get(servo, "Present Position", 5 * S) == 2500
    assert get(servo, "Moving", 5 * S) == 0
    assert get(servo, "Present Velocity", 5 * S) == 0


def test_velocity_limit_caps_the_motion():
    servo = xm430()
    put(servo, "Torque Enable", 1)
    put(servo, "Goal Position", 4095)
    assert get(servo, "Present Velocity", 300 * MS) == pytest.approx(200, abs=1)


def test_profile_velocity_slows_the_motion():
    servo = xm430()
    put(servo, "Torque Enable", 1)
    put(servo, "Profile Velocity", 50)
    put(servo, "Goal Position", 4095)
    assert get(servo, "Present Velocity", 300 * MS) == pytest.approx(50, abs=1)


def test_time_based_profile_arrives_after_its_time_whatever_the_distance():
    for goal in (2100, 2300):
        servo = xm430(drive_mode=TIME_BASED_PROFILE)
        put(servo, "Torque Enable", 1)
        put(servo, "Profile Velocity", 400)
        put(servo, "Profile Acceleration", 100)
        put(servo, "Goal Position", goal)
        assert get(servo, "Position Trajectory", 350 * MS) < goal
        assert get(servo, "Position Trajectory", 400 * MS) == goal


def test_goals_streamed_at_100_hz_are_followed_within_the_lag():
    servo = xm430()
    put(servo, "Torque Enable", 1)
    for n in range(1, 101):
        put(servo, "Goal Position", 2048 + 5 * n, n * 10 * MS)
    behind = 2548 - get(servo, "Present Position", 1010 * MS)
    assert 0 <= behind <= 5 * 3


def test_torque_off_means_no_motion():
    servo = xm430()
    assert put(servo, "Goal Position", 3000) == OK
    assert get(servo, "Present Position", 5 * S) == 2048


def test_torque_off_stops_a_motion():
    servo = xm430()
    put(servo, "Torque Enable", 1)
    put(servo, "Goal Position", 4000)
    there = get(servo, "Present Position", 100 * MS)
    put(servo, "Torque Enable", 0, 100 * MS)
    assert get(servo, "Present Position", 5 * S) == there


def test_a_goal_written_before_torque_is_followed_when_torque_comes_on():
    servo = xm430()
    put(servo, "Goal Position", 2400)
    put(servo, "Torque Enable", 1, S)
    assert get(servo, "Present Position", 5 * S) == 2400


def test_a_servo_turned_by_hand_jumps_unless_the_goal_is_what_was_measured():
    servo = xm430()
    servo.turn_to(2200)
    put(servo, "Goal Position", get(servo, "Present Position"))
    put(servo, "Torque Enable", 1)
    assert get(servo, "Present Position", 5 * S) == 2200


def test_torque_comes_on_by_a_goal_when_drive_mode_says_so():
    servo = xm430(drive_mode=TORQUE_ON_BY_GOAL)
    put(servo, "Goal Position", 2400)
    assert get(servo, "Torque Enable") == 1
    assert get(servo, "Present Position", 5 * S) == 2400


def test_hand_motor_does_not_move_without_a_goal_current():
    servo = xm335()
    put(servo, "Goal Position", 2300)
    assert get(servo, "Torque Enable") == 1
    assert get(servo, "Present Position", S) == 2048
    put(servo, "Goal Current", 300, S)
    assert get(servo, "Present Position", 5 * S) == 2300


def test_current_based_position_mode_is_not_bound_by_the_position_limits():
    servo = xm335(position_ticks=1000)
    put(servo, "Goal Current", 300)
    assert put(servo, "Goal Position", 10) == OK
    assert get(servo, "Present Position", 5 * S) == 10


def test_present_current_stays_within_the_goal_current():
    servo = xm335()
    put(servo, "Goal Current", 20)
    put(servo, "Goal Position", 3000)
    currents = [get(servo, "Present Current", t * 10 * MS) for t in range(60)]
    assert max(currents) == 20


# --- reverse and homing offset


def test_homing_offset_is_added_to_the_position():
    servo = xm430(homing_offset_ticks=1024)
    before = servo.shaft.position
    assert get(servo, "Present Position") == 2048
    put(servo, "Homing Offset", 0)
    assert servo.shaft.position == before
    assert get(servo, "Present Position") == 1024


def test_large_homing_offset_is_ignored_in_position_mode_and_used_in_extended_mode():
    assert get(xm430(homing_offset_ticks=3000, operating_mode=EXTENDED_POSITION_MODE), "Present Position") == 2048
    servo = xm430()
    put(servo, "Homing Offset", 3000)
    assert get(servo, "Present Position") == 2048


def test_reverse_turns_the_shaft_the_other_way_and_keeps_the_sign_of_the_offset():
    forward, reverse = xm430(homing_offset_ticks=100), xm430(homing_offset_ticks=100, drive_mode=REVERSE)
    moved = []
    for servo in (forward, reverse):
        start = servo.shaft.position
        put(servo, "Torque Enable", 1)
        put(servo, "Goal Position", 2148)
        assert get(servo, "Present Velocity", 50 * MS) > 0
        assert get(servo, "Present Position", 5 * S) == 2148
        moved.append(servo.shaft.position - start)
    assert moved == [100, -100]


def test_changing_direction_mirrors_the_position_about_the_centre():
    servo = xm430(position_ticks=2148)
    put(servo, "Drive Mode", REVERSE)
    assert get(servo, "Present Position") == 1948


def test_changing_what_the_position_means_sets_the_goal_to_the_new_position():
    servo = xm430(position_ticks=2148)
    put(servo, "Drive Mode", REVERSE)
    put(servo, "Torque Enable", 1)
    assert get(servo, "Present Position", 5 * S) == 1948


# --- access rules


def test_eeprom_is_locked_while_torque_is_on():
    servo = xm430()
    assert put(servo, "Return Delay Time", 1) == OK
    put(servo, "Torque Enable", 1)
    assert put(servo, "Return Delay Time", 2) == ErrorNumber.ACCESS
    assert get(servo, "Return Delay Time") == 1
    put(servo, "Torque Enable", 0)
    assert put(servo, "Return Delay Time", 2) == OK


@pytest.mark.parametrize("name", ["Present Position", "Hardware Error Status", "Model Number", "Firmware Version"])
def test_read_only_registers_refuse_writes(name):
    assert put(xm430(), name, 1) == ErrorNumber.ACCESS


def test_undefined_addresses_refuse_writes_and_read_as_zero_inside_the_table():
    servo = xm430()
    assert servo.write(300, b"\x01", 0) == ErrorNumber.ACCESS
    assert servo.read(300, 2, 0) == (OK, b"\0\0")
    assert servo.read(660, 4, 0) == (ErrorNumber.ACCESS, b"")


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("Goal Position", 4096, ErrorNumber.DATA_LIMIT),
        ("Goal Position", 2_000_000, ErrorNumber.DATA_RANGE),
        ("Goal Current", 1194, ErrorNumber.DATA_RANGE),
        ("Goal Velocity", 201, ErrorNumber.DATA_LIMIT),
        ("Torque Enable", 2, ErrorNumber.DATA_RANGE),
        ("ID", 253, ErrorNumber.DATA_RANGE),
        ("Operating Mode", 2, ErrorNumber.DATA_RANGE),
        ("Profile Velocity", 40_000, ErrorNumber.DATA_RANGE),
        ("Bus Watchdog", 127, OK),
        ("Bus Watchdog", -1, ErrorNumber.DATA_RANGE),
    ],
)
def test_ranges_and_limits(name, value, error):
    servo = xm430()
    before = get(servo, name)
    assert put(servo, name, value) == error
    assert get(servo, name) == (value if error == OK else before)


def test_limits_follow_their_registers():
    servo = xm430()
    put(servo, "Max Position Limit", 3000)
    put(servo, "Current Limit", 500)
    assert put(servo, "Goal Position", 3001) == ErrorNumber.DATA_LIMIT
    assert put(servo, "Goal Position", 3000) == OK
    assert put(servo, "Goal Current", -501) == ErrorNumber.DATA_LIMIT
    assert put(servo, "Goal Current", -500) == OK


def test_part_of_a_register_is_a_length_error():
    servo = xm430()
    assert servo.write(116, b"\x00\x08", 0) == ErrorNumber.DATA_LENGTH
    assert servo.write(116, b"", 0) == ErrorNumber.DATA_LENGTH
    assert servo.read(132, 0, 0) == (ErrorNumber.DATA_LENGTH, b"")


def test_a_refused_write_changes_nothing_at_all():
    servo = xm430()
    block = servo.table["Profile Velocity"].encode(100) + servo.table["Goal Position"].encode(5000)
    assert servo.write(112, block, 0) == ErrorNumber.DATA_LIMIT
    assert get(servo, "Profile Velocity") == 0


def test_one_read_gives_current_velocity_and_position():
    servo = xm430()
    error, data = servo.read(126, 21, 5 * MS)
    assert error == OK
    assert int.from_bytes(data[6:10], "little") == 2048
    assert (int.from_bytes(data[18:20], "little"), data[20]) == (120, 30)


# --- indirect addressing


def test_indirect_data_reads_and_writes_the_registers_it_points_at():
    servo = xm430()
    for n, address in enumerate([132, 133, 116, 117, 118, 119], 1):
        assert put(servo, f"Indirect Address {n}", address) == OK
    assert servo.read(224, 2, 0) == (OK, (2048).to_bytes(2, "little"))
    put(servo, "Torque Enable", 1)
    assert servo.write(226, (2222).to_bytes(4, "little"), 0) == OK
    assert get(servo, "Present Position", 5 * S) == 2222


def test_indirect_data_may_write_the_low_half_of_a_register():
    servo = xm335()
    for n, address in enumerate([102, 103, 116, 117], 7):
        put(servo, f"Indirect Address {n}", address)
    assert servo.write(230, (300).to_bytes(2, "little") + (2300).to_bytes(2, "little"), 0) == OK
    assert (get(servo, "Goal Current"), get(servo, "Goal Position")) == (300, 2300)


def test_rules_hold_through_indirect_data():
    servo = xm430()
    put(servo, "Indirect Address 1", 132)
    assert put(servo, "Indirect Address 2", 9) == ErrorNumber.DATA_RANGE, "a pointer reaches RAM only"
    put(servo, "Torque Enable", 1)
    assert servo.write(224, b"\x01", 0) == ErrorNumber.ACCESS


def test_second_indirect_block_of_the_xm430():
    servo = xm430()
    put(servo, "Indirect Address 29", 132)
    put(servo, "Indirect Address 30", 133)
    assert servo.read(634, 2, 0) == (OK, (2048).to_bytes(2, "little"))


def test_pointers_into_indirect_data_do_not_run_in_circles():
    servo = xm430()
    put(servo, "Indirect Address 1", 225)
    put(servo, "Indirect Address 2", 224)
    assert servo.write(224, b"\x07", 0) == OK
    assert servo.read(224, 2, 0) == (OK, b"\x07\x00")
