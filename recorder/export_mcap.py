# SPDX-License-Identifier: Apache-2.0
"""MCAP for Foxglove and ROS tools: the take as it is, or, when it is gone, messages made from the episode's rows."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mcap.writer import CompressionType, Writer

from graph import hands_cloud
from graph.stamps import split
from graph.topics import CAMERA, HANDS, JOINT_STATES
from recorder.episode import Episode
from recorder.errors import TakeError
from recorder.export_files import finished_file
from recorder.export_pictures import jpeg_rows
from recorder.export_plan import Job, Plan
from recorder.messages import definition, typestore
from recorder.metadata import OPERATOR_CAMERA
from recorder.take_reader import read_take

METADATA = "humanoid_booth.export"
TAKE_SUFFIX = ".mcap"
JOINT_STATE, POINTS, IMAGE, TEXT = (
    "sensor_msgs/msg/JointState",
    "sensor_msgs/msg/PointCloud2",
    "sensor_msgs/msg/CompressedImage",
    "std_msgs/msg/String",
)
REQUESTED, SENT, EVENTS = "/booth/action_requested", "/booth/action_sent", "/booth/events"
"""Topics that only a file made from an episode has: actions as joint states, which plots take by joint name."""


def check(plan: Plan, root: Path) -> Plan:
    """Anything goes: every episode has a file of its own."""
    return plan


def files(job: Job) -> list[str]:
    """The episode's file."""
    return [Path(job.item.source.path).with_suffix(TAKE_SUFFIX).name]


def write_episode(job: Job, tell: Any) -> dict[str, Any]:
    """Write ``<episode's name>.mcap``; says which of the two ways it took.

    Raises:
        EpisodeError: it can't be read.
    """
    source = Path(job.item.source.path)
    target = Path(job.root, *files(job))
    take = source.with_suffix(TAKE_SUFFIX)
    made_of = "take" if _is_whole_take(take, job.item.source.episode_id) else "episode"
    with finished_file(target) as part:
        if made_of == "take":
            shutil.copyfile(take, part)
        else:
            with Episode.open(source) as episode:
                _write_rows(part, episode, job, tell)
    tell(1.0)
    return {"made_of": made_of, "file": target.name}


def _is_whole_take(path: Path, episode_id: str) -> bool:
    """A take that was closed properly; a torn one has no index, so the episode made of it is the better source."""
    if not path.is_file():
        return False
    try:
        take = read_take(path)
    except TakeError:
        return False
    return take.complete and take.metadata.episode_id == episode_id


def _write_rows(part: Path, episode: Episode, job: Job, tell: Any) -> None:
    with part.open("wb") as file:
        writer = Writer(file, compression=CompressionType.NONE, enable_crcs=True)
        writer.start(profile="ros2", library="humanoid_booth")
        item = job.item.source
        writer.add_metadata(METADATA, {"made_of": "episode", "episode_id": item.episode_id, "robot": item.robot})
        channels: dict[str, int] = {}
        schemas: dict[str, int] = {}
        for row, topic, kind, log_ns, stamp_ns, data in _messages(episode, job):
            if kind not in schemas:
                schemas[kind] = writer.register_schema(kind, "ros2msg", definition(kind))
            if topic not in channels:
                channels[topic] = writer.register_channel(topic, "cdr", schemas[kind])
            writer.add_message(channels[topic], log_ns, data, stamp_ns)
            tell(row / max(1, episode.rows))
        writer.finish()


Message = tuple[int, str, str, int, int, bytes]
"""Row, topic, type, arrival [ns], source stamp [ns], CDR."""


