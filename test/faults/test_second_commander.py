# SPDX-License-Identifier: Apache-2.0
"""Fault: two operators, two nodes or two programs want the robot (rows 16, 22). One has the lease, one is named."""

import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from counted import counted
from invariants import FaultRig, assert_invariants

from booth.session.phases import ACTIONS
from booth.supervisor import graph_environment
from drivers.errors import PortError
from drivers.lease import LEASE_NS, Lease
from drivers.port import SerialPort, wait_for_port
from drivers.safety import MS, State
from drivers.virtual_robot import run_virtual_robot
from graph import topics as graph_topics
from graph.faults import FaultCode
from graph.middleware import NETWORK_PROFILE, PROFILE
from graph.nodes import GraphOptions, driver_processes
from graph.topics import DIAGNOSTICS, PEDAL, SERVICE_ENGAGE, Topic, command, session_service
from robots import load_robot, robot_names

RACES = counted(100, 1000)


def test_of_any_number_who_race_for_it_exactly_one_gets_the_lease() -> None:
    rng = np.random.default_rng(22)
    for _ in range(RACES):
        lease, now_ns = Lease(), 10**12
        names = [f"/sender_{k}" for k in range(int(rng.integers(2, 6)))]
        granted = set()
        for who in rng.permutation(np.repeat(names, 5)):
            now_ns += int(rng.integers(0, 20)) * MS
            if lease.ask(str(who), now_ns):
                granted.add(str(who))
        (winner,) = granted
        assert lease.holder(now_ns) == winner
        assert winner not in lease.strangers(now_ns)
        assert lease.epoch == 1


def test_the_lease_ends_within_a_second_of_silence_and_goes_to_who_asks_next() -> None:
    assert LEASE_NS <= 1_000 * MS
    lease, now_ns = Lease(), 10**12
    assert lease.ask("/a", now_ns)
    assert not lease.ask("/b", now_ns + LEASE_NS - 1)
    assert lease.holder(now_ns + LEASE_NS) is None
    assert lease.ask("/b", now_ns + LEASE_NS)
    assert not lease.ask("/a", now_ns + LEASE_NS + 1)


@pytest.mark.parametrize("name", ["op3", "ffw_sh5"])
def test_a_second_commander_holds_the_robot_is_named_and_moves_nothing(name: str) -> None:
    rig, lease = FaultRig(name), Lease()
    for _ in range(counted(5, 50)):
        rig.moving(20)
        assert lease.ask("/teleop", rig.clock.now_ns)
        assert not lease.ask("/rogue", rig.clock.now_ns)
        rig.loop.set_strangers(lease.strangers(rig.clock.now_ns))
        rig.swing(1)
        assert rig.loop.status.state is State.HOLD
        assert rig.loop.status.code is FaultCode.SECOND_COMMANDER
        assert "/rogue sends commands too" in rig.loop.status.reason
        assert "/rogue" in rig.ask_engage(), "not while the other is there"
        rig.pass_time(0.01)
        rig.swing(50)
        rig.loop.set_strangers(())
        rig.swing(50)
        assert rig.loop.status.state is State.HOLD, "it resumed by itself"
        rig.run(rig.robot.rate_hz, rig.home)
        rig.engage()
        rig.loop.request_release()
        rig.run(1)
    assert_invariants(rig)


