# SPDX-License-Identifier: Apache-2.0
"""A robot and an operator for the recorder node's test: runs in a process of its own, because rclpy re-executes it.

Records one take through the services while it publishes at real rates, and waits until it is saved. Exit code 0 then.
With the argument ``unfinished`` it leaves while the take still runs. With ``marked`` it starts late, pauses, resumes
and marks, and has a raw camera and a skin. With ``labelled`` a session says who records what, the operator's sign
starts nothing, and the take is discarded and restored.
"""

import sys
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import String
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
        self.words = []
        self.create_subscription(String, topics.RECORDER_EVENT.name, lambda word: self.words.append(word.data), 20)
        self.start_ns = 0
        self.answer = ""

    def _on_state(self, status: DiagnosticStatus) -> None:
        self.state = status.message

    def wait(self, done) -> None:
        while not done():
            if time.monotonic() > self.deadline:
                sys.exit(f"timed out in state {self.state!r}")
            rclpy.spin_once(self, timeout_sec=0.001)

    def call(self, service: str) -> None:
        if not self.try_call(service):
            sys.exit(f"{service}: {self.answer}")

    def try_call(self, service: str) -> bool:
        client = self.create_client(Trigger, service)
        self.wait(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.wait(future.done)
        self.answer = future.result().message
        return future.result().success

    def refuses(self, word: str) -> bool:
        """Whether a start is refused in these words; one that is not is thrown away."""
        if self.try_call(topics.SERVICE_RECORD_START):
            self.call(topics.SERVICE_RECORD_DISCARD)
            return False
        return word in self.answer

    def play(self, begin_s: float = -1.0, end_s: float = 10.0) -> None:
        self.start_ns = self.start_ns or self.clock.now_ns()
        shift_ns = self.start_ns - T0
        for stamp_ns, name, data in self.messages:
            if not begin_s * 1e9 <= stamp_ns - T0 < end_s * 1e9:
                continue
            self.wait(lambda due=stamp_ns + shift_ns: self.clock.now_ns() >= due)
            publisher, topic = self.outlets[name]
            message = deserialize_message(data, message_class(topic.type))
            if hasattr(message, "header"):
                sec, nanosec = divmod(message.header.stamp.sec * 10**9 + message.header.stamp.nanosec + shift_ns, 10**9)
                message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
            publisher.publish(message)


def marked(graph: FakeGraph) -> None:
    """The start comes late; pause, resume, markers; images, a skin and an operator's answers all the time."""
    marker = graph.create_publisher(String, topics.RECORDER_MARKER.name, qos_profile(topics.RECORDER_MARKER.qos))
    camera, skin = (graph.create_publisher(kind, name, QoSProfile(depth=5)) for kind, name in RAW)
    graph.wait(lambda: all(outlet.get_subscription_count() for outlet in (marker, camera, skin)))
    for k, (begin_s, service) in enumerate(STEPS):
        camera.publish(Image(height=2, width=2, encoding="rgb8", step=6, data=bytes([40 * k] * 12)))
        skin.publish(String(data=f"touch {k}"))
        for answer in ("yes", "no"):
            graph.outlets[topics.TELEOP_EVENT.name][0].publish(String(data=answer))
        graph.play(begin_s, 0.25 * (k + 1))
        graph.call(service)
        marker.publish(String(data=f"after {service}"))
    graph.play(0.25 * len(STEPS))
    graph.wait(lambda: len(graph.words) >= 4)


def labelled(graph: FakeGraph) -> None:
    """Training, words that are no labels, then labels; a sign; a take by the service; discarded and back again."""
    said = graph.create_publisher(String, topics.SESSION_LABELS.name, qos_profile(topics.SESSION_LABELS.qos))
    graph.wait(said.get_subscription_count)
    said.publish(String(data='{"training": true}'))
    graph.wait(lambda: graph.refuses("training"))
    said.publish(String(data="no labels"))
    graph.wait(lambda: graph.refuses("training"))
    said.publish(String(data='{"operator": "ana", "task": "stack", "session": "s-1", "number": 3}'))
    graph.outlets[topics.TELEOP_EVENT.name][0].publish(String(data="record_start"))
    graph.play(-1.0, 0.2)
    graph.wait(lambda: graph.try_call(topics.SERVICE_RECORD_START))
    graph.play(0.2)
    graph.call(topics.SERVICE_RECORD_STOP)
    graph.wait(lambda: graph.state in ("SAVED", "FAILED"))
    graph.call(topics.SERVICE_RECORD_DISCARD)
    graph.wait(lambda: graph.state == "READY")
    graph.call(topics.SERVICE_RECORD_RESTORE)
    graph.wait(lambda: graph.state in ("SAVED", "FAILED"))


RAW = (Image, "/wrist/image_raw"), (String, "/skin")
STEPS = (
    (-1.0, topics.SERVICE_RECORD_START),
    (0.25, topics.SERVICE_RECORD_PAUSE),
    (0.5, topics.SERVICE_RECORD_RESUME),
    (0.75, topics.SERVICE_RECORD_MARK),
)


def main() -> None:
    rclpy.init()
    graph = FakeGraph()
    graph.wait(lambda: all(publisher.get_subscription_count() for publisher, _ in graph.outlets.values()))
    if sys.argv[1:] == ["marked"]:
        marked(graph)
        finish(graph)
    if sys.argv[1:] == ["labelled"]:
        labelled(graph)
        sys.exit(0 if graph.state == "SAVED" else f"restored, but {graph.state}")
    graph.call(topics.SERVICE_RECORD_START)
    graph.play()
    if sys.argv[1:] == ["unfinished"]:
        return
    finish(graph)


def finish(graph: FakeGraph) -> None:
    graph.call(topics.SERVICE_RECORD_STOP)
    graph.wait(lambda: graph.state in ("SAVED", "FAILED"))
    sys.exit(0 if graph.state == "SAVED" else "the take could not be saved")


if __name__ == "__main__":
    main()
