# SPDX-License-Identifier: Apache-2.0
"""`booth record`: start, stop or discard a take of the running graph, or run a recorder of its own."""

import argparse
from typing import TYPE_CHECKING, Any

from booth.output import result, result_json, say
from booth.supervisor import StopRequest, Supervisor, graph_environment
from graph.errors import EXIT_FAILED, EXIT_OK
from graph.nodes import GraphOptions, recorder_process
from graph.topics import SERVICE_RECORD_DISCARD, SERVICE_RECORD_START, SERVICE_RECORD_STOP
from robots import load_robot

if TYPE_CHECKING:
    from booth.client_node import GraphClient

SERVICES = {"start": SERVICE_RECORD_START, "stop": SERVICE_RECORD_STOP, "discard": SERVICE_RECORD_DISCARD}
SAVE_TIMEOUT_S = 120.0


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("record", help="start, stop, discard a take; or run a recorder beside somebody's robot")
    actions = parser.add_subparsers(dest="action", metavar="start|stop|discard|run", required=True)
    texts = {"start": "start a take", "stop": "end the take and wait for its episode", "discard": "throw the take away"}
    for name, text in texts.items():
        action = actions.add_parser(name, help=text)
        action.add_argument("--json", action="store_true", help="print as JSON")
        action.set_defaults(run=run_service)
    runner = actions.add_parser("run", help="run only the recorder, on the topics of a robot that already runs")
    runner.add_argument("--robot", default="hx5_d20_right", help="robot name or YAML file (default: %(default)s)")
    runner.add_argument("--directory", default="episodes", help="where episodes go (default: %(default)s)")
    runner.add_argument("--task", default="", help="kept in every episode")
    runner.add_argument("--operator", default="", help="kept in every episode")
    runner.set_defaults(run=run_recorder)


def run_service(args: argparse.Namespace) -> int:
    """Call the recorder's service; after a stop wait for the finished episode."""
    from booth.client_node import GraphClient  # only now: most verbs work without ROS

    with GraphClient() as client:
        success, message = client.call(SERVICES[args.action])
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
    options = GraphOptions(driver="external", directory=args.directory, task=args.task, operator=args.operator)
    supervisor = Supervisor([recorder_process(args.robot, options)], graph_environment(), say)
    with StopRequest() as stopping:
        supervisor.start()
        outcome = supervisor.run(stopping)
    say(f"[booth] {outcome.reason}")
    return outcome.exit_code
