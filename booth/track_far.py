# SPDX-License-Identifier: Apache-2.0
"""The operator's laptop: camera to landmarks to the robot, and on the screen what the robot says. No ROS, no robot."""

import time
from collections.abc import Mapping

import numpy as np

from booth.output import Progress
from booth.stop_request import StopRequest
from teleop.camera import Frame, open_source
from teleop.hand_geometry import Side
from teleop.link_sender import LinkSender
from teleop.operator_clouds import Cloud
from teleop.operator_source import SourceState
from teleop.operator_view import HandView
from teleop.tracker_camera import CameraOperator, CameraSettings

LOOK_S = 0.1


def track_far(sender: LinkSender, settings: CameraSettings, loop: bool, seconds: float | None) -> dict[str, object]:
    """Track and send until the source ends, the time is over, or somebody stops it.

    Args:
        sender: the link, not started yet; closed at the end.
        settings: of the camera, whose name is opened.
        loop: play a video file over and over.
        seconds: how long; None: no limit.

    Returns:
        counts, rates and round trips, for people and for --json.

    Raises:
        BoothError: the camera is missing or gone.
    """

    def on_hands(cloud: Cloud, frame: Frame, _hands: Mapping[Side, HandView]) -> None:
        sender.put(cloud, frame.capture_ns)

    def on_body(cloud: Cloud, frame: Frame) -> None:
        sender.put(cloud, frame.capture_ns)

    camera: CameraOperator | None = None
    try:
        source = open_source(settings.name, loop)
        camera = CameraOperator(settings, source, on_hands, on_body, lambda: sender.view.connected)
        sender.start()
        camera.start()
        return _watch(sender, camera, seconds)
    finally:
        if camera is not None:
            camera.close()
        sender.close()


def _watch(sender: LinkSender, camera: CameraOperator, seconds: float | None) -> dict[str, object]:
    progress, start, trips = Progress("operating"), time.monotonic(), []
    state = camera.state()
    with StopRequest() as stopping:
        while not stopping() and state.message != "ENDED":
            passed_s = time.monotonic() - start
            if seconds is not None and passed_s > seconds:
                break
            sender.check()
            state = camera.state()
            if sender.view.round_trip_ms is not None:
                trips.append(sender.view.round_trip_ms)
            progress.show(0.0 if seconds is None else passed_s / seconds, _line(sender, state))
            time.sleep(LOOK_S)
    progress.done()
    p50, p99 = np.percentile(trips, [50, 99]) if trips else (None, None)
    view = sender.view
    robot = {"robot": view.word, "robot_reason": view.reason, "round_trip_p50_ms": p50, "round_trip_p99_ms": p99}
    return {**state.values, **sender.counts, **robot}


def _line(sender: LinkSender, state: SourceState) -> str:
    """What the operator should see: the robot first, then what is wrong here."""
    view = sender.view
    trip = "" if view.round_trip_ms is None else f" · {view.round_trip_ms:.0f} ms"
    why = f" · {view.reason}" if view.reason else ""
    here = f" · here: {state.reason}" if state.reason else ""
    return f"robot {view.word}{trip}{why}{here}"
