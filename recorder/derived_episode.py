# SPDX-License-Identifier: Apache-2.0
"""A new episode from an old one's operator: another motion in the same rows, everything else as it was recorded."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recorder.align import NONE, Aligned, newest_at
from recorder.assemble import Attribute, EpisodeTables, ImageRows, action_rows
from recorder.check import Report
from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.events import Event
from recorder.health import StreamRows, assess
from recorder.identity import uuid7
from recorder.library_hash import content_sha256
from recorder.library_scan import DERIVED_FROM
from recorder.metadata import software_version
from recorder.publish import publish
from recorder.schema import PART_SUFFIX, ROOT_ATTRIBUTES, SESSION_ATTRIBUTES, SUFFIX
from recorder.streams import Samples
from recorder.written_episode import write_checked
from robots.robot import Robot

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

KEPT_EVENTS = ("marker", "recorder_event")
"""What was said about the recording stays; what was said about the robot's motion was about another one."""


@dataclass(frozen=True, slots=True)
class MotionSamples:
    """One stream of joint vectors.

    Attributes:
        stamp_ns: (N,) graph time, ascending. capture_ns: (N,) the camera frame that caused each, -1: none did.
        values: name to (N, J).
    """

    stamp_ns: Int64
    capture_ns: Int64
    values: Mapping[str, Float64]


@dataclass(frozen=True, slots=True)
class Motion:
    """What another robot, or the same one with other parameters, did.

    Attributes:
        robot, robot_yaml: who.
        joint_states: position, velocity, effort. requested: position. sent: position, limited.
        engaged: (T,) whether its driver followed.
        events: what was said about it.
    """

    robot: Robot
    robot_yaml: str
    joint_states: MotionSamples
    requested: MotionSamples
    sent: MotionSamples
    engaged: Bool
    events: tuple[Event, ...]


def derived_tables(
    episode: Episode, motion: Motion, verb: str, provenance: Mapping[str, object], facts: Mapping[str, object]
) -> EpisodeTables:
    """The rows of an episode with another motion.

    Args:
        verb: what was done, as attribute ``derived_by`` tells.
        provenance: of the new episode.
        facts: become the attribute ``retargeted``, JSON.
    """
    ticks = episode["/time/tick_ns"]
    rows = {name: _recorded_rows(episode, name, ticks) for name in episode.streams}
    for name, stream in _streams(motion).items():
        rows[name] = StreamRows(_samples(stream), newest_at(stream.stamp_ns, ticks))
    health = assess(rows, ticks, motion.engaged, float(episode.attribute("rate_hz")))
    datasets = {
        name: episode[name]
        for name in ("/time/tick_ns", "/time/monotonic_ns", *_names(episode, "/operator"))
        if name != "/operator/engaged"
    }
    datasets |= {"/operator/engaged": motion.engaged, **_joint_tables(motion, rows), **_time_tables(motion, rows)}
    datasets |= health.datasets()
    attributes = {**_attributes(episode, motion, verb, provenance, facts), **health.attributes()}
    kept = [Event(*event) for event in episode.events() if event[1] in KEPT_EVENTS]
    events = tuple(sorted([*kept, *motion.events], key=lambda event: event.stamp_ns))
    images = {camera: _images(episode, camera) for camera in episode.cameras}
    return EpisodeTables(motion.robot.joint_names, datasets, images, events, attributes, _stream_facts(episode, rows))


def write_derived(tables: EpisodeTables, target: Path) -> Report:
    """Write it, check it, and give it its name in one step.

    Raises:
        EpisodeError: the target exists or is no .h5 file, or the disk refuses.
    """
    if target.suffix != SUFFIX:
        raise EpisodeError(f"an episode is a {SUFFIX} file, found {target.name}")
    if target.exists():
        raise EpisodeError(f"{target} exists already and is not overwritten: choose another name")
    part = target.with_name(target.name.removesuffix(SUFFIX) + PART_SUFFIX)
    try:
        report = write_checked(part, tables)
        publish(part, target)
    except OSError as error:
        raise EpisodeError(f"can't write {target}: {error}. The source is untouched: free some space") from error
    finally:
        part.unlink(missing_ok=True)
    return report


def _streams(motion: Motion) -> dict[str, MotionSamples]:
    return {"joint_states": motion.joint_states, "requested": motion.requested, "sent": motion.sent}


def _samples(stream: MotionSamples) -> Samples:
    count = len(stream.stamp_ns)
    none = np.zeros(count, np.int64)
    return Samples(stream.stamp_ns, stream.stamp_ns, np.arange(count, dtype=np.int64), none, none)


def _recorded_rows(episode: Episode, name: str, ticks: Int64) -> StreamRows:
    """A stream's samples as far as rows hold them."""
    stamps = episode[f"/time/{name}/stamp_ns"]
    known, first = np.unique(stamps, return_index=True)
    first = first[known >= 0]
    samples = Samples(
        stamps[first],
        episode[f"/time/{name}/receive_ns"][first],
        episode[f"/time/{name}/sequence"][first],
        episode[f"/health/lost/{name}"][first],
        np.zeros(len(first), np.int64),
    )
    return StreamRows(samples, newest_at(samples.stamp_ns, ticks))


