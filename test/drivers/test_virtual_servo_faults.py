# SPDX-License-Identifier: Apache-2.0
"""A virtual servo's bus watchdog, faults, reboots and staged writes. Time is a number that the test hands in."""

from registers import get, put

from drivers.protocol import ErrorNumber
from drivers.servo_model import servo_model
from drivers.virtual_device import BOOT_NS
from drivers.virtual_servo import EXTENDED_POSITION_MODE, OVERHEATING_ERROR, OVERLOAD_ERROR, VirtualServo

MS = 1_000_000
S = 1_000_000_000
OK = ErrorNumber.NONE


def xm430(**options):
    return VirtualServo(servo_model("xm430_w350"), 1, **{"firmware": 50, "baud": 2_000_000, **options})


def expire_watchdog(servo):
    """Torque on, moving, watchdog 100 ms, then silence; the watchdog expires at 100 ms."""
    put(servo, "Torque Enable", 1)
    put(servo, "Profile Velocity", 50)
    put(servo, "Profile Acceleration", 20)
    assert put(servo, "Bus Watchdog", 5) == OK
    put(servo, "Goal Position", 3500)
    servo.feed(0)


# --- bus watchdog


def test_watchdog_stops_the_servo_and_latches():
    servo = xm430()
    expire_watchdog(servo)
    there = get(servo, "Present Position", 99 * MS)
    assert get(servo, "Bus Watchdog", 99 * MS) == 5
    assert get(servo, "Bus Watchdog", 100 * MS) == -1
    assert get(servo, "Present Position", 10 * S) - there in range(3)
    assert get(servo, "Present Velocity", 10 * S) == 0
    assert (get(servo, "Profile Velocity"), get(servo, "Profile Acceleration")) == (0, 0)
    assert get(servo, "Torque Enable") == 1


def test_watchdog_stop_does_not_depend_on_when_somebody_looks():
    looked, unseen = xm430(), xm430()
    for servo in (looked, unseen):
        expire_watchdog(servo)
    for t in range(40):
        looked.position_ticks(t * 10 * MS)
    assert looked.position_ticks(S) == unseen.position_ticks(S)


def test_expired_watchdog_refuses_goals_until_zero_is_written():
    servo = xm430()
    expire_watchdog(servo)
    for name in ("Goal Position", "Goal Velocity", "Goal Current", "Goal PWM"):
        assert put(servo, name, 100, 200 * MS) == ErrorNumber.DATA_RANGE
    assert put(servo, "Bus Watchdog", 5, 200 * MS) == ErrorNumber.DATA_RANGE
    assert put(servo, "Bus Watchdog", 0, 200 * MS) == OK
    there = get(servo, "Present Position", 200 * MS)
    assert get(servo, "Present Position", 2 * S) == there, "clearing alone must not move it"
    assert put(servo, "Goal Position", 2100, 2 * S) == OK
    assert get(servo, "Present Position", 10 * S) == 2100


def test_any_instruction_feeds_the_watchdog():
    servo = xm430()
    expire_watchdog(servo)
    for t in range(0, 1000, 90):
        servo.feed(t * MS)
    assert get(servo, "Bus Watchdog", 1080 * MS) == 5
    assert get(servo, "Bus Watchdog", 1090 * MS) == -1


def test_feeding_too_late_does_not_undo_the_expiry():
    servo = xm430()
    expire_watchdog(servo)
    servo.feed(150 * MS)
    assert get(servo, "Bus Watchdog", 151 * MS) == -1


def test_watchdog_is_armed_only_with_torque_on():
    servo = xm430()
    put(servo, "Bus Watchdog", 5)
    assert get(servo, "Bus Watchdog", 10 * S) == 5
    put(servo, "Torque Enable", 1, 10 * S)
    assert get(servo, "Bus Watchdog", 10 * S + 99 * MS) == 5
    assert get(servo, "Bus Watchdog", 10 * S + 100 * MS) == -1


def test_torque_off_disarms_the_watchdog():
    servo = xm430()
    put(servo, "Bus Watchdog", 5)
    put(servo, "Torque Enable", 1)
    put(servo, "Torque Enable", 0, 50 * MS)
    assert get(servo, "Bus Watchdog", 10 * S) == 5


# --- faults, reboot, staged writes


def test_shutdown_switches_torque_off_until_a_reboot():
    servo = xm430()
    put(servo, "Torque Enable", 1)
    servo.raise_hardware_error(OVERLOAD_ERROR, S)
    assert servo.alert
    assert get(servo, "Hardware Error Status", S) == OVERLOAD_ERROR
    assert get(servo, "Torque Enable", S) == 0
    assert put(servo, "Torque Enable", 1, S) == ErrorNumber.RESULT_FAIL
    servo.reboot(2 * S)
    assert not servo.alert
    assert put(servo, "Torque Enable", 1, 3 * S) == OK


