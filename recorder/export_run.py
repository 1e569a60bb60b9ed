# SPDX-License-Identifier: Apache-2.0
"""Carry out a plan: episode by episode, each finished one noted, so that a run that was cut short is taken up again.

The folder's ``booth_export`` holds ``plan.json`` and a note for every finished episode; a note counts only when its key
says that nothing the episode's bytes depend on has changed.
"""

import fcntl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from recorder import export_cluster
from recorder.export_errors import ExportError, ExportInputError
from recorder.export_files import read_json, write_json
from recorder.export_formats import FORMATS
from recorder.export_job import STATE, drop_stale, note, note_path, run_job
from recorder.export_plan import Job, Plan

PLAN = f"{STATE}/plan.json"
SHOWN = 20
TellAll = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an export did: episodes written now, episodes that were there already, and a line for people."""

    plan: Plan
    written: int
    kept: int
    text: str


def exported_ids(root: Path) -> tuple[str, ...]:
    """Ids of the episodes of a finished export, in order: they keep their numbers when more are added."""
    found = read_json(root / PLAN) or {}
    return tuple(str(entry["episode_id"]) for entry in found.get("episodes", [])[: found.get("fixed", 0)])


def run_plan(
    plan: Plan,
    root: Path,
    tell: TellAll = lambda share, text: None,
    workers: int = 0,
    scheduler: str = "",
) -> Outcome:
    """Export; the same call again goes on where this one was cut short.

    Args:
        plan: from ``make_plan``.
        root: the folder; new, empty, or one of an earlier run of the same export.
        tell: is told the share that is done and a note.
        workers: processes of a Dask cluster on this computer; 0: this process does it all.
        scheduler: address of a Dask scheduler, instead.

    Raises:
        ExportInputError: the format can't hold these episodes, or the folder belongs to something else.
        ExportError: an episode could not be exported; the others are done and kept.
    """
    form = FORMATS[plan.settings.format]
    with _claimed(root):
        found = read_json(root / PLAN) or {}
        plan = form.check(plan, root)
        keys = [plan.job(root, item).key for item in plan.items]
        _refuse_another_export(plan, root, found, keys)
        if found.get("fixed") == len(keys):
            return Outcome(plan, 0, len(keys), f"nothing to do: {root} holds these {len(keys)} episodes already")
        write_json(root / PLAN, plan.to_json(root) | {"fixed": found.get("fixed", 0)}, indent=1)
        jobs = [plan.job(root, item) for item in plan.items]
        drop_stale(root, {note_path(job).name: job.key for job in jobs})
        waiting = [job for job in jobs if note(job) is None]
        failures = _carry_out(plan, waiting, tell, workers, scheduler)
        if failures:
            raise ExportError(_failed(failures, len(jobs)))
        text = form.merge(plan, root, [note(job) or {} for job in jobs])
        write_json(root / PLAN, plan.to_json(root) | {"fixed": len(jobs)}, indent=1)
    return Outcome(plan, len(waiting), len(jobs) - len(waiting), text)


@contextmanager
def _claimed(root: Path) -> Iterator[None]:
    """The folder is ours alone while the body runs.

    Raises:
        ExportInputError: it holds other things, or another export is at work in it.
    """
    if root.exists() and (not root.is_dir() or (any(root.iterdir()) and not (root / STATE).is_dir())):
        raise ExportInputError(
            f"{root} holds files that no export of ours has written: expected a new or empty folder, or one that"
            " booth export began; nothing was touched"
        )
    (root / STATE).mkdir(parents=True, exist_ok=True)
    with (root / STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ExportInputError(f"another export is writing to {root}: wait for its end") from error
        yield


def _refuse_another_export(plan: Plan, root: Path, found: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Other options are another export. Episodes may change until it is finished; then they may only be added to."""
    asked = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(plan.settings).items()}
    before = found.get("settings", asked)
    changed = [name for name in asked if before.get(name) != asked[name]]
    if changed:
        listed = ", ".join(f"{name} was {before.get(name)!r}, now {asked[name]!r}" for name in changed)
        raise ExportInputError(f"{root} was exported with other options ({listed}): use the same ones, or a new folder")
    fixed = found.get("fixed", 0)
    there = [entry["key"] for entry in found.get("episodes", [])[:fixed]]
    if there != list(keys[:fixed]):
        raise ExportInputError(
            f"{root} is a finished export of {fixed} episodes, and these are others or differ from them in robot,"
            " cameras, measured values or task: name the same episodes (and more, if you like), or use a new folder"
        )


def _carry_out(plan: Plan, jobs: Sequence[Job], tell: TellAll, workers: int, scheduler: str) -> list[tuple[Job, str]]:
    """Run all jobs and return those that failed, each with the reason."""
    total = max(1, plan.rows)
    done = total - sum(job.item.rows for job in jobs)
    failures = []
    if workers or scheduler:
        ended = export_cluster.carry_out(jobs, workers, scheduler) if jobs else iter(())
    else:
        ended = _here(jobs, lambda job, share: tell((done + share * job.item.rows) / total, job.item.source.name))
    for job, reason in ended:
        done += job.item.rows
        tell(done / total, f"{job.item.source.name}{': ' + reason if reason else ''}")
        if reason:
            failures.append((job, reason))
    return failures


def _here(jobs: Sequence[Job], tell: Callable[[Job, float], None]) -> Iterator[tuple[Job, str]]:
    for job in jobs:
        try:
            yield job, run_job(job, partial(tell, job))
        except OSError as error:
            yield job, f"the disk refuses: {error}"


def _failed(failures: Sequence[tuple[Job, str]], total: int) -> str:
    listed = "".join(f"\n  - {job.item.source.name}: {reason}" for job, reason in failures[:SHOWN])
    more = f"\n  … and {len(failures) - SHOWN} more" if len(failures) > SHOWN else ""
    return (
        f"{len(failures)} of {total} episodes could not be exported, so the export is not finished:{listed}{more}\n"
        "run the same command again to try these again, or leave them out with --except FILE …; the others are kept"
    )
