# SPDX-License-Identifier: Apache-2.0
"""A real graph in real processes, with a client that remembers what went over the topics."""

import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from booth.client_node import GraphClient
from booth.supervisor import Outcome, Supervisor, graph_environment
from graph.nodes import ProcessSpec
from graph.ros_node import from_msg_time
from graph.stamps import ENV_OFFSET
from graph.topics import DIAGNOSTICS, JOINT_STATES, command
from robots import Robot


class LiveGraph:
    """Context manager around a supervised graph."""

    def __init__(self, robot: Robot, specs: Sequence[ProcessSpec]) -> None:
        domain = int(os.environ["ROS_DOMAIN_ID"])
        self.robot = robot
        self.log: list[str] = []
        environ = graph_environment(domain)
        self.offset_ns = int(environ[ENV_OFFSET])
        self.supervisor = Supervisor(specs, environ, self.log.append)
        self.client = GraphClient(domain, "live_graph_test")
        self.joint_states: list[tuple[int, np.ndarray, np.ndarray]] = []
        self.commands: list[JointTrajectory] = []
        self.diagnostics: list[tuple[str, str, str]] = []
        self.client.subscribe(JOINT_STATES, JointState, self._on_joints)
        for topic, _ in robot.groups:
            self.client.subscribe(command(topic), JointTrajectory, self.commands.append)
        self.client.subscribe(DIAGNOSTICS, DiagnosticArray, self._on_diagnostics)

    def __enter__(self) -> "LiveGraph":
        self.supervisor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.supervisor.stop()
        self.client.__exit__(kind, error, trace)

    def now_ns(self) -> int:
        """Graph time."""
        return time.monotonic_ns() + self.offset_ns

    def spin(self, seconds: float) -> Outcome | None:
        """Look after the graph for a while."""
        self.client.spin(seconds)
        return self.supervisor.poll()

    def until(self, condition: Callable[[], object], timeout_s: float, what: str) -> None:
        """Wait for something, failing with the graph's log."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            outcome = self.spin(0.02)
            log = "\n".join(self.log[-40:])
            assert outcome is None, f"{outcome}\n{log}"
            assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s\n{log}"

    def driver_is(self, state: str) -> Callable[[], bool]:
        """A condition on the driver's safety state."""
        return lambda: self.client.state("driver") == state

    def _on_joints(self, message: JointState) -> None:
        stamp = from_msg_time(message.header.stamp)
        self.joint_states.append((stamp, np.array(message.position), np.array(message.velocity)))

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            reason = next((item.value for item in status.values if item.key == "reason"), "")
            self.diagnostics.append((status.hardware_id, status.message, reason))
