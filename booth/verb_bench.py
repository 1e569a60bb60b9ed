# SPDX-License-Identifier: Apache-2.0
"""`booth bench NAME`: run one benchmark."""

import argparse
from importlib import import_module
from typing import Any

from booth.output import result, result_json
from graph.errors import EXIT_OK

BENCHES = ("bus", "imitation", "latency")


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("bench", help="measure something: " + ", ".join(BENCHES))
    parser.add_argument("name", choices=sorted(BENCHES), help="what to measure")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    bench = import_module(f"bench.{args.name}")  # only now: a benchmark may need ROS
    figures = bench.measure(args.seconds)
    result(bench.describe(figures))
    if args.json:
        result_json(figures)
    return EXIT_OK
