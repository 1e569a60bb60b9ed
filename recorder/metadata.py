# SPDX-License-Identifier: Apache-2.0
"""What a take says about itself: everything an episode needs, so that recovery asks nobody."""

import json
import os
import platform as machine
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from graph.topics import (
    BODY,
    CAMERA,
    DIAGNOSTICS,
    DRIVER_FACTS,
    DRIVER_STATE,
    HANDS,
    JOINT_STATES,
    SENT,
    TELEOP_EVENT,
    TELEOP_FACTS,
    TELEOP_STATE,
    TRACKER_FACTS,
    Topic,
    command,
)
from recorder.errors import TakeError
from robots.robot import Robot, load_robot, parse_robot

OPERATOR_CAMERA = "cam_operator"
FACTS = {"driver": DRIVER_FACTS, "tracker": TRACKER_FACTS, "teleop": TELEOP_FACTS}
"""Who tells what about its device and settings."""


@dataclass(frozen=True, slots=True)
class TakeMetadata:
    """Facts known when a take starts.

    Attributes:
        episode_id: UUIDv7 as text; the episode gets the same.
        robot: name of the robot.
        robot_yaml: its description, verbatim.
        rate_hz: rows per second of the episode.
        virtual: whether the servos were simulated.
        cameras: extra cameras, dataset name (``cam_…``) to topic.
        wall_offset_ns: graph time minus CLOCK_MONOTONIC.
        started_ns: graph time of the start.
        session: id of the session that it belongs to; empty: none.
        episode_number: of the episode in the session, from 1; 0: none.
        created: wall time of the start, ISO 8601.
        platform: what the recorder ran on: ROS distribution, middleware, Python, machine.
    """

    episode_id: str
    robot: str
    robot_yaml: str
    wall_offset_ns: int
    started_ns: int
    created: str
    rate_hz: float = 30.0
    task: str = ""
    operator: str = ""
    booth: str = ""
    virtual: bool = False
    cameras: Mapping[str, str] = field(default_factory=dict)
    software_version: str = "unknown"
    platform: Mapping[str, str] = field(default_factory=dict)
    session: str = ""
    episode_number: int = 0

    def __post_init__(self) -> None:
        if not 1.0 <= self.rate_hz <= 1000.0:
            raise TakeError(f"rate_hz should lie in 1 … 1000, found {self.rate_hz}")

    def to_strings(self) -> dict[str, str]:
        """As an MCAP metadata record: every value JSON."""
        return {name: json.dumps(value) for name, value in asdict(self).items()}

    @classmethod
    def from_strings(cls, values: Mapping[str, str]) -> "TakeMetadata":
        """Inverse of ``to_strings``; unknown keys are ignored.

        Raises:
            TakeError: a key is missing or malformed.
        """
        known = {item.name for item in fields(cls)}
        try:
            return cls(**{name: json.loads(text) for name, text in values.items() if name in known})
        except (TypeError, ValueError) as error:
            raise TakeError(f"the take's metadata is unusable ({error}): was it made by booth record?") from error

    def description(self) -> Robot:
        """The robot as it was described when the take was made."""
        return recorded_robot(self.robot_yaml)

    @property
    def robot_sha256(self) -> str:
        """SHA-256 of the robot's description, hexadecimal."""
        return sha256(self.robot_yaml.encode()).hexdigest()

    def camera_topics(self) -> dict[str, str]:
        """Dataset name to topic of every camera, the operator's first."""
        return {OPERATOR_CAMERA: CAMERA.name, **self.cameras}


def software_version() -> str:
    """Version of the installed package, or ``unknown`` in a bare checkout."""
    return _installed("humanoid_booth") or "unknown"


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def platform_facts() -> dict[str, str]:
    """What this process runs on."""
    return {
        "ros_distro": os.environ.get("ROS_DISTRO", ""),
        "rclpy": _installed("rclpy") or _installed("ros-rclpy"),
        "rmw": os.environ.get("RMW_IMPLEMENTATION", ""),
        "python": machine.python_version(),
        "system": machine.platform(),
    }


@lru_cache(maxsize=8)
def recorded_robot(robot_yaml: str) -> Robot:
    """The robot that a take or an episode describes; YAML of 57 joints takes a tenth of a second to read.

    Raises:
        RobotFileError: the text is unusable.
    """
    return parse_robot(robot_yaml, "the robot's description in the recording")


def robot_description(name_or_path: str) -> str:
    """A robot's YAML file, checked: its text, or what it comes to where it is based on another robot.

    Raises:
        RobotFileError: unknown robot or unusable file.
    """
    robot = load_robot(name_or_path)
    if name_or_path.endswith((".yaml", ".yml")):
        text = Path(name_or_path).read_text(encoding="utf-8", errors="replace")
    else:
        text = files("robots").joinpath(f"{name_or_path}.yaml").read_text(encoding="utf-8")
    return robot.model_dump_json(indent=1) if "based_on:" in text else text


def parse_cameras(items: list[str]) -> dict[str, str]:
    """Extra cameras from ``name=/topic`` items; dataset names get ALOHA's prefix ``cam_``.

    Raises:
        TakeError: an item of another form, or a name used twice.
    """
    cameras: dict[str, str] = {}
    for item in filter(None, items):
        name, separator, topic = item.partition("=")
        key = name if name.startswith("cam_") else f"cam_{name}"
        if not separator or not name.isidentifier() or not topic.startswith("/"):
            raise TakeError(f"a camera is written name=/topic (such as wrist=/camera/image/compressed), found {item!r}")
        if key in cameras or key == OPERATOR_CAMERA:
            raise TakeError(f"camera name {name!r} is used twice: give each camera its own")
        cameras[key] = topic
    return cameras


def recorded_topics(robot: Robot, cameras: Mapping[str, str]) -> tuple[Topic, ...]:
    """Everything that goes into a take of this robot."""
    commands = [command(topic) for topic, _ in robot.groups]
    fixed = (JOINT_STATES, *commands, SENT, HANDS, BODY, CAMERA)
    told = (TELEOP_EVENT, DRIVER_STATE, TELEOP_STATE, DIAGNOSTICS)
    extra = tuple(Topic(topic, CAMERA.type, CAMERA.qos) for topic in cameras.values())
    return fixed + told + tuple(FACTS.values()) + extra