def _messages(episode: Episode, job: Job) -> Iterator[Message]:
    """Row by row, what is new in it: a sample that several rows repeat is one message."""
    images = {name: jpeg_rows(episode, name) for name, _, _ in job.layout.cameras if name in episode.cameras}
    makers = _makers(episode)
    stamps = {name: episode[f"/time/{name}/stamp_ns"] for name in [*makers, *images]}
    arrivals = {name: episode[f"/time/{name}/receive_ns"] for name in [*makers, *images]}
    for row in range(episode.rows):
        frames = {name: next(rows) for name, rows in images.items()}
        for name in [*makers, *images]:
            stamp = int(stamps[name][row])
            if stamp < 0 or (row and stamp == stamps[name][row - 1]):
                continue
            arrived = max(stamp, int(arrivals[name][row]))
            if name in makers:
                topic, kind, make = makers[name]
                yield row, topic, kind, arrived, stamp, make(row, stamp)
            elif frames[name]:
                yield row, _camera_topic(name), IMAGE, arrived, stamp, _image(stamp, frames[name])
    for stamp, stream, text in episode.events():
        yield episode.rows, EVENTS, TEXT, stamp, stamp, _cdr(TEXT, data=f"{stream}: {text}")


def _makers(episode: Episode) -> dict[str, tuple[str, str, Any]]:
    names = list(episode.joint_names)
    qpos, qvel, effort = (episode[f"/observations/{name}"] for name in ("qpos", "qvel", "effort"))
    told = {name: episode[f"/actions/{name}"] for name in ("requested", "sent")}
    points, uv, score = (episode[f"/operator/{name}"] for name in ("landmarks", "landmarks_uv", "score"))
    number, took = episode["/operator/frame"], episode["/operator/inference_ms"]

    def hands(row: int, stamp: int) -> bytes:
        cloud = hands_cloud.empty()
        for axis, name in enumerate("xyz"):
            cloud[name] = points[row, :, :, axis]
        cloud["u"], cloud["v"], cloud["score"] = uv[row, :, :, 0], uv[row, :, :, 1], score[row][:, None]
        cloud["frame"], cloud["inference_ms"] = max(0, number[row]), took[row]
        return _cloud(stamp, cloud)

    def action(kind: str) -> Any:
        return lambda row, stamp: _joints(stamp, names, told[kind][row])

    return {
        "joint_states": (
            JOINT_STATES.name,
            JOINT_STATE,
            lambda row, stamp: _joints(stamp, names, qpos[row], qvel[row], effort[row]),
        ),
        "requested": (REQUESTED, JOINT_STATE, action("requested")),
        "sent": (SENT, JOINT_STATE, action("sent")),
        "hands": (HANDS.name, POINTS, hands),
    }


def _camera_topic(name: str) -> str:
    return CAMERA.name if name == OPERATOR_CAMERA else f"/booth/{name}/compressed"


def _cdr(kind: str, **fields: Any) -> bytes:
    return bytes(typestore().serialize_cdr(typestore().types[kind](**fields), kind))


def _header(stamp_ns: int) -> Any:
    types = typestore().types
    return types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](*split(stamp_ns)), "")


def _joints(stamp_ns: int, names: list[str], *vectors: Any) -> bytes:
    none = np.zeros(0)
    position, velocity, effort = (np.asarray(v, np.float64) for v in (*vectors, none, none)[:3])
    return _cdr(JOINT_STATE, header=_header(stamp_ns), name=names, position=position, velocity=velocity, effort=effort)


def _image(stamp_ns: int, data: bytes) -> bytes:
    return _cdr(IMAGE, header=_header(stamp_ns), format="jpeg", data=np.frombuffer(data, np.uint8))


def _cloud(stamp_ns: int, cloud: Any) -> bytes:
    field = typestore().types["sensor_msgs/msg/PointField"]
    return _cdr(
        POINTS,
        header=_header(stamp_ns),
        height=cloud.shape[0],
        width=cloud.shape[1],
        fields=[field(entry.name, entry.offset, entry.datatype, 1) for entry in hands_cloud.FIELDS],
        is_bigendian=False,
        point_step=cloud.itemsize,
        row_step=cloud.itemsize * cloud.shape[1],
        data=np.frombuffer(cloud.tobytes(), np.uint8),
        is_dense=False,
    )


def merge(plan: Plan, root: Path, records: Any) -> str:
    """Nothing to merge."""
    takes = sum(record["made_of"] == "take" for record in records)
    return f"{len(records)} MCAP files in {root}: {takes} takes, {len(records) - takes} made from episodes"
