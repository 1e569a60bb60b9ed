# SPDX-License-Identifier: Apache-2.0
"""Fault: the foot pedal is unplugged, in either role, while the robot follows."""

from pathlib import Path

import pytest
from booth_cli import assert_answer, booth
from diagnostic_msgs.msg import DiagnosticStatus
from fake_pedal import FakePedal
from live_graph import LiveGraph
from std_msgs.msg import Bool, String

from graph.faults import FaultCode
from graph.nodes import GraphOptions, booth_processes
from graph.ros_node import state_values
from graph.topics import PEDAL, PEDAL_EVENT, PEDAL_STATE
from robots import load_robot


class PedalWatcher:
    """What the pedal said, and what teleop says now."""

    def __init__(self, graph: LiveGraph) -> None:
        self.graph = graph
        self.states: list[DiagnosticStatus] = []
        self.pressed: list[bool] = []
        self.events: list[str] = []
        graph.client.subscribe(PEDAL_STATE, DiagnosticStatus, self.states.append)
        graph.client.subscribe(PEDAL, Bool, lambda message: self.pressed.append(message.data))
        graph.client.subscribe(PEDAL_EVENT, String, lambda message: self.events.append(message.data))

    def is_now(self, word: str) -> bool:
        return bool(self.states) and self.states[-1].message == word

    def teleop_says(self, words: str) -> bool:
        return words in self.graph.client.values("teleop").get("reason", "")


def looping(role: str, pedal: FakePedal) -> GraphOptions:
    return GraphOptions(loop=True, record="off", pedal_device=str(pedal.path), pedal_role=role)


@pytest.mark.ros
@pytest.mark.slow
def test_a_pedal_that_is_held_to_run_releases_at_once_and_nothing_engages_without_a_new_press(tmp_path: Path) -> None:
    robot, pedal = load_robot("hx5_d20_right"), FakePedal(tmp_path)
    with LiveGraph(robot, booth_processes(robot, robot.name, looping("run", pedal))) as graph:
        seen = PedalWatcher(graph)
        graph.until(lambda: seen.is_now("PRESENT") and seen.pressed, 60, "the pedal's first word")
        graph.until(lambda: seen.teleop_says("press it"), 60, "teleop asks for the pedal")
        pedal.press()
        graph.until(graph.driver_is("ENGAGED"), 60, "engaged")
        pedal.unplug()
        graph.until(lambda: not graph.driver_is("ENGAGED")(), 5, "released")
        graph.until(lambda: seen.teleop_says("plug it in again"), 5, "what to do")
        seen.pressed.clear()
        assert graph.client.values("teleop")["code"] == FaultCode.PEDAL_LOST.value
        assert seen.is_now("UNPLUGGED")
        assert state_values(seen.states[-1])["code"] == FaultCode.PEDAL_LOST.value
        graph.spin(0.5)
        assert seen.pressed == [], "nobody says anything about a pedal that is not there"
        pedal.plug_in()
        graph.until(lambda: seen.is_now("PRESENT"), 10, "found again")
        graph.until(lambda: seen.teleop_says("press it"), 5, "teleop asks for the pedal again")
        graph.spin(1.0)
        assert not graph.driver_is("ENGAGED")() and not any(seen.pressed)
        pedal.press()
        graph.until(graph.driver_is("ENGAGED"), 60, "engaged by a new press and a new palm")


@pytest.mark.ros
@pytest.mark.slow
def test_a_pedal_that_speaks_to_the_session_releases_too(tmp_path: Path) -> None:
    robot, pedal = load_robot("hx5_d20_right"), FakePedal(tmp_path)
    with LiveGraph(robot, booth_processes(robot, robot.name, looping("record", pedal))) as graph:
        seen = PedalWatcher(graph)
        graph.until(lambda: seen.is_now("PRESENT"), 60, "the pedal's first word")
        graph.until(graph.driver_is("ENGAGED"), 60, "engaged without it")
        pedal.press()
        pedal.let_go()
        graph.until(lambda: seen.events == ["tap"], 5, "a tap")
        pedal.press()
        graph.until(lambda: seen.events == ["tap", "hold"], 5, "a hold while it is still pressed")
        assert not seen.pressed, "it is not held to run"
        graph.until(graph.driver_is("ENGAGED"), 60, "still or again engaged")
        pedal.unplug()
        graph.until(lambda: seen.teleop_says("the pedal was unplugged"), 5, "what to do")
        graph.until(lambda: not graph.driver_is("ENGAGED")(), 5, "released")


@pytest.mark.ros
def test_a_pedal_that_is_not_there_is_told_with_what_is_and_the_booth_runs_on(tmp_path: Path) -> None:
    robot = load_robot("hx5_d20_right")
    specs = booth_processes(robot, robot.name, GraphOptions(record="off", pedal_device=str(tmp_path / "usb-no-event")))
    with LiveGraph(robot, [spec for spec in specs if spec.name == "pedal"]) as graph:
        seen = PedalWatcher(graph)
        graph.until(lambda: seen.is_now("UNPLUGGED"), 30, "that it is not there")
        assert "no pedal at" in state_values(seen.states[-1])["reason"]


def test_a_role_that_does_not_exist_is_refused() -> None:
    assert_answer(booth("up", "--pedal-device", "auto", "--pedal-role", "brake"), 2, "--pedal-role")
