# SPDX-License-Identifier: Apache-2.0
"""What else is to be recorded: cameras and topics as they are written on a command line."""

from collections.abc import Collection
from dataclasses import dataclass

from graph.topics import CAMERA, Qos, Topic
from recorder.errors import TakeError
from recorder.messages import definition
from recorder.metadata import parse_cameras

RAW = "raw:"
IMAGE_TYPE = "sensor_msgs/msg/Image"
COMPRESSED_SUFFIX = "/compressed"


@dataclass(frozen=True, slots=True)
class Cameras:
    """Extra cameras.

    Attributes:
        topics: dataset name to the topic of JPEGs in the take.
        raw: topic of raw images to the topic of JPEGs that the recorder makes of them.
    """

    topics: dict[str, str]
    raw: dict[str, str]


def parse_camera_inputs(items: list[str]) -> Cameras:
    """Cameras from ``name=/topic`` (JPEG) and ``name=raw:/topic`` (sensor_msgs/Image, made JPEG here) items.

    Raises:
        TakeError: an item of another form, or a name or topic used twice.
    """
    raw: dict[str, str] = {}
    plain = []
    for item in filter(None, items):
        name, separator, topic = item.partition("=")
        if topic.startswith(RAW):
            origin, topic = topic.removeprefix(RAW), topic.removeprefix(RAW) + COMPRESSED_SUFFIX
            if origin in raw:
                raise TakeError(f"raw topic {origin} is used by two cameras: give it one name")
            raw[origin] = topic
        plain.append(f"{name}{separator}{topic}")
    cameras = parse_cameras(plain)
    if len(set(cameras.values())) < len(cameras) or CAMERA.name in cameras.values():
        raise TakeError(f"two cameras have one topic: expected a topic for each, found {', '.join(cameras.values())}")
    return Cameras(cameras, raw)


def parse_topics(items: list[str], taken: Collection[str] = ()) -> dict[str, Topic]:
    """Further topics from ``name=/topic:package/msg/Type`` items; they go into the take as they are.

    Args:
        items: as written. taken: names of topics that are recorded anyway.

    Raises:
        TakeError: an item of another form, an unknown type, or a name or topic used twice.
    """
    topics: dict[str, Topic] = {}
    for item in filter(None, items):
        name, _, rest = item.partition("=")
        topic, _, ros_type = rest.partition(":")
        if not name.isidentifier() or not topic.startswith("/") or "/msg/" not in ros_type:
            raise TakeError(
                "a topic is written name=/topic:package/msg/Type (such as"
                f" touch=/skin:std_msgs/msg/Float32MultiArray), found {item!r}"
            )
        if name in topics or topic in taken or topic in {other.name for other in topics.values()}:
            raise TakeError(f"topic {item!r}: its name is used already, or {topic} is recorded anyway; leave it out")
        definition(ros_type)
        topics[name] = Topic(topic, ros_type, Qos.SENSOR)
    return topics
