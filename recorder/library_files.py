# SPDX-License-Identifier: Apache-2.0
"""Which files belong to an episode, where episodes are found, and how small files are replaced at once."""

import json
import os
import time
from collections.abc import Mapping
from glob import escape
from pathlib import Path

from graph.stamps import measure_offset_ns
from recorder.identity import wall_iso
from recorder.publish import sync_directory
from recorder.recover import TAKE_SUFFIX, TRASH, UNUSABLE
from recorder.schema import SUFFIX

LABELS_SUFFIX = ".labels.json"
RECEIPTS_SUFFIX = ".receipts.json"
SUMS_SUFFIX = ".sha256"
TRASH_RECORD_SUFFIX = ".trash.json"

GROUP = (SUFFIX, TAKE_SUFFIX, LABELS_SUFFIX, RECEIPTS_SUFFIX, SUMS_SUFFIX)
"""Endings of the files that go with an episode wherever it goes, as what was kept of its replays does."""


def stem_of(episode: Path) -> str:
    """Name of an episode without ``.h5``."""
    return episode.name.removesuffix(SUFFIX)


def beside(episode: Path, suffix: str) -> Path:
    """The file of another ending that belongs to an episode."""
    return episode.with_name(stem_of(episode) + suffix)


def group_of(episode: Path) -> list[Path]:
    """The files that belong to an episode and are there, the episode first."""
    return [path for suffix in GROUP if (path := beside(episode, suffix)).exists()] + replays_of(episode)


def replays_of(episode: Path) -> list[Path]:
    """What was kept of its replays, in order of their time."""
    return sorted(episode.parent.glob(f"{escape(stem_of(episode))}.replay-*"))


def episode_files(folder: Path) -> list[Path]:
    """Every ``.h5`` file below a folder, sorted; what was set aside and what is hidden is left out."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (TRASH, UNUSABLE) and not name.startswith("."))
        found += [Path(place, name) for name in names if name.endswith(SUFFIX) and not name.startswith(".")]
    return sorted(found)


def trash_folders(folder: Path) -> list[Path]:
    """Every ``trash`` below a folder, sorted."""
    found: list[Path] = []
    for place, folders, _ in os.walk(folder):
        if TRASH in folders:
            found.append(Path(place, TRASH))
        folders[:] = [name for name in folders if name not in (TRASH, UNUSABLE) and not name.startswith(".")]
    return sorted(found)


def write_json(path: Path, values: Mapping[str, object]) -> None:
    """Replace a small JSON file at once and for good: a reader meets the old one or the new one.

    Raises:
        OSError: the disk refuses.
    """
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(values, file, indent=1, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_directory(path.parent)


def wall_ns() -> int:
    """Wall time now [ns], for notes that people read."""
    return time.monotonic_ns() + measure_offset_ns()


def now_iso() -> str:
    """Wall time now, ISO 8601, UTC."""
    return wall_iso(wall_ns())
