# SPDX-License-Identifier: Apache-2.0
"""`booth virtual-robot`: a robot that speaks DYNAMIXEL Protocol 2.0 on a pseudo-terminal."""

import argparse
import contextlib
import os
from pathlib import Path
from threading import Event
from typing import Any

from booth.output import result, result_json, say
from booth.supervisor import StopRequest
from drivers.virtual_robot import run_virtual_robot
from graph.errors import EXIT_OK
from robots import load_robot


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("virtual-robot", help="serve a virtual robot on a pseudo-terminal until Ctrl-C")
    parser.add_argument("robot", help="robot name or YAML file")
    parser.add_argument("--link", type=Path, metavar="PATH", help="make PATH a stable link to the pseudo-terminal")
    parser.add_argument("--strict-baud", action="store_true", help="stay silent at a wrong baud rate, as servos do")
    parser.add_argument("--json", action="store_true", help="print the path as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    robot = load_robot(args.robot)
    with contextlib.suppress(OSError):
        os.nice(-10)  # servos are never late because a computer is busy
    if args.link is not None:
        args.link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def ready(path: str) -> None:
        shown = str(args.link or path)
        if args.json:
            result_json({"robot": robot.name, "port": shown, "pty": path, "baud": robot.buses[0].baud})
        else:
            result(shown)
        say(f"virtual {robot.name} is ready, {robot.buses[0].baud} baud; Ctrl-C ends it")

    class Stop(Event):
        """An event that also knows signals."""

        def is_set(self) -> bool:
            return stopping() or super().is_set()

    with StopRequest() as stopping:
        run_virtual_robot(robot, args.link, args.strict_baud, ready, Stop())
    return EXIT_OK
