# SPDX-License-Identifier: Apache-2.0
"""Names of the graph: absolute, unique, and ROBOTIS's own where ROBOTIS has one."""

import re

import pytest

from graph import topics
from graph.errors import BoothError, DeviceError, InputError
from graph.topics import Qos, Topic, command
from robots import load_robot, robot_names

TOPICS = {name: value for name, value in vars(topics).items() if isinstance(value, Topic)}
SERVICES = {name: value for name, value in vars(topics).items() if name.startswith("SERVICE_")}
ABSOLUTE = re.compile(r"(/[a-z][a-z0-9_]*)+")


def test_the_graph_has_topics_and_services():
    assert {"JOINT_STATES", "HANDS", "SENT", "DRIVER_STATE"} <= set(TOPICS)
    assert {"SERVICE_ENGAGE", "SERVICE_STOP", "SERVICE_RECORD_START"} <= set(SERVICES)


@pytest.mark.parametrize("name", sorted(TOPICS))
def test_topic_is_absolute_and_names_a_message_type(name):
    assert ABSOLUTE.fullmatch(TOPICS[name].name)
    assert re.fullmatch(r"[a-z_]+/msg/[A-Z][A-Za-z0-9]+", TOPICS[name].type)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_service_is_absolute(name):
    assert ABSOLUTE.fullmatch(SERVICES[name])


def test_no_name_is_used_twice():
    fixed = [topic.name for topic in TOPICS.values()] + list(SERVICES.values())
    for robot in robot_names():
        names = fixed + [topic for topic, _ in load_robot(robot).groups]
        assert len(names) == len(set(names))


def test_the_hand_listens_where_robotis_leader_broadcasts():
    topic = command(load_robot("hx5_d20_right").groups[0][0])
    assert topic == Topic(
        "/leader/joint_trajectory_command_broadcaster_right_hand/joint_trajectory",
        "trajectory_msgs/msg/JointTrajectory",
        Qos.COMMAND,
    )


def test_measured_joints_are_where_every_ros_tool_looks():
    assert (topics.JOINT_STATES.name, topics.JOINT_STATES.type) == ("/joint_states", "sensor_msgs/msg/JointState")
    assert topics.DIAGNOSTICS.name == "/diagnostics"


@pytest.mark.parametrize("name", [name for name in sorted(TOPICS) if name.endswith("_STATE")])
def test_state_reaches_those_who_join_late(name):
    assert TOPICS[name].qos is Qos.STATE


def test_streams_of_the_camera_never_wait_for_a_slow_listener():
    assert {topics.HANDS.qos, topics.CAMERA.qos, topics.PREVIEW.qos} == {Qos.SENSOR}


def test_exit_codes_tell_wrong_input_from_missing_devices():
    assert (BoothError("x").exit_code, InputError("x").exit_code, DeviceError("x").exit_code) == (1, 2, 3)
