# SPDX-License-Identifier: Apache-2.0
"""`booth servo` as a technician types it, on a virtual robot behind a pseudo-terminal."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from booth_cli import Ran, assert_answer, booth

from booth.cli import main
from drivers.maintenance import HARDWARE_ERROR, actuators_of
from drivers.maintenance_schema import EventCount, week_of
from drivers.maintenance_store import add, open_for_writing, register
from drivers.maintenance_tally import Tally
from drivers.port import SerialPort
from drivers.virtual_build import build_virtual_bus
from drivers.virtual_bus import VirtualBus
from drivers.virtual_robot import VirtualRobotServer
from graph.stamps import graph_clock
from robots import load_robot

OP3 = load_robot("op3")


class Bench:
    """A virtual OP3 on a pseudo-terminal and the command, in this process."""

    def __init__(self, bus: VirtualBus, port: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.bus, self.port, self._capsys = bus, port, capsys

    def __call__(self, *words: object, robot: bool = True) -> Ran:
        where = ["--port", self.port, *(["--robot", "op3"] if robot else [])]
        self._capsys.readouterr()
        code = main(["servo", *map(str, words), *where])
        shown = self._capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    def peek(self, servo_id: int, name: str) -> int:
        return self.bus.device(servo_id).peek(name)


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Bench]:
    stop = threading.Event()
    with VirtualRobotServer(build_virtual_bus(OP3), tmp_path / "op3", strict_baud=True) as server:
        thread = threading.Thread(target=server.serve, args=(stop,))
        thread.start()
        yield Bench(server.bus, server.path, capsys)
        stop.set()
        thread.join()


def test_scan_of_a_complete_robot_succeeds(bench: Bench) -> None:
    ran = bench("scan")
    assert_answer(ran, 0)
    assert "20 devices, all that op3's file expects" in ran.out
    assert "xm430_w350" in ran.out


def test_scan_names_a_missing_and_an_unexpected_servo_and_fails(bench: Bench) -> None:
    bench.bus.device(7).poke("ID", 77)
    ran = bench("scan", "--json")
    assert ran.code == 1
    assert {(finding["kind"], finding["id"]) for finding in ran.json["findings"]} == {
        ("missing", 7),
        ("unexpected", 77),
    }


def test_scan_at_all_speeds_finds_a_servo_from_the_box(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("booth.verb_servo.SCAN_BAUDS", (57_600, 1_000_000, 2_000_000))
    bench.bus.device(7).poke("Baud Rate", 1)
    ran = bench("scan", "--baud", "all", "--json")
    assert ran.code == 1
    assert {finding["kind"] for finding in ran.json["findings"]} == {"baud"}
    assert "booth servo set-baud 7 2000000" in ran.json["findings"][0]["text"]
    assert next(device["baud"] for device in ran.json["found"] if device["id"] == 7) == 57_600


def test_ping_tells_the_model_and_silence_says_what_to_do(bench: Bench) -> None:
    assert "ID 5 (r_el): xm430_w350 (model number 1020)" in bench("ping", "r_el").out
    assert_answer(bench("ping", 99), 3, "ID 99 does not answer", "at 2000000 baud", "booth servo scan")


def test_read_by_name_and_all(bench: Bench) -> None:
    ran = bench("read", "r_el", "hardware", "error", "status", "--json")
    assert ran.json["registers"]["Hardware Error Status"] == {"raw": 0, "address": 70, "meaning": "none"}
    assert "Present Temperature" in bench("read", 5, "all").out
    assert_answer(bench("read", 5, "goal", "posit"), 2, "nearest: Goal Position")


def test_without_apply_nothing_changes(bench: Bench) -> None:
    for words in (
        ("write", 5, "Homing", "Offset", "-20deg"),
        ("set-id", 5, 66),
        ("set-baud", 5, 57_600),
        ("calibrate", "r_el"),
    ):
        ran = bench(*words)
        assert_answer(ran, 0, "Nothing has been written. To do it, add --apply")
        assert "->" in ran.out or "offset new" in ran.out
    assert (bench.peek(5, "Homing Offset"), bench.peek(5, "ID"), bench.peek(5, "Baud Rate")) == (0, 5, 4)


def test_with_apply_it_is_written_and_the_undo_undoes_it(bench: Bench) -> None:
    ran = bench("write", 5, "Homing Offset", "-20deg", "--apply")
    assert_answer(ran, 0, "Written and read back", 'undo: booth servo write 5 "Homing Offset" 0')
    assert bench.peek(5, "Homing Offset") == -228
    assert_answer(bench("write", 5, "Homing Offset", 0, "--apply"), 0)
    assert bench.peek(5, "Homing Offset") == 0


def test_torque_on_and_taken_ids_are_refused(bench: Bench) -> None:
    assert_answer(bench("set-id", 5, 6, "--apply"), 1, "ID 6 is taken")
    assert_answer(bench("write", 5, "Torque Enable", "on", "--apply"), 0)
    assert_answer(bench("write", 5, "Homing Offset", 5, "--apply"), 1, "Torque Enable is on", "limp")
    assert_answer(bench("reboot", 5), 1, "goes limp", "--apply")
    assert_answer(bench("calibrate", "r_el"), 1)
    assert bench.peek(5, "Homing Offset") == 0


def test_a_new_servo_becomes_a_joint(bench: Bench) -> None:
    bench.bus.device(7).poke("Baud Rate", 1)
    bench.bus.device(7).poke("ID", 30)
    assert bench("scan").code == 1
    assert_answer(bench("set-baud", 30, 2_000_000, "--baud", 57_600, "--apply"), 0)
    assert_answer(bench("set-id", 30, "r_hip_yaw", "--apply"), 0)
    assert bench("scan").code == 0


def test_backup_and_restore_go_round(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    assert_answer(bench("backup", "all", file), 0)
    assert [device["id"] for device in yaml.safe_load(file.read_text())["devices"]] == list(range(1, 21))
    assert_answer(bench("write", 5, "Homing Offset", 99, "--apply"), 0)
    assert "99" in bench("restore", 5, file).out
    assert bench.peek(5, "Homing Offset") == 99
    assert_answer(bench("restore", 5, file, "--apply"), 0, "undo: booth servo restore 5")
    assert bench.peek(5, "Homing Offset") == 0
    assert_answer(bench("restore", 5, tmp_path / "none.yaml"), 2, "can't be read")


def test_calibrate_all_reads_zero_and_names_the_lines_for_the_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.servo_tools_calibrate.SAMPLE_PAUSE_S", 0.0)
    ran = bench("calibrate", "all", "--apply")
    assert_answer(ran, 0)
    assert "r_el: homing_offset_ticks: -" in ran.out
    for joint in OP3.joints:
        now = bench("read", joint.id, "Present Position", "--json").json["registers"]["Present Position"]["raw"]
        assert abs(now - 2048) <= 1


def test_blink_reboot_and_trace(bench: Bench) -> None:
    ran = bench("blink", "r_el", "--seconds", "0.5", "--trace")
    assert_answer(ran, 0, "-> ff ff fd 00 05", "write 65, 01")
    assert_answer(bench("reboot", 5), 0)


def test_a_port_that_a_driver_holds_names_it(bench: Bench) -> None:
    with SerialPort(bench.port, 2_000_000):
        assert_answer(bench("ping", 5), 3, "is in use", "one bus has one driver")


def test_help_teaches_without_a_robot() -> None:
    ran = booth("servo", "--help")
    assert_answer(ran, 0)
    assert "Nothing is changed without --apply" in ran.out
    assert_answer(booth("servo", "ping", "5"), 2, "--port /dev/ttyUSB0, or --robot NAME")


# --- health ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten hours in which r_el ran hot and stopped three times."""
    path = tmp_path / "m.sqlite"
    monkeypatch.setenv("BOOTH_MAINTENANCE_DB", str(path))
    actuators, now_s = actuators_of(OP3), graph_clock().now_ns() * 1e-9
    count = len(actuators)
    tally, ones = Tally(count), [1.0] * count
    degc = [56.0 if actuator.joint == "r_el" else 41.0 for actuator in actuators]
    limits = [actuator.limit_ma for actuator in actuators]
    for _ in range(10):
        tally.add(10.0, degc, [400.0] * count, [12.0] * count, ones, ones, np.array(limits))
    tally.sums *= 360.0
    connection = open_for_writing(path)
    rows = register(connection, "op3", False, actuators, now_s)
    event = EventCount(HARDWARE_ERROR, "overload", now_s - 60, now_s, 3)
    add(connection, rows, tally, [(4, event)], week_of(now_s))
    connection.close()
    return path


def test_health_ranks_the_hot_joint_first_and_says_why(logged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = logged.with_suffix(".png")
    assert main(["servo", "health", "--robot", "op3", "--picture", str(picture)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("Most likely to fail next: r_el")
    assert "3x overload in 10 h" in first
    assert "15 °C hotter than its mirror joint l_el" in first
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_health_of_the_virtual_robot_is_another_one(logged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["servo", "health", "--robot", "op3", "--virtual"]) == 2
    assert "nothing has been logged about the virtual op3 yet" in capsys.readouterr().err


def test_a_replaced_servo_has_no_past(logged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for apply in ([], ["--apply"]):
        assert main(["servo", "replaced", "r_el", "--robot", "op3", *apply]) == 0
        assert main(["servo", "health", "--robot", "op3"]) == 0
        shown = capsys.readouterr().out
        assert ("Most likely to fail next: r_el" in shown) == (not apply)
    assert "Nothing stands out" in shown
    assert "1 joint has not enough hours yet" in shown
