# SPDX-License-Identifier: Apache-2.0
"""Laws of the thumb solver: it finds directions that a thumb can have, and never leaves the limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clips.hand_model import bone_frames
from robots import load_robot
from teleop.thumb import _jacobian, solve_thumb, thumb_directions

JOINTS = load_robot("hx5_d20_right").joints[:4]
LOWER = np.array([joint.min_rad for joint in JOINTS])
UPPER = np.array([joint.max_rad for joint in JOINTS])

thumbs = arrays(np.float64, 4, elements=st.floats(0.0, 1.0)).map(lambda share: LOWER + share * (UPPER - LOWER))
nearby = arrays(np.float64, 4, elements=st.floats(-0.1, 0.1))
vectors = arrays(np.float64, (3, 3), elements=st.floats(-1, 1))
unit_directions = vectors.filter(lambda v: (np.linalg.norm(v, axis=1) > 1e-3).all()).map(
    lambda v: v / np.linalg.norm(v, axis=1, keepdims=True)
)


def apart_deg(first, second):
    """Angle between unit directions, (3,) [degrees]."""
    chord = np.linalg.norm(first - second, axis=1)
    return np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))


@given(thumbs)
def test_segments_point_where_the_hand_model_says(angles):
    hand = np.concatenate([angles, np.zeros(16)])
    assert thumb_directions(angles) == pytest.approx(bone_frames(hand)[0, :, :, 2], abs=1e-12)


@given(thumbs)
def test_jacobian_is_the_derivative_of_the_directions(angles):
    step = 1e-6
    for joint in range(4):
        moved = np.eye(4)[joint] * step
        slope = (thumb_directions(angles + moved) - thumb_directions(angles - moved)) / (2 * step)
        assert _jacobian(angles, thumb_directions(angles))[:, :, joint] == pytest.approx(slope, abs=1e-8)


@settings(max_examples=200)
@given(thumbs, nearby)
def test_it_finds_its_own_directions_again_from_nearby(angles, offset):
    start = np.clip(angles + offset, LOWER, UPPER)
    wanted = thumb_directions(angles)
    found = solve_thumb(wanted, start, LOWER, UPPER)
    assert apart_deg(thumb_directions(found), wanted).max() < 0.5


@given(thumbs)
def test_a_thumb_that_is_already_there_stays(angles):
    assert solve_thumb(thumb_directions(angles), angles, LOWER, UPPER) == pytest.approx(angles, abs=1e-3)


@given(thumbs, thumbs)
def test_frame_after_frame_it_gets_there_from_anywhere_near(goal, other):
    """A few frames of a resting thumb close the last half degree."""
    wanted, angles = thumb_directions(goal), goal + 0.15 * (other - goal)
    for _ in range(10):
        angles = solve_thumb(wanted, angles, LOWER, UPPER)
    assert apart_deg(thumb_directions(angles), wanted).max() < 1.0


@given(unit_directions, thumbs)
def test_it_never_leaves_the_limits_whatever_the_directions(directions, start):
    found = solve_thumb(directions, start, LOWER, UPPER)
    assert (found >= LOWER).all() and (found <= UPPER).all()


@given(unit_directions, arrays(np.float64, 4, elements=st.floats(-10, 10)))
def test_a_start_outside_the_limits_is_brought_inside(directions, start):
    found = solve_thumb(directions, start, LOWER, UPPER)
    assert (found >= LOWER).all() and (found <= UPPER).all()


@pytest.mark.parametrize(
    "directions",
    [
        np.zeros((3, 3)),
        np.tile([0.0, 1.0, 0.0], (3, 1)),
        np.tile([1.0, 0.0, 0.0], (3, 1)),
        np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]),
        np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    ],
    ids=["no thumb", "straight along y", "straight out of the palm", "folded over", "a bone without length"],
)
@pytest.mark.parametrize("start", [LOWER, UPPER, (LOWER + UPPER) / 2], ids=["lower", "upper", "middle"])
def test_directions_that_show_nothing_give_finite_angles_inside_the_limits(directions, start):
    found = solve_thumb(directions, start, LOWER, UPPER)
    assert np.isfinite(found).all()
    assert (found >= LOWER).all() and (found <= UPPER).all()
