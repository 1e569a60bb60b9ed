# SPDX-License-Identifier: Apache-2.0
"""A humanoid and its operator as a recorder hears them, without either of them."""

import io
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from PIL import Image
from rclpy.serialization import serialize_message
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, JointState, PointCloud2, PointField
from trajectory_msgs.msg import JointTrajectory

from graph import hands_cloud
from graph.ros_node import qos_profile
from graph.stamps import graph_clock, split
from graph.topics import CAMERA, DRIVER_STATE, HANDS, JOINT_STATES, SENT, Qos, Topic, command
from recorder.messages import typestore
from robots import Robot, load_robot
from robots.robot import by_topic

ROBOT = "ffw_sh5"
CAMERAS = {f"cam_{name}": f"/bench/{name}/compressed" for name in ("left", "right", "chest")}
"""Three more than the operator's."""

JOINTS_HZ, FRAMES_HZ = 200.0, 30.0
WIDTH, HEIGHT, QUALITY, PICTURES = 640, 480, 90, 30
STAMP = struct.Struct("<iI")
STAMP_AT = 4
"""Behind the encapsulation header of a message that begins with a std_msgs/Header."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One topic: its messages are sent in turn with a fresh stamp, the first after this share of a period."""

    topic: Topic
    hz: float
    messages: tuple[bytes, ...]
    phase: float = 0.0


def pictures() -> list[bytes]:
    """Different JPEGs of a plausible size."""
    random = np.random.default_rng(5)
    made = []
    for _ in range(PICTURES):
        coarse = random.integers(0, 255, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
        pixels = np.asarray(Image.fromarray(coarse).resize((WIDTH, HEIGHT)), np.int16)
        noisy = np.clip(pixels + random.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(noisy).save(file, "JPEG", quality=QUALITY)
        made.append(file.getvalue())
    return made


def sounds(robot: Robot) -> list[Sound]:
    """Everything that a whole humanoid says while it is driven."""
    home = list(robot.home_rad)
    names = list(robot.joint_names)
    zero = [0.0] * len(names)
    state = JointState(name=names, position=home, velocity=zero, effort=zero)
    heard = [
        Sound(JOINT_STATES, JOINTS_HZ, (serialize_message(state),)),
        Sound(SENT, JOINTS_HZ, (_trajectory(names, home),)),
        Sound(HANDS, FRAMES_HZ, (_hands(),)),
    ]
    for topic, joints, values in by_topic(robot, np.array(home)):
        heard.append(Sound(command(topic), FRAMES_HZ, (_trajectory(list(joints), list(values)),)))
    images = tuple(serialize_message(CompressedImage(format="jpeg", data=data)) for data in pictures())
    cameras = [CAMERA, *(Topic(name, CAMERA.type, CAMERA.qos) for name in CAMERAS.values())]
    return heard + [Sound(topic, FRAMES_HZ, images, k / len(cameras)) for k, topic in enumerate(cameras)]


def _trajectory(names: list[str], values: list[float]) -> bytes:
    """Serialized without ROS, whose ``serialize_message`` may add bytes at the end."""
    types, none = typestore().types, np.zeros(0)
    header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](0, 0), "")
    at_once = types["builtin_interfaces/msg/Duration"](0, 0)
    point = types["trajectory_msgs/msg/JointTrajectoryPoint"](np.array(values), none, none, none, at_once)
    return bytes(typestore().serialize_cdr(types[SENT.type](header, names, [point]), SENT.type))


def _hands() -> bytes:
    cloud = hands_cloud.empty()
    for name in ("x", "y", "z", "u", "v", "score"):
        cloud[name] = 0.9
    fields = [
        PointField(name=item.name, offset=item.offset, datatype=item.datatype, count=1) for item in hands_cloud.FIELDS
    ]
    message = PointCloud2(height=2, width=21, fields=fields, point_step=cloud.itemsize, row_step=cloud.itemsize * 21)
    message.data = cloud.tobytes()
    return bytes(serialize_message(message))


def schedule(heard: list[Sound]) -> Iterator[tuple[float, int, Sound]]:
    """(seconds after the start, number, what) of everything that is sent, for ever, in order."""
    numbers = [0] * len(heard)
    while True:
        due, which = min(
            ((number + sound.phase) / sound.hz, k) for k, (number, sound) in enumerate(zip(numbers, heard, strict=True))
        )
        yield due, numbers[which], heard[which]
        numbers[which] += 1


def main() -> None:
    """Send until the process is told to end."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("bench_graph")
    robot = load_robot(ROBOT)
    outlets: dict[str, Any] = {}

    def outlet(topic: Topic, kind: Any) -> Any:
        profile = qos_profile(topic.qos)
        profile.depth = profile.depth if topic.qos is Qos.STATE else max(50, profile.depth)
        return outlets.setdefault(topic.name, node.create_publisher(kind, topic.name, profile))

    heard = sounds(robot)
    kinds = {JOINT_STATES.type: JointState, SENT.type: JointTrajectory, HANDS.type: PointCloud2}
    for sound in heard:
        outlet(sound.topic, kinds.get(sound.topic.type, CompressedImage))
    outlet(DRIVER_STATE, DiagnosticStatus).publish(DiagnosticStatus(message="ENGAGED"))
    clock = graph_clock()
    start = time.monotonic()
    try:
        for due, number, sound in schedule(heard):
            wait = start + due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            data = bytearray(sound.messages[number % len(sound.messages)])
            STAMP.pack_into(data, STAMP_AT, *split(clock.now_ns()))
            outlets[sound.topic.name].publish(bytes(data))
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
