# SPDX-License-Identifier: Apache-2.0
"""`booth doctor`: what it looks at on this computer, on a graph of its own, on one that runs; how it ends."""

import ast
import os
from collections import namedtuple
from pathlib import Path

import pytest
from booth_cli import assert_answer, booth
from fake_pedal import FakePedal
from live_graph import LiveGraph

from booth import clock_sync, doctor_computer
from booth.doctor_computer import (
    NEEDED,
    as_warning,
    judge_cameras,
    judge_domain,
    judge_groups,
    judge_latency_timers,
    judge_modules,
    judge_pedal_device,
    judge_ports,
    judge_python,
    judge_room,
    judge_time_service,
)
from booth.doctor_graph import parts_of
from booth.selfcheck_item import Item, ItemState
from booth.verb_doctor import Report, exit_code
from graph.nodes import GraphOptions, booth_processes
from robots import load_robot

ROOT = Path(__file__).parents[2]
HAND = load_robot("hx5_d20_right")
OK, WARN, FAILED = ItemState.OK, ItemState.WARN, ItemState.FAILED


ALONE = {"ROS_DOMAIN_ID": "", "timeout_s": 300}
"""A domain of its own, and the time that a busy computer needs."""
SLOW = ("camera", "clock")
"""What a computer that is too busy with other tests may fail."""


def states(ran) -> dict[str, str]:
    """State of every item of a run with --json."""
    return {item["name"]: item["state"] for item in ran.json["items"]}


def assert_well(ran, *wanted: str) -> None:
    """These items are well, whatever the computer's speed, and the exit code is that of all items."""
    found = states(ran)
    assert {name: found.get(name) for name in wanted if found.get(name) not in ("ok", "warn")} == {}, ran.out
    assert "images a second" in ran.out
    assert {name for name, state in found.items() if state == "failed"} <= set(SLOW), ran.out
    assert ran.code == {"ok": 0, "warn": 0, "failed": 3}[found["camera"]] or found["clock"] == "failed"
    assert "Traceback" not in ran.err + ran.out


# ---- this computer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "state"), [((3, 10), FAILED), ((3, 11), OK), ((3, 12), OK), ((3, 14), WARN)])
def test_python(version, state) -> None:
    assert judge_python(version).state is state


def test_a_module_that_is_missing_is_named_with_what_to_do() -> None:
    verdict = judge_modules(("json", "no_such_module"), "pip install it")
    assert verdict == (FAILED, "no_such_module not found: pip install it")
    assert as_warning(verdict).state is WARN
    assert judge_modules(("json",), "").state is OK


def test_as_many_modules_are_looked_for_as_the_package_requires() -> None:
    (wanted,) = (
        ast.literal_eval(node.value)
        for node in ast.walk(ast.parse((ROOT / "setup.py").read_text()))
        if isinstance(node, ast.keyword) and node.arg == "install_requires"
    )
    assert len(NEEDED) == len(wanted)


