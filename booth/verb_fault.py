# SPDX-License-Identifier: Apache-2.0
"""`booth fault`: break something on a running virtual robot, and mend it again."""

import argparse
from pathlib import Path
from typing import Any

from booth.output import result
from drivers.virtual_control import control_path, request
from drivers.virtual_fault_words import FAULTS
from drivers.virtual_faults import FaultError
from graph.errors import EXIT_OK
from graph.nodes import virtual_port
from robots import load_robot

EXAMPLES = """examples:
  booth fault --robot op3 silent 5 on        servo 5 falls silent
  booth fault --robot op3 overheat head_pan  a joint's name will do
  booth fault --robot op3 status
  booth fault --robot op3 clear"""


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    wide = max(len(f"{word} {fault.arguments}") for word, fault in FAULTS.items())
    lines = [f"  {f'{word} {fault.arguments}':<{wide}}  {fault.help}" for word, fault in FAULTS.items()]
    parser = verbs.add_parser(
        "fault",
        help="make a fault on a running virtual robot, or take it back",
        description="Make a fault on a running virtual robot (booth virtual-robot, booth demo), or take it back.",
        epilog="\n".join(["faults:", *lines, "", EXAMPLES]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--robot", metavar="NAME", help="robot name or YAML file, of this ROS domain")
    which.add_argument("--control", type=Path, metavar="PATH", help="control socket of the virtual robot")
    parser.add_argument("fault", metavar="FAULT", help="one of those below")
    parser.add_argument("arguments", nargs="*", metavar="ARG", help="its arguments")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, and print the answer."""
    path = args.control or control_path(virtual_port(load_robot(args.robot)))
    answer = request(path, " ".join((args.fault, *args.arguments)))
    kind, _, said = answer.partition(" ")
    if kind != "ok":
        raise FaultError(said or f"no answer from {path}")
    if said:
        result(said)
    return EXIT_OK
