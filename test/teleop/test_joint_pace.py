# SPDX-License-Identifier: Apache-2.0
"""A paced target stays below the caps, inside the limits, and arrives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from teleop.joint_pace import STEPS, JointPace, PaceSettings

CAP_RAD_S, CAP_RAD_S2 = np.array([4.8, 2.0]), np.array([60.0, 20.0])
LOWER, UPPER = np.array([-1.0, 0.0]), np.array([1.5, 2.0])
FRAME_S = 1 / 30
targets = st.lists(st.tuples(st.floats(-1.0, 1.5), st.floats(0.0, 2.0)), min_size=1, max_size=60)


def pace(settings: PaceSettings | None = None) -> JointPace:
    return JointPace(CAP_RAD_S, CAP_RAD_S2, LOWER, UPPER, settings)


@given(goals=targets, frame_s=st.floats(0.005, 0.2))
def test_speed_acceleration_and_limits_hold_for_any_targets(goals, frame_s) -> None:
    follower = pace()
    position, velocity = follower.position_rad, follower.velocity_rad_s
    for goal in goals:
        found = follower.see(np.array(goal), frame_s)
        assert ((found >= LOWER) & (found <= UPPER)).all()
        assert (np.abs(found - position) <= CAP_RAD_S * frame_s + 1e-12).all()
        assert (np.abs(follower.velocity_rad_s) <= CAP_RAD_S).all()
        at_a_limit = (found == LOWER) | (found == UPPER)
        change = np.abs(follower.velocity_rad_s - velocity)
        assert (at_a_limit | (change <= CAP_RAD_S2 * frame_s + 1e-9)).all()
        position, velocity = found, follower.velocity_rad_s


@given(goal=st.tuples(st.floats(-1.0, 1.5), st.floats(0.0, 2.0)))
def test_a_target_that_stands_is_reached_without_overshoot_worth_a_degree(goal) -> None:
    follower, wanted = pace(), np.array(goal)
    path = np.array([follower.see(wanted, FRAME_S) for _ in range(90)])
    np.testing.assert_allclose(path[-1], wanted, atol=1e-3)
    beyond = (path - wanted) * np.sign(wanted - np.clip(np.zeros(2), LOWER, UPPER))
    assert beyond.max() < np.radians(1.0)


def test_a_target_that_moves_steadily_is_followed_with_its_speed() -> None:
    follower = pace()
    for frame in range(40):
        follower.see(np.array([-0.5 + 0.03 * frame, 0.02 * frame]), FRAME_S)
    np.testing.assert_allclose(follower.velocity_rad_s, [0.9, 0.6], rtol=0.08)


def test_no_time_is_no_motion() -> None:
    follower = pace()
    follower.reset(np.array([0.3, 0.4]))
    np.testing.assert_array_equal(follower.see(np.array([1.0, 1.0]), 0.0), [0.3, 0.4])
    assert STEPS > 0
