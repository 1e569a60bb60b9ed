# SPDX-License-Identifier: Apache-2.0
"""Findings about the course of a take: hands lost while driving, holds, idle ends, and how smooth the commands are."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recorder.check_motion import Array, Bool, Motion
from recorder.episode import Episode
from recorder.finding import Finding, graded, ok
from robots.robot import Robot

HAND_LOST_WARN_SHARE, HAND_LOST_FAIL_SHARE = 0.1, 0.5
"""A hand turned edgewise is lost for a moment in any take; half of the time nobody drove what was recorded."""

HOLDS_WARN, HELD_WARN_SHARE = 3, 0.4
"""One or two holds belong to a long task; a take that is mostly interruptions is better done again."""

IDLE_WARN_S, IDLE_DEG, IDLE_WINDOW_S = 5.0, 1.0, 0.5
"""Still: no joint moves by a degree in half a second, which is a dozen ticks of an encoder, so that noise is not
motion. A learner that is shown seconds of stillness learns to stand still."""

JERK_FACTOR, JERK_WARN_SHARE = 2.0, 0.005
TICK_RAD = 2 * np.pi / 4096
STAMP_S = 1e-3
"""A divided difference of limited motion lies within the cap. Rounding to encoder ticks and stamps that are a
millisecond off add the more to it, the closer the samples are: so far apart are they taken that it is half the cap."""


def findings(episode: Episode, moving: Motion) -> list[Finding]:
    """All findings of this file."""
    return [_hand_lost(episode, moving), _holds(moving), _idle(moving), _jerk(episode, moving)]


def driving_hands(robot: Robot, seen: Bool) -> list[int]:
    """Which of the operator's hands, right (0) or left (1), drive this robot; of a robot that copies none, those that
    were ever ``seen`` (T, 2)."""
    copied = robot.imitation
    names = [part.side for part in copied.hands] + [part.side for part in copied.grippers]
    sides = {0 if side == "right" else 1 for side in names + [part.side for part in copied.arms]}
    return sorted(sides) or np.flatnonzero(seen.any(axis=0)).tolist()


def _hand_lost(episode: Episode, moving: Motion) -> Finding:
    seen = np.isfinite(episode["/operator/landmarks"]).all(axis=(2, 3))[moving.kept]
    hands = [hand for hand in driving_hands(moving.robot, seen) if seen[:, hand].any()]  # the other one may not drive
    if not moving.engaged.any() or not hands:
        return ok("hand_lost", "nobody drove the robot, or nobody watched his hands")
    share = float((~seen[moving.engaged][:, hands]).mean(axis=0).max())
    text = f"a driving hand was lost in {share:.1%} of the engaged rows"
    return graded("hand_lost", text, failed=share > HAND_LOST_FAIL_SHARE, warned=share > HAND_LOST_WARN_SHARE)


def _holds(moving: Motion) -> Finding:
    driven = np.flatnonzero(moving.engaged)
    if not len(driven):
        return ok("holds", "nobody drove the robot")
    between = moving.engaged[driven[0] : driven[-1] + 1]
    holds = int((between[:-1] & ~between[1:]).sum())
    share = 1.0 - float(between.mean())
    text = f"{holds} holds between the first and the last engaged row, {share:.1%} of that time"
    return graded("holds", text, warned=holds > HOLDS_WARN or share > HELD_WARN_SHARE)


def idle_ends_s(moving: Motion) -> tuple[float, float]:
    """Seconds without motion at the start and at the end; the whole length twice if nothing ever moves."""
    window = moving.rows(IDLE_WINDOW_S)
    moved = np.abs(moving.measured[window:] - moving.measured[:-window]) > IDLE_DEG
    rows = np.flatnonzero(moved.any(axis=1))
    length = len(moving.engaged)
    if not len(rows):
        return length / moving.rate_hz, length / moving.rate_hz
    head = rows[0] + window if rows[0] else 0  # a window that moves after a still one moves at its end
    tail = length - 1 - rows[-1] if rows[-1] < length - 1 - window else 0
    return head / moving.rate_hz, tail / moving.rate_hz


def _idle(moving: Motion) -> Finding:
    head_s, tail_s = idle_ends_s(moving)
    text = f"nothing moves in the first {head_s:.1f} s and in the last {tail_s:.1f} s"
    return graded("idle", text, warned=max(head_s, tail_s) > IDLE_WARN_S)


def jerk_rows(robot: Robot, rate_hz: float) -> NDArray[np.int64]:
    """(J,) how many rows apart samples have to be for the noise of their jerk to stay below half the joint's cap."""
    tick = TICK_RAD * np.array([joint.metres_per_rad if joint.prismatic else 1.0 for joint in robot.joints])
    noise = 4 * tick + 8 * np.array(robot.velocity_rad_s) * STAMP_S  # weights 1, 3, 3, 1; rounding by half a tick
    apart_s = np.cbrt(noise / (0.5 * np.array(robot.jerk_rad_s3)))
    rows: NDArray[np.int64] = np.maximum(1, np.ceil(apart_s * rate_hz - 0.1)).astype(np.int64)
    return rows


