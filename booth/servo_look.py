# SPDX-License-Identifier: Apache-2.0
"""`booth servo` commands that look: scan, ping, read, blink; and reboot, which writes no register."""

import argparse
from collections.abc import Sequence

from booth.output import Progress, result, result_json, say, table
from booth.servo_line import baud_of, drive_mode_of, open_device, open_line, tell, the_robot
from drivers.errors import PortError
from drivers.servo_tools import RefusedError, model_words, split_registers
from drivers.servo_tools_blink import blink
from drivers.servo_tools_line import reboot
from drivers.servo_tools_scan import Finding, ScanResult, compare, every_id, scan
from drivers.servo_tools_values import describe, readable
from drivers.servo_tools_where import Place, places, slots
from graph.errors import EXIT_FAILED, EXIT_OK


def run_scan(args: argparse.Namespace) -> int:
    """List who answers; compare with the robot's file."""
    robot = the_robot(args)
    lines, rows, findings = [], [], []
    for place in places(robot, args.robot, args.bus, args.port, baud_of(args)):
        expected = slots(robot, place.bus) if robot is not None else None
        everywhere = args.baud == "all" or (robot is None and not args.baud)
        bauds = [place.baud, *(b for b in args.usual_bauds if b != place.baud)] if everywhere else [place.baud]
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
            with open_line(args, place.port, baud) as port:
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
    with open_device(args) as session:
        number, firmware = session.device.identity.model_number, session.device.identity.firmware
        text = f"{session.who}: {model_words(number)} (model number {number}), firmware {firmware}"
        values = {"id": session.device.id, "model": model_words(number), "model_number": number, "firmware": firmware}
        tell(args, values, text)
    return EXIT_OK


def run_read(args: argparse.Namespace) -> int:
    """Print registers."""
    with open_device(args) as session:
        device, known = session.device, session.device.model
        words = args.registers or ["all"]
        items = readable(known.table) if words == ["all"] else split_registers(known.table, words)
        drive_mode = drive_mode_of(device)
        values = [(item, device.get(item.name)) for item in items]
        said = [describe(item, value, known, drive_mode) for item, value in values]
        rows = [
            (item.address, item.name, value, item.area, item.access, text)
            for (item, value), text in zip(values, said, strict=True)
        ]
        registers = {name: {"raw": raw, "address": at, "meaning": text} for at, name, raw, _, _, text in rows}
        text = f"{session.who}: {known.name}, firmware {device.identity.firmware}\n"
        text += table(rows, ("address", "register", "raw", "area", "access", "meaning"))
        tell(args, {"id": device.id, "model": known.name, "registers": registers}, text)
    return EXIT_OK


def run_blink(args: argparse.Namespace) -> int:
    """Blink."""
    with open_device(args) as session:
        say(f"{session.who} blinks for {args.seconds:g} s; Ctrl-C ends it")
        blink(session.device, args.seconds)
        tell(args, {"id": session.device.id, "blinked_s": args.seconds}, "the light is as it was")
    return EXIT_OK


def run_reboot(args: argparse.Namespace) -> int:
    """Restart a device; with torque on only when told so, because the joint goes limp."""
    with open_device(args) as session:
        device = session.device
        locked = device.lock() if device.known is not None else None
        if locked is not None and not args.apply:
            raise RefusedError(
                f"{session.who}: {locked[0]} is on; a reboot switches it off and the joint goes limp. "
                "Support it and add --apply"
            )
        identity = reboot(session.port, device.id)
        text = f"{session.who} is back: firmware {identity.firmware}, torque off, RAM at its defaults"
        tell(args, {"id": device.id, "firmware": identity.firmware}, text)
    return EXIT_OK
