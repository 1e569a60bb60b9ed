# SPDX-License-Identifier: Apache-2.0
"""`booth servo …`: what a technician does with single servos. Changes are shown first and made only with --apply."""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

from booth.health_picture import draw_health
from booth.output import Progress, result, result_json, say, table
from drivers.bus import Bus, Port
from drivers.errors import PortError
from drivers.maintenance import actuators_of
from drivers.maintenance_read import load
from drivers.maintenance_risk import Assessment, assess, headline
from drivers.maintenance_schema import database_path
from drivers.maintenance_store import replaced
from drivers.port import SerialPort
from drivers.servo_tools import Device, Known, RefusedError, find_item, model_words, split_registers
from drivers.servo_tools_backup import entry, plan_restore, read_file, take, text_of, write_file
from drivers.servo_tools_blink import blink
from drivers.servo_tools_calibrate import Calibration, calibrate
from drivers.servo_tools_change import Change, apply, apply_baud, apply_id, plan, plan_baud, plan_id, refuse_locked
from drivers.servo_tools_line import TracedPort, reboot
from drivers.servo_tools_scan import SCAN_BAUDS, Finding, ScanResult, compare, every_id, scan
from drivers.servo_tools_values import describe, parse_value, readable
from drivers.servo_tools_where import Place, WhereError, device_id, joint_of, place_of, places, slots
from graph.errors import EXIT_FAILED, EXIT_OK, BoothError
from graph.stamps import graph_clock
from robots import Robot, load_robot

DESCRIPTION = """Look at servos, set them up, and find out which one will fail next.
Nothing is changed without --apply: every command says first what it would write, and how to undo it.
docs/technician.md has the tasks step by step."""
DRY_RUN = "Nothing has been written. To do it, add --apply"


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "servo",
        help="for technicians: scan, read, set up and calibrate servos; health",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = _action(
        actions, "scan", "who is on the line? with --robot: is that what its file says? exit code 1: no", run_scan
    )
    one.add_argument("--each", action="store_true", help="ask all 253 IDs one by one, too")
    _device(_action(actions, "ping", "does it answer, what is it?", run_ping))
    one = _device(_action(actions, "read", "registers, in units and words", run_read))
    one.add_argument("registers", nargs="*", metavar="REGISTER", help="e-Manual name or address, or all")
    one = _changing(_device(_action(actions, "write", "one register", run_write)))
    one.add_argument("words", nargs="+", metavar="REGISTER VALUE", help="for example: goal position 90deg")
    one = _changing(_action(actions, "set-id", "give a device another ID", run_set_id))
    one.add_argument("device", metavar="OLD", help="ID")
    one.add_argument("new", metavar="NEW", help="ID, or the joint it becomes (with --robot)")
    one = _changing(_device(_action(actions, "set-baud", "give a device another speed", run_set_baud)))
    one.add_argument("new_baud", metavar="BAUD", type=int, help="bits per second")
    one = _device(_action(actions, "blink", "blink its light, to find it in the robot", run_blink))
    one.add_argument(
        "--seconds", type=float, default=10.0, help="how long (default: %(default)g); Ctrl-C ends it earlier"
    )
    _changing(_device(_action(actions, "reboot", "restart it: the way out of a hardware error", run_reboot)))
    one = _device(_action(actions, "backup", "write settings to a text file", run_backup), "ID, joint name, or all")
    one.add_argument("file", type=Path)
    one.add_argument("--force", action="store_true", help="replace an older file")
    one = _changing(_device(_action(actions, "restore", "write settings from a backup", run_restore)))
    one.add_argument("file", type=Path)
    one.add_argument("--of", type=int, metavar="ID", help="take the settings of another ID of the file")
    one = _changing(
        _device(_action(actions, "calibrate", "homing offset from a pose held by hand", run_calibrate), "joint, or all")
    )
    one.add_argument(
        "--pose", choices=("zero", "home"), default="zero", help="the pose you hold (default: %(default)s)"
    )
    one = _action(actions, "health", "which joint will fail next, and why", run_health)
    one.add_argument("--virtual", action="store_true", help="the virtual robot's log")
    one.add_argument("--picture", type=Path, metavar="FILE", help="write a PNG, too")
    one = _changing(_action(actions, "replaced", "another servo has been fitted: begin its log anew", run_replaced))
    one.add_argument("device", metavar="JOINT")
    one.add_argument("--virtual", action="store_true", help="in the virtual robot's log")


