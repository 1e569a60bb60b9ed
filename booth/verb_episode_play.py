# SPDX-License-Identifier: Apache-2.0
"""`booth episode replay|pause|resume|stop|view|retarget`: an episode played on a robot, as a film, or made anew."""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from booth.output import Progress, result, result_json, say, table
from booth.supervisor import StopRequest, Supervisor, graph_environment
from graph.errors import EXIT_FAILED, EXIT_OK, BoothError
from graph.nodes import DRIVERS, GraphOptions, replay_processes
from graph.topics import SERVICE_REPLAY_PAUSE, SERVICE_REPLAY_RESUME, SERVICE_REPLAY_STOP
from recorder.episode import Episode
from robots import Robot, load_robot

WORST = 10
"""So many joints are listed unless all are asked for."""

CONTROLS = {
    "pause": (SERVICE_REPLAY_PAUSE, "a replay that runs stands still where it is"),
    "resume": (SERVICE_REPLAY_RESUME, "a paused replay goes slowly back to that pose, then on"),
    "stop": (SERVICE_REPLAY_STOP, "a replay that runs holds the robot, releases it and ends"),
}


def add(actions: Any) -> None:
    """Add these actions to `booth episode`."""
    replay = actions.add_parser("replay", help="drive a robot through it; a virtual one unless --port is given")
    replay.add_argument("episode", type=Path, help="the .h5 file")
    replay.add_argument("--robot", help="robot name or YAML file (default: the episode's)")
    replay.add_argument("--driver", choices=DRIVERS, help="default: dynamixel with --port, else virtual")
    replay.add_argument("--port", default="", help="serial port of the real robot")
    replay.add_argument("--speed", type=float, default=1.0, help="speed factor, up to 2 (default: %(default)s)")
    replay.add_argument(
        "--force", action="store_true", help="although the robot's file or firmware has changed; never for other joints"
    )
    replay.add_argument("--store", action="store_true", help="keep report and picture beside the episode")
    replay.add_argument("--picture", type=Path, help="PNG to draw: the worst joints, recorded and replayed")
    replay.add_argument("--all", action="store_true", help="list every joint, not only the worst")
    replay.set_defaults(run=run_replay)
    for name, (_, text) in CONTROLS.items():
        actions.add_parser(name, help=text).set_defaults(run=run_control)
    view = actions.add_parser("view", help="a film of it: cameras and joint plots with a time cursor")
    view.add_argument("episode", type=Path, help="the .h5 file")
    view.add_argument("--out", type=Path, help="MP4 (with --rerun: .rrd) to write (default: beside the episode)")
    view.add_argument("--joints", default="", help="comma-separated names or patterns (default: those that move most)")
    view.add_argument("--rerun", action="store_true", help="a recording for the Rerun viewer instead of a film")
    view.set_defaults(run=run_view)
    retarget = actions.add_parser("retarget", help="the operator's recorded motion with other parameters or a robot")
    retarget.add_argument("episode", type=Path, help="the .h5 file")
    retarget.add_argument("--out", type=Path, required=True, help="the new .h5 file")
    retarget.add_argument("--robot", default="", help="robot name or YAML file (default: the recorded one)")
    retarget.add_argument("--parts", default="", help="what copies the operator (default: as recorded)")
    retarget.add_argument("--profile", default="", help="the operator's stored calibration (default: as recorded)")
    retarget.add_argument("--prediction-ms", type=float, help="how far ahead is predicted (default: as recorded)")
    retarget.set_defaults(run=run_retarget)
    for action in ("replay", *CONTROLS, "view", "retarget"):
        actions.choices[action].add_argument("--json", action="store_true", help="print the result as JSON")


def run_control(args: argparse.Namespace) -> int:
    """Ask the replay that runs."""
    from booth.client_node import GraphClient  # only now: the other actions work without ROS

    with GraphClient() as client:
        done, message = client.call(CONTROLS[args.action][0])
    if args.json:
        result_json({"success": done, "message": message})
    else:
        result(message)
    return EXIT_OK if done else EXIT_FAILED


def run_replay(args: argparse.Namespace) -> int:
    """Play it and report the tracking error against the recording."""
    with Episode.open(args.episode) as episode:
        recorded_on = str(episode.attribute("robot"))
    argument = args.robot or recorded_on
    options = GraphOptions(driver=args.driver or ("dynamixel" if args.port else "virtual"), port=args.port)
    pictures = [args.picture] if args.picture else []
    stored = _stored_report(args.episode) if args.store else None
    pictures += [stored.with_suffix(".png")] if stored else []
    report = replay(args.episode, load_robot(argument), argument, options, args.speed, None, args.force, pictures)
    if stored:
        with stored.open("x", encoding="utf-8") as file:
            file.write(json.dumps(report, indent=2) + "\n")
        report["stored"] = str(stored)
    report["pictures"] = [str(path) for path in pictures]
    if args.json:
        result_json(report)
    else:
        result(describe(report, args.episode.name, None if args.all else WORST))
    return EXIT_OK