def _jerk(episode: Episode, moving: Motion) -> Finding:
    stamps = episode["/time/sent/stamp_ns"][moving.kept]
    sent = episode["/actions/sent"][moving.kept]
    if not moving.sent_known:
        return ok("jerk", "not known what was sent")
    caps = np.array(moving.robot.jerk_rad_s3)
    largest, rough = np.zeros(len(caps)), np.zeros(len(caps))
    for step, joints in _by_step(jerk_rows(moving.robot, moving.rate_hz)):
        found = _jerks(stamps, sent[:, joints], moving, step)
        if len(found):
            largest[joints] = found.max(axis=0)
            rough[joints] = (found > JERK_FACTOR * caps[joints]).mean(axis=0)
    worst = int((largest / caps).argmax())
    text = f"{moving.names[worst]} is sent up to {largest[worst]:.0f} rad/s^3, its cap is {caps[worst]:.0f}"
    return graded("jerk", f"jerk of what was sent: {text}", warned=bool((rough > JERK_WARN_SHARE).any()))


def _by_step(steps: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
    return [(int(step), np.flatnonzero(steps == step)) for step in np.unique(steps)]


def _jerks(stamps: NDArray[np.int64], sent: Array, moving: Motion, step: int) -> Array:
    """(M, J) size of the jerk at every stretch of four evenly spaced samples that were sent while engaged."""
    rows = len(stamps) - 3 * step
    if rows < 1:
        return np.zeros((0, sent.shape[1]))
    at = [slice(k * step, k * step + rows) for k in range(4)]
    usable = np.all([(stamps[part] >= 0) & moving.engaged[part] for part in at], axis=0)
    usable &= np.all([np.isfinite(sent[part]).all(axis=1) for part in at], axis=0)
    apart_s = (
        np.array([stamps[later] - stamps[sooner] for sooner, later in pairwise(at)]) * 1e-9 * moving.rate_hz / step
    )
    usable &= ((apart_s > 0.5) & (apart_s < 2.0)).all(axis=0)
    time_s = np.array([stamps[part][usable] - stamps[0] for part in at]) * 1e-9
    return np.abs(jerk(time_s, np.array([sent[part][usable] for part in at])))


def jerk(time_s: Array, position_rad: Array) -> Array:
    """(M, J) third derivative by divided differences of four samples [rad/s^3]: a weighted mean of the true one.

    Args:
        time_s: (4, M) rising along the first axis. position_rad: (4, M, J).
    """
    difference = position_rad
    for order in (1, 2, 3):
        difference = np.diff(difference, axis=0) / (time_s[order:] - time_s[:-order])[:, :, None]
    result: Array = 6.0 * difference[0]
    return result
