# SPDX-License-Identifier: Apache-2.0
"""`booth episode info|check|replay|plot`: look at an episode, judge it, play it on a robot."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from booth.output import result, result_json, say, table
from booth.plot import plot_episode
from booth.supervisor import StopRequest, Supervisor, graph_environment
from graph.errors import EXIT_OK, BoothError
from graph.nodes import DRIVERS, GraphOptions, replay_processes
from recorder.check import check_episode
from recorder.episode import Episode
from robots import Robot, load_robot


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("episode", help="info, check, replay or plot a recorded episode")
    actions = parser.add_subparsers(dest="action", metavar="info|check|replay|plot", required=True)
    info = _action(actions, "info", "what is in it", run_info)
    check = _action(actions, "check", "is it fit to learn from? exit code 0: yes (warnings allowed), 2: no", run_check)
    plot = _action(actions, "plot", "picture of commanded and measured joint angles", run_plot)
    plot.add_argument("--out", type=Path, help="PNG to write (default: beside the episode)")
    replay = _action(actions, "replay", "drive a robot through it; a virtual one unless --port is given", run_replay)
    replay.add_argument("--robot", help="robot name or YAML file (default: the episode's)")
    replay.add_argument("--driver", choices=DRIVERS, help="default: dynamixel with --port, else virtual")
    replay.add_argument("--port", default="", help="serial port of the real robot")
    replay.add_argument("--speed", type=float, default=1.0, help="speed factor, up to 2 (default: %(default)s)")
    for action in (info, check, plot, replay):
        action.add_argument("--json", action="store_true", help="print the result as JSON")


def _action(actions: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text)
    parser.add_argument("episode", type=Path, help="the .h5 file")
    parser.set_defaults(run=run)
    return parser


def run_info(args: argparse.Namespace) -> int:
    """Print what the episode says about itself."""
    with Episode.open(args.episode) as episode:
        info = episode.info()
        info["datasets"] = episode.summary()
    if args.json:
        result_json(info)
        return EXIT_OK
    datasets = info.pop("datasets")
    joints = info.pop("joints")
    info.pop("findings", None)
    result("\n".join(f"{name:18} {value}" for name, value in info.items()))
    result(f"{'joints':18} {len(joints)} actuated: {', '.join(joints)}\n")
    result(table([(d["name"], d["dtype"], d["shape"]) for d in datasets], ("dataset", "type", "shape")))
    return EXIT_OK


def run_check(args: argparse.Namespace) -> int:
    """Print the findings."""
    report = check_episode(args.episode)
    if args.json:
        result_json(report.to_json())
    else:
        for finding in report.findings:
            result(f"{finding.level.value:5} {finding.code:22} {finding.text}")
        result(f"{args.episode.name}: {report.verdict.value}")
    return report.exit_code


def run_plot(args: argparse.Namespace) -> int:
    """Draw the joint angles over time."""
    out = args.out or args.episode.with_suffix(".png")
    with Episode.open(args.episode) as episode:
        plot_episode(episode, out)
    if args.json:
        result_json({"picture": str(out)})
    else:
        result(str(out))
    return EXIT_OK


def run_replay(args: argparse.Namespace) -> int:
    """Play it and report the tracking error against the recording."""
    with Episode.open(args.episode) as episode:
        recorded_on = str(episode.attribute("robot"))
    argument = args.robot or recorded_on
    options = GraphOptions(driver=args.driver or ("dynamixel" if args.port else "virtual"), port=args.port)
    report = replay(args.episode, load_robot(argument), argument, options, args.speed)
    if args.json:
        result_json(report)
        return EXIT_OK
    comparison = report["comparison"]
    result(f"replayed {report['actions']} actions of {args.episode.name} on {report['robot']}")
    result(
        f"ramp to the first pose {report['ramp_s']:.1f} s, then {report['duration_s'] - report['ramp_s']:.1f} s "
        f"at speed {report['speed']:g}"
    )
    result(f"measured against recorded: {comparison['rmse_deg']:.2f} degrees RMS over all joints")
    result(
        f"best time shift {comparison['shift_s'] * 1e3:+.0f} ms, then {comparison['rmse_shifted_deg']:.2f} degrees RMS"
    )
    return EXIT_OK


def replay(
    path: Path,
    robot: Robot,
    robot_argument: str,
    options: GraphOptions,
    speed: float = 1.0,
    environ: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Run the replay graph to its end and return the replay node's report.

    Raises:
        BoothError: it was refused, interrupted, or the driver stopped following.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "replay.json"
        specs = replay_processes(robot, robot_argument, options, str(path.resolve()), str(report), speed)
        supervisor = Supervisor(specs, environ or graph_environment(), say)
        with StopRequest() as stopping:
            supervisor.start()
            outcome = supervisor.run(stopping)
            interrupted = stopping()
        if interrupted:
            say("[booth] replay interrupted: the robot was held and released")
            raise KeyboardInterrupt
        if not report.is_file():
            error = BoothError(f"replay did not finish: {outcome.reason}; its messages stand above")
            error.exit_code = outcome.exit_code or error.exit_code
            raise error
        loaded: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return loaded