def _action(actions: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    parser._negative_number_matcher = re.compile(r"^-\.?\d.*$")  # so that -90deg is a value, not an option
    parser.add_argument("--robot", default="", metavar="NAME", help="robot name or YAML file")
    parser.add_argument("--bus", default="", metavar="NAME", help="which line of a robot that has several")
    parser.add_argument("--port", default="", help="serial port (default: the robot's)")
    several = "; all: every usual one" if name == "scan" else ""
    parser.add_argument("--baud", default="", help=f"bits per second (default: the robot's, else 57600){several}")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--trace", action="store_true", help="show every packet in hex, on standard error")
    parser.set_defaults(run=run)
    return parser


def _device(parser: argparse.ArgumentParser, text: str = "ID, or joint name (with --robot)") -> argparse.ArgumentParser:
    parser.add_argument("device", metavar="ID|JOINT", help=text)
    return parser


def _changing(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--apply", action="store_true", help="really do it; without, only say what would be done")
    return parser


# --- lines ---------------------------------------------------------------------------------------------------------


def _robot(args: argparse.Namespace) -> Robot | None:
    return load_robot(args.robot) if args.robot else None


def _needed_robot(args: argparse.Namespace) -> Robot:
    if not args.robot:
        raise WhereError(f"booth servo {args.action} needs --robot NAME (booth robot list names them)")
    return load_robot(args.robot)


def _baud(args: argparse.Namespace) -> int:
    if not args.baud or args.baud == "all":
        return 0
    if not args.baud.isdecimal() or int(args.baud) == 0:
        raise WhereError(f"--baud is a number such as 57600 or 4000000, found {args.baud!r}")
    return int(args.baud)


@contextmanager
def _line(args: argparse.Namespace, path: str, baud: int) -> Iterator[Port]:
    with SerialPort(path, baud) as port:
        yield TracedPort(port, say) if args.trace else port


@dataclass(frozen=True, slots=True)
class _Session:
    """A device on its open line."""

    device: Device
    port: Port
    place: Place
    robot: Robot | None

    @property
    def who(self) -> str:
        """For example ``ID 5 (r_el)``."""
        joint = joint_of(self.robot, self.device.id)
        return f"ID {self.device.id}{f' ({joint.name})' if joint is not None else ''}"


@contextmanager
def _open(args: argparse.Namespace, servo_id: int | None = None) -> Iterator[_Session]:
    """The device that a command is about, on its line."""
    robot = _robot(args)
    servo_id = device_id(args.device, robot) if servo_id is None else servo_id
    place = place_of(robot, args.robot, args.bus, args.port, _baud(args), servo_id)
    with _line(args, place.port, place.baud) as port:
        try:
            device = Device(Bus(port), servo_id)
        except BoothError as error:
            if isinstance(error, PortError):
                raise
            hint = f"on {place.port} at {place.baud} baud: {error}"
            raise type(error)(f"{hint} Try: booth servo scan --port {place.port} --baud all") from error
        yield _Session(device, port, place, robot)


# --- looking -------------------------------------------------------------------------------------------------------


def run_scan(args: argparse.Namespace) -> int:
    """List who answers; compare with the robot's file."""
    robot = _robot(args)
    lines, rows, findings = [], [], []
    for place in places(robot, args.robot, args.bus, args.port, _baud(args)):
        expected = slots(robot, place.bus) if robot is not None else None
        everywhere = args.baud == "all" or (robot is None and not args.baud)
        bauds = [place.baud, *(b for b in SCAN_BAUDS if b != place.baud)] if everywhere else [place.baud]
        results = _scan_line(args, place, bauds, every_id() if args.each else list(expected or {}))
        for item in (device for one in results for device in one.found):
            name = expected[item.id].name if expected is not None and item.id in expected else ""
            lines.append((place.bus or place.port, item.id, model_words(item.model_number), item.model_number))
            rows.append((*lines[-1], item.firmware, item.baud, name))
        findings += compare(results, expected, place.baud)
    wrong = [finding for finding in findings if finding.matters]
    if args.json:
        names = ("line", "id", "model", "model_number", "firmware", "baud", "joint")
        found = [dict(zip(names, row, strict=True)) for row in rows]
        result_json({"found": found, "findings": [_finding(f) for f in findings], "as_expected": not wrong})
    else:
        result(
            table(rows, ("line", "ID", "model", "number", "firmware", "baud", "joint")) if rows else "nobody answered"
        )
        for finding in findings:
            result(f"{'!' if finding.matters else 'i'} {finding.text}")
        if robot is not None and not wrong:
            result(f"{len(rows)} devices, all that {robot.name}'s file expects")
        elif not rows:
            result("is the robot powered, is the data cable plugged in? without --baud, all usual speeds are tried")
    return EXIT_FAILED if wrong or not rows else EXIT_OK


def _finding(finding: Finding) -> dict[str, object]:
    return {"kind": finding.kind, "id": finding.id, "text": finding.text, "matters": finding.matters}


def _scan_line(args: argparse.Namespace, place: Place, bauds: list[int], each: Sequence[int]) -> list[ScanResult]:
    bar = Progress(f"scan {place.bus or place.port}")
    results: list[ScanResult] = []
    for number, baud in enumerate(bauds):

        def progress(share: float, number: int = number, baud: int = baud) -> None:
            found = f", {sum(len(r.found) for r in results)} found" if number else ""
            bar.show((number + share) / len(bauds), f"{baud} baud{found}")

        known = {device.id for one in results for device in one.found}
        try:
            with _line(args, place.port, baud) as port:
                results.append(scan(port, [i for i in each if i not in known], progress))
        except PortError:
            if baud == place.baud:
                raise
            say(f"{baud} baud was left out: this port can't make it")
    bar.done()
    if len(bauds) > 1:  # a device at another speed answers with rubbish there; only one that is never understood counts
        results = [ScanResult(one.found, one.garbled if one.found else ()) for one in results]
    return results


def run_ping(args: argparse.Namespace) -> int:
    """Say who answers."""
    with _open(args) as session:
        number, firmware = session.device.identity.model_number, session.device.identity.firmware
        text = f"{session.who}: {model_words(number)} (model number {number}), firmware {firmware}"
        values = {"id": session.device.id, "model": model_words(number), "model_number": number, "firmware": firmware}
        _tell(args, values, text)
    return EXIT_OK


def run_read(args: argparse.Namespace) -> int:
    """Print registers."""
    with _open(args) as session:
        device, known = session.device, session.device.model
        words = args.registers or ["all"]
        items = readable(known.table) if words == ["all"] else split_registers(known.table, words)
        drive_mode = _drive_mode(device)
        values = [(item, device.get(item.name)) for item in items]
        said = [describe(item, value, known, drive_mode) for item, value in values]
        rows = [
            (item.address, item.name, value, item.area, item.access, text)
            for (item, value), text in zip(values, said, strict=True)
        ]
        registers = {name: {"raw": raw, "address": at, "meaning": text} for at, name, raw, _, _, text in rows}
        text = f"{session.who}: {known.name}, firmware {device.identity.firmware}\n"
        text += table(rows, ("address", "register", "raw", "area", "access", "meaning"))
        _tell(args, {"id": device.id, "model": known.name, "registers": registers}, text)
    return EXIT_OK


def run_blink(args: argparse.Namespace) -> int:
    """Blink."""
    with _open(args) as session:
        say(f"{session.who} blinks for {args.seconds:g} s; Ctrl-C ends it")
        blink(session.device, args.seconds)
        _tell(args, {"id": session.device.id, "blinked_s": args.seconds}, "the light is as it was")
    return EXIT_OK


def run_reboot(args: argparse.Namespace) -> int:
    """Restart a device; with torque on only when told so, because the joint goes limp."""
    with _open(args) as session:
        device = session.device
        locked = device.lock() if device.known is not None else None
        if locked is not None and not args.apply:
            raise RefusedError(
                f"{session.who}: {locked[0]} is on; a reboot switches it off and the joint goes limp. "
                "Support it and add --apply"
            )
        identity = reboot(session.port, device.id)
        text = f"{session.who} is back: firmware {identity.firmware}, torque off, RAM at its defaults"
        _tell(args, {"id": device.id, "firmware": identity.firmware}, text)
    return EXIT_OK


# --- changing ------------------------------------------------------------------------------------------------------


def run_write(args: argparse.Namespace) -> int:
    """Write one register."""
    with _open(args) as session:
        device, known = session.device, session.device.model
        if len(args.words) < 2:
            raise WhereError(f"booth servo write {args.device} REGISTER VALUE: the value is missing")
        item = find_item(known.table, " ".join(args.words[:-1]))
        if item.name == "ID" or item.name in ("Baud Rate", "Baud Rate (Bus)"):
            verb = "set-id" if item.name == "ID" else "set-baud"
            raise RefusedError(f"{item.name} is changed with booth servo {verb}, which makes sure that nothing is lost")
        value = parse_value(args.words[-1], item, known, _drive_mode(device))
        changes = plan(device, {item.name: value})
        refuse_locked(device, changes)
        if args.apply:
            apply(device, changes)
        undo = f'booth servo write {device.id} "{item.name}" {changes[0].old} {session.place.options} --apply'
        _report(args, session, changes, undo if changes[0].needed else "")
    return EXIT_OK


def run_set_id(args: argparse.Namespace) -> int:
    """Give a device another ID."""
    new = device_id(args.new, _robot(args))
    with _open(args) as session:
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
    with _open(args) as session:
        change, old = plan_baud(session.device, args.new_baud), session.place.baud
    if args.apply and change.needed:
        apply_baud(lambda baud: _line(args, session.place.port, baud), old, args.new_baud, change)
    undo = f"booth servo set-baud {change.servo_id} {old} --port {session.place.port} --baud {args.new_baud} --apply"
    _report(args, session, [change], undo, "devices of one line hear each other at one speed only: change all of them")
    return EXIT_OK


def run_backup(args: argparse.Namespace) -> int:
    """Read settings of one device or of the whole robot into a file."""
    robot = _needed_robot(args) if args.device == "all" else _robot(args)
    ids = _all_ids(robot, args) if robot is not None and args.device == "all" else [device_id(args.device, robot)]
    bar, saved = Progress("backup"), []
    for number, servo_id in enumerate(ids, 1):
        with _open(args, servo_id) as session:
            joint = joint_of(robot, servo_id)
            saved.append((session.device, take(session.device, joint.name if joint is not None else "")))
        bar.show(number / len(ids))
    bar.done()
    written = datetime.fromtimestamp(_now_s(), UTC).strftime("%Y-%m-%d %H:%M UTC")
    write_file(args.file, text_of(saved, robot.name if robot is not None else "", written), args.force)
    _tell(args, {"file": str(args.file), "ids": ids}, f"{args.file}: settings of {len(ids)} device(s)")
    return EXIT_OK


def run_restore(args: argparse.Namespace) -> int:
    """Write settings from a file."""
    backup = read_file(args.file)
    with _open(args) as session:
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


def run_calibrate(args: argparse.Namespace) -> int:
    """Homing offsets from a pose held by hand."""
    robot = _needed_robot(args)
    ids = [joint.id for joint in robot.joints] if args.device == "all" else [device_id(args.device, robot)]
    done: list[Calibration] = []
    refused: list[str] = []
    for servo_id in ids:
        joint = joint_of(robot, servo_id)
        if joint is None:
            raise WhereError(f"ID {servo_id} is no joint of {robot.name}: only joints are calibrated")
        with _open(args, servo_id) as session:
            try:
                one = calibrate(session.device, joint, joint.home_rad if args.pose == "home" else 0.0)
                if args.apply:
                    apply(session.device, [one.change])
                done.append(one)
            except RefusedError as error:
                refused.append(str(error))
    _report_calibration(args, robot, done, refused)
    return EXIT_FAILED if refused else EXIT_OK


def _report_calibration(args: argparse.Namespace, robot: Robot, done: list[Calibration], refused: list[str]) -> None:
    rows = [
        (c.joint.name, c.change.servo_id, c.change.old, c.change.new, f"{c.before_rad:+.4f}", f"{c.after_rad:+.4f}")
        for c in done
    ]
    other = [c for c in done if c.joint.homing_offset_ticks != c.change.new]
    if args.json:
        names = ("joint", "id", "old_ticks", "new_ticks", "before_rad", "after_rad")
        joints = [
            dict(zip(names, row, strict=True)) | {"warnings": c.warnings} for row, c in zip(rows, done, strict=True)
        ]
        result_json({"applied": bool(args.apply), "pose": args.pose, "joints": joints, "refused": refused})
        return
    if rows:
        result(table(rows, ("joint", "ID", "offset now", "offset new", "reads now rad", "will read rad")))
    for warning in [f"{c.joint.name}: {text}" for c in done for text in c.warnings] + refused:
        result(f"! {warning}")
    if other:
        result(f"{robot.name}'s file has other offsets; the driver wants them equal, so put these into it:")
        result("\n".join(f"  {c.joint.name}: homing_offset_ticks: {c.change.new}" for c in other))
    options = f"--robot {args.robot}" + (f" --port {args.port}" if args.port else "")
    when = "undo" if args.apply else "undo afterwards"
    for c in done:
        if c.change.needed:
            say(f'{when}: booth servo write {c.joint.name} "Homing Offset" {c.change.old} {options} --apply')
    say("Written and read back" if args.apply and done else DRY_RUN)


# --- health --------------------------------------------------------------------------------------------------------


def run_health(args: argparse.Namespace) -> int:
    """Rank the actuators by risk."""
    robot = _needed_robot(args)
    histories = load(database_path(), robot.name, args.virtual)
    kind = "virtual " if args.virtual else ""
    if not histories:
        other = "leave --virtual out" if args.virtual else "--virtual shows the virtual one's"
        raise WhereError(f"nothing has been logged about the {kind or 'real '}{robot.name} yet; {other}")
    found = assess(histories, _now_s())
    if args.picture is not None:
        draw_health(found, args.picture, f"{kind}{robot.name}: {headline(found)}")
    if args.json:
        result_json({"headline": headline(found), "actuators": [_health_values(one) for one in found]})
        return EXIT_OK
    result(headline(found))
    header = (
        "joint",
        "ID",
        "risk",
        "hours",
        "°C p50",
        "p95",
        "max",
        "limit",
        ">80 % mA",
        "errors/h",
        "trend °C",
        "why",
    )
    result(table([_health_row(one) for one in found], header))
    result("The score is a rule of thumb, not a validated model; docs/technician.md says how it is made.")
    if args.picture is not None:
        result(str(args.picture))
    return EXIT_OK


def _health_row(one: Assessment) -> tuple[object, ...]:
    return (
        one.joint,
        one.history.actuator.servo_id,
        "-" if one.score is None else f"{one.score:.0f}",
        f"{one.hours:.1f}",
        _number(one.p50_degc, ".0f"),
        _number(one.p95_degc, ".0f"),
        _number(one.max_degc, ".0f"),
        _number(one.history.actuator.limit_degc, ".0f"),
        _number(one.over_80, ".0%"),
        _number(one.errors_per_h, ".2f"),
        _number(one.trend_degc, "+.1f"),
        one.words,
    )


def _health_values(one: Assessment) -> dict[str, object]:
    return {
        "joint": one.joint,
        "id": one.history.actuator.servo_id,
        "model": one.history.actuator.model,
        "firmware": one.history.firmware,
        "score": one.score,
        "reasons": [{"points": reason.points, "text": reason.text} for reason in one.reasons],
        "words": one.words,
        "hours": one.hours,
        "torqued_h": one.torqued_h,
        "p50_degc": one.p50_degc,
        "p95_degc": one.p95_degc,
        "max_degc": one.max_degc,
        "limit_degc": one.history.actuator.limit_degc,
        "over_80_share": one.over_80,
        "errors_per_h": one.errors_per_h,
        "trend_degc": one.trend_degc,
        "events": [
            {"kind": e.kind, "detail": e.detail, "first_s": e.first_s, "last_s": e.last_s, "count": e.count}
            for e in one.history.events
        ],
    }


def run_replaced(args: argparse.Namespace) -> int:
    """Begin a joint's log anew."""
    robot = _needed_robot(args)
    servo_id = device_id(args.device, robot)
    actuator = next((one for one in actuators_of(robot) if one.servo_id == servo_id), None)
    if actuator is None:
        raise WhereError(f"ID {servo_id} is no joint of {robot.name}")
    text = f"{actuator.joint}: hours, temperatures and errors begin at zero; the old servo's stay in {database_path()}"
    if args.apply:
        replaced(database_path(), robot.name, args.virtual, actuator, _now_s())
    _tell(args, {"joint": actuator.joint, "applied": bool(args.apply)}, text if args.apply else f"{text}\n{DRY_RUN}")
    return EXIT_OK


# --- speaking ------------------------------------------------------------------------------------------------------


def _tell(args: argparse.Namespace, values: Mapping[str, object], text: str) -> None:
    if args.json:
        result_json(values)
    else:
        result(text)


def _report(args: argparse.Namespace, session: _Session, changes: Sequence[Change], undo: str, note: str = "") -> None:
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


def _number(value: float | None, form: str) -> str:
    return "-" if value is None or isnan(value) else format(value, form)


def _drive_mode(device: Device) -> int:
    return device.get("Drive Mode") if "Drive Mode" in device.model.table else 0


def _all_ids(robot: Robot, args: argparse.Namespace) -> list[int]:
    found = places(robot, args.robot, args.bus, args.port, _baud(args))
    return [servo_id for place in found for servo_id in slots(robot, place.bus)]


def _now_s() -> float:
    return graph_clock().now_ns() * 1e-9
