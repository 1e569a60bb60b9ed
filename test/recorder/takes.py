# SPDX-License-Identifier: Apache-2.0
"""Synthetic takes: rosbags serializes what the nodes would publish, so these tests need no ROS."""

import io
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graph import body_cloud, hands_cloud
from graph.stamps import split
from graph.topics import (
    CAMERA,
    DIAGNOSTICS,
    DRIVER_STATE,
    HANDS,
    JOINT_STATES,
    RECORDER_EVENT,
    RECORDER_MARKER,
    SENT,
    TELEOP_EVENT,
    TELEOP_STATE,
)
from recorder.messages import typestore
from recorder.metadata import TakeMetadata, recorded_topics, robot_description
from recorder.take import TakeWriter
from robots import Robot, load_robot

ROBOT = "hx5_d20_right"
T0 = 1_800_000_000_000_000_000
"""Graph time of the start of every synthetic take [ns]."""

MS = 1_000_000
LAG_NS = 2 * MS
TYPES = typestore().types


@dataclass(frozen=True)
class Script:
    """What happens in a synthetic take.

    Attributes:
        lose: (topic, message number) that never arrive.
        more: further messages: source time [ns], topic, CDR.
    """

    seconds: float = 2.0
    engage_at_s: float = 0.5
    lose: Collection[tuple[str, int]] = ()
    more: Collection[tuple[int, str, bytes]] = ()
    jpeg_bytes: int = 600
    camera: bool = True
    hands: bool = True
    commands: bool = True
    shuffle_joints: bool = False
    close: bool = True


@cache
def robot() -> Robot:
    """The robot of the synthetic takes."""
    return load_robot(ROBOT)


def metadata(**changes: Any) -> TakeMetadata:
    """Metadata of a synthetic take."""
    facts: dict[str, Any] = {
        "episode_id": str(UUID(int=7)),
        "robot": ROBOT,
        "robot_yaml": robot_description(ROBOT),
        "wall_offset_ns": T0 - 5_000_000_000,
        "started_ns": T0,
        "created": "2027-01-15T08:00:00.000+00:00",
        "task": "wave",
        "operator": "ada",
        "booth": "booth-1",
        "virtual": True,
    }
    return TakeMetadata(**{**facts, **changes})


def wave(seconds: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The commanded pose at a time: each joint swings about the middle of its range by a tenth of it; (…, J) rad."""
    joints = robot().joints
    low, high = (np.array([getattr(joint, end) for joint in joints]) for end in ("min_rad", "max_rad"))
    phase = np.asarray(seconds)[..., None] * 2.0 + np.arange(len(joints)) * 0.3
    swing: NDArray[np.float64] = (low + high) / 2 + 0.1 * (high - low) * np.sin(phase)
    return swing


def cdr(ros_type: str, **fields: Any) -> bytes:
    """A serialized message."""
    return bytes(typestore().serialize_cdr(TYPES[ros_type](**fields), ros_type))


def header(stamp_ns: int) -> Any:
    """std_msgs/Header."""
    return TYPES["std_msgs/msg/Header"](TYPES["builtin_interfaces/msg/Time"](*split(stamp_ns)), "")


def joint_state(stamp_ns: int, names: list[str], position: NDArray[np.float64]) -> bytes:
    """sensor_msgs/JointState with zero velocity and effort."""
    rest = np.zeros(len(names))
    return cdr(
        "sensor_msgs/msg/JointState", header=header(stamp_ns), name=names, position=position, velocity=rest, effort=rest
    )


UNROUNDED_RAD = 4e-4
"""In synthetic takes the limiter asked for so much more than what rounding left of it."""


def trajectory(
    capture_ns: int,
    issue_ns: int,
    names: list[str],
    position: NDArray[np.float64],
    limited: NDArray[np.float64] | None = None,
) -> bytes:
    """trajectory_msgs/JointTrajectory as teleop and, with a second point, the driver publish it."""
    after = TYPES["builtin_interfaces/msg/Duration"](*split(issue_ns - capture_ns))
    none = np.zeros(0)
    point = TYPES["trajectory_msgs/msg/JointTrajectoryPoint"](position, none, none, none, after)
    points = [point]
    if limited is not None:
        points.append(TYPES["trajectory_msgs/msg/JointTrajectoryPoint"](limited, none, none, none, after))
    return cdr("trajectory_msgs/msg/JointTrajectory", header=header(capture_ns), joint_names=names, points=points)


def cloud(stamp_ns: int, frame: int) -> bytes:
    """A /tracker/hands message with a right hand."""
    points = hands_cloud.empty()
    for name, value in (("x", 0.01), ("y", 0.02), ("z", 0.03), ("u", 0.5), ("v", 0.5), ("score", 0.9)):
        points[name][0] = value
    points["frame"], points["inference_ms"] = frame, 12.5
    return point_cloud(stamp_ns, points)


def body(stamp_ns: int, height_m: float) -> bytes:
    """A /tracker/body message, all points at this height."""
    points = body_cloud.empty()
    for name, value in (("x", 0.1), ("y", height_m), ("z", -0.2), ("u", 0.5), ("v", 0.25), ("score", 0.8)):
        points[name] = value
    return point_cloud(stamp_ns, points)


def point_cloud(stamp_ns: int, points: NDArray[np.void]) -> bytes:
    """sensor_msgs/PointCloud2 of (rows, points)."""
    field = TYPES["sensor_msgs/msg/PointField"]
    height, width = points.shape
    return cdr(
        "sensor_msgs/msg/PointCloud2",
        header=header(stamp_ns),
        height=height,
        width=width,
        fields=[field(item.name, item.offset, item.datatype, 1) for item in hands_cloud.FIELDS],
        is_bigendian=False,
        point_step=points.itemsize,
        row_step=points.itemsize * width,
        data=np.frombuffer(points.tobytes(), np.uint8),
        is_dense=False,
    )


def text(words: str) -> bytes:
    """std_msgs/String."""
    return cdr("std_msgs/msg/String", data=words)


@cache
def grey_picture() -> bytes:
    """A JPEG of a little noise about grey, as small as they get."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).normal(120, 10, (8, 8)).clip(0, 255).astype(np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG", quality=50, optimize=True)
    return buffer.getvalue()


