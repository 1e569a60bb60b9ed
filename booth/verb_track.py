# SPDX-License-Identifier: Apache-2.0
"""`booth track`: what the tracker sees in a camera or a file, without ROS; with --to for a robot far away."""

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from booth.output import Progress, result, result_json
from booth.stop_request import StopRequest
from booth.track_far import track_far
from booth.verb_models import ensure_model
from graph.errors import EXIT_OK, InputError
from teleop.camera import open_source, unmirror
from teleop.link_address import connecting
from teleop.link_keys import load_key, public_key
from teleop.link_sender import LinkSender
from teleop.rates import TrackerCounts
from teleop.tracker import HandTracker, self_test
from teleop.tracker_camera import CameraSettings


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("track", help="camera or file to landmarks; prints rate and hands")
    parser.add_argument("--source", default="0", help="camera, video file or `clip` (default: camera %(default)s)")
    parser.add_argument("--seconds", type=float, help="stop after this long (default: end of file or Ctrl-C)")
    parser.add_argument("--mirrored", action="store_true", help="the camera delivers mirror images")
    parser.add_argument("--loop", action="store_true", help="play a video file over and over")
    parser.add_argument(
        "--to", metavar="tcp://HOST:PORT", help="operate the robot that listens there, see docs/remote.md"
    )
    parser.add_argument("--key", metavar="NAME", help="with --to: your key pair, see `booth keys`")
    parser.add_argument("--server-key", metavar="FILE|KEY", help="with --to: the robot's public key")
    parser.add_argument("--body", action="store_true", help="with --to: the body, too, for a robot with arms or a head")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Track frame by frame and sum up."""
    if args.to is not None:
        return _far(args)
    counts = TrackerCounts()
    sides = {"right": 0, "left": 0}
    scores: list[float] = []
    with HandTracker(ensure_model()) as tracker, StopRequest() as stopping:
        self_test(tracker)
        source = open_source(args.source, args.loop)
        progress = Progress(f"tracking {source.name}")
        start = time.monotonic()
        while not stopping() and (args.seconds is None or time.monotonic() - start < args.seconds):
            frame = source.read()
            if frame is None:
                break
            image = unmirror(frame.image_bgr) if args.mirrored else frame.image_bgr
            begin = time.monotonic()
            hands = tracker.detect(image, frame.capture_ns)
            counts.add(frame.capture_ns, bool(hands), (time.monotonic() - begin) * 1e3)
            for hand in hands:
                sides[hand.side] += 1
                scores.append(hand.score)
            seen = ", ".join(f"{hand.side} {hand.score:.2f}" for hand in hands) or "no hand"
            progress.show(0.0 if args.seconds is None else (time.monotonic() - start) / args.seconds, seen)
        progress.done()
        source.close()
    summary = counts.summary() | {
        "hand_found_share": counts.hand_found_frames / max(counts.frames, 1),
        "right_frames": sides["right"],
        "left_frames": sides["left"],
        "score_median": float(np.median(scores)) if scores else None,
    }
    _print(args, summary)
    return EXIT_OK


def _far(args: argparse.Namespace) -> int:
    if args.key is None or args.server_key is None:
        raise InputError("--to needs --key NAME and --server-key FILE|KEY: `booth keys --help` says how to make both")
    address, key, server = connecting(args.to), load_key(args.key), public_key(args.server_key)
    ensure_model()
    settings = CameraSettings(args.source, args.mirrored, args.body)
    summary = track_far(LinkSender(address, key, server), settings, args.loop, args.seconds)
    _print(args, summary)
    return EXIT_OK


def _print(args: argparse.Namespace, summary: Mapping[str, object]) -> None:
    if args.json:
        result_json(summary)
    else:
        result("\n".join(f"{name:20} {value}" for name, value in summary.items()))
