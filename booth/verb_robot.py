# SPDX-License-Identifier: Apache-2.0
"""`booth robot list|show`: which robots there are, what they consist of and what they look like."""

import argparse
from pathlib import Path
from typing import Any

from booth.output import result, result_json, say, table
from graph.errors import EXIT_OK, InputError
from robots import Joint, Robot, load_robot, robot_names
from robots.load_kinematics import load_kinematics
from robots.schema import Fence

COLUMNS = ("joint", "ID", "servo", "bus", "branch", "min", "max", "", "cap/s", "home", "ready", "label")


class PictureError(InputError):
    """A picture that can't be written. Scenarios: no such folder, no permission, an ending that names no format."""


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
    show.add_argument(
        "--picture", nargs="?", const="", metavar="FILE", help="draw it into a PNG; without FILE: NAME.png here"
    )
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
    """Print one robot's joints, and draw it where that is asked for."""
    robot = load_robot(args.robot)
    if args.picture is not None:
        out = Path(args.picture or f"{robot.name}.png")
        _draw(robot, out)
        say(f"picture written to {out}")
    if args.json:
        result_json(robot.model_dump(mode="json"))
        return EXIT_OK
    result(f"{robot.name}: {robot.title}")
    for bus in robot.buses:
        result(f"bus {bus.name}: {bus.baud} baud on {bus.port}, loop {robot.rate_hz} Hz")
    for controller in robot.controllers:
        result(f"controller {controller.id}: {controller.model} on bus {robot.bus_of(controller)}")
    for topic, members in robot.groups:
        result(f"commands: {topic} ({len(members)} joints)")
    for arm in robot.imitation.arms:
        if arm.fence_m is not None:
            result(f"fence of the {arm.side} hand: {_box(arm.fence_m)} m in {arm.base}")
    result(table([_row(robot, index, joint) for index, joint in enumerate(robot.joints)], COLUMNS))
    for source in robot.sources:
        result(f"source: {source}")
    return EXIT_OK


def _row(robot: Robot, index: int, joint: Joint) -> tuple[object, ...]:
    bus = robot.bus_of(joint) if joint.controller is None else f"{robot.bus_of(joint)}/{joint.controller}"
    return (
        joint.name,
        joint.id,
        joint.model,
        bus,
        robot.branch_of(joint),
        f"{joint.min_rad:+.3f}",
        f"{joint.max_rad:+.3f}",
        "m" if joint.prismatic else "rad",
        f"{robot.velocity_rad_s[index]:.2f}",
        f"{joint.home_rad:+.2f}",
        f"{robot.ready_rad[index]:+.2f}",
        joint.label,
    )


def _box(fence: Fence) -> str:
    sides = zip("xyz", fence.lower, fence.upper, strict=True)
    return ", ".join(f"{axis} {low:+.2f} … {high:+.2f}" for axis, low, high in sides)


def _draw(robot: Robot, out: Path) -> None:
    tree = load_kinematics(robot)
    if out.suffix.lower() != ".png":
        raise PictureError(f"{out} is no name for a picture: expected one that ends in .png")
    from robots.picture import draw_robot  # takes a second, and only pictures need it

    try:
        draw_robot(robot, tree, out)
    except OSError as error:
        raise PictureError(f"{out} can't be written: {error.strerror or error}") from error
