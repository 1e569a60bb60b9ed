# SPDX-License-Identifier: Apache-2.0
"""What a device answers: who it is, what it takes, what it refuses and with which error (e-Manual, Protocol 2.0)."""

import pytest
from bench_servo import Servo

from drivers import protocol
from drivers.protocol import ErrorNumber


def test_ping_tells_model_and_firmware_as_its_registers_do(device: Servo) -> None:
    answer = device.ask(protocol.ping(device.id))
    assert (answer.error_number, len(answer.params)) == (ErrorNumber.NONE, 3)
    assert int.from_bytes(answer.params[:2], "little") == device.get("Model Number") == device.table.model_number
    assert answer.params[2] == device.get("Firmware Version")
    assert device.get("ID") == device.id


def test_broadcast_ping_is_answered_by_everybody_once(everybody: list[Servo]) -> None:
    packets = everybody[0].line.ask(protocol.ping(), answers=253, patience_s=1.0)
    answered = [packet.id for packet in packets]
    assert len(answered) == len(set(answered))
    assert {device.id for device in everybody} <= set(answered)


def test_a_write_is_acknowledged_and_read_back(device: Servo) -> None:
    name = "LED" if "LED" in device.table else "LED Red"
    for value in (1, 0):
        answer = device.ask(device.write_frame(name, value))
        assert (answer.error_number, answer.params) == (ErrorNumber.NONE, b"")
        assert device.get(name) == value


def test_a_read_beyond_the_table_is_an_access_error_not_silence(device: Servo) -> None:
    answer = device.ask(protocol.read(device.id, device.table.size + 300, 4))
    assert answer.error_number == ErrorNumber.ACCESS


def test_a_write_beyond_the_table_is_an_access_error_not_silence(device: Servo) -> None:
    answer = device.ask(protocol.write(device.id, device.table.size + 300, b"\x01"))
    assert answer.error_number == ErrorNumber.ACCESS


def test_a_read_only_register_refuses_a_write(device: Servo) -> None:
    assert device.try_write("Model Number", device.table.model_number) == ErrorNumber.ACCESS


@pytest.mark.kinds("x430", "xl330-fw52", "xl330-fw53", "xm335", "xh540")
def test_a_read_may_span_bytes_that_no_register_has(servo: Servo) -> None:
    """From Torque Enable to Bus Watchdog in one read, as the driver asks a finger motor after its health."""
    first, last = servo.table["Torque Enable"].address, servo.table["Bus Watchdog"].end
    assert len(servo.line.bus.read(servo.id, first, last - first)) == last - first


def test_a_value_out_of_range_is_a_data_range_error_and_changes_nothing(device: Servo) -> None:
    assert device.try_write("Bus Watchdog", b"\x80".ljust(device.table["Bus Watchdog"].size, b"\0")) == (
        ErrorNumber.DATA_RANGE
    )
    assert device.get("Bus Watchdog") == 0


def test_an_unknown_instruction_is_an_instruction_error(device: Servo) -> None:
    assert device.ask(protocol.encode_instruction(device.id, 0x3F)).error_number == ErrorNumber.INSTRUCTION


def test_settings_are_locked_while_torque_is_on(servo: Servo) -> None:
    """The value that is written is the one that is there: a servo that took it would be unharmed."""
    delay = servo.get("Return Delay Time")
    servo.hold()
    assert servo.try_write("Return Delay Time", delay) == ErrorNumber.ACCESS
    servo.set("Torque Enable", 0)
    servo.needs_eeprom("the same value once more, with torque off")
    assert servo.try_write("Return Delay Time", delay) == ErrorNumber.NONE


@pytest.mark.writes_eeprom
@pytest.mark.parametrize("delay", [0, 250])
def test_return_delay_is_taken_and_the_answers_still_come(device: Servo, delay: int) -> None:
    device.set("Return Delay Time", delay)
    assert device.get("Return Delay Time") == delay
    assert device.ask(protocol.ping(device.id)).error_number == ErrorNumber.NONE


def test_status_return_level_1_answers_reads_only_and_0_pings_only(device: Servo) -> None:
    if device.table["Status Return Level"].area == "eeprom":
        device.needs_eeprom("Status Return Level of this device")
    for level in (1, 0):
        device.line.ask(device.write_frame("Status Return Level", level))
        assert device.line.hears_nothing(device.write_frame("Bus Watchdog", 0)), "writes are not answered"
        assert device.line.hears_nothing(device.read_frame("ID")) == (level == 0)
        assert device.ask(protocol.ping(device.id)).error_number == ErrorNumber.NONE
    device.line.ask(device.write_frame("Status Return Level", 2))
    assert device.get("Status Return Level") == 2


def test_baud_register_tells_the_speed_of_the_line(device: Servo) -> None:
    name = "Baud Rate" if "Baud Rate" in device.table else "Baud Rate (Bus)"
    assert device.table.baud_rates[device.get(name)] == device.line.port.baud


def test_answers_of_a_sound_device_carry_no_alert(device: Servo) -> None:
    answer = device.ask(device.read_frame(device.error_register))
    assert not any(answer.params)
    assert not answer.alert


def test_a_hardware_error_alerts_in_every_answer_and_a_reboot_ends_it(servo: Servo) -> None:
    """A virtual servo is overloaded; a real one is told that its supply is too low, as in the next test."""
    if servo.break_it is not None:
        servo.break_it()
    else:
        _call_the_supply_too_low(servo)
        servo.wait_until(lambda: servo.get(servo.error_register) != 0, 1.0, "an input voltage error")
    for instruction in (protocol.ping(servo.id), servo.read_frame("ID"), servo.write_frame("Bus Watchdog", 0)):
        assert servo.ask(instruction).alert, instruction.hex(" ")
    assert servo.get(servo.error_register) != 0
    if servo.break_it is None:
        servo.set("Min Voltage Limit", servo.table["Min Voltage Limit"].minimum or 0)
    servo.reboot()
    assert servo.get(servo.error_register) == 0
    assert not servo.ask(protocol.ping(servo.id)).alert


@pytest.mark.writes_eeprom
def test_a_voltage_limit_above_the_supply_is_an_input_voltage_error(servo: Servo) -> None:
    """e-Manual, "Min/Max Voltage Limit": a supply outside of the limits sets the error and the alert bit."""
    _call_the_supply_too_low(servo)
    low_voltage = 2 if servo.model.family == "y" else 1
    servo.wait_until(lambda: servo.get(servo.error_register) == low_voltage, 1.0, "an input voltage error")
    assert servo.ask(protocol.ping(servo.id)).alert


def _call_the_supply_too_low(servo: Servo) -> None:
    """Min Voltage Limit 1 V above what is there; with torque off nothing else happens."""
    servo.needs_eeprom("Min Voltage Limit")
    volts = servo.model.volts(servo.get("Present Input Voltage"))
    limit = servo.table["Min Voltage Limit"]
    servo.set("Min Voltage Limit", min(round((volts + 1.0) * 10), limit.maximum or 0))
