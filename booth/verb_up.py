# SPDX-License-Identifier: Apache-2.0
"""`booth up`: start a whole booth and look after it until Ctrl-C."""

import argparse
from typing import Any

from booth.output import result_json, say
from booth.page_invitation import DEFAULT_PAGE, invite, page_wanted
from booth.supervisor import StopRequest, Supervisor, graph_environment
from booth.verb_models import ensure_model
from graph.nodes import DRIVERS, PEDAL_ROLES, RECORD_MODES, GraphOptions, booth_processes, is_far
from graph.topics import SERVICE_ENGAGE
from robots import load_robot
from teleop.link_source import check_link
from teleop.prediction import checked_horizon_s


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("up", help="start tracker, teleop, driver and recorder; Ctrl-C stops all")
    defaults = GraphOptions()
    parser.add_argument("--robot", default="hx5_d20_right", help="robot name or YAML file (default: %(default)s)")
    parser.add_argument(
        "--source",
        default="0",
        help="camera number or device, video file, `clip` (bundled), topic:/name, or tcp://HOST:PORT to listen for an "
        "operator far away, see docs/remote.md (default: camera %(default)s)",
    )
    parser.add_argument("--driver", choices=DRIVERS, help="default: dynamixel with --port, else virtual")
    parser.add_argument("--port", default="", help="serial port of the real robot, e.g. /dev/ttyUSB0")
    parser.add_argument("--baud", type=int, default=0, help="baud rate (default: the robot's)")
    parser.add_argument("--record", choices=RECORD_MODES, default="manual", help="default: %(default)s")
    parser.add_argument("--directory", default=defaults.directory, help="where episodes go (default: %(default)s)")
    parser.add_argument("--task", default="", help="what the operator does, in words; kept in every episode")
    parser.add_argument("--operator", default="", help="who operates; kept in every episode")
    parser.add_argument("--params", default="", metavar="FILE", help="ROS parameter file, see config/booth.yaml")
    parser.add_argument("--booth", default="", help="which booth this is; kept in every episode")
    parser.add_argument("--camera", action="append", default=[], metavar="NAME=/TOPIC", help="record this camera, too")
    parser.add_argument("--rate", type=float, default=defaults.rate_hz, help="rows per second (default: %(default)s)")
    parser.add_argument("--loop", action="store_true", help="play a video source over and over")
    parser.add_argument("--mirrored", action="store_true", help="the camera delivers mirror images")
    parser.add_argument(
        "--parts",
        default="",
        help="what copies the operator: right_hand, left_hand, hands, hands+arms, hands+arms+head or "
        "hands+arms+head+lift (default: all that the robot has but the lift)",
    )
    parser.add_argument("--profile", default="", metavar="NAME", help="the operator's stored calibration")
    parser.add_argument("--pedal", action="store_true", help="hold to run: a pedal on /teleop/pedal must be pressed")
    parser.add_argument(
        "--pedal-device", default="", metavar="PATH", help="foot pedal under /dev/input/by-id, or auto (docs/pedal.md)"
    )
    parser.add_argument(
        "--pedal-role",
        choices=PEDAL_ROLES,
        default=defaults.pedal_role,
        help="run: the robot moves only while it is pressed; record: tap and hold lead through a session "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--prediction-ms",
        type=float,
        default=0.0,
        metavar="MS",
        help="ask hands and arms to be where they will be then, at most 100: less delay, more overshoot (default: off)",
    )
    parser.add_argument(
        "--page",
        default=DEFAULT_PAGE,
        metavar="HOST:PORT",
        help="where the operator's page is served; 0.0.0.0:8080 for tablets on the booth's network, `off` for no page "
        "(default: %(default)s, this machine only)",
    )
    parser.add_argument("--json", action="store_true", help="print how it ended as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start and supervise."""
    robot = load_robot(args.robot)
    checked_horizon_s(args.prediction_ms)
    options = GraphOptions(
        source=args.source,
        driver=args.driver or ("dynamixel" if args.port else "virtual"),
        record=args.record,
        port=args.port,
        directory=args.directory,
        task=args.task,
        operator=args.operator,
        rate_hz=args.rate,
        loop=args.loop,
        mirrored=args.mirrored,
        baud=args.baud,
        booth=args.booth,
        params=args.params,
        cameras=tuple(args.camera),
        parts=args.parts,
        profile=args.profile,
        pedal=args.pedal,
        pedal_device=args.pedal_device,
        pedal_role=args.pedal_role,
        prediction_ms=args.prediction_ms,
        page=page_wanted(args.page) if robot.imitation.limbs else "",
    )
    if not robot.imitation.limbs:
        say(f"booth: nothing of {robot.name} copies an operator: tracker and teleop stay off, driver and recorder run")
    elif is_far(args.source):
        check_link(args.source)
    else:
        ensure_model()
    supervisor = Supervisor(booth_processes(robot, args.robot, options), graph_environment(), say)
    with StopRequest() as stopping:
        supervisor.start()
        how = "hold an open palm to the camera to engage" if robot.imitation.limbs else f"{SERVICE_ENGAGE} engages"
        say(f"[booth] up; {how}; Ctrl-C stops everything")
        if options.page:
            invite(options.page)
        outcome = supervisor.run(stopping)
    say(f"[booth] {outcome.reason}")
    if args.json:
        result_json({"exit_code": outcome.exit_code, "reason": outcome.reason})
    return outcome.exit_code
