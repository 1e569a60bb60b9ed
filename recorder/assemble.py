# SPDX-License-Identifier: Apache-2.0
"""A take's streams -> the rows of an episode, in memory; images stay views of the take until they are written."""

import json
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.topics import BODY, DRIVER_STATE, HANDS, JOINT_STATES, RECORDER_EVENT, SENT, TELEOP_STATE
from recorder import joint_streams, streams
from recorder.align import Aligned, Bool, Int64, make_ticks, newest_at
from recorder.command_groups import merged_commands
from recorder.errors import TakeError
from recorder.events import Event, told_events
from recorder.health import Health, StreamRows, assess
from recorder.metadata import FACTS
from recorder.schema import SCHEMA_NAME, SCHEMA_VERSION, STALE_NS
from recorder.take_reader import Take
from robots.robot import Robot

PATIENCE_NS = 1_000_000_000
"""The first row waits at most this long for the first frame of a camera, and the first look at the operator's body."""

Attribute = str | bool | int | float


@dataclass(frozen=True, slots=True)
class ImageRows:
    """One camera: row k holds ``images[index[k]]``, nothing where the index is NONE."""

    images: tuple[memoryview, ...]
    index: Int64


@dataclass(frozen=True, slots=True)
class EpisodeTables:
    """Everything an episode file holds, by HDF5 path.

    Attributes:
        datasets: path to array; first axis is rows.
        attributes: attributes of the root.
        stream_attributes: attributes of ``/time/<stream>``.
    """

    joint_names: tuple[str, ...]
    datasets: dict[str, NDArray[np.generic]]
    images: dict[str, ImageRows]
    events: tuple[Event, ...]
    attributes: dict[str, Attribute]
    stream_attributes: dict[str, dict[str, Attribute]]

    @property
    def rows(self) -> int:
        """T."""
        return len(self.datasets["/time/tick_ns"])


@dataclass(frozen=True, slots=True)
class _Streams:
    joints: joint_streams.Joints
    requested: joint_streams.Commands
    sent: joint_streams.Commands
    hands: streams.Hands
    body: streams.Bodies
    cameras: dict[str, streams.Frames]


def assemble(take: Take) -> EpisodeTables:
    """Align a take.

    Raises:
        TakeError: no joint states, joints of another robot, or nothing that overlaps.
    """
    robot = take.metadata.description()
    data = _streams(take, robot)
    tick_ns = _ticks(data, take.metadata.rate_hz)
    engaged, engaged_source = _engaged(take, tick_ns)
    rows = _stream_rows(data, tick_ns)
    health = assess(rows, tick_ns, engaged, take.metadata.rate_hz)
    datasets = {
        "/time/tick_ns": tick_ns,
        "/time/monotonic_ns": tick_ns - take.metadata.wall_offset_ns,
        "/operator/engaged": engaged,
        "/operator/paused": _paused(take, tick_ns),
        **_joint_tables(data, rows, engaged),
        **_hand_tables(data.hands, rows["hands"].aligned),
        **_body_tables(data.body, rows["body"].aligned),
        **_time_tables(data, rows),
        **health.datasets(),
    }
    images = {
        name: ImageRows(camera.images, rows[name].aligned.index)
        for name, camera in data.cameras.items()
        if camera.images
    }
    attributes = {**_attributes(take), **health.attributes(), "rows": len(tick_ns), "engaged_source": engaged_source}
    return EpisodeTables(
        robot.joint_names, datasets, images, told_events(take), attributes, _stream_attributes(data, rows, health)
    )


def _streams(take: Take, robot: Robot) -> _Streams:
    names = robot.joint_names
    joints = joint_streams.joint_samples(take, JOINT_STATES.name, names)
    if not len(joints.samples):
        raise TakeError(
            f"{take.path.name} has no {JOINT_STATES.name} message, so there is nothing to make rows from."
            " Was the driver running?"
        )
    return _Streams(
        joints,
        merged_commands(take, robot.groups, names),
        joint_streams.command_samples(take, SENT.name, names),
        streams.hand_samples(take, HANDS.name),
        streams.body_samples(take, BODY.name),
        {name: streams.frame_samples(take, topic) for name, topic in take.metadata.camera_topics().items()},
    )


