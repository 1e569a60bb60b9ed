# SPDX-License-Identifier: Apache-2.0
"""Recorder node: every message of the graph, as it came over the wire, into takes; services to start and stop them."""

import os
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from std_msgs.msg import String
from std_srvs.srv import Trigger

from graph.middleware import buffer_shortage
from graph.ros_node import ERROR, OK, WARN, BoothNode, Unwaited, qos_profile, spin_node, waiting_messages
from graph.topics import (
    DRIVER_STATE,
    RECORDER_EVENT,
    RECORDER_MARKER,
    RECORDER_STATE,
    SERVICE_RECORD_DISCARD,
    SERVICE_RECORD_MARK,
    SERVICE_RECORD_PAUSE,
    SERVICE_RECORD_RESTORE,
    SERVICE_RECORD_RESUME,
    SERVICE_RECORD_START,
    SERVICE_RECORD_STOP,
    SESSION_LABELS,
    TELEOP_EVENT,
    TELEOP_STATE,
    Topic,
)
from recorder.errors import RecorderError, TakeError
from recorder.inputs import parse_camera_inputs, parse_topics
from recorder.labels import parse_labels
from recorder.metadata import recorded_topics
from recorder.session import RecordingSession, Settings
from robots.robot import load_robot

DEPTH = 200
"""Deeper than the publishers' queues: a pause of this process must not cost messages."""

REPORT_S, NEWS_S = 0.2, 0.05
LATE_NS = 1_000_000_000
"""A message whose arrival seems to be longer ago arrived before somebody set the clock."""

RECORD_ON = ("manual", "engage", "start")
SHUTDOWN_S = 3.0
NICENESS = 5
"""Nothing that moves waits for this process: its subscriptions are deep."""


