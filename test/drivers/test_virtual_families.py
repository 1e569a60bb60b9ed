# SPDX-License-Identifier: Apache-2.0
"""Virtual servos of every family, at their registers. Time is a number that the test hands in."""

import pytest
from registers import get, put

from drivers.protocol import ErrorNumber
from drivers.servo_model import SERVO_MODELS, servo_model
from drivers.virtual_build import FIRMWARE, virtual_servo
from drivers.virtual_servo import EXTENDED_POSITION_MODE, REVERSE, TIME_BASED_PROFILE, TORQUE_ON_BY_GOAL

MS = 1_000_000
S = 1_000_000_000
OK = ErrorNumber.NONE
MODELS = pytest.mark.parametrize("name", SERVO_MODELS)
BRAKE_S = 0.5
"""Longer than a brake takes to let go."""


def servo_of(name, **options):
    return virtual_servo(servo_model(name), 5, **{"firmware": FIRMWARE[name], "baud": 1_000_000, **options})


def power_up(servo):
    """Torque on with strength, brakes released; returns when that is."""
    if 5 in servo.model.operating_modes and get(servo, "Operating Mode") == 5:
        assert put(servo, "Goal Current", 300) == OK
    assert put(servo, "Torque Enable", 1) == OK
    return int(BRAKE_S * S)


def goal_of(servo):
    """A goal a tenth of a radian away, within the limits of every model."""
    return servo.model.centre_ticks + round(0.1 / servo.model.rad_per_tick)


# --- what all families have in common


@MODELS
def test_a_goal_is_reached_and_told_in_the_servos_own_units(name):
    servo = servo_of(name)
    now = power_up(servo)
    assert put(servo, "Goal Position", goal_of(servo), now) == OK
    velocity = [get(servo, "Present Velocity", now + t * MS) for t in range(1, 200, 2)]
    assert get(servo, "Present Position", now + 5 * S) == goal_of(servo)
    assert get(servo, "Present Velocity", now + 5 * S) == 0
    top_rad_s = max(velocity) * servo.model.rad_s_per_unit
    assert 0.3 < top_rad_s <= get(servo, "Velocity Limit") * servo.model.rad_s_per_unit * 1.001


@MODELS
def test_profile_velocity_is_in_the_models_own_unit(name):
    servo = servo_of(name)
    now = power_up(servo)
    wanted = round(0.2 / servo.model.rad_s_per_unit)
    assert put(servo, "Profile Velocity", wanted, now) == OK
    assert put(servo, "Profile Acceleration", 0, now) == OK
    assert put(servo, "Goal Position", goal_of(servo), now) == OK
    assert get(servo, "Present Velocity", now + 200 * MS) == pytest.approx(wanted, abs=1)


@MODELS
def test_profiles_that_are_zero_do_not_limit(name):
    servo = servo_of(name)
    now = power_up(servo)
    for register in ("Profile Velocity", "Profile Acceleration"):
        assert put(servo, register, 0, now) == OK
    put(servo, "Goal Position", goal_of(servo), now)
    top = get(servo, "Velocity Limit") * servo.model.rad_s_per_unit
    reached_s = 0.1 / top + 0.15
    assert get(servo, "Present Position", now + int(reached_s * S)) == pytest.approx(goal_of(servo), abs=1)


@MODELS
def test_watchdog_stops_latches_refuses_goals_and_is_cleared_by_zero(name):
    servo = servo_of(name)
    now = power_up(servo)
    put(servo, "Profile Velocity", round(0.1 / servo.model.rad_s_per_unit), now)
    servo.feed(now)
    assert put(servo, "Bus Watchdog", 5, now) == OK
    put(servo, "Goal Position", goal_of(servo), now)
    assert get(servo, "Bus Watchdog", now + 99 * MS) == 5
    later = now + 2 * S
    assert get(servo, "Bus Watchdog", later) == -1
    stopped = get(servo, "Present Position", later)
    assert get(servo, "Present Position", later + S) == stopped != goal_of(servo)
    assert get(servo, "Torque Enable", later) == 1
    for register in ("Goal Position", "Goal Current", "Goal Velocity", "Goal PWM"):
        assert put(servo, register, 0, later) == ErrorNumber.DATA_RANGE
    assert put(servo, "Bus Watchdog", 5, later) == ErrorNumber.DATA_RANGE
    assert put(servo, "Bus Watchdog", 0, later) == OK
    assert put(servo, "Goal Position", goal_of(servo), later) == OK
    assert get(servo, "Present Position", later + 20 * S) == goal_of(servo)
    assert not servo.alert


