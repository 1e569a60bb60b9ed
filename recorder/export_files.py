# SPDX-License-Identifier: Apache-2.0
"""Files of an export: each appears under its name at once and complete, or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recorder.publish import publish

PART = ".part"


@contextmanager
def finished_file(path: Path) -> Iterator[Path]:
    """A name to write to while the body runs; it becomes ``path`` when the body ends well and goes when it does not.

    What SIGKILL leaves behind ends in ``.part`` and is written over by the next try.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    try:
        yield part
        publish(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, value: Any, *, indent: int | None = None) -> None:
    """One JSON document. NaN is written as NaN, which Python's own reader takes."""
    with finished_file(path) as part:
        part.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def write_json_lines(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    """One JSON document a line."""
    with finished_file(path) as part, part.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The document, or None when there is no such file or it is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written to the disk of a folder that may not exist yet."""
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