def jpeg(frame: int, size: int) -> bytes:
    """A picture of at least ``size`` bytes; a comment makes no two frames alike."""
    picture = grey_picture()
    comment = np.random.default_rng(frame).bytes(max(8, size - len(picture) - 4))
    return picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:]


def image(stamp_ns: int, frame: int, size: int) -> bytes:
    """sensor_msgs/CompressedImage."""
    data = np.frombuffer(jpeg(frame, size), np.uint8)
    return cdr("sensor_msgs/msg/CompressedImage", header=header(stamp_ns), format="jpeg", data=data)


def status(message: str, reason: str = "") -> bytes:
    """diagnostic_msgs/DiagnosticStatus."""
    values = [TYPES["diagnostic_msgs/msg/KeyValue"]("reason", reason)]
    return cdr("diagnostic_msgs/msg/DiagnosticStatus", level=0, name="", message=message, hardware_id="", values=values)


def diagnostics(stamp_ns: int, level: int, message: str) -> bytes:
    """diagnostic_msgs/DiagnosticArray with one entry."""
    one = TYPES["diagnostic_msgs/msg/DiagnosticStatus"](level, "driver", message, "", [])
    return cdr("diagnostic_msgs/msg/DiagnosticArray", header=header(stamp_ns), status=[one])


def script_messages(script: Script) -> list[tuple[int, str, bytes]]:
    """(source time [ns], topic, CDR) of everything that is published, by time."""
    names = list(robot().joint_names)
    out: list[tuple[int, str, bytes]] = []

    def every(period_ns: int, start_ns: int, make: Callable[[int, int], tuple[int, str, bytes]]) -> None:
        for number in range(int((script.seconds * 1e9 - start_ns) // period_ns) + 1):
            out.append(make(number, T0 + start_ns + number * period_ns))

    def measured(number: int, now: int) -> tuple[int, str, bytes]:
        order = list(np.roll(np.arange(len(names)), number)) if script.shuffle_joints else list(range(len(names)))
        pose = wave((now - T0) / 1e9 - 0.05)
        return now, JOINT_STATES.name, joint_state(now, [names[k] for k in order], pose[order])

    every(10 * MS, 0, measured)
    frame_ns = 33_333_333
    if script.hands:
        every(frame_ns, 3 * MS, lambda n, now: (now, HANDS.name, cloud(now, n)))
    if script.camera:
        every(frame_ns, 3 * MS, lambda n, now: (now, CAMERA.name, image(now, n, script.jpeg_bytes)))
    engage_ns = int(script.engage_at_s * 1e9)
    if script.commands:
        pose_at = lambda now: wave((now - T0) / 1e9)  # noqa: E731
        every(
            frame_ns,
            engage_ns + 23 * MS,
            lambda n, now: (now, robot().groups[0][0], trajectory(now - 20 * MS, now, names, pose_at(now))),
        )
        told = lambda now: trajectory(now - 25 * MS, now, names, pose_at(now), pose_at(now) + UNROUNDED_RAD)  # noqa: E731
        every(10 * MS, engage_ns, lambda n, now: (now, SENT.name, told(now)))
    out += [
        (T0 - 10 * MS, DRIVER_STATE.name, status("READY")),
        (T0 + engage_ns, DRIVER_STATE.name, status("ENGAGED")),
        (T0 - 10 * MS, TELEOP_STATE.name, status("WAITING")),
        (T0 + engage_ns, TELEOP_EVENT.name, text("engaged")),
    ]
    every(1000 * MS, 600 * MS, lambda n, now: (now, DIAGNOSTICS.name, diagnostics(now, 1, "bus retries")))
    every(1000 * MS, 700 * MS, lambda n, now: (now, DIAGNOSTICS.name, diagnostics(now, 0, "fine")))
    return sorted(out, key=lambda item: item[0])


def make_take(path: Path, script: Script = Script(), facts: TakeMetadata | None = None) -> Path:
    """Write a synthetic take and return its path. With ``close=False`` it ends as a crash leaves it."""
    facts = facts or metadata()
    topics = (*recorded_topics(facts.description(), facts.cameras), RECORDER_EVENT, RECORDER_MARKER)
    writer = TakeWriter(path, facts.to_strings(), topics)
    numbers: dict[str, int] = {}
    for stamp_ns, topic, data in sorted([*script_messages(script), *script.more], key=lambda item: item[0]):
        number = numbers[topic] = numbers.get(topic, 0) + 1
        if (topic, number) not in script.lose:
            writer.add(topic, data, stamp_ns + LAG_NS, stamp_ns, number)
    if script.close:
        writer.close({"reason": "stopped", "drift_ns": "1500"})
    else:
        writer._file.raw.close()
    return path
