# SPDX-License-Identifier: Apache-2.0
"""A robot and an operator for the recorder node's test: runs in a process of its own, because rclpy re-executes it.

Records one take through the services while it publishes at real rates, and waits until it is saved. Exit code 0 then.
With the argument ``unfinished`` it leaves while the take still runs.
"""

import sys
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from std_srvs.srv import Trigger
from takes import T0, Script, script_messages

from graph import topics
from graph.ros_node import qos_profile
from graph.stamps import graph_clock
from recorder.recorder_node import message_class

DEADLINE_S = 60.0


class FakeGraph(Node):
    """Publishes a script against the clock, then stops the take."""

    def __init__(self) -> None:
        super().__init__("fake_graph")
        self.clock = graph_clock()
        self.state = ""
        fixed = (topics.JOINT_STATES, topics.SENT, topics.HANDS, topics.CAMERA, topics.TELEOP_EVENT)
        known = {topic.name: topic for topic in (*fixed, topics.DRIVER_STATE, topics.TELEOP_STATE, topics.DIAGNOSTICS)}
        self.messages = script_messages(Script(seconds=1.5))
        self.outlets = {}
        for name in {topic for _, topic, _ in self.messages}:
            topic = known.get(name) or topics.command(name)
            self.outlets[name] = self.create_publisher(message_class(topic.type), name, qos_profile(topic.qos)), topic
        self.create_subscription(
            DiagnosticStatus, topics.RECORDER_STATE.name, self._on_state, qos_profile(topics.RECORDER_STATE.qos)
        )
        self.deadline = time.monotonic() + DEADLINE_S

    def _on_state(self, status: DiagnosticStatus) -> None:
        self.state = status.message

    def wait(self, done) -> None:
        while not done():
            if time.monotonic() > self.deadline:
                sys.exit(f"timed out in state {self.state!r}")
            rclpy.spin_once(self, timeout_sec=0.001)

    def call(self, service: str) -> None:
        client = self.create_client(Trigger, service)
        self.wait(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.wait(future.done)
        if not future.result().success:
            sys.exit(f"{service}: {future.result().message}")

    def play(self) -> None:
        start_ns = self.clock.now_ns()
        shift_ns = start_ns - T0
        for stamp_ns, name, data in self.messages:
            self.wait(lambda due=stamp_ns + shift_ns: self.clock.now_ns() >= due)
            publisher, topic = self.outlets[name]
            message = deserialize_message(data, message_class(topic.type))
            if hasattr(message, "header"):
                sec, nanosec = divmod(message.header.stamp.sec * 10**9 + message.header.stamp.nanosec + shift_ns, 10**9)
                message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
            publisher.publish(message)


def main() -> None:
    rclpy.init()
    graph = FakeGraph()
    graph.wait(lambda: all(publisher.get_subscription_count() for publisher, _ in graph.outlets.values()))
    graph.call(topics.SERVICE_RECORD_START)
    graph.play()
    if sys.argv[1:] == ["unfinished"]:
        return
    graph.call(topics.SERVICE_RECORD_STOP)
    graph.wait(lambda: graph.state in ("SAVED", "FAILED"))
    sys.exit(0 if graph.state == "SAVED" else "the take could not be saved")


if __name__ == "__main__":
    main()