def test_error_that_shutdown_does_not_name_leaves_torque_on():
    servo = xm430()
    put(servo, "Shutdown", 0)
    put(servo, "Torque Enable", 1)
    servo.raise_hardware_error(OVERLOAD_ERROR, S)
    assert servo.alert
    assert get(servo, "Torque Enable", S) == 1


def test_overheating_comes_back_after_a_reboot_while_it_is_hot():
    servo = xm430()
    servo.set_temperature(90, S)
    servo.reboot(S)
    assert get(servo, "Hardware Error Status", 2 * S) == OVERHEATING_ERROR
    servo.set_temperature(40, 2 * S)
    servo.reboot(2 * S)
    assert get(servo, "Hardware Error Status", 3 * S) == 0
    assert get(servo, "Present Temperature", 3 * S) == 40


def test_low_voltage_raises_the_alert():
    servo = xm430()
    servo.set_voltage(80, S)
    assert servo.alert
    assert get(servo, "Present Input Voltage", S) == 80


def test_reboot_forgets_ram_keeps_eeprom_and_takes_a_moment():
    servo = xm430()
    put(servo, "Return Delay Time", 7)
    put(servo, "LED", 1)
    put(servo, "Indirect Address 1", 132)
    put(servo, "Torque Enable", 1)
    servo.reboot(S)
    assert not servo.is_up(S + BOOT_NS - 1)
    assert servo.is_up(S + BOOT_NS)
    assert [get(servo, n, 2 * S) for n in ("Return Delay Time", "LED", "Torque Enable")] == [7, 0, 0]
    assert servo.read(224, 1, 2 * S) == (OK, b"\0")


def test_reboot_forgets_the_turns():
    servo = xm430(operating_mode=EXTENDED_POSITION_MODE)
    put(servo, "Torque Enable", 1)
    put(servo, "Goal Position", 10_000)
    assert get(servo, "Present Position", 20 * S) == 10_000
    servo.reboot(20 * S)
    assert get(servo, "Present Position", 21 * S) == 10_000 % 4096


def test_clear_brings_the_position_into_one_turn_unless_it_moves():
    servo = xm430(operating_mode=EXTENDED_POSITION_MODE)
    clear = bytes.fromhex("0144584c22")
    put(servo, "Torque Enable", 1)
    put(servo, "Goal Position", 10_000)
    assert servo.clear(clear, S) == ErrorNumber.RESULT_FAIL
    assert servo.clear(clear, 20 * S) == OK
    assert get(servo, "Present Position", 20 * S) == 10_000 % 4096
    assert servo.clear(b"\x01", 20 * S) == ErrorNumber.DATA_RANGE


def test_staged_write_waits_for_the_action():
    servo = xm430()
    put(servo, "Torque Enable", 1)
    assert servo.act(0) == ErrorNumber.INSTRUCTION
    assert servo.stage(116, (2300).to_bytes(4, "little"), 0) == OK
    assert get(servo, "Registered Instruction") == 1
    assert get(servo, "Present Position", S) == 2048
    assert servo.act(S) == OK
    assert get(servo, "Registered Instruction", S) == 0
    assert get(servo, "Present Position", 5 * S) == 2300


def test_staging_checks_at_once():
    assert xm430().stage(132, bytes(4), 0) == ErrorNumber.ACCESS


def test_factory_reset_keeps_what_it_should_and_wants_torque_off():
    servo = VirtualServo(servo_model("xm430_w350"), 9, firmware=50, baud=2_000_000)
    put(servo, "Torque Enable", 1)
    assert servo.factory_reset(2, 0) == ErrorNumber.RESULT_FAIL
    put(servo, "Torque Enable", 0)
    assert servo.factory_reset(2, 0) == OK
    assert (servo.id, servo.baud, servo.peek("Return Delay Time")) == (9, 2_000_000, 250)
    assert servo.factory_reset(1, S) == OK
    assert (servo.id, servo.baud) == (9, 57_600)
    assert servo.factory_reset(0xFF, 2 * S) == OK
    assert (servo.id, servo.peek("Firmware Version")) == (1, 50)
    assert servo.factory_reset(3, 3 * S) == ErrorNumber.DATA_RANGE


def test_control_table_backup_restores_the_eeprom():
    servo = xm430()
    assert servo.backup(b"\x02CTRL", 0) == ErrorNumber.RESULT_FAIL
    put(servo, "Return Delay Time", 7)
    assert servo.backup(b"\x01CTRL", 0) == OK
    put(servo, "Return Delay Time", 8)
    assert servo.backup(b"\x02CTRL", S) == OK
    assert get(servo, "Return Delay Time", 2 * S) == 7


def test_tick_counts_milliseconds_and_wraps():
    servo = xm430()
    assert get(servo, "Realtime Tick", 1234 * MS) == 1234
    assert get(servo, "Realtime Tick", 32_769 * MS) == 1
