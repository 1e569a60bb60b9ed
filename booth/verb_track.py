# SPDX-License-Identifier: Apache-2.0
"""`booth track`: what the tracker sees in a camera or a file, without ROS and without a robot."""

import argparse
import time
from typing import Any

import numpy as np

from booth.output import Progress, result, result_json
from booth.supervisor import StopRequest
from booth.verb_models import ensure_model
from graph.errors import EXIT_OK
from teleop.camera import open_source, unmirror
from teleop.rates import TrackerCounts
from teleop.tracker import HandTracker, self_test


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("track", help="camera or file to landmarks; prints rate and hands")
    parser.add_argument("--source", default="0", help="camera, video file or `clip` (default: camera %(default)s)")
    parser.add_argument("--seconds", type=float, help="stop after this long (default: end of file or Ctrl-C)")
    parser.add_argument("--mirrored", action="store_true", help="the camera delivers mirror images")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Track frame by frame and sum up."""
    counts = TrackerCounts()
    sides = {"right": 0, "left": 0}
    scores: list[float] = []
    with HandTracker(ensure_model()) as tracker, StopRequest() as stopping:
        self_test(tracker)
        source = open_source(args.source)
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
    if args.json:
        result_json(summary)
    else:
        result("\n".join(f"{name:20} {value}" for name, value in summary.items()))
    return EXIT_OK
