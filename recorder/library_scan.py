# SPDX-License-Identifier: Apache-2.0
"""One file -> one row of the index. A file that is no episode is a row too, with the reason."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.reader import make_reader

from recorder.episode import Episode
from recorder.errors import EpisodeError, TakeError
from recorder.library_errors import LibraryError
from recorder.library_files import LABELS_SUFFIX, TRASH_RECORD_SUFFIX, beside
from recorder.library_hash import content_sha256, file_sha256
from recorder.library_labels import Labels, read_labels
from recorder.metadata import TakeMetadata
from recorder.recover import TAKE_SUFFIX
from recorder.schema import SESSION_ATTRIBUTES
from recorder.take import METADATA_END, METADATA_START

DERIVED_FROM = "derived_from"
UNUSABLE = (EpisodeError, OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError)

Row = dict[str, Any]

NAMES = ("episode_id", "task", "operator", "booth", "robot")
WANTED = (
    *NAMES,
    *SESSION_ATTRIBUTES,
    "created",
    "rate_hz",
    "verdict",
    "findings",
    "dropped_rows",
    "complete",
    "sim",
    DERIVED_FROM,
)
"""Attributes that the index repeats."""

FAILED = ("fail", "failed")
"""Verdicts of episodes that nobody should learn from."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file was changed: modification time [ns], size, inode; and of the label file beside it."""

    mtime_ns: int
    size: int
    inode: int
    labels_mtime_ns: int


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file now.

    Raises:
        OSError: it is gone.
    """
    facts = path.stat()
    try:
        labels_ns = beside(path, LABELS_SUFFIX).stat().st_mtime_ns
    except OSError:
        labels_ns = 0
    return Stamp(facts.st_mtime_ns, facts.st_size, facts.st_ino, labels_ns)


def describe(path: Path, hashes: bool) -> Row:
    """Everything the index says about a file, without its path and stamp. Never raises for a bad file.

    Args:
        path: the ``.h5`` file.
        hashes: whether to read the whole file for its hashes.
    """
    try:
        with Episode.open(path) as episode:
            row = {"problem": "", **_facts(episode)}
            if hashes:
                row.update(content_sha256=content_sha256(episode.file), file_sha256=file_sha256(path))
    except UNUSABLE as error:
        return {"problem": str(error) or type(error).__name__}
    return {**row, **edits(path)}


def hashes_of(path: Path) -> Row:
    """Content hash and file hash.

    Raises:
        EpisodeError, OSError, KeyError: the file can't be read.
    """
    with Episode.open(path) as episode:
        content = content_sha256(episode.file)
    return {"content_sha256": content, "file_sha256": file_sha256(path)}


def edits(path: Path) -> Row:
    """What people said about an episode, as columns; a label file that can't be used is named in ``label_problem``."""
    try:
        said, problem = read_labels(path), ""
    except LibraryError as error:
        said, problem = Labels(), str(error)
    return {
        "labels": json.dumps(said.labels, ensure_ascii=False),
        "tags": json.dumps(said.tags, ensure_ascii=False),
        "success": None if said.success is None else int(said.success),
        "notes": said.notes,
        "label_problem": problem,
    }


def _facts(episode: Episode) -> Row:
    attributes = {name: episode.attribute(name) for name in WANTED if name in episode.file.attrs}
    rows, cameras = episode.rows, episode.cameras
    findings = json.loads(attributes["findings"])
    rate_hz = float(attributes["rate_hz"])
    return {
        **{name: str(attributes[name]) for name in NAMES},
        "session_id": str(attributes.get("session", "")),
        "episode_number": int(attributes.get("episode_number", 0)),
        "created": str(attributes["created"]),
        "created_s": _epoch_s(attributes["created"]),
        "rate_hz": rate_hz,
        "rows": rows,
        "length_s": rows / rate_hz,
        "verdict": str(attributes["verdict"]),
        "findings": json.dumps({item["code"]: item["level"] for item in findings if item["level"] != "ok"}),
        "dropped_rows": int(attributes["dropped_rows"]),
        "complete": int(attributes["complete"]),
        "sim": int(attributes["sim"]),
        "cameras": json.dumps(cameras),
        "derived_from": json.dumps(derived_ids(attributes.get(DERIVED_FROM))),
    }


def derived_ids(text: Any) -> list[str]:
    """Ids of the episodes that an episode was cut from; empty for one that was recorded."""
    return [str(part["episode_id"]) for part in json.loads(text)] if text else []


def is_good(row: Mapping[str, Any]) -> bool:
    """Whether an episode is fit to learn from: whole, not failed, and nobody said that it did not succeed."""
    return row["verdict"] not in FAILED and bool(row["complete"]) and row["success"] != 0


def discarded(folder: Path) -> list[Path]:
    """Takes in a trash folder that their operator discarded; what was deleted from the library has a record there."""
    deleted = {path.name.removesuffix(TRASH_RECORD_SUFFIX) for path in folder.glob(f"*{TRASH_RECORD_SUFFIX}")}
    takes = sorted(folder.glob(f"*{TAKE_SUFFIX}"))
    return [take for take in takes if take.name.removesuffix(TAKE_SUFFIX) not in deleted]


def take_facts(take: Path) -> Row | None:
    """Who recorded a take, what and how long; None for one that was cut before it could tell."""
    try:
        with take.open("rb") as file:
            records = {record.name: record.metadata for record in make_reader(file).iter_metadata()}
        facts = TakeMetadata.from_strings(records[METADATA_START])
        stopped_ns = int(records.get(METADATA_END, {}).get("stopped_ns", facts.started_ns))
    except (TakeError, McapError, OSError, KeyError, ValueError):
        return None
    return {
        "task": facts.task,
        "operator": facts.operator,
        "booth": facts.booth,
        "robot": facts.robot,
        "created_s": _epoch_s(facts.created),
        "length_s": max(0.0, (stopped_ns - facts.started_ns) / 1e9),
    }


def _epoch_s(created: Any) -> float:
    moment = datetime.fromisoformat(str(created))
    if moment.tzinfo is None:
        raise ValueError(f"attribute created should name its time zone, found {created}")
    return moment.timestamp()
