# SPDX-License-Identifier: Apache-2.0
"""Laws of a replay that is paused and taken up again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import ReplayError
from recorder.replay import MIN_RAMP_S, Phase, ReplayPlan, farthest_joints
from recorder.replay_playback import Playback
from robots import load_robot

MS, S = 1_000_000, 1_000_000_000
ROWS, RATE_HZ = 120, 30.0
START_NS = 7 * S


def plan(speed_rad_s=1.0):
    times_s = np.arange(ROWS) / RATE_HZ
    actions = np.stack([np.sin(speed_rad_s * times_s), np.cos(speed_rad_s * times_s)], axis=1)
    return ReplayPlan(("a", "b"), np.array([0.4, 0.0]), actions, times_s, 2.0)


pauses = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 4000)), min_size=1, max_size=3)
"""Of each: so long after the last resume [ms], for so long [ms]."""


def run(playback, pauses, step_ms=10, seconds=40):
    """(time [ns], target, phase) every 10 ms; pauses as they come."""
    waiting, since, until, out = list(pauses), START_NS, None, []
    for now in range(START_NS, START_NS + seconds * S, step_ms * MS):
        if until is None and waiting and now - since >= waiting[0][0] * MS:
            playback.pause(now)
            until = now + waiting.pop(0)[1] * MS
        elif until is not None and now >= until:
            playback.resume(now)
            since, until = now, None
        target, phase = playback.step(now)
        out.append((now, target.copy(), phase))
    return out


@given(pauses)
def test_no_pause_makes_the_target_jump(pauses):
    steps = run(Playback(plan(), START_NS, 0.5), pauses)
    moved = np.abs(np.diff([target for _, target, _ in steps], axis=0))
    assert moved.max() <= 1.0 * 0.01 + 1e-9, "faster than the recorded motion"


@given(pauses)
def test_after_every_pause_comes_a_ramp_and_before_it_nothing_moves(pauses):
    steps = run(Playback(plan(), START_NS, 0.5), pauses)
    words = [phase for _, _, phase in steps]
    for k in range(1, len(steps)):
        if words[k] is Phase.PAUSED and words[k - 1] is Phase.PAUSED:
            np.testing.assert_array_equal(steps[k][1], steps[k - 1][1])
        if words[k - 1] is Phase.PAUSED and words[k] is not Phase.PAUSED:
            after = words[k : k + round(MIN_RAMP_S * 100)]
            assert all(word in (Phase.RAMP, Phase.PAUSED) for word in after)


@given(pauses)
def test_pauses_leave_nothing_out_and_repeat_nothing(pauses):
    playback = Playback(plan(), START_NS, 0.5)
    steps = run(playback, pauses)
    assert steps[-1][2] is Phase.DONE
    playback.end(steps[-1][0])
    stamps = np.array([now for now, _, _ in steps], np.int64)
    along = playback.along_s(stamps)
    played = np.array([phase in (Phase.REPLAY, Phase.DONE) for _, _, phase in steps])
    assert np.isnan(along[~played]).all()
    assert np.isfinite(along[played][:-1]).all()
    known = along[np.isfinite(along)]
    assert (np.diff(known) >= 0).all()
    assert np.diff(known).max() <= 0.011
    assert known[0] <= 0.011
    for (_, target, _), seconds in zip(steps, along, strict=True):
        if np.isfinite(seconds) and 0.02 < seconds < (ROWS - 2) / RATE_HZ:
            np.testing.assert_allclose(target, plan().along(seconds)[0], atol=0.011)


def test_a_pause_on_the_way_to_the_first_pose_goes_on_to_it():
    playback = Playback(plan(), START_NS)
    playback.step(START_NS + S)
    playback.pause(START_NS + S)
    there = playback.target.copy()
    assert not np.allclose(there, plan().actions[0])
    ramp_s = playback.resume(START_NS + 9 * S)
    np.testing.assert_allclose(playback.step(START_NS + 9 * S)[0], there)
    target, phase = playback.step(START_NS + 9 * S + round(ramp_s * S))
    np.testing.assert_allclose(target, plan().actions[0])
    assert phase is Phase.REPLAY


def test_a_paused_replay_never_ends_by_itself():
    playback = Playback(plan(), START_NS)
    playback.step(START_NS + 3 * S)
    playback.pause(START_NS + 3 * S)
    assert not playback.over(START_NS + 1000 * S, 1.0)
    assert playback.share(START_NS + 1000 * S) == pytest.approx(1.0 / (ROWS - 1) * RATE_HZ, abs=0.01)


def test_pausing_twice_and_resuming_what_runs_are_answers():
    playback = Playback(plan(), START_NS)
    with pytest.raises(ReplayError, match="not paused"):
        playback.resume(START_NS)
    playback.pause(START_NS)
    with pytest.raises(ReplayError, match="paused already"):
        playback.pause(START_NS + S)


def test_the_farthest_joints_are_told_first_in_their_own_units():
    robot = load_robot("ffw_sg2")
    lift = next(k for k, joint in enumerate(robot.joints) if joint.prismatic)
    start = np.zeros(len(robot.joints))
    first = start.copy()
    first[lift], first[0], first[1], first[2] = -0.2, 1.0, -0.5, 0.01
    told = ReplayPlan(robot.joint_names, start, first[None], np.zeros(1), 1.0)
    names = [robot.joint_names[k] for k in range(2)]
    assert farthest_joints(told, robot) == f"{names[0]} 57.3°, {names[1]} 28.6°, {robot.joint_names[lift]} 200 mm"
