# SPDX-License-Identifier: Apache-2.0
"""`booth doctor`: is everything there and well that a session needs? The page's self-check, and this computer."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from booth.doctor_computer import look_at_computer
from booth.output import result, result_json, say
from booth.selfcheck import ESTOP, SelfCheck, driving_hands
from booth.selfcheck_item import Item, ItemState
from booth.stop_request import StopRequest
from booth.supervisor import choose_domain, graph_environment
from graph.errors import EXIT_DEVICE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from graph.nodes import DRIVERS, GraphOptions, is_recording
from graph.stamps import ENV_OFFSET
from robots import Robot, load_robot

MARKS = {ItemState.OK: "[ ok ]", ItemState.WARN: "[warn]", ItemState.FAILED: "[FAIL]"}
DEVICES = ("camera", "temperatures", "pedal", "cameras", "serial_ports", "pedal_device")
"""Besides the servos: what ends with exit code 3 when it fails."""


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("doctor", help="check computer, camera, servos, disk, clock, pedal before a session")
    defaults = GraphOptions()
    parser.add_argument("--robot", default="hx5_d20_right", help="robot name or YAML file (default: %(default)s)")
    parser.add_argument("--source", default="0", help="camera, film, topic:/name (default: camera %(default)s)")
    parser.add_argument("--driver", choices=DRIVERS, help="default: dynamixel with --port, else virtual")
    parser.add_argument("--port", default="", help="serial port of the real robot: its servos get torque and hold")
    parser.add_argument("--parts", default="", help="what copies the operator (default: all but the lift)")
    parser.add_argument("--directory", default=defaults.directory, help="where episodes go (default: %(default)s)")
    parser.add_argument("--pedal-device", default="", metavar="PATH", help="foot pedal, or auto: press it once")
    parser.add_argument("--no-hands", action="store_true", help="nobody stands in front of the camera")
    parser.add_argument("--estop-seen", action="store_true", help="the emergency stop is in reach; else Enter says so")
    parser.add_argument("--computer", action="store_true", help="only this computer: start and ask no graph")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=run)


class Report:
    """Prints every item once it is known, and again when it changes."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[ItemState, str]] = {}

    def show(self, items: Sequence[Item]) -> None:
        """The items as they stand now; what is waited for is silent."""
        for name, state, text in items:
            before = self._shown.get(name)
            if state is ItemState.WAITING or (before is not None and before[0] is state):
                continue
            self._shown[name] = (state, text)
            result(f"{MARKS[state]} {name}: {text}")


def run(args: argparse.Namespace) -> int:
    """Look at the computer, then at the graph."""
    robot, report = load_robot(args.robot), Report()
    driver = args.driver or ("dynamixel" if args.port else "virtual")
    computer = look_at_computer(robot, Path(args.directory), driver == "dynamixel", args.port, args.pedal_device)
    report.show(computer)
    graph: list[Item] = []
    interrupted = False
    if not args.computer and find_spec("rclpy") is not None:
        options = GraphOptions(
            source=args.source,
            driver=driver,
            port=args.port,
            directory=args.directory,
            record="manual" if Path(args.directory).is_dir() else "off",
            parts=args.parts,
            pedal_device=args.pedal_device,
            loop=driver == "virtual" and is_recording(args.source),
        )
        with StopRequest() as stopping:
            graph = look_at_graph(args, robot, options, report, stopping)
            interrupted = stopping()
    items = [*computer, *graph]
    code = EXIT_INTERRUPTED if interrupted else exit_code(items, robot)
    sums = {state: sum(item.state is state for item in items) for state in MARKS}
    result(", ".join(f"{count} {state.value}" for state, count in sums.items()))
    if args.json:
        result_json({"exit_code": code, "items": [item._asdict() for item in items]})
    return code


def look_at_graph(
    args: argparse.Namespace, robot: Robot, options: GraphOptions, report: Report, stopping: StopRequest
) -> list[Item]:
    """The self-check on the graph that runs on this domain, or on one of our own."""
    from booth.client_node import GraphClient
    from booth.doctor_graph import examine, is_running, parts_of, started

    with GraphClient(name="booth_doctor") as client:
        running = is_running(client)
        if running:
            say("[booth] a graph runs on this ROS domain: it is asked")
            recorded = bool(client.state("recorder"))
            return examine(client, _new_check(args, robot, options, recorded), [], report.show, stopping)
    parts = parts_of(robot, args.robot, options)
    domain = choose_domain()
    environ = graph_environment(domain)
    os.environ[ENV_OFFSET] = environ[ENV_OFFSET]
    names = ", ".join(spec.name for part in parts for spec in part.specs)
    say(f"[booth] no graph runs on this ROS domain: starting {names}; nothing moves, nothing engages")
    if options.driver == "dynamixel":
        say("[booth] the servos get torque and hold where they are")
    with GraphClient(domain, name="booth_doctor") as client, started(client, parts, environ):
        check = _new_check(args, robot, options, options.record != "off")
        return examine(client, check, parts, report.show, stopping)


def exit_code(items: Sequence[Item], robot: Robot) -> int:
    """0 all is well or only to be looked at, 3 a device is missing or faulty, 1 something else has failed."""
    bad = {item.name for item in items if item.state is ItemState.FAILED}
    if not bad:
        return EXIT_OK
    return EXIT_DEVICE if bad & {*DEVICES, *robot.joint_names} else EXIT_FAILED


def _new_check(args: argparse.Namespace, robot: Robot, options: GraphOptions, recorded: bool) -> SelfCheck:
    """A check that begins now."""
    now_ns = time.monotonic_ns()
    asked = args.estop_seen or sys.stdin.isatty()
    check = SelfCheck(
        robot,
        now_ns,
        wants_pedal=bool(options.pedal_device),
        wants_servos=options.driver != "external",
        wants_recorder=recorded,
        wants_estop=asked,
        hands=() if args.no_hands else driving_hands(robot, args.parts),
    )
    if args.estop_seen:
        check.confirm(ESTOP, now_ns)
    elif asked:
        say("[booth] find the emergency stop or the robot's power switch, keep it in reach, and press Enter")
    if not args.no_hands:
        say("[booth] show the hands to the camera, palms to the front")
    return check
