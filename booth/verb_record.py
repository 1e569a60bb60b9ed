# SPDX-License-Identifier: Apache-2.0
"""`booth record`: takes of the running graph, a recorder of its own, and takes that were left without an episode."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from booth.output import Progress, result, result_json, say
from booth.supervisor import StopRequest, Supervisor, graph_environment
from graph.errors import EXIT_FAILED, EXIT_OK, InputError
from graph.nodes import GraphOptions, recorder_process
from graph.topics import (
    SERVICE_RECORD_DISCARD,
    SERVICE_RECORD_MARK,
    SERVICE_RECORD_PAUSE,
    SERVICE_RECORD_RESTORE,
    SERVICE_RECORD_RESUME,
    SERVICE_RECORD_START,
    SERVICE_RECORD_STOP,
)
from recorder.recover import leftover_takes, recover_take
from robots import load_robot

if TYPE_CHECKING:
    from booth.client_node import GraphClient

SERVICES = {
    "start": (SERVICE_RECORD_START, "start a take"),
    "stop": (SERVICE_RECORD_STOP, "end the take and wait for its episode"),
    "discard": (SERVICE_RECORD_DISCARD, "throw the take away"),
    "restore": (SERVICE_RECORD_RESTORE, "bring the take back that was thrown away last"),
    "pause": (SERVICE_RECORD_PAUSE, "mark what follows as a pause; recording goes on"),
    "resume": (SERVICE_RECORD_RESUME, "the pause is over"),
    "mark": (SERVICE_RECORD_MARK, "put a numbered marker at this moment"),
}
"""Service and help of each action on the running graph."""

SAVE_TIMEOUT_S = 120.0


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("record", help="start, stop, discard, pause, mark a take; or run a recorder of its own")
    actions = parser.add_subparsers(dest="action", metavar="|".join([*SERVICES, "run", "recover"]), required=True)
    for name, (_, text) in SERVICES.items():
        action = actions.add_parser(name, help=text)
        action.add_argument("--json", action="store_true", help="print as JSON")
        action.set_defaults(run=run_service)
    runner = actions.add_parser("run", help="run only the recorder, on the topics of a robot that already runs")
    runner.add_argument("--robot", default="hx5_d20_right", help="robot name or YAML file (default: %(default)s)")
    runner.add_argument("--directory", default="episodes", help="where episodes go (default: %(default)s)")
    runner.add_argument("--task", default="", help="kept in every episode")
    runner.add_argument("--operator", default="", help="kept in every episode")
    runner.add_argument(
        "--camera", action="append", default=[], metavar="NAME=[raw:]/TOPIC", help="record this camera, too"
    )
    runner.add_argument(
        "--topic", action="append", default=[], metavar="NAME=/TOPIC:TYPE", help="keep this topic in the take, too"
    )
    runner.add_argument(
        "--preroll-s", type=float, default=0.0, metavar="S", help="record so much before the start, too, at most 30"
    )
    runner.set_defaults(run=run_recorder)
    recover = actions.add_parser("recover", help="make the episodes of takes that have none; a recorder does so, too")
    recover.add_argument("directory", type=Path, help="where the takes are")
    recover.add_argument("--json", action="store_true", help="print as JSON")
    recover.set_defaults(run=run_recover)


def run_service(args: argparse.Namespace) -> int:
    """Call the recorder's service; after a stop wait for the finished episode."""
    from booth.client_node import GraphClient  # only now: most verbs work without ROS

    with GraphClient() as client:
        success, message = client.call(SERVICES[args.action][0])
        report: dict[str, object] = {"success": success, "message": message}
        if success and args.action == "stop":
            report |= wait_for_episode(client)
    if args.json:
        result_json(report)
    else:
        result(str(report.get("episode") or message))
    return EXIT_OK if success and report.get("state", "SAVED") == "SAVED" else EXIT_FAILED


def wait_for_episode(client: "GraphClient", timeout_s: float = SAVE_TIMEOUT_S) -> dict[str, object]:
    """Wait until the recorder has saved the take it is closing."""
    waited = 0.0
    while waited < timeout_s and client.state("recorder") not in {"SAVED", "FAILED"}:
        client.spin(0.1)
        waited += 0.1
    values = client.values("recorder")
    return {"state": client.state("recorder"), "episode": values.get("episode", ""), "reason": values.get("reason", "")}


def run_recorder(args: argparse.Namespace) -> int:
    """Run the recorder process until Ctrl-C."""
    load_robot(args.robot)
    options = GraphOptions(
        driver="external",
        directory=args.directory,
        task=args.task,
        operator=args.operator,
        cameras=tuple(args.camera),
        topics=tuple(args.topic),
        preroll_s=args.preroll_s,
    )
    supervisor = Supervisor([recorder_process(args.robot, options)], graph_environment(), say)
    with StopRequest() as stopping:
        supervisor.start()
        outcome = supervisor.run(stopping)
    say(f"[booth] {outcome.reason}")
    return outcome.exit_code


def run_recover(args: argparse.Namespace) -> int:
    """Make episodes of leftover takes, oldest first; exit code 1 when one could not be made."""
    if not args.directory.is_dir():
        raise InputError(f"no directory {args.directory}: expected the one that takes were recorded to")
    takes = leftover_takes(args.directory)
    progress = Progress("recovering")
    report: list[dict[str, str]] = []
    for number, take in enumerate(takes):
        progress.show(number / len(takes), take.name)
        done = recover_take(take)
        report.append(
            {"take": take.name, "episode": str(done.episode.path) if done.episode else "", "reason": done.reason}
        )
    progress.done()
    if args.json:
        result_json({"takes": report})
    else:
        lines = [entry["episode"] or f"{entry['take']}: {entry['reason']}" for entry in report]
        result("\n".join(lines) or "every take has its episode")
    return EXIT_OK if all(entry["episode"] for entry in report) else EXIT_FAILED