def _names(episode: Episode, group: str) -> list[str]:
    return [f"{group}/{name}" for name in episode.file[group]]


def _take(values: Float64, aligned: Aligned) -> Float64:
    rows = np.full((len(aligned.index), values.shape[1]), np.nan)
    rows[aligned.present] = values[aligned.index[aligned.present]]
    return rows


def _joint_tables(motion: Motion, rows: Mapping[str, StreamRows]) -> dict[str, NDArray[np.generic]]:
    joints, sent = rows["joint_states"].aligned, rows["sent"].aligned
    qpos, velocity, effort = (_take(motion.joint_states.values[k], joints) for k in ("position", "velocity", "effort"))
    requested = _take(motion.requested.values["position"], rows["requested"].aligned)
    went = _take(motion.sent.values["position"], sent)
    return {
        "/observations/qpos": qpos.astype(np.float32),
        "/observations/qvel": velocity.astype(np.float32),
        "/observations/effort": effort.astype(np.float32),
        "/actions/requested": requested,
        "/actions/limited": _take(motion.sent.values["limited"], sent),
        "/actions/sent": went,
        "/action": action_rows(requested, went, qpos, motion.engaged),
    }


def _time_tables(motion: Motion, rows: Mapping[str, StreamRows]) -> dict[str, NDArray[np.generic]]:
    tables: dict[str, NDArray[np.generic]] = {}
    for name, row in rows.items():
        tables[f"/time/{name}/stamp_ns"] = row.aligned.pick(row.samples.stamp_ns)
        tables[f"/time/{name}/age_ns"] = row.aligned.age_ns
        tables[f"/time/{name}/receive_ns"] = row.aligned.pick(row.samples.receive_ns)
        tables[f"/time/{name}/sequence"] = row.aligned.pick(row.samples.sequence)
    for name, stream in (("requested", motion.requested), ("sent", motion.sent)):
        tables[f"/time/{name}/capture_ns"] = rows[name].aligned.pick(stream.capture_ns)
    return tables


def _images(episode: Episode, camera: str) -> ImageRows:
    """The camera's different pictures."""
    stamps = episode[f"/time/{camera}/stamp_ns"]
    images: list[memoryview] = []
    index = np.full(episode.rows, NONE, np.int64)
    for row in range(episode.rows):
        if row and stamps[row] == stamps[row - 1]:
            index[row] = index[row - 1]
        elif data := episode.image(camera, row):
            index[row] = len(images)
            images.append(memoryview(data))
    return ImageRows(tuple(images), index)


def _attributes(
    episode: Episode, motion: Motion, verb: str, provenance: Mapping[str, object], facts: Mapping[str, object]
) -> dict[str, Attribute]:
    kept = {name: episode.attribute(name) for name in ROOT_ATTRIBUTES if name != "manifest"}
    kept |= {name: episode.attribute(name) for name in SESSION_ATTRIBUTES if name in episode.file.attrs}
    source = {
        "episode_id": str(kept["episode_id"]),
        "file": episode.path.name,
        "rows": [0, episode.rows],
        "content_sha256": content_sha256(episode.file),
    }
    sliding = [joint.name for joint in motion.robot.joints if joint.prismatic]
    created_ms = round(datetime.fromisoformat(str(kept["created"])).timestamp() * 1000)
    return {
        **kept,
        "episode_id": str(uuid7(created_ms * 1_000_000, os.urandom(10))),
        "robot": motion.robot.name,
        "robot_yaml": motion.robot_yaml,
        "robot_sha256": sha256(motion.robot_yaml.encode()).hexdigest(),
        "joint_units": f"rad; m: {', '.join(sliding)}" if sliding else "rad",
        "provenance": json.dumps(provenance),
        "software_version": software_version(),
        "engaged_source": "driver_state",
        "sim": True,
        "verdict": "unchecked",
        "findings": "[]",
        DERIVED_FROM: json.dumps([source]),
        "derived_by": f"{verb}, humanoid_booth {software_version()}",
        "retargeted": json.dumps(facts),
    }


def _stream_facts(episode: Episode, rows: Mapping[str, StreamRows]) -> dict[str, dict[str, Attribute]]:
    """As recorded; of what was made anew its own count and intervals."""
    told: dict[str, dict[str, Attribute]] = {}
    for name, row in rows.items():
        recorded = episode.file[f"/time/{name}"].attrs
        told[name] = {key: int(value) for key, value in recorded.items()}
        if name in ("joint_states", "requested", "sent"):
            gaps = np.diff(row.samples.stamp_ns)
            usual = int(np.median(gaps)) if len(gaps) else 0
            told[name] = {
                "messages": len(row.samples),
                "undecodable_messages": 0,
                "incomplete_messages": 0,
                "usual_interval_ns": usual,
                "largest_interval_ns": int(gaps.max(initial=0)),
                "gaps": int((gaps > 2.5 * usual).sum()),
            }
    return told