class RecorderNode(BoothNode):
    """Shell around RecordingSession. It looks at all that it hears 200 times a second, as the bus asks its servos."""

    wait_s = 0.005

    def __init__(self) -> None:
        super().__init__("recorder", RECORDER_STATE)
        os.nice(NICENESS)
        self._record_on = self._declared_record_on()
        self._gestures = self.declare("gestures", True, "whether the operator's signs start and stop takes")
        self._events = self.create_publisher(String, RECORDER_EVENT.name, qos_profile(RECORDER_EVENT.qos))
        self._session = RecordingSession(self._declared_settings(), self.graph_clock, self._tell)
        self._waits_for_engage = self._record_on == "engage"
        self._unwaited = Unwaited()
        self._heard = [(topic.name, self._subscribe(topic)) for topic in self._session.sources]
        self.create_subscription(String, SESSION_LABELS.name, self._on_labels, qos_profile(SESSION_LABELS.qos))
        for service, act in (
            (SERVICE_RECORD_START, self._session.start),
            (SERVICE_RECORD_STOP, partial(self._session.stop, "stopped")),
            (SERVICE_RECORD_DISCARD, self._session.discard),
            (SERVICE_RECORD_RESTORE, self._session.restore),
            (SERVICE_RECORD_PAUSE, partial(self._session.set_paused, True)),
            (SERVICE_RECORD_RESUME, partial(self._session.set_paused, False)),
            (SERVICE_RECORD_MARK, self._session.mark),
        ):
            self.create_service(Trigger, service, partial(self._answer, act))
        self.create_timer(REPORT_S, self._report)
        self.create_timer(NEWS_S, self._report_news)
        if shortage := buffer_shortage():
            self.get_logger().warning(shortage)
        if self._record_on == "start":
            self._session.start()
        self._report()

    def _declared_record_on(self) -> str:
        value = self.declare("record_on", "manual", "when a take starts: manual, engage or start")
        if value not in RECORD_ON:
            raise TakeError(f"record_on should be one of {', '.join(RECORD_ON)}, found {value!r}")
        return value

    def _declared_settings(self) -> Settings:
        robot = self.declare("robot", "hx5_d20_right", "robot name or YAML file")
        wanted = self.declare("cameras", [""], "more cameras, name=/topic each; name=raw:/topic for sensor_msgs/Image")
        cameras = parse_camera_inputs(list(wanted))
        topics = list(self.declare("topics", [""], "more topics, name=/topic:package/msg/Type each"))
        known = (*recorded_topics(load_robot(robot), cameras.topics), RECORDER_EVENT, RECORDER_MARKER)
        return Settings(
            robot=robot,
            directory=Path(self.declare("directory", "episodes", "where takes and episodes go")),
            rate_hz=float(self.declare("rate_hz", 30.0, "rows per second")),
            task=self.declare("task", "", "what is demonstrated"),
            operator=self.declare("operator", "", "who demonstrates"),
            booth=self.declare("booth", "", "where"),
            virtual=self.declare("virtual", False, "whether the servos are simulated"),
            cameras=cameras.topics,
            raw=cameras.raw,
            topics=parse_topics(topics, [*cameras.raw, *(topic.name for topic in known)]),
            preroll_s=float(self.declare("preroll_s", 0.0, "so much of what came before the start, s, at most 30")),
            jpeg_quality=self.declare("jpeg_quality", 90, "of JPEGs made of raw images, 1 to 100"),
        )

    def look(self) -> None:
        """Take in what has arrived."""
        for topic, subscription in self._heard:
            for data, info in waiting_messages(subscription, DEPTH):
                self._on_message(topic, data, info)

    def _subscribe(self, topic: Topic) -> Subscription:
        profile = qos_profile(topic.qos)
        profile.depth = max(DEPTH, profile.depth)
        kind, group = message_class(topic.type), self._unwaited
        return self.create_subscription(kind, topic.name, _unused, profile, raw=True, callback_group=group)

    def _on_message(self, topic: str, data: bytes, info: dict[str, Any]) -> None:
        """``info`` has wall times of publishing and arrival, and the publisher's number of the message; graph time is
        wall time less the drift."""
        now_ns, drift_ns = self.graph_clock.now_ns(), self.graph_clock.drift_ns()
        arrived_ns = info["received_timestamp"] - drift_ns
        receive_ns = arrived_ns if 0 <= now_ns - arrived_ns <= LATE_NS else now_ns
        sent_ns = info["source_timestamp"] - drift_ns
        publish_ns = min(sent_ns, receive_ns) if info["source_timestamp"] > 0 else receive_ns
        self._session.message(topic, data, publish_ns, info["publication_sequence_number"] or 0, receive_ns)
        if topic == TELEOP_EVENT.name and self._gestures:
            self._on_event(deserialize_message(data, String).data)
        elif self._waits_for_engage and topic in (DRIVER_STATE.name, TELEOP_STATE.name):
            self._on_state(deserialize_message(data, message_class(DRIVER_STATE.type)).message)

    def _on_labels(self, message: String) -> None:
        try:
            self._session.label(parse_labels(message.data))
        except TakeError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=5.0)

    def _on_event(self, event: str) -> None:
        if event == "record_start" and not self._session.recording:
            self._try(self._session.start)
        elif event == "record_stop" and self._session.recording:
            self._try(partial(self._session.stop, "record_stop gesture"))

    def _on_state(self, state: str) -> None:
        if state == "ENGAGED":
            self._waits_for_engage = False
            if not self._session.recording:
                self._try(self._session.start)

    def _answer(self, act: Callable[[], str], _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.look()  # what arrived before is heard before
        response.success, response.message = self._try(act)
        return response

    def _tell(self, text: str) -> None:
        self._events.publish(String(data=text))

    def _try(self, act: Callable[[], str]) -> tuple[bool, str]:
        """Do what was asked; (True, take's name) or (False, reason)."""
        try:
            name = act()
        except RecorderError as error:
            self.get_logger().error(str(error))
            return False, str(error)
        self._report()
        return True, name

    def _report_news(self) -> None:
        """Nobody waits a fifth of a second more for an episode that is there."""
        if self._session.has_news:
            self._report()

    def _report(self) -> None:
        state = self._session.poll()
        level = ERROR if state.message == "FAILED" else WARN if state.warning else OK
        self.set_state(state.message, level, **state.values())

    def close(self) -> None:
        """Close the running take and give its episode three seconds; after that recovery makes it."""
        self._session.close(SHUTDOWN_S)
        self._report()


def message_class(ros_type: str) -> Any:
    """The Python class of ``package/msg/Type``.

    Raises:
        TakeError: its package is not installed.
    """
    package, _, name = ros_type.partition("/msg/")
    try:
        return getattr(import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise TakeError(f"to record {ros_type}, install the ROS package {package} ({error})") from error


def _unused(_: object) -> None:
    """The callback of a subscription that the node looks at itself."""


def main() -> None:
    """Entry point of the recorder process."""
    spin_node(RecorderNode)


if __name__ == "__main__":
    main()