@MODELS
def test_operating_modes_are_those_of_the_model(name):
    servo = servo_of(name)
    for mode in range(17):
        allowed = mode in servo.model.operating_modes
        assert (put(servo, "Operating Mode", mode) == OK) is allowed, mode


@MODELS
def test_the_drivers_block_of_indirect_data_reads_and_writes(name):
    """Twenty bytes: state, goal and health, whatever the family."""
    servo = servo_of(name)
    model, table = servo.model, servo.table
    block = model.block_for(FIRMWARE[name])
    wanted = ["Present Current", "Present Velocity", "Present Position", "Goal Position", "Torque Enable"]
    wanted += [model.error_register, "Bus Watchdog", model.temperature_register, "Present Input Voltage"]
    sizes = [2, 4, 4, 4, 1, 1, 1, 1, 2]
    sources = [table[n].address + k for n, size in zip(wanted, sizes, strict=True) for k in range(size)]
    assert servo.write(block.address, b"".join(s.to_bytes(2, "little") for s in sources), 0) == OK
    assert get(servo, "Operating Mode") == table["Operating Mode"].default
    now = power_up(servo)
    assert servo.write(block.data + 10, goal_of(servo).to_bytes(4, "little", signed=True), now) == OK
    error, data = servo.read(block.data, 20, now + 5 * S)
    assert error == OK
    assert int.from_bytes(data[6:10], "little", signed=True) == goal_of(servo)
    assert data[14:18] == bytes((1, 0, 0, 30))
    assert model.volts(int.from_bytes(data[18:20], "little")) == pytest.approx(model.nominal_v)


@MODELS
def test_a_goal_beyond_the_position_limit_is_refused_and_changes_nothing(name):
    servo = servo_of(name)
    beyond = get(servo, "Max Position Limit") + 1
    before = get(servo, "Goal Position")
    assert put(servo, "Goal Position", beyond) == ErrorNumber.DATA_LIMIT
    assert get(servo, "Goal Position") == before


@MODELS
def test_a_reboot_keeps_what_lies_in_eeprom_and_forgets_ram(name):
    servo = servo_of(name)
    put(servo, "Return Delay Time", 7)
    put(servo, "Indirect Address 1", servo.table["Torque Enable"].address)
    put(servo, "Torque Enable", 1)
    servo.reboot(S)
    assert get(servo, "Return Delay Time", 2 * S) == 7
    assert get(servo, "Torque Enable", 2 * S) == 0
    kept = servo.table["Indirect Address 1"].area == "eeprom"
    pointer = servo.table["Torque Enable" if kept else "Indirect Data 1"].address
    assert get(servo, "Indirect Address 1", 2 * S) == pointer


@pytest.mark.parametrize(("name", "first"), [("xm430_w350", 45), ("xl330_m288", 46), ("ph42_020_s300", 12)])
def test_fast_reads_came_with_a_firmware(name, first):
    known = [servo_of(name, firmware=version).supports_fast_read for version in (first - 1, first)]
    assert known == [False, True]


@pytest.mark.parametrize("answers", [True, False])
def test_nobody_knows_whether_a_y_answers_fast_reads_so_the_test_says(answers):
    assert servo_of("ym070_210_r099", fast_read=answers).supports_fast_read is answers


# --- X330


def test_old_xl330_has_its_indirect_data_at_208():
    old, new = servo_of("xl330_m288", firmware=52), servo_of("xl330_m288", firmware=53)
    for servo, data in ((old, 208), (new, 224)):
        address = servo.table["Present Temperature"].address
        assert put(servo, "Indirect Address 1", address) == OK
        assert servo.read(data, 1, 0) == (OK, b"\x1e")
    assert old.write(208 + 20, b"\0", 0) == ErrorNumber.ACCESS


# --- P and the gripper