def _ticks(data: _Streams, rate_hz: float) -> Int64:
    """Rows from the moment the streams exist to the moment they end; docs/format.md section 2 has the rules."""
    joints, hands = data.joints.samples.stamp_ns, data.hands.samples.stamp_ns
    first, last = int(joints[0]), int(joints[-1])
    if len(hands):
        first = max(first, int(hands[0]))
        last = min(last, int(hands[-1]) + STALE_NS["hands"])
    slow = [data.body.samples, *(camera.samples for camera in data.cameras.values())]
    starts = [int(samples.stamp_ns[0]) for samples in slow if len(samples)]
    first = max([first, *(start for start in starts if start - first <= PATIENCE_NS)])
    ticks = make_ticks(first, last, rate_hz)
    if not len(ticks):
        raise TakeError(
            "joint states, hands and images were never there at the same time, so there is nothing to make rows from:"
            " record longer, or look at the driver and tracker logs"
        )
    return ticks


def _engaged(take: Take, tick_ns: Int64) -> tuple[Bool, str]:
    """(T,) whether the state in force at the tick is ENGAGED, and whose word that is: the driver's, else teleop's."""
    for source, topic in (("driver_state", DRIVER_STATE.name), ("teleop_state", TELEOP_STATE.name)):
        words = streams.state_samples(take, topic)
        if len(words.samples):
            engaged = np.array([text.partition(":")[0] == "ENGAGED" for text in words.texts] + [False])
            return engaged[newest_at(words.samples.stamp_ns, tick_ns).index], source  # NONE picks the False at the end
    return np.zeros(len(tick_ns), np.bool_), "none"


def _paused(take: Take, tick_ns: Int64) -> Bool:
    """(T,) whether the operator had paused the recording at the tick."""
    words = streams.event_samples(take, RECORDER_EVENT.name)
    told = [(stamp, text) for stamp, text in zip(words.samples.stamp_ns.tolist(), words.texts, strict=True)]
    acts = [(stamp, text == "paused") for stamp, text in told if text in ("paused", "resumed")]
    paused = np.array([pause for _, pause in acts] + [False])
    return paused[newest_at(np.array([stamp for stamp, _ in acts], np.int64), tick_ns).index]


def _stream_rows(data: _Streams, tick_ns: Int64) -> dict[str, StreamRows]:
    samples = {
        "joint_states": data.joints.samples,
        "requested": data.requested.samples,
        "sent": data.sent.samples,
        "hands": data.hands.samples,
        "body": data.body.samples,
        **{name: camera.samples for name, camera in data.cameras.items()},
    }
    return {name: StreamRows(item, newest_at(item.stamp_ns, tick_ns)) for name, item in samples.items()}


def _take_rows(values: NDArray[np.generic], aligned: Aligned) -> NDArray[np.generic]:
    """(T, …) the entries of a float ``values`` (N, …) that the rows hold; NaN where there is none."""
    rows = np.full((len(aligned.index), *values.shape[1:]), np.nan, values.dtype)
    rows[aligned.present] = values[aligned.index[aligned.present]]
    return rows


def _joint_tables(
    data: _Streams, rows: dict[str, StreamRows], engaged: NDArray[np.bool_]
) -> dict[str, NDArray[np.generic]]:
    joints = rows["joint_states"].aligned
    qpos = _take_rows(data.joints.position, joints)
    requested = _take_rows(data.requested.position, rows["requested"].aligned)
    sent = _take_rows(data.sent.position, rows["sent"].aligned)
    return {
        "/observations/qpos": qpos.astype(np.float32),
        "/observations/qvel": _take_rows(data.joints.velocity, joints).astype(np.float32),
        "/observations/effort": _take_rows(data.joints.effort, joints).astype(np.float32),
        "/actions/requested": requested,
        "/actions/limited": _take_rows(data.sent.limited, rows["sent"].aligned),
        "/actions/sent": sent,
        "/action": action_rows(requested, sent, qpos, engaged),
    }


