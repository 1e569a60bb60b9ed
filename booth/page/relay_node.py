# SPDX-License-Identifier: Apache-2.0
"""What the page shows of camera and joints: listens, counts, and hands on no more than an eye can use.

The name ends in ``_node`` because only such files may import rclpy.
"""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, JointState, PointCloud2
from trajectory_msgs.msg import JointTrajectory

from booth.page.camera_message import pack
from booth.page.hints import hint
from booth.page.quiet_node import QuietListener
from booth.page.rates import Rate
from graph import body_cloud, hands_cloud
from graph.ros_node import BoothNode, from_msg_time, qos_profile
from graph.topics import BODY, CAMERA, HANDS, JOINT_STATES, SENT
from robots import Robot
from teleop.hand_geometry import Side
from teleop.operator_clouds import body_of, hands_of
from teleop.operator_view import HandView

Array = NDArray[np.float64]

CAMERA_HZ = 30.0
DEEP = 64
"""Of joints and commands at 200 Hz, between two looks."""
KEPT = 8


class CameraRelay:
    """Pictures with the landmarks that were found in them, for as long as somebody looks.

    Args:
        node: for its clock and log.
        ears: what it listens with.
        show: takes a message for the browsers.
    """

    def __init__(self, node: BoothNode, ears: QuietListener, show: Callable[[bytes], None]) -> None:
        self._node, self._ears, self._show = node, ears, show
        self._hands: deque[tuple[int, Mapping[Side, HandView]]] = deque(maxlen=KEPT)
        self._body: Array | None = None
        self.aspect = 4 / 3
        self._subscription: Subscription | None = None
        self._picture: CompressedImage | None = None
        self.brightness: float | None = None
        self.camera, self.landmarks = Rate(CAMERA_HZ), Rate(CAMERA_HZ)
        ears.create_subscription(PointCloud2, HANDS.name, self._on_hands, qos_profile(HANDS.qos))
        ears.create_subscription(PointCloud2, BODY.name, self._on_body, qos_profile(BODY.qos))

    @property
    def looking(self) -> bool:
        """Whether pictures are listened to."""
        return self._subscription is not None

    @property
    def hands(self) -> dict[Side, Array]:
        """Side to (21, 2) image points of the newest frame."""
        return {side: hand.image for side, hand in self._hands[-1][1].items()} if self._hands else {}

    def look(self, wanted: bool) -> None:
        """Listen to pictures, or no longer: while nobody does, the tracker makes none."""
        if wanted and self._subscription is None:
            self.camera = Rate(CAMERA_HZ)
            profile = qos_profile(CAMERA.qos)
            self._subscription = self._ears.create_subscription(CompressedImage, CAMERA.name, self._on_picture, profile)
        elif not wanted and self._subscription is not None:
            self._ears.destroy_subscription(self._subscription)
            self._subscription = None

    def show_newest(self) -> None:
        """The newest picture, if one has come since the last call, to the browsers."""
        picture, self._picture = self._picture, None
        if picture is None:
            return
        stamp_ns = from_msg_time(picture.header.stamp)
        hands: Mapping[Side, HandView] = next((found for at_ns, found in self._hands if at_ns == stamp_ns), {})
        word = hint({side: hand.image for side, hand in hands.items()}, self.brightness, self.aspect)
        told = {"key": f"hint.{word}", "args": {}, "text": word} if word else None
        shown = {side: (hand.image, hand.score) for side, hand in hands.items()}
        self._show(pack(bytes(picture.data), shown, self._body, told))

    def _on_hands(self, message: PointCloud2) -> None:
        self.landmarks.add(self._node.graph_clock.monotonic_ns())
        try:
            cloud = hands_cloud.from_bytes(bytes(message.data))
        except ValueError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self.aspect = float(cloud["aspect"][0, 0])
        self._hands.append((from_msg_time(message.header.stamp), hands_of(cloud)))

    def _on_body(self, message: PointCloud2) -> None:
        try:
            body = body_of(body_cloud.from_bytes(bytes(message.data)), 0)
        except ValueError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        self._body = None if body is None else np.column_stack([body.image, body.visibility])

    def _on_picture(self, message: CompressedImage) -> None:
        self.camera.add(self._node.graph_clock.monotonic_ns())
        self._picture = message


class JointRelay:
    """Measured and commanded pose, decoded only when somebody asks for them.

    Args:
        node: for its clock.
        ears: what it listens with.
        robot: whose joints.
    """

    def __init__(self, node: BoothNode, ears: QuietListener, robot: Robot) -> None:
        self._node, self._names = node, robot.joint_names
        self._newest: dict[str, bytes] = {}
        self.rates = {"joints": Rate(float(robot.rate_hz)), "commands": Rate(float(robot.rate_hz))}
        for name, topic, kind in (("joints", JOINT_STATES, JointState), ("commands", SENT, JointTrajectory)):
            profile = qos_profile(topic.qos)
            profile.depth = DEEP
            ears.create_subscription(kind, topic.name, partial(self._keep, name), profile, raw=True)

    def measured_rad(self) -> Array | None:
        """(n,) NaN where a joint is not known; None before the first."""
        data = self._newest.get("joints")
        if data is None:
            return None
        message = deserialize_message(data, JointState)
        return self._ordered(dict(zip(message.name, message.position, strict=False)))

    def commanded_rad(self) -> Array | None:
        """(n,) what was sent to the servos last; None before the first."""
        data = self._newest.get("commands")
        if data is None:
            return None
        message = deserialize_message(data, JointTrajectory)
        return self._ordered(dict(zip(message.joint_names, message.points[0].positions, strict=False)))

    def _ordered(self, position: Mapping[str, float]) -> Array:
        return np.array([position.get(name, np.nan) for name in self._names])

    def _keep(self, name: str, data: bytes) -> None:
        self.rates[name].add(self._node.graph_clock.monotonic_ns())
        self._newest[name] = data
