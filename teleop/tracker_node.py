# SPDX-License-Identifier: Apache-2.0
"""Tracker node: landmarks of hands and body out, from a camera's frames or from an operator far away; JPEG images of a
camera, too."""

from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CompressedImage, PointCloud2, PointField

from graph import hands_cloud
from graph.nodes import is_far
from graph.ros_node import WARN, BoothNode, from_msg_time, qos_profile, spin_node, state_values, to_msg_time
from graph.topics import (
    BODY,
    CAMERA,
    DRIVER_STATE,
    HANDS,
    PREVIEW,
    TELEOP_STATE,
    TRACKER_FACTS,
    TRACKER_STATE,
    Qos,
)
from teleop.camera import TOPIC_PREFIX, Frame, decode_jpeg, encode_jpeg, open_source
from teleop.hand_geometry import Side
from teleop.link_gate import Arrival
from teleop.link_source import LinkSource
from teleop.operator_source import OperatorSource
from teleop.operator_view import HandView

FRAME_ID = "operator_camera_optical_frame"
FACTS_EVERY_S = 10.0


class TrackerNode(BoothNode):
    """Publishes from the source's threads; the executor only answers ROS."""

    def __init__(self) -> None:
        super().__init__("tracker", TRACKER_STATE)
        self._source_name = self.declare(
            "source", "clip", "clip, camera number, /dev/video*, video file, topic:/name, tcp://HOST:PORT"
        )
        self._loop = self.declare("loop", False, "play a video file over and over")
        self._mirrored = self.declare("mirrored", False, "the camera delivers mirror images")
        self._quality = self.declare("jpeg_quality", 90, "JPEG quality of the published images, 1 to 100")
        self._with_body = self.declare("body", False, "look for the operator's body, too: for arms and head")
        self._body_every = self.declare("body_every", 2, "look for the body in one of so many frames")
        key = self.declare("link_key", "robot", "key pair of this end of the link, see `booth keys`")
        self._hands = self.create_publisher(PointCloud2, HANDS.name, qos_profile(HANDS.qos))
        self._body = self.create_publisher(PointCloud2, BODY.name, qos_profile(BODY.qos))
        self._camera = self.create_publisher(CompressedImage, CAMERA.name, qos_profile(CAMERA.qos))
        self._preview = self.create_publisher(CompressedImage, PREVIEW.name, qos_profile(PREVIEW.qos))
        self._source: OperatorSource = self._far(key) if is_far(self._source_name) else self._near()
        self._source.start()
        self.create_timer(0.1, self._report)
        self.tell_facts(TRACKER_FACTS, self._source.facts())
        self._report()

    def close(self) -> None:
        """Stop all threads and free camera, models or the link."""
        self._source.close()

    # --- an operator in front of this computer's camera --------------------------------------------------------

    def _near(self) -> OperatorSource:
        topic = self._source_name.startswith(TOPIC_PREFIX)
        source = None if topic else open_source(self._source_name, self._loop)  # is there one? Before the models load
        from teleop.tracker_camera import CameraOperator, CameraSettings  # only here: a far operator needs no models

        settings = CameraSettings(self._source_name, self._mirrored, self._with_body, self._body_every)
        camera = CameraOperator(settings, source, self._on_hands, self._on_body, self._has_listeners)
        if topic:
            self._from_topic(self._source_name.removeprefix(TOPIC_PREFIX), camera.offer)
        self._looker = camera
        return camera

    def _from_topic(self, name: str, offer) -> None:
        number = 0

        def receive(message: CompressedImage) -> None:
            nonlocal number
            image = decode_jpeg(bytes(message.data))
            if image is not None:
                stamp_ns = from_msg_time(message.header.stamp)
                unstamped = stamp_ns == 0
                now_ns = self.graph_clock.monotonic_ns()
                capture_ns = now_ns if unstamped else stamp_ns - self.graph_clock.offset_ns
                offer(Frame(number, capture_ns, image))
                number += 1

        self.create_subscription(CompressedImage, name, receive, qos_profile(Qos.SENSOR))

    def _has_listeners(self) -> bool:
        return self._hands.get_subscription_count() > 0

    def _on_hands(self, cloud: np.ndarray, frame: Frame, hands: Mapping[Side, HandView]) -> None:
        stamp = self._stamp(frame.capture_ns)
        self._hands.publish(_cloud_message(cloud, stamp))
        self._publish_images(frame.image_bgr, hands, stamp)

    def _on_body(self, cloud: np.ndarray, frame: Frame) -> None:
        self._body.publish(_cloud_message(cloud, self._stamp(frame.capture_ns)))

    def _publish_images(self, image: np.ndarray, hands: Mapping[Side, HandView], stamp: Time) -> None:
        from teleop.tracker_preview import draw

        for publisher, drawn in ((self._camera, False), (self._preview, True)):
            if publisher.get_subscription_count() == 0:
                continue
            message = CompressedImage(format="jpeg")
            message.header.stamp, message.header.frame_id = stamp, FRAME_ID
            message.data = encode_jpeg(draw(image, hands, self._looker.body) if drawn else image, self._quality)
            publisher.publish(message)

    # --- an operator far away ----------------------------------------------------------------------------------

    def _far(self, key: str) -> OperatorSource:
        link = LinkSource(self._source_name, key, self._on_arrival)
        states = {"driver": "", "reason": ""}

        def on_driver(status: DiagnosticStatus) -> None:
            states["driver"] = status.message
            link.tell(states["driver"], states["reason"])

        def on_teleop(status: DiagnosticStatus) -> None:
            states["reason"] = state_values(status).get("reason", "")
            link.tell(states["driver"] or status.message, states["reason"])

        self.create_subscription(DiagnosticStatus, DRIVER_STATE.name, on_driver, qos_profile(DRIVER_STATE.qos))
        self.create_subscription(DiagnosticStatus, TELEOP_STATE.name, on_teleop, qos_profile(TELEOP_STATE.qos))
        self.create_timer(FACTS_EVERY_S, lambda: self.tell_facts(TRACKER_FACTS, self._source.facts()))
        self.get_logger().info(f"waiting for an operator at {self._source_name}")
        return link

    def _on_arrival(self, arrival: Arrival) -> None:
        publisher = self._hands if arrival.hands else self._body
        publisher.publish(_cloud_message(arrival.cloud, self._stamp(arrival.capture_ns)))

    # --- both --------------------------------------------------------------------------------------------------

    def _stamp(self, capture_ns: int) -> Time:
        return to_msg_time(capture_ns + self.graph_clock.offset_ns)

    def _report(self) -> None:
        state = self._source.state()
        level = WARN if state.reason or state.values.get("warning") else 0
        values = {"reason": state.reason, "source": self._source_name, **state.values, "code": state.code}
        self.set_state(state.message, level, **values)


def _cloud_message(cloud: np.ndarray, stamp: Time) -> PointCloud2:
    message = PointCloud2(height=cloud.shape[0], width=cloud.shape[1], is_bigendian=False, is_dense=False)
    message.header.stamp, message.header.frame_id = stamp, FRAME_ID
    message.fields = [
        PointField(name=field.name, offset=field.offset, datatype=field.datatype, count=1)
        for field in hands_cloud.FIELDS
    ]
    message.point_step = cloud.dtype.itemsize
    message.row_step = cloud.dtype.itemsize * cloud.shape[1]
    message.data = cloud.tobytes()
    return message


def main() -> None:
    """Entry point of the tracker process."""
    spin_node(TrackerNode)


if __name__ == "__main__":
    main()
