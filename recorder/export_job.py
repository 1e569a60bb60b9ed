# SPDX-License-Identifier: Apache-2.0
"""One episode's export, here or on any worker: idempotent, and noted in the folder when it is done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from graph.errors import BoothError
from recorder.export_files import read_json, write_json
from recorder.export_formats import FORMATS
from recorder.export_plan import Job

STATE = "booth_export"
NOTES = f"{STATE}/episodes"


def note_path(job: Job) -> Path:
    """Where the note about an episode lies."""
    return Path(job.root) / NOTES / f"{job.item.index:06d}.json"


def note(job: Job) -> dict[str, Any] | None:
    """What was noted when this very episode was finished; None when it was not, or was another then."""
    found = read_json(note_path(job))
    return found if isinstance(found, dict) and found.get("key") == job.key else None


def run_job(job: Job, tell: Callable[[float], None] = lambda share: None) -> str:
    """Write one episode's files and then its note.

    Returns:
        why it can't be exported; empty when it was.

    Raises:
        OSError: the disk refuses, or went away; to be tried again.
    """
    form = FORMATS[job.settings.format]
    files = list(form.files(job))
    write_json(note_path(job), {"key": None, "files": files})
    try:
        record = form.write(job, tell)
    except BoothError as error:
        return str(error)
    write_json(note_path(job), {"key": job.key, "files": files} | record)
    return ""


def drop_stale(root: Path, keys: dict[str, str]) -> None:
    """Remove what an unfinished run of this export began and this run does not want.

    Args:
        root: the export's folder.
        keys: name of the note -> key of the episode that belongs there now.
    """
    for path in sorted((root / NOTES).glob("*.json")):
        found = read_json(path) or {}
        if found.get("key") is not None and found["key"] == keys.get(path.name):
            continue
        for name in found.get("files", []):
            (root / name).unlink(missing_ok=True)
        path.unlink()
