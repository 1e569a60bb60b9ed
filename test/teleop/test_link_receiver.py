# SPDX-License-Identifier: Apache-2.0
"""Both ends on real sockets: who is let in, what the operator is told, and what stops a robot from listening."""

import socket
import time
from pathlib import Path

import link_ends
import numpy as np
import pytest
from link_clouds import body, hands

from graph.errors import InputError
from teleop.link_address import Address, connecting, listening
from teleop.link_allowed import AllowedKeys, allow, allowed_path, revoke
from teleop.link_keys import load_key, new_key
from teleop.link_receiver import LinkReceiver
from teleop.link_source import LinkSource, check_link
from teleop.link_wire import RobotStatus


@pytest.fixture(autouse=True)
def own_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_hands_and_body_arrive_with_stamps_of_the_robots_clock_and_the_operator_is_told_its_state() -> None:
    rng = np.random.default_rng(0)
    sent, captured = {2: hands(rng, 7), 1: body(rng, 7)}, {}
    with link_ends.robot() as robot, link_ends.operator(robot.port, robot.ana, robot.key.public) as ana:
        robot.link.tell(RobotStatus("READY", "show the open palm"))
        link_ends.until(lambda: ana.view.word == "READY", "the robot's state")
        assert ana.view.reason == "show the open palm"

        def both() -> bool:
            for rows, cloud in sent.items():
                captured[rows] = time.monotonic_ns()
                ana.put(cloud, captured[rows])
            return {len(arrival.cloud) for _, arrival in robot.arrivals} == {1, 2}

        link_ends.until(both, "both clouds")
        for came_ns, arrival in robot.arrivals:
            assert arrival.cloud.tobytes() == sent[len(arrival.cloud)].tobytes()
            assert arrival.capture_ns <= came_ns
        offset = robot.link.report.offset
        assert offset is not None
        assert abs(offset.offset_ns) <= offset.uncertainty_ns, "one clock, yet they differ"
        assert robot.link.report.user == "ana"
        assert robot.link.report.garbage == 0


def test_a_key_that_is_revoked_while_it_operates_gets_nothing_through_any_more() -> None:
    rng = np.random.default_rng(0)
    with link_ends.robot() as robot, link_ends.operator(robot.port, robot.ana, robot.key.public) as ana:
        link_ends.until(lambda: ana.put(hands(rng), time.monotonic_ns()) or robot.arrivals, "landmarks")
        revoke("ana")
        link_ends.until(lambda: dict(robot.link.report.refused).get("key", 0) > 3, "the refusal")
        count = len(robot.arrivals)
        refused = dict(robot.link.report.refused)["key"]
        link_ends.until(
            lambda: ana.put(hands(rng), time.monotonic_ns()) or dict(robot.link.report.refused)["key"] > refused + 20,
            "more refusals",
        )
        assert len(robot.arrivals) == count
        link_ends.until(lambda: ana.view.word == "LOST", "the operator is told")
        allow(robot.ana.public, "ana")
        link_ends.until(
            lambda: ana.put(hands(rng), time.monotonic_ns()) or len(robot.arrivals) > count, "landmarks again"
        )


def test_a_second_operator_is_told_who_operates() -> None:
    with link_ends.robot() as robot, link_ends.operator(robot.port, robot.ana, robot.key.public) as ana:
        link_ends.until(lambda: ana.view.connected, "the first")
        ben = new_key("ben")
        allow(ben.public, "ben")
        with link_ends.operator(robot.port, ben, robot.key.public) as second:
            link_ends.until(lambda: second.view.word == "BUSY", "the second")
            assert second.view.reason == "ana operates this robot"
        assert ana.view.word == "STARTING"


@pytest.mark.parametrize("address", ["tcp://*:5555", "tcp://10.0.0.1:5555", "tcp://:5555", "tcp://127.0.0.1:5555"])
def test_nothing_listens_without_keys(address: str) -> None:
    with pytest.raises(InputError, match=r"no key robot.*booth keys new robot"):
        check_link(address)
    with pytest.raises(InputError, match="no key robot"):
        LinkSource(address, "robot", lambda _arrival: None)
    new_key("robot")
    with pytest.raises(InputError, match=r"nobody could connect.*booth keys allow"):
        check_link(address)
    with pytest.raises(InputError, match="nobody could connect"):
        LinkSource(address, "robot", lambda _arrival: None)


def test_a_port_that_is_taken_and_an_address_of_somebody_else_are_answers() -> None:
    key = new_key("robot")
    allow(key.public, "ana")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for address in (Address("127.0.0.1", port), Address("203.0.113.7", port)):
            with pytest.raises(InputError, match="can't listen at tcp://"):
                LinkReceiver(address, load_key("robot"), AllowedKeys(allowed_path()), lambda _arrival: None)


def test_addresses_without_a_host_are_this_computers() -> None:
    assert listening("tcp://:5555") == Address("127.0.0.1", 5555)
    assert str(listening("tcp://*:5555")) == "tcp://*:5555"
    assert connecting("tcp://robot.local:1").host == "robot.local"
    assert connecting("tcp://[fe80::1]:1").ipv6


@pytest.mark.parametrize(
    "text", ["tcp://", "tcp://robot", "tcp://robot:0", "tcp://robot:70000", "udp://robot:1", "r:1"]
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    for read in (listening, connecting):
        with pytest.raises(InputError, match="such as tcp://robot:5555"):
            read(text)


@pytest.mark.parametrize("text", ["tcp://*:5555", "tcp://:5555"])
def test_an_operator_names_a_robot(text: str) -> None:
    with pytest.raises(InputError, match="names no robot"):
        connecting(text)
