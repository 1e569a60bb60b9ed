# SPDX-License-Identifier: Apache-2.0
"""Findings about single joints: how they follow, stuck and saturated ones, and zeros that have moved."""

import re

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recorder.check_motion import Array, Bool, Motion, follow_lag_s, residual, rms_by_joint, span, unit_scale
from recorder.episode import Episode
from recorder.finding import Finding, graded, ok, warn

JOINT_TRACKING_WARN_DEG = 15.0
"""After the best shift only load, stall and wrong zeros are left; 15 degrees are 8 cm at an elbow."""

LAG_LEAST_S, LAG_WARN_S = -0.025, 0.3
"""Measured motion that precedes its command by more than a row's rounding has a wrong stamp; that follows it later than
this, too, or the robot is overloaded."""

STUCK_ASKED_DEG, STUCK_SHARE = 15.0, 0.1
"""A joint that is asked to move by so much and moves by less than this share is stuck, or without torque. A finger that
closes on an object has moved on its way there."""
STUCK_WINDOW_S, STUCK_WINDOW_ASKED_DEG, STUCK_WINDOW_DEG, STUCK_DELAY_S = 2.0, 20.0, 1.0, 0.5
"""For a while: asked to move by 20 degrees in two seconds, it stays within a degree for half a second more."""

AT_LIMIT_DEG, AT_LIMIT_WARN_SHARE = 0.5, 0.5
OPEN_OR_CLOSED = re.compile("finger|gripper|thumb|index|middle|ring|little|pinky", re.IGNORECASE)
"""Digits and grippers belong at their limits: open and closed."""
CURRENT_SHARE, CURRENT_WARN_SHARE = 0.95, 0.2
"""At its current cap a servo pushes as hard as it may and is not where it should be."""

REST_DEG, REST_S, REST_LEAST_S = 0.5, 0.5, 1.0
DRIFT_WARN_DEG, DRIFT_FAIL_DEG = 2.0, 5.0
"""A loaded servo without integral gain sags by a degree or two. A horn on the wrong spline tooth or a lost zero is
more: 17 degrees stayed unnoticed through recording and training elsewhere (LeRobot PR 3762)."""


def findings(episode: Episode, moving: Motion) -> list[Finding]:
    """All findings of this file."""
    lag_s = follow_lag_s(moving)
    return [*_follow(moving, lag_s), _stuck(moving), _saturated(episode, moving), _drift(moving, lag_s)]


def worst_joints(names: tuple[str, ...], values: Array, chosen: Bool, unit: str = "degrees") -> str:
    """The chosen joints with their values, worst first, at most five."""
    order = [joint for joint in np.argsort(-np.abs(values)) if chosen[joint]]
    listed = ", ".join(f"{names[joint]} {values[joint]:.1f} {unit}" for joint in order[:5])
    return listed + (f" and {len(order) - 5} more" if len(order) > 5 else "")


def _follow(moving: Motion, lag_s: float | None) -> list[Finding]:
    shift = 0 if lag_s is None else round(lag_s * moving.rate_hz)
    error = residual(moving, shift)
    engaged = moving.engaged[max(0, shift) : len(moving.engaged) + min(0, shift)]
    rms = rms_by_joint(error[engaged])
    wrong = rms > JOINT_TRACKING_WARN_DEG
    largest = int(rms.argmax())
    text = f"the joint that follows worst is {moving.names[largest]}: {rms[largest]:.1f} degrees RMS"
    if wrong.any():
        text = f"joints that do not follow: {worst_joints(moving.names, rms, wrong)} RMS"
    tracking = graded("tracking_joint", f"{text}, after the best shift in time", warned=bool(wrong.any()))
    if lag_s is None:
        return [tracking, ok("lag", "too little motion to tell how much later than its command it is")]
    text = f"measured motion follows its command by {lag_s * 1e3:.0f} ms"
    if lag_s < LAG_LEAST_S:
        text = f"measured motion precedes its command by {-lag_s * 1e3:.0f} ms: one of the two is stamped wrongly"
    return [tracking, graded("lag", text, warned=not LAG_LEAST_S <= lag_s <= LAG_WARN_S)]


def _stuck(moving: Motion) -> Finding:
    asked, moved = span(moving.commanded), span(moving.measured)
    whole = (asked > STUCK_ASKED_DEG) & (moved < STUCK_SHARE * asked)
    if whole.any():
        return graded("stuck", f"asked to move, never did: {worst_joints(moving.names, asked, whole)}", failed=True)
    for_a_while = _stuck_windows(moving)
    if for_a_while.any():
        names = ", ".join(name for name, found in zip(moving.names, for_a_while, strict=True) if found)
        return warn("stuck", f"stood still for {STUCK_WINDOW_S:g} s although asked to move: {names}")
    return ok("stuck", "every joint that was asked to move did")


