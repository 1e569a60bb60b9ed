# SPDX-License-Identifier: Apache-2.0
"""`booth robot list|show`: which robots there are and what they consist of."""

import argparse
from typing import Any

from booth.output import result, result_json, table
from graph.errors import EXIT_OK
from robots import load_robot, robot_names


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("robot", help="list the robots, show one's joints")
    actions = parser.add_subparsers(dest="action", metavar="list|show", required=True)
    listing = actions.add_parser("list", help="names and titles")
    listing.add_argument("--json", action="store_true", help="print as JSON")
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help="joint table of one robot")
    show.add_argument("robot", help="name, or a YAML file of your own")
    show.add_argument("--json", action="store_true", help="print as JSON")
    show.set_defaults(run=run_show)


def run_list(args: argparse.Namespace) -> int:
    """Print all built-in robots."""
    robots = [load_robot(name) for name in robot_names()]
    if args.json:
        result_json({"robots": [{"name": r.name, "title": r.title, "joints": len(r.joints)} for r in robots]})
    else:
        result(
            table(
                [(r.name, len(r.joints), r.buses[0].baud, r.title) for r in robots],
                ("robot", "joints", "baud", "title"),
            )
        )
    return EXIT_OK


def run_show(args: argparse.Namespace) -> int:
    """Print one robot's joints."""
    robot = load_robot(args.robot)
    if args.json:
        result_json(robot.model_dump(mode="json"))
        return EXIT_OK
    result(f"{robot.name}: {robot.title}")
    for bus in robot.buses:
        result(f"bus {bus.name}: {bus.baud} baud on {bus.port}, loop {robot.rate_hz} Hz")
    for topic, members in robot.groups:
        result(f"commands: {topic} ({len(members)} joints)")
    rows = [(j.name, j.id, j.model, f"{j.min_rad:+.3f}", f"{j.max_rad:+.3f}", j.label) for j in robot.joints]
    result(table(rows, ("joint", "ID", "servo", "min rad", "max rad", "")))
    return EXIT_OK
