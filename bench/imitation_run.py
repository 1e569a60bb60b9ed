# SPDX-License-Identifier: Apache-2.0
"""A filmed operator through the whole product in virtual time: pixels → landmarks → targets → driver → virtual servos.

The same code as in the live graph, without processes between: the figures do not depend on how busy the machine is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.command import Command
from drivers.safety import State as DriverState
from drivers.virtual_time import VirtualTimeDriver
from graph.errors import BoothError
from robots import Robot
from teleop.camera import VideoFile
from teleop.clutch_table import State
from teleop.identity import HandIdentity
from teleop.imitation_session import ImitationSession, Target
from teleop.limbs import build_limbs
from teleop.models import hand_model, pose_model
from teleop.operator_view import BodyView, OperatorFrame
from teleop.tracker import HandTracker
from teleop.tracker_body import BodyTracker

Array = NDArray[np.float64]

START_NS = 10_000_000_000
BODY_EVERY = 2
"""The body is looked for in one of so many frames, as the tracker node does by default."""
TRACKED_AFTER_NS = 30_000_000
"""From the capture to the landmarks in teleop's hands: two hands take 17 to 25 ms here; a body is one frame later."""
HOMING_S = 20.0
SETTLE_S = 0.5
"""The driver goes on for so long after the last frame."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the tracker saw in a clip; shares are of its frames, of the body's of those that were looked at."""

    frames: tuple[OperatorFrame, ...]
    fps: float
    one_hand_share: float
    both_hands_share: float
    body_share: float


def watch(clip: Path, each: Callable[[float], None] = lambda _: None) -> Watched:
    """Track hands and body in every frame of a clip.

    Args:
        clip: video file.
        each: told after every frame how much of the clip is done, 0 … 1.

    Raises:
        InputError: the clip can't be read.
    """
    film = VideoFile(clip, sleep_s=lambda _: None)
    fps, count = film.fps, round(film.duration_s * film.fps)
    frames: list[OperatorFrame] = []
    bodies = looked = 0
    body: BodyView | None = None
    with HandTracker(hand_model()) as hands, BodyTracker(pose_model()) as pose:
        identity: HandIdentity | None = None
        while (frame := film.read()) is not None:
            image = frame.image_bgr
            stamp_ns = START_NS + round(len(frames) * 1e9 / fps)
            if identity is None:
                identity = HandIdentity(image.shape[1] / image.shape[0])
            seen = identity.see(hands.detect(image, stamp_ns), body, stamp_ns)
            frames.append(OperatorFrame(stamp_ns, seen, body))
            if len(frames) % BODY_EVERY == 1:  # ready for the next frame, as in the live graph
                body = pose.detect(image, stamp_ns)
                looked += 1
                bodies += body is not None
            each(len(frames) / max(count, 1))
    film.close()
    return Watched(
        tuple(frames),
        fps,
        float(np.mean([len(frame.hands) > 0 for frame in frames])),
        float(np.mean([len(frame.hands) == 2 for frame in frames])),
        bodies / looked,
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """What the robot did.

    Attributes:
        read_ns: (C,) when the servos were read. measured_rad: (C, n) where they stood.
        following: (C,) whether the driver followed the operator and the blend from its own pose was over.
        reasons: what the operator was told, in order.
        targets: of every frame, None where nothing was asked.
    """

    read_ns: NDArray[np.int64]
    measured_rad: Array
    following: NDArray[np.bool_]
    reasons: tuple[str, ...]
    targets: tuple[Target | None, ...]


def follow(
    robot: Robot,
    parts: str,
    frames: Sequence[OperatorFrame],
    prediction_ms: float = 0.0,
    each: Callable[[float], None] = lambda _: None,
) -> Followed:
    """Let a virtual robot, waiting in its ready pose, copy the operator.

    Args:
        parts: what copies, see `teleop.limbs.PARTS`.
        prediction_ms: see `teleop.prediction`.
        each: told after every frame how much is done, 0 … 1.

    Raises:
        BoothError: the robot never reached its ready pose.
    """
    driver = VirtualTimeDriver(robot)
    driver.clock.now_ns = START_NS
    driver.loop.connect()
    period_ns = round(1e9 / robot.rate_hz)
    at_ns = _make_ready(driver, period_ns)
    later_ns = at_ns - frames[0].capture_ns
    waiting = [_later(frame, later_ns) for frame in frames]
    session = ImitationSession(robot, build_limbs(robot, parts), prediction_ms=prediction_ms)
    following: list[bool] = []
    reasons: list[str] = []
    targets: list[Target | None] = []
    end_ns = waiting[-1].capture_ns + round(SETTLE_S * 1e9)
    while at_ns < end_ns:
        at_ns += period_ns
        cycle = driver.cycle_at(at_ns)
        session.measure(cycle.reading.position_rad)
        while waiting and waiting[0].capture_ns + TRACKED_AFTER_NS <= at_ns:
            frame = waiting.pop(0)
            target = session.see(frame)
            targets.append(target)
            each(len(targets) / len(frames))
            if target is not None:
                _send(driver, robot, session, target, at_ns)
            if session.state is State.ASKING:
                why_not = driver.loop.request_engage()
                session.answer(not why_not, why_not, at_ns)
        session.tick(at_ns)
        driven = driver.loop.status.state is DriverState.ENGAGED
        if session.clutch.following and not driven:
            session.drop(driver.loop.status.reason, at_ns)
        following.append(driven and session.state is State.ENGAGED)
        if session.reason and (not reasons or reasons[-1] != session.reason):
            reasons.append(session.reason)
    return Followed(
        np.array([cycle.read_ns - later_ns for cycle in driver.cycles]),
        np.array([cycle.reading.position_rad for cycle in driver.cycles]),
        np.array(following),
        tuple(reasons),
        tuple(targets),
    )


def _make_ready(driver: VirtualTimeDriver, period_ns: int) -> int:
    """Move to the ready pose; returns when that was done."""
    refusal = driver.loop.request_home(ready=True)
    at_ns = driver.clock.now_ns
    for _ in range(round(HOMING_S * 1e9 / period_ns)):
        at_ns += period_ns
        driver.cycle_at(at_ns)
        if not refusal and driver.loop.status.state is DriverState.READY:
            driver.cycles.clear()
            return at_ns
    raise BoothError(f"{driver.robot.name} is not ready: {refusal or driver.loop.status.reason}")


def _later(frame: OperatorFrame, later_ns: int) -> OperatorFrame:
    body = None if frame.body is None else replace(frame.body, stamp_ns=frame.body.stamp_ns + later_ns)
    return OperatorFrame(frame.capture_ns + later_ns, frame.hands, body)


def _send(driver: VirtualTimeDriver, robot: Robot, session: ImitationSession, target: Target, now_ns: int) -> None:
    """What the teleop node publishes and the driver node accepts."""
    active = session.active_joints
    position = np.full(len(robot.joints), np.nan)
    position[active] = target.position_rad[active]
    for group, (_, members) in enumerate(robot.groups):
        asked = [joint for joint in members if joint in set(active.tolist())]
        if asked:
            known = bool(np.isfinite(target.velocity_rad_s[asked]).all())
            velocity = np.nan_to_num(target.velocity_rad_s) if known else None
            driver.loop.offer(Command(position, now_ns, target.capture_ns, velocity), group)
