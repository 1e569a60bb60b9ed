# SPDX-License-Identifier: Apache-2.0
"""Every servo of a robot in a list, once a second, without a question on the bus."""

import json

import numpy as np
import pytest
from invariants import FaultRig
from live_graph import LiveGraph
from std_msgs.msg import String
from two_lines import PAIR

from drivers.hardware_error import WORDS, Cause
from drivers.joint_health import JointHealth
from drivers.servo_list import EVERY_NS, LET_GO, SILENT, STOPPED, ServoList, servo_list
from graph.nodes import GraphOptions, driver_processes
from graph.topics import DRIVER_SERVOS
from robots import load_robot

MS = 1_000_000


def listed(rig: FaultRig, seconds: int = 3) -> dict[str, dict[str, object]]:
    """The newest list of a rig that runs on for some seconds, by joint."""
    servos, newest = ServoList(rig.robot, rig.link), None
    for _ in range(seconds * rig.robot.rate_hz):
        newest = servos.see(rig.run(1)) or newest
    assert newest is not None
    return {str(entry["name"]): entry for entry in newest}


@pytest.mark.parametrize("name", ["op3", "hx5_d20_right", "ffw_sh5", PAIR], ids=["op3", "hx5", "ffw", "pair"])
def test_every_servo_is_named_with_its_temperature_and_its_limit(name) -> None:
    rig = FaultRig(name)
    found = listed(rig)
    assert tuple(found) == rig.robot.joint_names
    for joint in rig.robot.joints:
        entry = found[joint.name]
        assert entry["id"] == joint.id
        assert entry["fresh"] is True and entry["fault"] == ""
        assert 20 <= entry["temperature_c"] < entry["limit_c"]
    assert json.loads(json.dumps(list(found.values()))) == list(found.values())


def test_what_was_not_read_yet_is_null() -> None:
    health = JointHealth(PAIR)
    for entry in servo_list(PAIR, health, set(), set(), np.zeros(3, np.int64)):
        assert entry["temperature_c"] is None and entry["limit_c"] is None


def test_a_list_comes_once_a_second() -> None:
    rig = FaultRig(PAIR)
    servos, came_ns = ServoList(rig.robot, rig.link), []
    for _ in range(5 * rig.robot.rate_hz):
        cycle = rig.run(1)
        if servos.see(cycle) is not None:
            came_ns.append(cycle.read_ns)
    assert len(came_ns) == 5
    assert all(EVERY_NS <= gap <= EVERY_NS + 20 * MS for gap in np.diff(came_ns))


def test_the_list_costs_the_bus_nothing() -> None:
    told, untold = FaultRig(PAIR), FaultRig(PAIR)
    listed(told)
    untold.run(3 * untold.robot.rate_hz)
    for name, line in told.lines.items():
        assert len(line.instructions) == len(untold.lines[name].instructions)


def test_a_silent_servo_is_said_to_be_and_the_others_stay_fresh() -> None:
    rig = FaultRig(PAIR)
    rig.run(100)
    rig.device(2).silent = True
    found = listed(rig)
    assert found["b"]["fault"] == SILENT and found["b"]["fresh"] is False
    assert found["a"]["fresh"] is True and found["a"]["fault"] == ""


def test_a_lost_port_silences_everybody_behind_it() -> None:
    rig = FaultRig(PAIR)
    rig.run(100)
    rig.lines["right"].unplugged = True
    found = listed(rig)
    assert [found[name]["fault"] for name in "abc"] == ["", SILENT, SILENT]


def test_a_silent_hand_controller_silences_its_fingers() -> None:
    rig = FaultRig("hx5_d20_right")
    rig.run(100)
    rig.device(rig.robot.controllers[0].id).silent = True
    assert {entry["fault"] for entry in listed(rig).values()} == {SILENT}


def test_a_hardware_error_is_told_in_words() -> None:
    rig = FaultRig(PAIR)
    rig.run(100)
    rig.device(1).raise_hardware_error(1 << 2, rig.clock.now_ns)
    assert listed(rig)["a"]["fault"] == WORDS[Cause.OVERHEATING]


def test_what_the_driver_let_go_and_what_stopped_by_itself_are_different_words() -> None:
    health = JointHealth(PAIR)
    health.let_go(0)
    words = [entry["fault"] for entry in servo_list(PAIR, health, set(), {1}, np.zeros(3, np.int64))]
    assert words == [LET_GO, STOPPED, ""]


@pytest.mark.ros
@pytest.mark.slow
def test_the_driver_publishes_the_temperatures_of_a_virtual_robot() -> None:
    robot = load_robot("hx5_d20_right")
    told: list[list[dict[str, object]]] = []
    with LiveGraph(robot, driver_processes(robot, robot.name, GraphOptions())) as graph:
        graph.client.subscribe(DRIVER_SERVOS, String, lambda message: told.append(json.loads(message.data)))
        graph.until(
            lambda: told and all(entry["temperature_c"] for entry in told[-1]), 40, "temperatures of all servos"
        )
    assert tuple(entry["name"] for entry in told[-1]) == robot.joint_names