def _stuck_windows(moving: Motion) -> Bool:
    """(J,) whether a joint stood still in some window in which it was asked to move."""
    window, more = moving.rows(STUCK_WINDOW_S), moving.rows(STUCK_DELAY_S)
    rows = len(moving.engaged)
    if rows < window + more:
        return np.zeros(len(moving.names), np.bool_)
    starts = range(0, rows - window - more + 1, max(1, window // 8))
    asked = np.array([span(moving.commanded[start : start + window]) for start in starts])
    moved = np.array([span(moving.measured[start : start + window + more]) for start in starts])
    still: Bool = (asked > STUCK_WINDOW_ASKED_DEG) & (moved < STUCK_WINDOW_DEG)
    return np.asarray(still.any(axis=0))


def _saturated(episode: Episode, moving: Motion) -> Finding:
    if not moving.engaged.any():
        return ok("saturated", "nobody drove the robot")
    share = np.where(_digits(moving), 0.0, _at_limit(moving))
    pushing = _at_current_cap(episode, moving)
    found = []
    if (share > AT_LIMIT_WARN_SHARE).any():
        found.append(f"at a limit: {worst_joints(moving.names, 100 * share, share > AT_LIMIT_WARN_SHARE, '%')}")
    if (pushing > CURRENT_WARN_SHARE).any():
        listed = worst_joints(moving.names, 100 * pushing, pushing > CURRENT_WARN_SHARE, "%")
        found.append(f"at the current cap: {listed}")
    text = f"saturated for much of the engaged time, {'; '.join(found)}" if found else "no joint is saturated"
    return graded("saturated", text, warned=bool(found))


def _digits(moving: Motion) -> Bool:
    return np.array([bool(OPEN_OR_CLOSED.search(f"{joint.name} {joint.label}")) for joint in moving.robot.joints])


def _at_limit(moving: Motion) -> Array:
    """(J,) share of the engaged rows in which the request sits at a limit of the joint."""
    limits = np.array([[joint.min_rad, joint.max_rad] for joint in moving.robot.joints]).T
    low, high = limits * unit_scale(moving.robot)
    requested = moving.requested[moving.engaged]
    at = (requested < low + AT_LIMIT_DEG) | (requested > high - AT_LIMIT_DEG)
    share: Array = at.mean(axis=0)
    return share


def _at_current_cap(episode: Episode, moving: Motion) -> Array:
    """(J,) share of the engaged rows at the cap of the servo's current; 0 for joints without one."""
    caps = np.array([_cap_ma(moving, joint) for joint in range(len(moving.names))])
    effort = np.abs(episode["/observations/effort"][moving.kept][moving.engaged].astype(np.float64))
    share: Array = (effort > CURRENT_SHARE * caps).mean(axis=0)  # NaN is never greater
    return share


def _cap_ma(moving: Motion, index: int) -> float:
    joint = moving.robot.joints[index]
    if joint.goal_current_ma is not None:
        return float(joint.goal_current_ma)
    return float(moving.robot.controller(joint.controller).goal_current_ma) if joint.controller else np.inf


def drift_deg(moving: Motion, lag_s: float | None) -> Array:
    """(J,) offset between measured and sent that every rest of the joint shows; 0 where rests differ in sign.

    A finger that pushes on an object is off in that rest only, a lost zero in all: of the tenth and the ninetieth
    percentile over rows at rest it is the one nearer to zero. Of a joint that never rests all rows count, the lag taken
    out: an offset that has one sign throughout the motion is no lag.
    """
    window = moving.rows(REST_S)
    offsets = np.zeros(len(moving.names))
    if not moving.sent_known or len(moving.engaged) <= window:
        return offsets
    windows = sliding_window_view(moving.commanded, window, axis=0)
    still = windows.max(axis=-1) - windows.min(axis=-1) < REST_DEG  # NaN is never smaller
    error = residual(moving, 0)[window - 1 :]
    shifted = residual(moving, round((lag_s or 0.0) * moving.rate_hz))
    for joint in range(len(offsets)):
        rest = error[still[:, joint] & np.isfinite(error[:, joint]), joint]
        if len(rest) < moving.rows(REST_LEAST_S):
            rest = shifted[np.isfinite(shifted[:, joint]), joint]
        if len(rest) >= moving.rows(REST_LEAST_S):
            low, high = np.percentile(rest, [10, 90])
            offsets[joint] = (low if abs(low) < abs(high) else high) if low * high > 0 else 0.0
    return offsets


def _drift(moving: Motion, lag_s: float | None) -> Finding:
    if not moving.sent_known:
        return ok("drift", "not known what was sent, so no rest to compare")
    offsets = drift_deg(moving, lag_s)
    size = np.abs(offsets)
    wrong = size > DRIFT_WARN_DEG
    if not wrong.any():
        return ok("drift", f"at rest, measured and sent differ by {size.max():.2f} degrees at most")
    text = f"off by the same all the time: {worst_joints(moving.names, offsets, wrong)}; calibrate"
    return graded("drift", text, failed=bool((size > DRIFT_FAIL_DEG).any()), warned=True)
