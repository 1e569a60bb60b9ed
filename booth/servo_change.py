# SPDX-License-Identifier: Apache-2.0
"""`booth servo` commands that change settings: write, set-id, set-baud, backup and restore."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from booth.output import Progress, result, result_json, say, table
from booth.servo_line import (
    DRY_RUN,
    Session,
    all_ids,
    drive_mode_of,
    needed_robot,
    open_device,
    open_line,
    tell,
    the_robot,
)
from drivers.servo_tools import Known, RefusedError, find_item, model_words
from drivers.servo_tools_backup import entry, plan_restore, read_file, take, text_of, write_file
from drivers.servo_tools_change import Change, apply, apply_baud, apply_id, plan, plan_baud, plan_id, refuse_locked
from drivers.servo_tools_values import describe, parse_value
from drivers.servo_tools_where import WhereError, device_id, joint_of
from graph.errors import EXIT_OK
from graph.stamps import graph_clock


def run_write(args: argparse.Namespace) -> int:
    """Write one register."""
    with open_device(args) as session:
        device, known = session.device, session.device.model
        if len(args.words) < 2:
            raise WhereError(f"booth servo write {args.device} REGISTER VALUE: the value is missing")
        item = find_item(known.table, " ".join(args.words[:-1]))
        if item.name == "ID" or item.name in ("Baud Rate", "Baud Rate (Bus)"):
            verb = "set-id" if item.name == "ID" else "set-baud"
            raise RefusedError(f"{item.name} is changed with booth servo {verb}, which makes sure that nothing is lost")
        value = parse_value(args.words[-1], item, known, drive_mode_of(device))
        changes = plan(device, {item.name: value})
        refuse_locked(device, changes)
        if args.apply:
            apply(device, changes)
        undo = f'booth servo write {device.id} "{item.name}" {changes[0].old} {session.place.options} --apply'
        _report(args, session, changes, undo if changes[0].needed else "")
    return EXIT_OK


def run_set_id(args: argparse.Namespace) -> int:
    """Give a device another ID."""
    new = device_id(args.new, the_robot(args))
    with open_device(args) as session:
        change = plan_id(session.port, session.device, new)
        becomes = joint_of(session.robot, new)
        if becomes is not None and becomes.model != model_words(session.device.identity.model_number):
            raise RefusedError(
                f"ID {new} is {becomes.name}, a {becomes.model}; this is a "
                f"{model_words(session.device.identity.model_number)}: is it the right servo? Without --robot, "
                "that is not checked"
            )
        if args.apply:
            apply_id(session.device, change)
        undo = f"booth servo set-id {new} {change.old} {session.place.options} --apply"
        note = f"ID {new} becomes {becomes.name}" if becomes is not None else ""
        _report(args, session, [change], undo, note)
    return EXIT_OK


def run_set_baud(args: argparse.Namespace) -> int:
    """Give a device another speed."""
    with open_device(args) as session:
        change, old = plan_baud(session.device, args.new_baud), session.place.baud
    if args.apply and change.needed:
        apply_baud(lambda baud: open_line(args, session.place.port, baud), old, args.new_baud, change)
    undo = f"booth servo set-baud {change.servo_id} {old} --port {session.place.port} --baud {args.new_baud} --apply"
    _report(args, session, [change], undo, "devices of one line hear each other at one speed only: change all of them")
    return EXIT_OK


def run_backup(args: argparse.Namespace) -> int:
    """Read settings of one device or of the whole robot into a file."""
    robot = needed_robot(args) if args.device == "all" else the_robot(args)
    ids = all_ids(robot, args) if robot is not None and args.device == "all" else [device_id(args.device, robot)]
    bar, saved = Progress("backup"), []
    for number, servo_id in enumerate(ids, 1):
        with open_device(args, servo_id) as session:
            joint = joint_of(robot, servo_id)
            saved.append((session.device, take(session.device, joint.name if joint is not None else "")))
        bar.show(number / len(ids))
    bar.done()
    written = datetime.fromtimestamp(graph_clock().now_ns() * 1e-9, UTC).strftime("%Y-%m-%d %H:%M UTC")
    write_file(args.file, text_of(saved, robot.name if robot is not None else "", written), args.force)
    tell(args, {"file": str(args.file), "ids": ids}, f"{args.file}: settings of {len(ids)} device(s)")
    return EXIT_OK


def run_restore(args: argparse.Namespace) -> int:
    """Write settings from a file."""
    backup = read_file(args.file)
    with open_device(args) as session:
        device = session.device
        saved = entry(backup, device.id if args.of is None else args.of, str(args.file))
        changes = [change for change in plan_restore(device, saved) if change.needed]
        refuse_locked(device, changes)
        undo = ""
        if args.apply and changes:
            before = args.file.with_name(f"before-restore-{device.id}.yaml")
            write_file(before, text_of([(device, take(device))], "", "before a restore"), replace=True)
            apply(device, changes)
            undo = f"booth servo restore {device.id} {before} {session.place.options} --apply"
        note = "gains are RAM: they are lost at power-off" if any("Gain" in c.item.name for c in changes) else ""
        _report(args, session, changes, undo, note)
    return EXIT_OK


def _report(args: argparse.Namespace, session: Session, changes: Sequence[Change], undo: str, note: str = "") -> None:
    """What was, or would be, written, and how to undo it."""
    known, drive_mode = session.device.model, 0
    if args.json:
        values = [{"register": c.item.name, "area": c.item.area, "old": c.old, "new": c.new} for c in changes]
        result_json({"id": session.device.id, "applied": bool(args.apply), "changes": values, "undo": undo})
        return
    result(f"{session.who}, {known.name}:")
    rows = [
        (c.item.name, c.item.area, _value(c, c.old, known, drive_mode), "->", _value(c, c.new, known, drive_mode))
        for c in changes
        if c.needed
    ]
    result(table(rows, ("register", "area", "now" if not args.apply else "before", "", "new")) if rows else "no change")
    for text in [note, "RAM: it takes effect at once and is forgotten at power-off" if _ram(changes) else ""]:
        if text:
            result(text)
    if any(c.item.name == "Torque Enable" or c.item.name.startswith("Goal") for c in changes):
        result("! the joint may move or go limp: hands off, or support it")
    if rows:
        say("Written and read back" if args.apply else DRY_RUN)
        if undo:
            say(f"undo: {undo}" if args.apply else f"undo afterwards: {undo}")


def _value(change: Change, raw: int, known: Known, drive_mode: int) -> str:
    said = describe(change.item, raw, known, drive_mode)
    return f"{raw} ({said})" if said else str(raw)


def _ram(changes: Sequence[Change]) -> bool:
    return any(change.needed for change in changes) and not any(change.survives_power_off for change in changes)