def describe(report: dict[str, Any], name: str, most: int | None = WORST) -> str:
    """A replay's report for people; ``most``: so many joints, None: all."""
    comparison = report["comparison"]
    played = "replayed" if report["completed"] else "stopped while replaying"
    lines = [
        f"{played} {report['actions']} actions of {name} on {report['robot']}",
        f"ramp to the first pose {report['ramp_s']:.1f} s, then {report['duration_s'] - report['ramp_s']:.1f} s "
        f"at speed {report['speed']:g}" + (f", pauses: {report['pauses']}" if report["pauses"] else ""),
        f"measured against recorded: {comparison['rmse_deg']:.2f} degrees RMS over all joints",
        f"best time shift {comparison['shift_s'] * 1e3:+.0f} ms, then {comparison['rmse_shifted_deg']:.2f} degrees RMS",
        *(f"note: {note}" for note in report["notes"]),
        "",
    ]
    rows = [
        (each["joint"], f"{each['rmse']:.2f} {'°' if each['unit'] == 'deg' else each['unit']}", _shift(each))
        for each in comparison["joints"][:most]
    ]
    lines.append(table(rows, ("joint, worst first", "RMS error", "time shift")))
    left = len(comparison["joints"]) - len(rows)
    lines += [f"and {left} more: --all"] if left > 0 else []
    lines += [f"report  {report['stored']}"] if "stored" in report else []
    return "\n".join([*lines, *(f"picture {path}" for path in report.get("pictures", []))])


def replay(
    path: Path,
    robot: Robot,
    robot_argument: str,
    options: GraphOptions,
    speed: float = 1.0,
    environ: dict[str, str] | None = None,
    force: bool = False,
    pictures: list[Path] | None = None,
) -> dict[str, Any]:
    """Run the replay graph to its end and return the replay node's report.

    Args:
        force: although the robot's file or firmware has changed since the recording.
        pictures: PNG files to draw.

    Raises:
        BoothError: it was refused, interrupted, or the driver stopped following.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "replay.json"
        specs = replay_processes(robot, robot_argument, options, str(path.resolve()), str(report), speed, force)
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
        if pictures:
            from booth.view_replay import draw_replay  # only now: matplotlib takes a second to load

            for picture in pictures:
                draw_replay(report, loaded, picture)
        return loaded


def run_view(args: argparse.Namespace) -> int:
    """Write the film, or the recording for Rerun."""
    from booth.view_film import write_film
    from booth.view_rerun import write_rerun

    write = write_rerun if args.rerun else write_film
    out = args.out or args.episode.with_suffix(".rrd" if args.rerun else ".mp4")
    progress = Progress("drawing")
    with Episode.open(args.episode) as episode, StopRequest() as stopping:

        def each(share: float) -> None:
            if stopping():
                raise KeyboardInterrupt
            progress.show(share)

        facts = write(episode, out, args.joints, each)
    progress.done()
    if args.json:
        result_json(facts)
    else:
        result(str(out))
    return EXIT_OK


def run_retarget(args: argparse.Namespace) -> int:
    """Write the new episode."""
    from booth.retarget import describe_retargeting, retarget

    progress = Progress("retargeting")
    with Episode.open(args.episode) as episode, StopRequest() as stopping:

        def each(share: float) -> None:
            if stopping():
                raise KeyboardInterrupt
            progress.show(share)

        facts = retarget(episode, args.out, args.robot, args.parts, args.profile, args.prediction_ms, each)
    progress.done()
    if args.json:
        result_json(facts)
    else:
        result(describe_retargeting(facts))
    return EXIT_OK


def _stored_report(episode: Path) -> Path:
    """Where this replay's report goes: never over another one."""
    stamp = datetime.now(tz=UTC).strftime("%Y%m%dT%H%M%SZ")
    path = episode.with_name(f"{episode.stem}.replay-{stamp}.json")
    number = 1
    while path.exists():
        number += 1
        path = episode.with_name(f"{episode.stem}.replay-{stamp}-{number}.json")
    return path


def _shift(joint: dict[str, Any]) -> str:
    return "hardly moves" if joint["shift_ms"] is None else f"{joint['shift_ms']:+.0f} ms"