def test_the_room_is_that_of_the_folder_or_of_the_one_it_would_be_made_in(tmp_path: Path, monkeypatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(doctor_computer.shutil, "disk_usage", lambda path: usage(400e6 if path == tmp_path else 0))
    assert judge_room(tmp_path / "new" / "episodes") == (
        FAILED,
        f"0.4 GB free: move episodes away (booth library) or empty the trash ({tmp_path})",
    )


def test_groups() -> None:
    assert judge_groups(0, set()).state is OK
    assert judge_groups(1000, {"dialout", "video"}).state is OK
    verdict = judge_groups(1000, {"video"})
    assert verdict.state is WARN and "sudo usermod -aG dialout $USER" in verdict.text


def test_a_camera_that_may_not_be_opened_is_named(tmp_path: Path, monkeypatch) -> None:
    camera = tmp_path / "video0"
    camera.touch()
    assert judge_cameras([camera]) == (OK, "video0")
    assert judge_cameras([]).state is WARN
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert judge_cameras([camera]).text.startswith("no permission to open video0")


def test_serial_ports(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    assert judge_ports([]).state is OK
    assert judge_ports([str(port)]).state is FAILED
    port.touch()
    assert judge_ports([str(port)]) == (OK, str(port))


def test_a_slow_latency_timer_is_named(tmp_path: Path) -> None:
    assert judge_latency_timers(tmp_path).state is OK
    for name, timer in (("ttyUSB0", 1), ("ttyUSB1", 16)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "latency_timer").write_text(f"{timer}\n")
    verdict = judge_latency_timers(tmp_path)
    assert verdict.state is WARN and verdict.text.startswith("ttyUSB1 16 ms, 1 ms is needed")


@pytest.mark.parametrize(("text", "state"), [("", OK), ("30", OK), ("232", OK), ("233", FAILED), ("mine", FAILED)])
def test_the_domain(text, state) -> None:
    assert judge_domain(text).state is state


@pytest.mark.parametrize(("kept", "state"), [(True, OK), (False, WARN), (None, WARN)])
def test_the_time_service(kept, state) -> None:
    assert judge_time_service(kept).state is state


def test_a_kernel_that_can_not_be_asked_about_its_clock_is_no_error(monkeypatch) -> None:
    monkeypatch.setattr(clock_sync.ctypes, "CDLL", lambda *_, **__: object())
    assert clock_sync.synchronised() is None


@pytest.mark.parametrize(("status", "kept"), [(0x40, False), (0x2001, True)])
def test_the_kernels_word_on_its_clock_is_read(monkeypatch, status: int, kept: bool) -> None:
    class Kernel:
        @staticmethod
        def adjtimex(answer) -> int:
            answer.raw = clock_sync.HEAD.pack(0, 0, 0, 16_000_000, 16_000_000, status)
            return 0

    monkeypatch.setattr(clock_sync.ctypes, "CDLL", lambda *_, **__: Kernel)
    assert clock_sync.synchronised() is kept


def test_a_pedal_that_is_not_there_fails(tmp_path: Path) -> None:
    assert judge_pedal_device(str(tmp_path / "usb-pedal-event")).state is FAILED
    assert judge_pedal_device(str(FakePedal(tmp_path).path)).state is OK


# ---- how it ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state", "code"),
    [
        ("camera", OK, 0),
        ("clock", WARN, 0),
        ("light", FAILED, 1),
        ("packages", FAILED, 1),
        ("camera", FAILED, 3),
        ("serial_ports", FAILED, 3),
        (HAND.joint_names[7], FAILED, 3),
        ("pedal", FAILED, 3),
    ],
)
def test_the_exit_code_tells_a_device_from_the_rest(name, state, code) -> None:
    assert exit_code([Item("python", OK, ""), Item(name, state, "")], HAND) == code


def test_an_item_is_told_once_it_is_known_and_again_when_it_changes(capsys) -> None:
    report = Report()
    report.show([Item("camera", ItemState.WAITING, "not yet")])
    report.show([Item("camera", OK, "30 images a second")])
    report.show([Item("camera", OK, "29 images a second")])
    report.show([Item("camera", FAILED, "black")])
    assert capsys.readouterr().out.splitlines() == ["[ ok ] camera: 30 images a second", "[FAIL] camera: black"]


def test_nothing_that_could_engage_is_started() -> None:
    started = [spec.name for part in parts_of(HAND, HAND.name, GraphOptions()) for spec in part.specs]
    assert started == ["robot", "driver", "tracker", "recorder"]


def test_a_domain_that_is_none_fails_and_no_graph_is_needed_to_say_so() -> None:
    ran = booth("doctor", "--computer", "--json", ROS_DOMAIN_ID="mine")
    assert_answer(ran, 1)
    assert states(ran)["domain"] == "failed"


@pytest.mark.parametrize("robot", ["no_such_robot"])
def test_a_robot_that_does_not_exist_is_refused(robot) -> None:
    assert_answer(booth("doctor", "--robot", robot), 2, robot)


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_without_a_graph_it_starts_one_and_everything_of_a_virtual_robot_is_well(tmp_path: Path) -> None:
    ran = booth("doctor", "--source", "clip", "--directory", tmp_path, "--estop-seen", "--json", **ALONE)
    assert "no graph runs on this ROS domain: starting robot, driver, tracker, recorder" in ran.err
    assert_well(ran, "light", "right_hand", *HAND.joint_names, "temperatures", "disk", "estop")


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_without_a_camera_it_says_so_and_the_servos_are_looked_at_all_the_same(tmp_path: Path) -> None:
    ran = booth("doctor", "--source", "/dev/video99", "--directory", tmp_path / "none", "--json", **ALONE)
    assert_answer(ran, 3)
    found = {item["name"]: item for item in ran.json["items"]}
    assert found["camera"]["text"].startswith("no camera at /dev/video99")
    assert {found[name]["state"] for name in HAND.joint_names} == {"ok"}
    assert "no camera at /dev/video99" in ran.out
    assert not (tmp_path / "none").exists(), "it leaves nothing behind"


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_graph_that_runs_is_asked_and_left_alone(tmp_path: Path) -> None:
    specs = booth_processes(HAND, HAND.name, GraphOptions(directory=str(tmp_path), loop=True))
    with LiveGraph(HAND, specs) as graph:
        graph.until(lambda: graph.client.state("tracker") == "TRACKING", 60, "tracking")
        graph.until(lambda: graph.client.state("driver") and graph.client.state("recorder"), 60, "driver and recorder")
        ran = booth("doctor", "--estop-seen", "--json", timeout_s=300)
        assert graph.spin(0.1) is None
    assert "[booth] a graph runs on this ROS domain" in ran.err
    assert_well(ran, "light", *HAND.joint_names, "temperatures", "disk", "estop")