def test_a_p_turns_on_both_sides_of_zero():
    servo = servo_of("ph42_020_s300")
    now = power_up(servo)
    assert get(servo, "Present Position") == 0
    put(servo, "Goal Position", -100_000, now)
    assert get(servo, "Present Position", now + 10 * S) == -100_000


def test_reverse_mirrors_a_p_about_zero():
    servo = servo_of("ph42_020_s300", position_ticks=5000)
    put(servo, "Drive Mode", REVERSE)
    assert get(servo, "Present Position") == -5000


def test_a_p_may_change_pointers_only_while_torque_is_off():
    servo = servo_of("ph42_020_s300")
    assert put(servo, "Indirect Address 1", 580) == OK
    assert put(servo, "Indirect Address 1", 10) == ErrorNumber.DATA_RANGE
    put(servo, "Torque Enable", 1)
    assert put(servo, "Indirect Address 1", 584) == ErrorNumber.ACCESS


def test_a_p_counts_time_profiles_in_milliseconds_and_caps_velocity_profiles():
    servo = servo_of("ph42_020_s300")
    assert put(servo, "Profile Velocity", 2921) == ErrorNumber.DATA_LIMIT
    assert put(servo, "Drive Mode", TIME_BASED_PROFILE) == OK
    assert put(servo, "Profile Velocity", 3000) == OK
    put(servo, "Torque Enable", 1)
    put(servo, "Goal Position", 20_000)
    assert get(servo, "Position Trajectory", 2990 * MS) < 20_000 == get(servo, "Position Trajectory", 3000 * MS)


def test_a_p_comes_back_from_a_reboot_within_half_a_turn_of_zero():
    servo = servo_of("ph42_020_s300", operating_mode=EXTENDED_POSITION_MODE, position_ticks=600_000)
    servo.reboot(0)
    assert get(servo, "Present Position", S) == -7_500


def test_gripper_needs_a_goal_current_and_keeps_within_its_stroke():
    servo = servo_of("rh_p12_rn")
    assert "Drive Mode" not in servo.table
    put(servo, "Torque Enable", 1)
    assert put(servo, "Goal Position", 700) == OK
    assert get(servo, "Present Position", 5 * S) == 0
    put(servo, "Goal Current", 200, 5 * S)
    assert get(servo, "Present Position", 10 * S) == 700
    assert put(servo, "Goal Position", 1151, 10 * S) == ErrorNumber.DATA_LIMIT
    assert put(servo, "Goal Position", -1, 10 * S) == ErrorNumber.DATA_LIMIT


def test_hall_sensor_is_a_bit_of_the_p_series_and_shuts_it_down():
    servo = servo_of("ph42_020_s300")
    put(servo, "Torque Enable", 1)
    servo.raise_hardware_error(0x02, S)
    assert (get(servo, "Hardware Error Status", S), get(servo, "Torque Enable", S)) == (2, 0)


# --- Y


@pytest.fixture
def y():
    return servo_of("ym080_230_r099")


def test_a_ys_time_profile_has_registers_of_its_own_in_fifths_of_a_millisecond(y):
    put(y, "Drive Mode", TIME_BASED_PROFILE)
    put(y, "Profile Time", 5 * 400)
    put(y, "Profile Acceleration Time", 5 * 100)
    put(y, "Profile Velocity", 1)
    put(y, "Torque Enable", 1)
    put(y, "Goal Position", 10_000)
    assert get(y, "Position Trajectory", 390 * MS) < 10_000 == get(y, "Position Trajectory", 400 * MS)


def test_a_y_has_no_torque_on_by_goal():
    servo = servo_of("ym080_230_r099")
    assert put(servo, "Drive Mode", TORQUE_ON_BY_GOAL | 0x80) == ErrorNumber.DATA_RANGE


def test_a_ys_error_is_a_code_with_a_history_newest_first(y):
    put(y, "Torque Enable", 1)
    y.raise_hardware_error(17, 1 * S)
    y.raise_hardware_error(5, 2 * S)
    assert get(y, "Error Code", 2 * S) == 5
    assert [get(y, f"Error Code History {n}", 2 * S) for n in (1, 2, 3)] == [5, 17, 0]
    assert get(y, "Torque Enable", 2 * S) == 0
    assert put(y, "Torque Enable", 1, 2 * S) == ErrorNumber.RESULT_FAIL
    assert get(y, "Controller State", 2 * S) == 8


