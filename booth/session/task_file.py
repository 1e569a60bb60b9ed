# SPDX-License-Identifier: Apache-2.0
"""Tasks as a YAML file that people write: ``tasks:``, a list of what `booth task add` takes."""

from pathlib import Path

import yaml

from booth.session.errors import SessionError
from booth.session.records import Task, checked

MAX_BYTES = 1 << 20
FIELDS = tuple(name for name in Task.model_fields if name != "removed_ns")


def read_tasks(path: Path) -> list[Task]:
    """The tasks of a file.

    Raises:
        SessionError: there is none, it can't be read, or something in it can't be a task; lists every problem.
    """
    entries = _entries(path)
    tasks: list[Task] = []
    problems: list[str] = []
    for place, entry in enumerate(entries, start=1):
        try:
            tasks.append(_task(place, entry))
        except SessionError as error:
            problems.append(str(error))
    for name in sorted({task.id for task in tasks if sum(other.id == task.id for other in tasks) > 1}):
        problems.append(f"task {name!r} is there more than once")
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise SessionError(f"{path} can't be used, {len(problems)} problem(s), nothing was imported:{listed}")
    return tasks


def _entries(path: Path) -> list[object]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SessionError(f"{path} has more than {MAX_BYTES} bytes: expected a list of tasks")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SessionError(f"no file {path}: expected a list of tasks such as config/tasks.yaml") from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SessionError(f"{path} can't be read: {' '.join(str(error).split())}") from error
    entries = data.get("tasks") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise SessionError(f"{path} holds no tasks: expected `tasks:` and a list, such as config/tasks.yaml has")
    return entries


def _task(place: int, entry: object) -> Task:
    if not isinstance(entry, dict):
        raise SessionError(f"entry {place} is no task: expected id, name and instruction, found {entry!r}")
    unknown = [str(name) for name in entry if name not in FIELDS]
    if unknown:
        raise SessionError(f"entry {place} has {', '.join(unknown)}: expected some of {', '.join(FIELDS)}")
    return checked(Task, entry)
