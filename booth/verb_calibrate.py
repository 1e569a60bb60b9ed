# SPDX-License-Identifier: Apache-2.0
"""`booth calibrate NAME`: measure an operator's hands and arms once, and keep it for `booth up --profile NAME`."""

import argparse
import time
from datetime import UTC, datetime
from typing import Any

from booth.output import Progress, result, result_json, say
from booth.supervisor import StopRequest
from booth.verb_models import ensure_model
from graph.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from teleop.calibrating import Calibrating, Step
from teleop.camera import open_source, unmirror
from teleop.hand_geometry import Side
from teleop.identity import HandIdentity
from teleop.models import hand_model, pose_model
from teleop.operator_profile import profile_path, save
from teleop.operator_view import BodyView, OperatorFrame
from teleop.tracker import HandTracker, self_test
from teleop.tracker_body import BodyTracker

PATIENCE_S = 120.0
SIDES: dict[str, tuple[Side, ...]] = {"both": ("right", "left"), "right": ("right",), "left": ("left",)}


def add(verbs: Any) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("calibrate", help="measure an operator once, for booth up --profile NAME")
    parser.add_argument("name", help="the operator's name: small letters, digits, _ and -")
    parser.add_argument("--source", default="0", help="camera or video file (default: camera %(default)s)")
    parser.add_argument("--hands", choices=SIDES, default="both", help="whose size to measure (default: %(default)s)")
    parser.add_argument("--no-body", action="store_true", help="hands only, for a robot without arms")
    parser.add_argument("--mirrored", action="store_true", help="the camera delivers mirror images")
    parser.add_argument("--json", action="store_true", help="print the profile as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show what is asked for, measure, save."""
    path = profile_path(args.name)
    ensure_model()
    calibrating = Calibrating(SIDES[args.hands], not args.no_body)
    with (
        HandTracker(hand_model()) as hands,
        BodyTracker(pose_model()) as bodies,
        StopRequest() as stopping,
    ):
        self_test(hands)
        source = open_source(args.source)
        progress = Progress("calibrating")
        identity: HandIdentity | None = None
        body: BodyView | None = None
        deadline = time.monotonic() + PATIENCE_S
        while calibrating.step is not Step.DONE and not stopping() and time.monotonic() < deadline:
            frame = source.read()
            if frame is None:
                break
            image = unmirror(frame.image_bgr) if args.mirrored else frame.image_bgr
            identity = identity or HandIdentity(image.shape[1] / image.shape[0])
            body = None if args.no_body else bodies.detect(image, frame.capture_ns)
            found = identity.see(hands.detect(image, frame.capture_ns), body, frame.capture_ns)
            calibrating.see(OperatorFrame(frame.capture_ns, found, body))
            progress.show(calibrating.progress(frame.capture_ns), f"{calibrating.step.value}: {calibrating.reason}")
        progress.done()
        source.close()
        interrupted = stopping()
    if calibrating.step is not Step.DONE:
        say(f"not measured, nothing was saved; the last thing in the way: {calibrating.reason}")
        return EXIT_INTERRUPTED if interrupted else EXIT_FAILED
    profile = calibrating.profile(args.name, datetime.now(tz=UTC).date().isoformat())
    save(profile, path)
    quality = ", ".join(f"{what} {value:.2f}" for what, value in calibrating.quality.items())
    result(f"{args.name} measured (quality, best 1: {quality})\nkept in {path}")
    result(f"use it with: booth up --profile {args.name}")
    if args.json:
        result_json(profile.model_dump())
    return EXIT_OK
