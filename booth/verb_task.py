# SPDX-License-Identifier: Apache-2.0
"""`booth task`: what is to be demonstrated, how often, and how long each part takes."""

import argparse
from pathlib import Path
from typing import Any

from booth.output import result, result_json, say, table
from booth.session.errors import SessionError
from booth.session.records import Task, checked
from booth.session.store import Store
from booth.session.task_file import FIELDS, read_tasks
from booth.store_verbs import add_action, tell
from graph.errors import EXIT_OK
from recorder.identity import wall_iso

SECONDS = {
    "warm_up_s": "to get used to the robot, once",
    "record_s": "after this long a take ends by itself",
    "reset_s": "to put the things back",
    "review_s": "a take that is ok keeps itself after this long",
}


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("task", help="what is demonstrated: add, list, show, set, remove; import a file")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = add_action(actions, "add", "add a task", run_add)
    one.add_argument("id", help="small letters, digits, _ and -")
    _fields(one, needed=True)
    one = add_action(actions, "list", "all tasks", run_list)
    one.add_argument("--all", action="store_true", help="those that were removed, too")
    add_action(actions, "show", "one task", run_show).add_argument("id")
    one = add_action(actions, "set", "change a task; sessions that go on keep the one they began with", run_set)
    one.add_argument("id")
    _fields(one, needed=False)
    one = add_action(actions, "remove", "take a task off the page; episodes stay", run_remove)
    one.add_argument("id")
    one.add_argument("--undo", action="store_true", help="put it back")
    one = add_action(actions, "import", "add or change all tasks of a YAML file", run_import)
    one.add_argument("file", type=Path, metavar="FILE.yaml", help="like config/tasks.yaml")


def run_add(args: argparse.Namespace) -> int:
    """A new task."""
    task = checked(Task, {"id": args.id, **_given(args)})
    with Store(args.store) as store:
        store.tasks.add(task)
    return tell(args, task, _values(task), "added")


def run_list(args: argparse.Namespace) -> int:
    """A table."""
    with Store(args.store) as store:
        found = store.tasks.all(removed=args.all)
    if args.json:
        result_json({"tasks": [_values(one) for one in found]})
    elif not found:
        say("booth: no tasks yet: booth task add ID --name NAME --instruction TEXT, or booth task import FILE.yaml")
    else:
        rows = [
            (one.id, one.name, one.target, *(f"{getattr(one, name):g}" for name in SECONDS), one.instruction)
            for one in found
        ]
        result(table(rows, ("id", "name", "target", "warm-up s", "record s", "reset s", "review s", "instruction")))
    return EXIT_OK


def run_show(args: argparse.Namespace) -> int:
    """One task."""
    with Store(args.store) as store:
        found = store.tasks.get(args.id, removed=True)
        sessions = [one for one in store.sessions.all() if one.task.id == found.id]
    values = {**_values(found), "sessions": len(sessions)}
    if args.json:
        result_json(values)
    else:
        result("\n".join(f"{name:<11} {value}" for name, value in values.items() if value is not None))
    return EXIT_OK


def run_set(args: argparse.Namespace) -> int:
    """Change some of it."""
    given = _given(args)
    if not given:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in FIELDS[1:])
        raise SessionError(f"nothing to change: give some of {named}")
    with Store(args.store) as store:
        task = checked(Task, {**store.tasks.get(args.id).model_dump(), **given})
        store.tasks.put(task)
    return tell(args, task, _values(task), "changed")


def run_remove(args: argparse.Namespace) -> int:
    """Mark as gone, or take that back."""
    with Store(args.store) as store:
        store.tasks.remove(args.id, 0 if args.undo else store.now_ns())
        found = store.tasks.get(args.id, removed=True)
    words = "is back" if args.undo else f"removed; undo: booth task remove {args.id} --undo"
    return tell(args, found, _values(found), words)


def run_import(args: argparse.Namespace) -> int:
    """All tasks of a file, or none."""
    tasks = read_tasks(args.file)
    with Store(args.store) as store, store.transaction():
        known = {one.id: one for one in store.tasks.all(removed=True)}
        for task in tasks:
            store.tasks.put(task)
    added = [task.id for task in tasks if task.id not in known]
    changed = [task.id for task in tasks if task.id in known and known[task.id] != task]
    same = [task.id for task in tasks if known.get(task.id) == task]
    if args.json:
        result_json({"added": added, "changed": changed, "same": same})
    else:
        told = {"added": added, "changed": changed, "as it was": same}
        result("\n".join(f"{words}: {', '.join(names)}" for words, names in told.items() if names))
    return EXIT_OK


def _fields(parser: argparse.ArgumentParser, needed: bool) -> None:
    parser.add_argument("--name", required=needed, help="what the page calls it")
    parser.add_argument("--instruction", required=needed, help="the sentence that goes into every episode")
    parser.add_argument("--target", type=int, metavar="N", help="good episodes in a session (default: 20)")
    for name, text in SECONDS.items():
        default = f"{Task.model_fields[name].default:g}"
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="S", help=f"{text} (default: {default})")


def _given(args: argparse.Namespace) -> dict[str, object]:
    return {name: getattr(args, name) for name in FIELDS[1:] if getattr(args, name) is not None}


def _values(task: Task) -> dict[str, object]:
    removed = wall_iso(task.removed_ns) if task.removed_ns else None
    return {**task.model_dump(exclude={"removed_ns"}), "removed": removed}