def action_rows(
    requested: NDArray[np.generic], sent: NDArray[np.generic], qpos: NDArray[np.generic], engaged: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """What a learner should answer to observation t: (T, J) float32.

    Row t is the newest command issued at or before tick t+1, that is ``requested`` of row t+1 (of row T-1 in the last
    row). While the robot does not follow it is told to stand still: there the row is what was sent to it. Where neither
    is known it is the measured position.
    """
    told = np.where(engaged[:, None] & ~np.isnan(requested), requested, sent)
    following = np.concatenate([told[1:], told[-1:]])
    return np.where(np.isnan(following), qpos, following).astype(np.float32)


def _hand_tables(hands: streams.Hands, aligned: Aligned) -> dict[str, NDArray[np.generic]]:
    return {
        "/operator/landmarks": _take_rows(hands.landmarks, aligned),
        "/operator/landmarks_uv": _take_rows(hands.landmarks_uv, aligned),
        "/operator/score": _take_rows(hands.score, aligned),
        "/operator/frame": aligned.pick(hands.frame),
        "/operator/inference_ms": _take_rows(hands.inference_ms, aligned),
    }


def _body_tables(body: streams.Bodies, aligned: Aligned) -> dict[str, NDArray[np.generic]]:
    return {
        "/operator/body": _take_rows(body.landmarks, aligned),
        "/operator/body_uv": _take_rows(body.landmarks_uv, aligned),
        "/operator/body_visibility": _take_rows(body.visibility, aligned),
    }


def _time_tables(data: _Streams, rows: dict[str, StreamRows]) -> dict[str, NDArray[np.generic]]:
    tables: dict[str, NDArray[np.generic]] = {}
    for name, row in rows.items():
        tables[f"/time/{name}/stamp_ns"] = row.aligned.pick(row.samples.stamp_ns)
        tables[f"/time/{name}/age_ns"] = row.aligned.age_ns
        tables[f"/time/{name}/receive_ns"] = row.aligned.pick(row.samples.receive_ns)
        tables[f"/time/{name}/sequence"] = row.aligned.pick(row.samples.sequence)
    for name, commands in (("requested", data.requested), ("sent", data.sent)):
        tables[f"/time/{name}/capture_ns"] = rows[name].aligned.pick(commands.capture_ns)
    return tables


def _attributes(take: Take) -> dict[str, Attribute]:
    facts = take.metadata
    return {
        "schema_name": SCHEMA_NAME,
        "schema_version": SCHEMA_VERSION,
        "episode_id": facts.episode_id,
        "robot": facts.robot,
        "robot_sha256": facts.robot_sha256,
        "robot_yaml": facts.robot_yaml,
        "joint_units": _joint_units(facts.description()),
        "rate_hz": facts.rate_hz,
        "task": facts.task,
        "operator": facts.operator,
        "booth": facts.booth,
        "session": facts.session,
        "episode_number": facts.episode_number,
        "created": facts.created,
        "software_version": facts.software_version,
        "provenance": json.dumps(_provenance(take)),
        "wall_offset_ns": facts.wall_offset_ns,
        "wall_drift_ns": int(take.end.get("drift_ns", 0)),
        "complete": take.complete,
        "end_reason": take.end.get("reason", "the recorder was interrupted"),
        "color_order": "RGB",
        "sim": facts.virtual,
        "compress": True,
    }


def _provenance(take: Take) -> dict[str, object]:
    """What recorder, driver, tracker and teleop told of their platform, devices and settings; the last word counts."""
    told: dict[str, object] = {"recorder": dict(take.metadata.platform)}
    for source, topic in FACTS.items():
        for text in streams.event_samples(take, topic.name).texts[-1:]:
            with suppress(ValueError):
                told[source] = json.loads(text)
    return told


def _joint_units(robot: Robot) -> str:
    """rad, and by name the joints that slide."""
    sliding = [joint.name for joint in robot.joints if joint.prismatic]
    return f"rad; m: {', '.join(sliding)}" if sliding else "rad"


def _stream_attributes(data: _Streams, rows: dict[str, StreamRows], health: Health) -> dict[str, dict[str, Attribute]]:
    incomplete = {
        "joint_states": data.joints.incomplete,
        "requested": data.requested.incomplete,
        "sent": data.sent.incomplete,
    }
    return {
        name: {
            "messages": len(row.samples),
            "undecodable_messages": row.samples.undecodable,
            "incomplete_messages": incomplete.get(name, 0),
            "usual_interval_ns": health.spacing[name].usual_ns,
            "largest_interval_ns": health.spacing[name].largest_ns,
            "gaps": health.spacing[name].gaps,
        }
        for name, row in rows.items()
    }
