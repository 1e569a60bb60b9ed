# SPDX-License-Identifier: Apache-2.0
"""The driver process as it really runs: a ROS node on a virtual FFW-SH5, 57 joints following a sine at 200 Hz."""

import math
import os
import time
from pathlib import Path

import numpy as np
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from booth.client_node import GraphClient
from booth.output import say
from booth.supervisor import StopRequest, Supervisor, choose_domain, graph_environment
from graph.errors import BoothError
from graph.nodes import GraphOptions, driver_processes
from graph.ros_node import qos_profile, to_msg_time
from graph.stamps import graph_clock
from graph.topics import JOINT_STATES, SERVICE_ENGAGE, command
from robots import Robot, load_robot
from robots.robot import by_topic

ROBOT = "ffw_sh5"
START_S = 60.0
ENGAGE_TRIES = 5
COMMAND_HZ, SINE_HZ, SINE_SHARE = 30.0, 0.25, 0.15
"""Commands come as often as camera frames; every joint swings from home by this share of its range."""


class Follower:
    """Sends a sine to every command topic of a robot, and counts what comes back."""

    def __init__(self, robot: Robot, client: GraphClient) -> None:
        self.robot, self._client = robot, client
        self._clock = graph_clock()
        lower = np.array([joint.min_rad for joint in robot.joints])
        upper = np.array([joint.max_rad for joint in robot.joints])
        self._home = np.array(robot.home_rad)
        swing = np.minimum(SINE_SHARE * (upper - lower), 0.25 * np.array(robot.velocity_rad_s) / (math.pi * SINE_HZ))
        self._swing = np.where(self._home > (lower + upper) / 2.0, -swing, swing)
        self._publishers = {
            topic: client.node.create_publisher(JointTrajectory, topic, qos_profile(command(topic).qos))
            for topic, _ in robot.groups
        }
        self._phase = 0.0
        self.states: list[tuple[int, np.ndarray]] = []
        self.targets: list[tuple[int, np.ndarray]] = []
        client.subscribe(JOINT_STATES, JointState, self._on_joints)

    def send(self) -> None:
        """One command on every topic."""
        target = self._home + self._swing * (1.0 - math.cos(self._phase)) / 2.0
        now_ns = self._clock.monotonic_ns()
        self.targets.append((now_ns, target))
        for topic, names, positions in by_topic(self.robot, target):
            message = JointTrajectory(joint_names=list(names))
            message.header.stamp = to_msg_time(now_ns + self._clock.offset_ns)
            message.header.frame_id = f"sine-{os.getpid()}"
            message.points = [JointTrajectoryPoint(positions=list(positions))]
            self._publishers[topic].publish(message)

    def follow(self, seconds: float, still: bool = False) -> None:
        """Send at the rate of a camera for some time; ``still``: always the pose that was sent last."""
        until, before = time.monotonic() + seconds, time.monotonic()
        while (now := time.monotonic()) < until:
            if not still:
                self._phase += 2.0 * math.pi * SINE_HZ * (now - before)
            before = now
            self.send()
            self._client.spin(1.0 / COMMAND_HZ)

    def _on_joints(self, message: JointState) -> None:
        if len(message.position) == len(self.robot.joints):
            stamp_ns = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
            self.states.append((stamp_ns - self._clock.offset_ns, np.array(message.position)))


def cpu_percent(seconds: float) -> dict[str, object]:
    """Run the driver node alone with a virtual robot, engage, follow, and read its processor time.

    Raises:
        BoothError: the driver did not start or refused to engage.
    """
    robot = load_robot(ROBOT)
    domain = choose_domain()
    processes = driver_processes(robot, ROBOT, GraphOptions(driver="virtual"))
    supervisor = Supervisor(processes, graph_environment(domain), say)
    with StopRequest() as stopping, GraphClient(domain, "booth_bus_bench") as client:
        follower = Follower(robot, client)
        supervisor.start()
        try:
            _wait_ready(client, supervisor, stopping)
            _engage(follower, client)
            follower.follow(4.0)
            return _watch(follower, client, supervisor.pid("driver"), seconds)
        finally:
            supervisor.stop()


def _engage(follower: Follower, client: GraphClient) -> None:
    """Ask a few times: while one call waits for its service nobody sends commands."""
    for _ in range(ENGAGE_TRIES):
        follower.follow(0.3, still=True)
        done, why = client.call(SERVICE_ENGAGE, True)
        if done:
            return
    raise BoothError(f"engage refused: {why}")


def _watch(follower: Follower, client: GraphClient, pid: int | None, seconds: float) -> dict[str, object]:
    follower.states.clear()
    before_s, began = _processor_s(pid), time.monotonic()
    follower.follow(seconds)
    elapsed_s = time.monotonic() - began
    spent_s = _processor_s(pid) - before_s
    values = client.values("driver")
    return {
        "robot": ROBOT,
        "joints": len(follower.robot.joints),
        "state": client.state("driver"),
        "cpu_percent": 100.0 * spent_s / elapsed_s,
        "rate_hz": float(values.get("loop_rate_hz", "nan")),
        "period_p50_ms": float(values.get("loop_period_p50_ms", "nan")),
        "period_p99_ms": float(values.get("loop_period_p99_ms", "nan")),
        "joint_states_hz": len(follower.states) / elapsed_s,
    }


def _wait_ready(client: GraphClient, supervisor: Supervisor, stopping: StopRequest) -> None:
    deadline = time.monotonic() + START_S
    while client.state("driver") != "READY":
        outcome = supervisor.poll()
        if outcome is not None or stopping() or time.monotonic() > deadline:
            raise BoothError(f"the driver did not get ready: {outcome or client.values('driver').get('reason', '')}")
        client.spin(0.1)


def _processor_s(pid: int | None) -> float:
    """User and system time of a process, all threads."""
    if pid is None:
        raise BoothError("the driver is gone")
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
