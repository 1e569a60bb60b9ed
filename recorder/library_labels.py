# SPDX-License-Identifier: Apache-2.0
"""What people say about an episode, in a small JSON file beside it: the finished episode itself is never touched.

Every change keeps what was said before, so that it can be taken back.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recorder.library_errors import LibraryError
from recorder.library_files import LABELS_SUFFIX, beside, now_iso, write_json

SCHEMA = "humanoid_booth/labels"
VERSION = 1
KEPT = 50
"""So many earlier states are kept."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels (name to text), tags (sorted), whether the task was done (None: nobody said), and a note."""

    labels: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    success: bool | None = None
    notes: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "tags": list(self.tags)}


def read_labels(episode: Path) -> Labels:
    """What is said about an episode; empty where nobody said anything.

    Raises:
        LibraryError: the file beside it is damaged or of a newer version.
    """
    return _labels(_load(episode), beside(episode, LABELS_SUFFIX))


def write_labels(episode: Path, labels: Labels) -> None:
    """Say something else about an episode; what was said before is kept in the file.

    Raises:
        LibraryError: what is there is damaged, or can't be written.
    """
    old = _load(episode)
    earlier = list(old.get("earlier", []))
    if old:
        earlier = [{name: old[name] for name in old if name not in ("earlier", "schema", "version")}, *earlier]
    _write(episode, labels, earlier[:KEPT])


def undo_labels(episode: Path, apply: bool = True) -> Labels:
    """Take the last change back and return what holds then; undoing the first change leaves nothing said.

    Args:
        apply: False: only say what would hold.

    Raises:
        LibraryError: there is nothing to take back, or the file is damaged or can't be written.
    """
    old = _load(episode)
    path = beside(episode, LABELS_SUFFIX)
    if not old or (not old["earlier"] and _labels(old, path) == Labels()):
        raise LibraryError(f"nothing was said about {episode.name}, so there is nothing to take back")
    before, *earlier = old["earlier"] or [{}]
    labels = _labels(before, path)
    if apply:
        _write(episode, labels, earlier)
    return labels


def _write(episode: Path, labels: Labels, earlier: list[Any]) -> None:
    path = beside(episode, LABELS_SUFFIX)
    values = {"schema": SCHEMA, "version": VERSION, **labels.to_json(), "changed": now_iso(), "earlier": earlier}
    try:
        write_json(path, values)
    except OSError as error:
        raise LibraryError(f"can't write {path}: {error.strerror}. Is the folder writable?") from error


def _load(episode: Path) -> dict[str, Any]:
    path = beside(episode, LABELS_SUFFIX)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LibraryError(_damaged(path, str(error))) from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA or not isinstance(values.get("earlier"), list):
        raise LibraryError(_damaged(path, "something else"))
    if values.get("version") != VERSION:
        raise LibraryError(f"{path.name} is of version {values.get('version')}, this reads {VERSION}: update")
    return values


def _labels(values: dict[str, Any], path: Path) -> Labels:
    labels, tags = values.get("labels", {}), values.get("tags", [])
    success, notes = values.get("success"), values.get("notes", "")
    texts = isinstance(labels, dict) and all(isinstance(item, str) for item in [*labels, *labels.values(), notes])
    if not texts or not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise LibraryError(_damaged(path, "labels, tags or notes that are no text"))
    if success not in (None, True, False):
        raise LibraryError(_damaged(path, f"success {success!r}"))
    return Labels(dict(labels), tuple(sorted(set(tags))), success, notes)


def _damaged(path: Path, found: str) -> str:
    return f"{path} is unusable: expected JSON of schema {SCHEMA}, found {found}. Mend it, or move it away"
