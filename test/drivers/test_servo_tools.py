# SPDX-License-Identifier: Apache-2.0
"""What a technician does, on a virtual line: look, change, back up, calibrate, and what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import radians

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_line import VirtualLine

from drivers.bus import Bus
from drivers.control_table import ControlTableError
from drivers.errors import BusTimeoutError
from drivers.servo_model import SERVO_MODELS
from drivers.servo_tools import Device, Known, RefusedError, UnknownModelError, find_item, split_registers
from drivers.servo_tools_backup import BackupFileError, plan_restore, read_file, take, text_of, write_file
from drivers.servo_tools_blink import blink
from drivers.servo_tools_calibrate import calibrate, homing_offset
from drivers.servo_tools_change import apply, apply_baud, apply_id, plan, plan_baud, plan_id, refuse_locked
from drivers.servo_tools_line import TracedPort, reboot
from drivers.servo_tools_scan import compare, scan
from drivers.servo_tools_values import (
    ValueTextError,
    describe,
    item_maximum,
    item_minimum,
    parse_value,
    readable,
    unit_of,
)
from drivers.servo_tools_where import WhereError, device_id, place_of, places, slots
from robots import load_robot, robot_names

OP3 = load_robot("op3")
XM430 = Known("xm430_w350", SERVO_MODELS["xm430_w350"].table, SERVO_MODELS["xm430_w350"])
JOINTS = {joint.id: joint for joint in OP3.joints}


@pytest.fixture
def line() -> VirtualLine:
    return VirtualLine(OP3)


def device(line: VirtualLine, servo_id: int = 5) -> Device:
    return Device(Bus(line), servo_id)


def sleeper(line: VirtualLine):
    def sleep(seconds: float) -> None:
        line.now_ns += int(seconds * 1e9)

    return sleep


def findings(line: VirtualLine, robot=OP3):
    expected = slots(robot, robot.buses[0].name)
    return compare([scan(line, list(expected))], expected, robot.buses[0].baud)


# --- scan ------------------------------------------------------------------------------------------------------------


def test_a_complete_robot_has_no_findings(line: VirtualLine) -> None:
    assert findings(line) == []


def test_a_hand_and_its_controller_answer_on_their_own_ids() -> None:
    robot = load_robot("hx5_d20_right")
    line = VirtualLine(robot)
    assert findings(line, robot) == []
    assert len(scan(line).found) == 21


def test_a_missing_and_an_unexpected_servo_are_told_apart(line: VirtualLine) -> None:
    line.virtual.device(7).poke("ID", 77)
    kinds = {(finding.kind, finding.id) for finding in findings(line)}
    assert kinds == {("missing", 7), ("unexpected", 77)}


def test_a_wrong_model_names_what_was_expected_and_found(line: VirtualLine) -> None:
    expected = {7: replace(slots(OP3, "body")[7], model="xm335_t323")}
    wrong = [finding for finding in compare([scan(line)], expected, line.baud) if finding.id == 7]
    assert [finding.kind for finding in wrong] == ["model"]
    assert "expected xm335_t323, found xm430_w350" in wrong[0].text


def test_two_servos_on_one_id_are_a_duplicate(line: VirtualLine) -> None:
    line.virtual.device(7).poke("ID", 8)
    kinds = {(finding.kind, finding.id) for finding in findings(line)}
    assert kinds == {("missing", 7), ("duplicate", 8)}


def test_a_hardware_error_is_shown_but_is_no_deviation(line: VirtualLine) -> None:
    line.virtual.device(7).raise_hardware_error(0x20, line.now_ns)
    found = findings(line)
    assert [(finding.kind, finding.matters) for finding in found] == [("alert", False)]


class Unlucky:
    """A port on which the answers to everybody are lost, or the first answer is always spoilt."""

    def __init__(self, line: VirtualLine, spoil: bool) -> None:
        self._line, self._spoil, self._everybody = line, spoil, False
        self.baud = line.baud

    def write(self, data: bytes) -> None:
        self._everybody = data[4] == 0xFE
        self._line.write(data)

    def read(self, deadline_ns: int) -> bytes:
        data = self._line.read(deadline_ns)
        if self._spoil:
            return data[:9] + bytes((data[9] ^ 0x40,)) + data[10:] if len(data) > 9 else data
        return b"" if self._everybody else data

    def discard(self) -> None:
        self._line.discard()

    def close(self) -> None:
        self._line.close()


def test_servos_that_do_not_answer_the_broadcast_are_asked_one_by_one(line: VirtualLine) -> None:
    expected = slots(OP3, "body")
    assert compare([scan(Unlucky(line, spoil=False), list(expected))], expected, line.baud) == []


def test_garbled_answers_are_told_from_silence(line: VirtualLine) -> None:
    found = compare([scan(Unlucky(line, spoil=True), [1, 99])], None, line.baud)
    assert {(finding.kind, finding.id) for finding in found} == {("garbled", -1), ("garbled", 1)}


def test_a_servo_of_unknown_model_can_be_pinged_but_not_read(
    line: VirtualLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.servo_tools.known_model", lambda *_: None)
    unknown = device(line)
    assert unknown.identity.model_number == 1020
    with pytest.raises(UnknownModelError, match="model number 1020"):
        unknown.get("LED")


def test_the_trace_shows_each_packet_in_and_out(line: VirtualLine) -> None:
    told: list[str] = []
    Bus(TracedPort(line, told.append)).ping(1)
    assert told[0] == "-> ff ff fd 00 01 03 00 01 19 4e  ID 1 ping"
    assert told[1].startswith("<- ff ff fd 00 01 07 00 55")


# --- where -----------------------------------------------------------------------------------------------------------


def test_a_joint_name_is_an_id_and_a_wrong_one_names_the_nearest() -> None:
    assert device_id("r_el", OP3) == 5
    with pytest.raises(WhereError, match=r"nearest: .*r_el"):
        device_id("r_elbow", OP3)
    with pytest.raises(WhereError, match="--robot"):
        device_id("r_el", None)
    with pytest.raises(WhereError, match="0 … 252"):
        device_id("253", None)


def test_a_line_is_the_robots_or_the_one_of_port() -> None:
    assert places(OP3, "op3", "", "", 0)[0].port == OP3.buses[0].port
    assert place_of(OP3, "op3", "", "/dev/x", 57_600, 5).options == "--robot op3 --port /dev/x --baud 57600"
    with pytest.raises(WhereError, match="--port"):
        places(None, "", "", "", 0)


# --- registers and values --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Goal Position", "goal position", "goal_position", "GOAL-POSITION", "116"])
def test_a_register_is_found_by_name_in_any_case_or_by_address(text: str) -> None:
    assert find_item(XM430.table, text).name == "Goal Position"


def test_names_may_be_left_unquoted() -> None:
    words = ["goal", "position", "LED", "present", "temperature", "132"]
    names = [item.name for item in split_registers(XM430.table, words)]
    assert names == ["Goal Position", "LED", "Present Temperature", "Present Position"]
    with pytest.raises(ControlTableError, match=r"nearest: .*Goal Position"):
        split_registers(XM430.table, ["goal", "posi"])


@pytest.mark.parametrize(
    ("name", "text", "raw"),
    [
        ("Goal Position", "90deg", 3072),
        ("Goal Position", "-90°", 1024),
        ("Goal Position", "1.2rad", 2830),
        ("Goal Position", "2048", 2048),
        ("Goal Position", "0x800", 2048),
        ("Homing Offset", "-90 deg", -1024),
        ("Current Limit", "300ma", 112),
        ("Current Limit", "0.3A", 112),
        ("Max Voltage Limit", "14.8v", 148),
        ("Temperature Limit", "70degC", 70),
        ("PWM Limit", "50%", 442),
        ("Velocity Limit", "10rpm", 44),
        ("Torque Enable", "off", 0),
        ("Baud Rate", "1000000", 3),
        ("Baud Rate", "3", 3),
        ("Bus Watchdog", "400ms", 20),
    ],
)
def test_values_are_taken_in_units_or_raw(name: str, text: str, raw: int) -> None:
    assert parse_value(text, XM430.table[name], XM430) == raw


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Goal Position", "3rpm", "units: deg, rad, rev"),
        ("Goal Position", "1.2", "without a unit should be a whole number"),
        ("Current Limit", "99A", "out of range"),
        ("Current Limit", "much", "it takes raw 0 … 1193"),
        ("Position P Gain", "3rad", "no unit 'rad' here"),
        ("Homing Offset", "1e999deg", "finite"),
    ],
)
def test_a_value_that_does_not_fit_names_units_and_range(name: str, text: str, words: str) -> None:
    with pytest.raises(ValueTextError, match=words):
        parse_value(text, XM430.table[name], XM430)


@given(st.data())
def test_what_is_shown_can_be_typed_in_again(data: st.DataObject) -> None:
    """Law: a value in its own unit, at full precision, is the same raw value, for every register with a unit."""
    known = Known("", *(lambda m: (m.table, m))(data.draw(st.sampled_from(list(SERVO_MODELS.values())))))
    items = [i for i in readable(known.table) if unit_of(i, known) and not i.name.startswith("Baud")]
    item = data.draw(st.sampled_from(items))
    raw = data.draw(st.integers(item_minimum(item), item_maximum(item)))
    unit = unit_of(item, known)
    for symbol, scale in unit.scales.items():
        assert parse_value(f"{(raw - unit.zero) * scale!r}{symbol}", item, known) == raw


def test_bits_and_codes_are_described_in_words() -> None:
    table = XM430.table
    assert describe(table["Hardware Error Status"], 0x24, XM430) == "overheating, overload"
    assert describe(table["Drive Mode"], 5, XM430) == "reverse, time-based profile"
    assert describe(table["Operating Mode"], 3, XM430) == "position control"
    assert describe(table["Profile Velocity"], 20, XM430, drive_mode=4) == "20 ms"
    assert describe(table["Bus Watchdog"], -1, XM430).startswith("has fired")


@pytest.mark.parametrize("name", robot_names())
def test_every_device_of_every_robot_is_read_in_words_and_backed_up(name: str, tmp_path) -> None:
    robot = load_robot(name)
    line, expected = VirtualLine(robot), slots(robot, robot.buses[0].name)
    assert findings(line, robot) == []
    for slot in {slot.model: slot for slot in expected.values()}.values():
        servo = Device(Bus(line), slot.id)
        assert servo.model.name == slot.model
        for item in readable(servo.model.table):
            describe(item, servo.get(item.name), servo.model)
        path = tmp_path / f"{slot.model}.yaml"
        write_file(path, text_of([(servo, take(servo))], name, "now"), replace=False)
        saved = read_file(path).devices[0]
        assert saved.registers == take(servo).registers
        assert not any(change.needed for change in plan_restore(servo, saved))


# --- changing --------------------------------------------------------------------------------------------------------


def test_a_plan_writes_nothing_and_apply_writes_and_reads_back(line: VirtualLine) -> None:
    servo = device(line)
    changes = plan(servo, {"Homing Offset": 100})
    assert (changes[0].old, changes[0].new, line.virtual.device(5).peek("Homing Offset")) == (0, 100, 0)
    apply(servo, changes)
    assert line.virtual.device(5).peek("Homing Offset") == 100


def test_gains_that_a_new_mode_resets_are_written_after_it(line: VirtualLine, monkeypatch: pytest.MonkeyPatch) -> None:
    servo, virtual = device(line), line.virtual.device(5)
    put = servo.put

    def put_and_reset(name: str, value: int) -> None:
        put(name, value)
        if name == "Operating Mode":
            virtual.poke("Position P Gain", 1)

    monkeypatch.setattr(servo, "put", put_and_reset)
    apply(servo, plan(servo, {"Position P Gain": 800, "Operating Mode": 5}))
    assert servo.get("Position P Gain") == 800


def test_eeprom_is_refused_while_torque_is_on(line: VirtualLine) -> None:
    servo = device(line)
    servo.put("Torque Enable", 1)
    changes = plan(servo, {"Homing Offset": 100})
    for refused in (lambda: apply(servo, changes), lambda: plan_id(line, servo, 66), lambda: plan_baud(servo, 57_600)):
        with pytest.raises(RefusedError, match=r'Torque Enable is on.*booth servo write 5 "Torque Enable" 0 --apply'):
            refused()
    assert line.virtual.device(5).peek("Homing Offset") == 0
    refuse_locked(servo, plan(servo, {"LED": 1}))


def test_a_hand_controller_is_locked_while_its_tables_run() -> None:
    line = VirtualLine(load_robot("hx5_d20_right"))
    controller = Device(Bus(line), 110)
    controller.put("Table Sync Enable", 1)
    with pytest.raises(RefusedError, match="Table Sync Enable"):
        apply(controller, plan(controller, {"Return Delay Time": 5}))


def test_a_read_only_register_is_refused(line: VirtualLine) -> None:
    with pytest.raises(RefusedError, match="read-only"):
        plan(device(line), {"Present Position": 1})


def test_a_taken_id_is_refused(line: VirtualLine) -> None:
    with pytest.raises(RefusedError, match="ID 6 is taken"):
        plan_id(line, device(line), 6)


def test_a_new_id_is_read_back_under_the_new_id(line: VirtualLine) -> None:
    servo = device(line)
    moved = apply_id(servo, plan_id(line, servo, 66))
    assert moved.get("ID") == 66
    with pytest.raises(BusTimeoutError):
        device(line, 5)


def test_a_new_speed_is_verified_at_the_new_speed(line: VirtualLine) -> None:
    line.virtual.line_baud = 2_000_000

    @contextmanager
    def opened(baud: int) -> Iterator[VirtualLine]:
        line.virtual.line_baud = line.baud = baud
        yield line

    change = plan_baud(device(line), 57_600)
    apply_baud(opened, 2_000_000, 57_600, change)
    assert line.virtual.device(5).baud == 57_600
    with pytest.raises(ControlTableError, match="no 12345 baud"):
        plan_baud(device(line), 12_345)


def test_a_speed_that_the_port_can_not_make_is_not_written(line: VirtualLine) -> None:
    @contextmanager
    def opened(baud: int) -> Iterator[VirtualLine]:
        if baud != 2_000_000:
            raise BusTimeoutError("this adapter can't")
        yield line

    with pytest.raises(BusTimeoutError):
        apply_baud(opened, 2_000_000, 57_600, plan_baud(device(line), 57_600))
    assert line.virtual.device(5).baud == 2_000_000


def test_a_reboot_ends_when_the_servo_answers_again(line: VirtualLine) -> None:
    line.virtual.device(5).raise_hardware_error(0x20, line.now_ns)
    assert reboot(line, 5, sleeper(line)).model_number == 1020
    assert device(line).get("Hardware Error Status") == 0


def test_the_light_is_left_as_it_was_even_after_ctrl_c(line: VirtualLine) -> None:
    servo = device(line)
    servo.put("LED", 1)
    seen = []

    def sleep(_seconds: float) -> None:
        seen.append(line.virtual.device(5).peek("LED"))
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blink(servo, 10.0, sleep)
    assert seen == [1, 0, 1, 0]
    assert line.virtual.device(5).peek("LED") == 1


# --- backup ----------------------------------------------------------------------------------------------------------


def test_a_backup_restores_onto_a_new_servo_but_never_its_id_or_speed(line: VirtualLine, tmp_path) -> None:
    source, target = device(line, 5), device(line, 6)
    apply(source, plan(source, {"Homing Offset": -33, "Operating Mode": 5, "Position P Gain": 640, "Shutdown": 5}))
    path = tmp_path / "five.yaml"
    write_file(path, text_of([(source, take(source, "r_el"))], "op3", "now"), replace=False)
    saved = read_file(path).devices[0]
    apply(target, plan_restore(target, saved))
    assert target.get("ID") == 6
    again = take(target).registers
    assert {name: value for name, value in again.items() if name != "ID"} == {
        name: value for name, value in saved.registers.items() if name != "ID"
    }


def test_a_backup_is_text_with_meanings_and_is_not_overwritten(line: VirtualLine, tmp_path) -> None:
    servo = device(line)
    text = text_of([(servo, take(servo))], "op3", "now")
    assert "    Temperature Limit: 80                 # 80 degC\n" in text
    path = tmp_path / "b.yaml"
    write_file(path, text, replace=False)
    with pytest.raises(BackupFileError, match="--force"):
        write_file(path, text, replace=False)


def test_a_backup_of_another_model_is_refused(line: VirtualLine) -> None:
    hand = VirtualLine(load_robot("hx5_d20_right"))
    with pytest.raises(RefusedError, match="xm335_t323"):
        plan_restore(device(line), take(Device(Bus(hand), 111)))


@pytest.mark.parametrize("text", ["", "[]", "a: [", "format: other\ndevices: []", "\x00", "- 1"])
def test_a_broken_backup_is_refused_in_words(text: str, tmp_path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(text)
    with pytest.raises(BackupFileError):
        read_file(path)


# --- calibration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("old", [0, 300, 1500])
@pytest.mark.parametrize("pose_rad", [0.0, 0.5])
def test_a_calibrated_joint_reads_its_pose_within_a_tick(line: VirtualLine, reverse: bool, old: int, pose_rad) -> None:
    joint = JOINTS[5].model_copy(update={"reverse": reverse})
    virtual, servo = line.virtual.device(5), device(line)
    apply(servo, plan(servo, {"Drive Mode": int(reverse), "Homing Offset": old}))
    virtual.turn_to(2500)
    one = calibrate(servo, joint, pose_rad, sleeper(line))
    apply(servo, [one.change])
    unit = servo.model.servo.rad_per_tick
    assert abs((servo.get("Present Position") - 2048) * unit - pose_rad) <= unit
    assert one.after_rad == pytest.approx(pose_rad, abs=unit)


@given(st.integers(0, 4095), st.integers(-1024, 1024), st.integers(1024, 3072))
def test_the_offset_makes_the_encoder_read_the_target(encoder: int, old: int, target: int) -> None:
    new = homing_offset(encoder + old, target, old, 3, SERVO_MODELS["xm430_w350"])
    assert encoder + new == target


def test_an_offset_beyond_a_quarter_turn_is_refused_in_position_mode_only(line: VirtualLine) -> None:
    servo = device(line)
    line.virtual.device(5).turn_to(3500)
    with pytest.raises(RefusedError, match=r"\+-1024.*mount it nearer"):
        calibrate(servo, JOINTS[5], 0.0, sleeper(line))
    apply(servo, plan(servo, {"Operating Mode": 5}))
    one = calibrate(servo, JOINTS[5], 0.0, sleeper(line))
    assert one.change.new == 2048 - 3500
    assert one.warnings


def test_a_joint_that_moves_or_holds_itself_is_refused(line: VirtualLine) -> None:
    servo, virtual = device(line), line.virtual.device(5)
    places_of_hand = iter(range(2048, 3000, 10))
    with pytest.raises(RefusedError, match="hold it still"):
        calibrate(servo, JOINTS[5], 0.0, lambda _: virtual.turn_to(next(places_of_hand)))
    servo.put("Torque Enable", 1)
    with pytest.raises(RefusedError, match="can't be held by hand"):
        calibrate(servo, JOINTS[5], 0.0, sleeper(line))


def test_a_direction_other_than_the_files_is_put_right_first(line: VirtualLine) -> None:
    joint = JOINTS[5].model_copy(update={"reverse": True})
    with pytest.raises(RefusedError, match='"Drive Mode" 1 --apply'):
        calibrate(device(line), joint, radians(0), sleeper(line))
