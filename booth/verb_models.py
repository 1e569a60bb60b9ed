# SPDX-License-Identifier: Apache-2.0
"""`booth models`: make sure that the hand and body models are there."""

import argparse
from pathlib import Path
from typing import Any

from booth.output import result, result_json, say
from graph.errors import EXIT_OK
from teleop.models import ModelError, build_models, hand_model, pose_model


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "models", help="build the hand and body landmark models (once, from the official MediaPipe wheel)"
    )
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="a mediapipe 0.10.21 wheel or .task")
    parser.add_argument("--force", action="store_true", help="build again even if good models are there")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def ensure_model() -> Path:
    """The hand model's path; it and the body model are built first where one is missing."""
    try:
        pose_model()
        return hand_model()
    except ModelError:
        build_models(say=say)
        return hand_model()


def run(args: argparse.Namespace) -> int:
    """Build where needed and print the paths."""
    if args.force or args.source:
        build_models(args.source, say)
    else:
        ensure_model()
    hand, pose = hand_model(), pose_model()
    if args.json:
        result_json({"hand_model": str(hand), "pose_model": str(pose), "bytes": hand.stat().st_size})
    else:
        result(f"hand model: {hand}\nbody model: {pose}")
    return EXIT_OK