CLEAR_ERROR = bytes.fromhex("024552434c")


def test_error_clear_ends_an_error_whose_cause_is_gone(y):
    y.set_temperature(70, S)
    assert get(y, "Error Code", S) == 4
    assert y.clear(CLEAR_ERROR, 2 * S) == ErrorNumber.RESULT_FAIL
    y.set_temperature(40, 3 * S)
    assert y.clear(CLEAR_ERROR, 3 * S) == OK
    assert not y.alert
    assert put(y, "Torque Enable", 1, 3 * S) == OK


def test_some_errors_only_a_reboot_ends(y):
    y.raise_hardware_error(13, S)
    assert y.clear(CLEAR_ERROR, S) == ErrorNumber.RESULT_FAIL
    y.reboot(S)
    assert get(y, "Error Code", 2 * S) == 0


def test_error_clear_is_unknown_to_other_families():
    assert servo_of("ph42_020_s300").clear(CLEAR_ERROR, 0) == ErrorNumber.DATA_RANGE


def test_a_ys_watchdog_is_an_error_that_holds_and_that_error_clear_ends(y):
    put(y, "Torque Enable", 1)
    put(y, "Profile Velocity", 500)
    put(y, "Bus Watchdog", 5)
    put(y, "Goal Position", 200_000)
    y.feed(0)
    moving = get(y, "Present Velocity", 99 * MS)
    assert get(y, "Error Code", 101 * MS) == 18
    assert y.alert and moving > 0
    assert 0 < get(y, "Present Velocity", 200 * MS) < moving, "it slows down within Safe Stop Time"
    assert get(y, "Present Velocity", 500 * MS) == 0
    assert get(y, "Torque Enable", 500 * MS) == 1
    assert y.clear(CLEAR_ERROR, S) == OK
    assert (get(y, "Bus Watchdog", S), get(y, "Error Code", S)) == (0, 0)
    here = get(y, "Present Position", S)
    assert get(y, "Present Position", 3 * S) == here, "clearing alone must not move it"


def test_errors_that_hold_keep_torque_and_refuse_goals(y):
    put(y, "Torque Enable", 1)
    y.raise_hardware_error(20, S)
    assert get(y, "Torque Enable", S) == 1
    assert put(y, "Goal Position", 10, S) == ErrorNumber.DATA_RANGE
    assert y.clear(CLEAR_ERROR, S) == OK
    assert put(y, "Goal Position", 10, S) == OK


def test_a_warning_neither_holds_nor_takes_torque(y):
    put(y, "Torque Enable", 1)
    y.raise_hardware_error(9, S)
    assert y.alert
    assert put(y, "Goal Position", 1000, S) == OK
    assert get(y, "Present Position", 5 * S) == 1000


def test_a_y_remembers_its_turns_over_a_reboot():
    servo = servo_of("ym080_230_r099", position_ticks=900_000)
    servo.reboot(0)
    assert get(servo, "Present Position", S) == 900_000
    assert servo.clear(bytes.fromhex("0144584c22"), S) == OK
    assert get(servo, "Present Position", 2 * S) == 900_000 - 2 * 524_288


def test_a_brake_takes_its_time_and_refuses_goals_meanwhile():
    servo = servo_of("ym080_230_b001")
    put(servo, "Torque Enable", 1)
    assert put(servo, "Goal Position", 100, 219 * MS) == ErrorNumber.RESULT_FAIL
    assert get(servo, "Controller State", 219 * MS) == 4
    assert put(servo, "Goal Position", 100, 220 * MS) == OK
    assert get(servo, "Controller State", 220 * MS) == 5


def test_a_y_tells_its_motion_in_one_status_byte(y):
    put(y, "Torque Enable", 1)
    put(y, "Goal Position", 100_000)
    assert get(y, "Moving Status", 500 * MS) == 0x40 | 0x30 | 0x04 | 0x02
    assert get(y, "Moving Status", 20 * S) == 0x40 | 0x01
