# SPDX-License-Identifier: Apache-2.0
"""`booth virtual-robot`: a robot that speaks DYNAMIXEL Protocol 2.0 on pseudo-terminals."""

import argparse
import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from booth.output import result, result_json, say
from booth.supervisor import StopRequest
from drivers.virtual_control import control_path
from drivers.virtual_robot import run_virtual_robot
from graph.errors import EXIT_OK
from graph.nodes import virtual_port
from robots import load_robot


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("virtual-robot", help="serve a virtual robot on a pseudo-terminal until Ctrl-C")
    parser.add_argument("robot", help="robot name or YAML file")
    parser.add_argument(
        "--link",
        type=Path,
        metavar="PATH",
        help="make PATH a stable link to the pseudo-terminal; a robot with several buses gets PATH-BUS for each",
    )
    parser.add_argument(
        "--control",
        type=Path,
        metavar="PATH",
        help="where to listen for faults (see booth fault); LINK.control unless told",
    )
    parser.add_argument("--strict-baud", action="store_true", help="stay silent at a wrong baud rate, as servos do")
    parser.add_argument("--json", action="store_true", help="print the paths as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    robot = load_robot(args.robot)
    control = args.control or control_path(args.link or virtual_port(robot))
    with contextlib.suppress(OSError):
        os.nice(-10)  # servos are never late because a computer is busy
    if args.link is not None:
        args.link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def ready(paths: Mapping[str, str]) -> None:
        bauds = {bus.name: bus.baud for bus in robot.buses}
        if args.json:
            first = robot.buses[0]
            ports = [{"bus": name, "port": path, "baud": bauds[name]} for name, path in paths.items()]
            pty = os.path.realpath(paths[first.name])
            shown = {"port": paths[first.name], "pty": pty, "baud": first.baud, "ports": ports}
            result_json({"robot": robot.name, **shown, "control": str(control)})
        else:
            for path in paths.values():
                result(path)
        said = ", ".join(f"{name} {baud} baud" for name, baud in bauds.items())
        say(f"virtual {robot.name} is ready, {said}; booth fault asks for trouble, Ctrl-C ends it")

    class Stop(Event):
        """An event that also knows signals."""

        def is_set(self) -> bool:
            return stopping() or super().is_set()

    with StopRequest() as stopping:
        required = args.control is not None
        run_virtual_robot(robot, args.link, args.strict_baud, ready, Stop(), control, control_required=required)
    return EXIT_OK
