# SPDX-License-Identifier: Apache-2.0
"""`booth servo calibrate`: homing offsets from a pose that somebody holds."""

import argparse

from booth.output import result, result_json, say, table
from booth.servo_line import DRY_RUN, needed_robot, open_device
from drivers.servo_tools import RefusedError
from drivers.servo_tools_calibrate import Calibration, calibrate
from drivers.servo_tools_change import apply
from drivers.servo_tools_where import WhereError, device_id, joint_of
from graph.errors import EXIT_FAILED, EXIT_OK
from robots import Robot


def run_calibrate(args: argparse.Namespace) -> int:
    """Homing offsets from a pose held by hand."""
    robot = needed_robot(args)
    ids = [joint.id for joint in robot.joints] if args.device == "all" else [device_id(args.device, robot)]
    done: list[Calibration] = []
    refused: list[str] = []
    for servo_id in ids:
        joint = joint_of(robot, servo_id)
        if joint is None:
            raise WhereError(f"ID {servo_id} is no joint of {robot.name}: only joints are calibrated")
        with open_device(args, servo_id) as session:
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
