# SPDX-License-Identifier: Apache-2.0
"""The episode's layout as a table; docs/format.md is the normative text and a test compares the two."""

from typing import NamedTuple

SCHEMA_NAME = "humanoid_booth/episode"
SCHEMA_VERSION = 1

SUFFIX = ".h5"
PART_SUFFIX = ".h5.part"


class Dataset(NamedTuple):
    """Type on disk and shape in symbols: T rows, J joints, P bytes of the longest image, C cameras, or a number."""

    dtype: str
    shape: tuple[str | int, ...]


DATASETS = {
    "/observations/qpos": Dataset("float32", ("T", "J")),
    "/observations/qvel": Dataset("float32", ("T", "J")),
    "/observations/effort": Dataset("float32", ("T", "J")),
    "/action": Dataset("float32", ("T", "J")),
    "/actions/requested": Dataset("float64", ("T", "J")),
    "/actions/limited": Dataset("float64", ("T", "J")),
    "/actions/sent": Dataset("float64", ("T", "J")),
    "/operator/landmarks": Dataset("float32", ("T", 2, 21, 3)),
    "/operator/landmarks_uv": Dataset("float32", ("T", 2, 21, 2)),
    "/operator/score": Dataset("float32", ("T", 2)),
    "/operator/frame": Dataset("int64", ("T",)),
    "/operator/inference_ms": Dataset("float32", ("T",)),
    "/operator/body": Dataset("float32", ("T", 33, 3)),
    "/operator/body_uv": Dataset("float32", ("T", 33, 2)),
    "/operator/body_visibility": Dataset("float32", ("T", 33)),
    "/operator/engaged": Dataset("bool", ("T",)),
    "/operator/paused": Dataset("bool", ("T",)),
    "/time/tick_ns": Dataset("int64", ("T",)),
    "/time/monotonic_ns": Dataset("int64", ("T",)),
    "/health/late": Dataset("bool", ("T",)),
    "/health/dropped": Dataset("bool", ("T",)),
    "/health/skew_ns": Dataset("int64", ("T",)),
    "/joint_names": Dataset("object", ("J",)),
}
"""Datasets that every episode has."""

STREAM_DATASETS = {
    "/time/{stream}/stamp_ns": Dataset("int64", ("T",)),
    "/time/{stream}/age_ns": Dataset("int64", ("T",)),
    "/time/{stream}/receive_ns": Dataset("int64", ("T",)),
    "/time/{stream}/sequence": Dataset("int64", ("T",)),
    "/health/stale/{stream}": Dataset("bool", ("T",)),
    "/health/lost/{stream}": Dataset("int64", ("T",)),
}
"""Datasets that every episode has for each stream: those below and each camera (``cam_…``)."""

CAUSED_DATASETS = {"/time/{stream}/capture_ns": Dataset("int64", ("T",))}
"""Beside them, for the streams of commands."""

CAMERA_DATASETS = {"/observations/images/{camera}": Dataset("uint8", ("T", "P"))}
"""Datasets of each camera that delivered at least one frame."""

STREAMS = ("joint_states", "requested", "sent", "hands", "body")
COMMANDS = ("requested", "sent")

STALE_NS = {
    "joint_states": 50_000_000,
    "requested": 100_000_000,
    "sent": 50_000_000,
    "hands": 200_000_000,
    "body": 300_000_000,
}
"""A row's sample is stale when it is older than this at the tick [ns]; commands only count while engaged."""

CAMERA_STALE_NS = 200_000_000

HARD_LINKS = {
    "/data/demo_0/actions": "/action",
    "/data/demo_0/obs/qpos": "/observations/qpos",
    "/data/demo_0/obs/qvel": "/observations/qvel",
    "/data/demo_0/obs/effort": "/observations/effort",
}
"""robomimic's name of a dataset -> ours; ``obs/<camera>`` -> ``/observations/images/<camera>`` beside them."""

ROOT_ATTRIBUTES = (
    "schema_name",
    "schema_version",
    "episode_id",
    "robot",
    "robot_sha256",
    "robot_yaml",
    "joint_units",
    "rate_hz",
    "task",
    "operator",
    "booth",
    "created",
    "software_version",
    "provenance",
    "wall_offset_ns",
    "wall_drift_ns",
    "complete",
    "end_reason",
    "verdict",
    "findings",
    "rows",
    "dropped_rows",
    "stale_rows",
    "lost_messages",
    "engaged_source",
    "color_order",
    "sim",
    "compress",
    "manifest",
)

SESSION_ATTRIBUTES = ("session", "episode_number")
"""Attributes of the root that episodes of before sessions lack; without a session they are empty and 0."""
