# SPDX-License-Identifier: Apache-2.0
"""`booth models`: make sure that the hand model is there."""

import argparse
from pathlib import Path
from typing import Any

from booth.output import result, result_json, say
from graph.errors import EXIT_OK
from teleop.models import ModelError, build_hand_model, hand_model


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("models", help="build the hand landmark model (once, from the official MediaPipe wheel)")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="a mediapipe 0.10.21 wheel or .task")
    parser.add_argument("--force", action="store_true", help="build again even if a good model is there")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def ensure_model() -> Path:
    """The hand model's path; built first where it is missing."""
    try:
        return hand_model()
    except ModelError:
        return build_hand_model(say=say)


def run(args: argparse.Namespace) -> int:
    """Build where needed and print the path."""
    path = build_hand_model(args.source, say) if args.force or args.source else ensure_model()
    if args.json:
        result_json({"hand_model": str(path), "bytes": path.stat().st_size})
    else:
        result(f"hand model: {path}")
    return EXIT_OK
