# SPDX-License-Identifier: Apache-2.0
"""`booth servo …`: what a technician does with single servos. Changes are shown first and made only with --apply.

The parser. What the commands do is in `servo_look`, `servo_change`, `servo_calibrate` and `servo_health`.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from booth.servo_calibrate import run_calibrate
from booth.servo_change import run_backup, run_restore, run_set_baud, run_set_id, run_write
from booth.servo_health import run_health, run_replaced
from booth.servo_look import run_blink, run_ping, run_read, run_reboot, run_scan
from drivers.servo_tools_scan import SCAN_BAUDS

DESCRIPTION = """Look at servos, set them up, and find out which one will fail next.
Nothing is changed without --apply: every command says first what it would write, and how to undo it.
docs/technician.md has the tasks step by step."""


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
    one.set_defaults(usual_bauds=SCAN_BAUDS)
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
