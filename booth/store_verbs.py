# SPDX-License-Identifier: Apache-2.0
"""What the verbs about the store have in common: where it is, and how one entry of it is told."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from booth.output import result, result_json
from booth.session.records import Operator, Task
from graph.errors import EXIT_OK


def add_action(actions: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    """The parser of one action, with the options that all of them have."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    parser.add_argument("--store", type=Path, metavar="FILE", help="default: $BOOTH_STORE, else this user's own")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)
    return parser


def tell(args: argparse.Namespace, entry: Operator | Task, values: Mapping[str, object], words: str) -> int:
    """What became of an entry, for people or as JSON; returns the exit code."""
    if args.json:
        result_json(values)
    else:
        result(f"{entry.id} ({entry.name}): {words}")
    return EXIT_OK
