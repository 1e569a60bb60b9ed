# SPDX-License-Identifier: Apache-2.0
"""`booth bench bus|check|export|imitation|latency|link|page|record`: run one benchmark."""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from booth.output import result, result_json
from graph.errors import EXIT_OK

TIMED = (
    ("bus", 20.0, "the servo bus against its wire and the DYNAMIXEL SDK"),
    ("check", 30.0, "how much faster than real time an episode of this length is checked"),
    ("export", 30.0, "LeRobot export of an episode of this length: speed, memory, a second worker"),
    ("latency", 20.0, "camera frame to goal bytes on the servo bus"),
    ("link", 60.0, "a far operator: round trip, hold after a partition, a lossy network, strangers (best as root)"),
    ("page", 30.0, "the operator's page: processor with two browsers, from a change to the screen (needs Chromium)"),
    ("record", 60.0, "57 joints at 200 Hz and four cameras: drops, processor, memory, disk"),
)
"""Name, seconds by default, help."""

IMITATION = """Films, tracker's models and figures: docs/imitation.md, "Truth"; docs/performance.md, "Copying a person".
The first time twenty films are drawn (about ten minutes) and kept. Errors for each value of what varies from film to
film (light, skin, sizes …) compare films in which other things are done, too."""


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "bench", help="measure something: bus, check, export, imitation, latency, link, page, record"
    )
    benches = parser.add_subparsers(
        dest="name", metavar="bus|check|export|imitation|latency|link|page|record", required=True
    )
    timed = []
    for name, seconds, text in TIMED:
        timed.append(benches.add_parser(name, help=text))
        timed[-1].add_argument("--seconds", type=float, default=seconds, help="how long (default: %(default)s)")
        timed[-1].set_defaults(options=lambda args: {"seconds": args.seconds})
    imitation = benches.add_parser(
        "imitation",
        help="films of a drawn operator against the measured joints of a virtual humanoid",
        epilog=IMITATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    imitation.add_argument("--films", nargs="+", default=[], metavar="NAME", help="these films of the set only")
    imitation.add_argument(
        "--out", type=Path, default=Path("imitation.png"), metavar="PNG", help="the picture (default: %(default)s)"
    )
    imitation.add_argument(
        "--prediction-ms",
        nargs="+",
        type=float,
        default=[0.0],
        metavar="MS",
        help="ask hands and arms to be where they will be then, at most 100; several are compared (default: 0, off)",
    )
    imitation.set_defaults(
        options=lambda args: {"films": args.films, "picture": args.out, "prediction_ms": args.prediction_ms}
    )
    for bench in (*timed, imitation):
        bench.add_argument("--json", action="store_true", help="print the figures as JSON")
        bench.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    bench = import_module(f"bench.{args.name}")  # only now: a benchmark may need ROS
    figures = bench.measure(**args.options(args))
    result(bench.describe(figures))
    if args.json:
        result_json(figures)
    return EXIT_OK