def test_a_graph_is_not_heard_outside_of_its_machine_unless_somebody_wants_that(monkeypatch) -> None:
    for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert graph_environment()["FASTRTPS_DEFAULT_PROFILES_FILE"] == PROFILE
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    chosen = graph_environment()
    assert chosen["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SUBNET"
    assert chosen["FASTRTPS_DEFAULT_PROFILES_FILE"] == NETWORK_PROFILE


def test_a_second_driver_on_one_port_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    robot, path, stop = load_robot("op3"), tmp_path / "op3", threading.Event()
    server = threading.Thread(target=run_virtual_robot, args=(robot, path, False, lambda _: None, stop))
    server.start()
    code = (
        "import sys\nfrom drivers.port import SerialPort\n"
        "with SerialPort(sys.argv[1], 2000000):\n    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    wait_for_port(str(path), 10)
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(PortError, match=rf"(?s)in use by PID {first.pid} .*one bus has one driver"):
            SerialPort(str(path), robot.buses[0].baud)
    finally:
        first.communicate("")
        stop.set()
        server.join()


@pytest.mark.ros
@pytest.mark.slow
def test_two_publishers_on_one_command_topic_hold_the_robot_and_the_second_is_named() -> None:
    from live_graph import LiveGraph
    from std_msgs.msg import Header
    from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

    from graph.ros_node import qos_profile, to_msg_time

    robot = load_robot("op3")
    topic = command(robot.groups[0][0])
    with LiveGraph(robot, driver_processes(robot, "op3", GraphOptions())) as graph:
        node = graph.client.node
        publishers = {
            name: node.create_publisher(JointTrajectory, topic.name, qos_profile(topic.qos))
            for name in ("/first", "/second")
        }

        def send(name: str) -> None:
            header = Header(stamp=to_msg_time(graph.now_ns()), frame_id=name)
            point = JointTrajectoryPoint(positions=list(robot.home_rad))
            publishers[name].publish(
                JointTrajectory(header=header, joint_names=list(robot.joint_names), points=[point])
            )

        graph.until(graph.driver_is("READY"), 30, "ready")
        graph.until(lambda: send("/first") or graph.client.values("driver").get("commander") == "/first", 10, "lease")
        timer = node.create_timer(0.02, lambda: send("/first"))
        assert graph.client.call(SERVICE_ENGAGE, True)[0]
        graph.until(graph.driver_is("ENGAGED"), 5, "engaged")
        graph.until(lambda: send("/second") or graph.driver_is("HOLD")(), 5, "hold")
        values = graph.client.values("driver")
        node.destroy_timer(timer)
    assert values["code"] == "second_commander"
    assert "/second sends commands too" in values["reason"]
    assert values["commander"] == "/first"


# ---- SROS2: who may say what on a network that others are on, too -------------------------------------------

POLICY = Path(__file__).parents[2] / "config/sros2/policy.xml"
COMMANDERS = {"teleop", "replay"}


def allowed(kind: str, act: str) -> dict[str, set[str]]:
    """For every node the topics or services that it may publish, subscribe to, reply to or request."""
    found: dict[str, set[str]] = {}
    for profile in ElementTree.parse(POLICY).getroot().iter("profile"):
        names = {item.text or "" for block in profile.findall(kind) if block.get(act) == "ALLOW" for item in block}
        found[profile.get("node") or ""] = names
    return found


def test_the_policy_is_of_the_schema_that_sros2_reads() -> None:
    root = ElementTree.parse(POLICY).getroot()
    assert (root.tag, root.get("version")) == ("policy", "0.2.0")
    paths = [enclave.get("path") for enclave in root.iter("enclave")]
    nodes = allowed("topics", "publish")
    assert paths == [f"/humanoid_booth/{node}" for node in nodes]
    assert set(nodes) == {*("tracker", "teleop", "pedal", "page", "driver", "recorder", "replay", "booth_client")}
    for block in (*root.iter("topics"), *root.iter("services")):
        assert len(block) > 0
        assert set(block.attrib.values()) == {"ALLOW"}
        assert set(block.attrib) <= {"publish", "subscribe", "reply", "request"}


def test_only_teleop_and_replay_may_publish_on_any_robots_command_topics() -> None:
    topics = {topic for name in robot_names() for topic, _ in load_robot(name).groups}
    for node, names in allowed("topics", "publish").items():
        assert names & topics == (topics if node in COMMANDERS else set()), node
        assert not any("*" in name for name in names), "a wildcard could be a command topic"
    assert topics <= allowed("topics", "subscribe")["driver"]
    assert all({SERVICE_ENGAGE} <= allowed("services", "request")[node] for node in COMMANDERS)


def test_the_policy_knows_every_topic_and_service_of_the_graph_and_each_has_one_source() -> None:
    published, services = allowed("topics", "publish"), allowed("services", "reply")
    graph = {value.name for value in vars(graph_topics).values() if isinstance(value, Topic)}
    for topic in graph - {DIAGNOSTICS.name, PEDAL.name}:  # a pedal is whoever's
        assert sum(topic in names for names in published.values()) == 1, topic
    offered = {value for name, value in vars(graph_topics).items() if name.startswith("SERVICE_")}
    for service in offered:
        (source,) = (node for node, names in services.items() if service in names)
        assert source in ("driver", "recorder", "replay", "teleop")
    subscribed = set().union(*allowed("topics", "subscribe").values())
    assert subscribed <= set().union(*published.values()) | {PEDAL.name}
    assert {session_service(action) for action in ACTIONS} <= services["page"]
    requested = set().union(*allowed("services", "request").values())
    assert requested <= offered
