# SPDX-License-Identifier: Apache-2.0
"""A limb of known length between two lines of sight has the depth that it has."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from teleop.limb_depth import ArmShares, arm_limbs, lines_of_sight, shoulders

coordinate = st.floats(-1.0, 1.0)
directions = arrays(np.float64, 3, elements=coordinate).filter(lambda v: np.linalg.norm(v) > 0.2)
SHARES = ArmShares(0.78, 0.66)


def unit(vector):
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def image_of(points, field_of_view_deg, aspect):
    """A pinhole camera's image of points, as shares of width and height."""
    half = np.tan(np.radians(field_of_view_deg) / 2)
    flat = points[:, :2] / points[:, 2:]
    return np.stack([0.5 + flat[:, 0] / (2 * half), 0.5 + flat[:, 1] * aspect / (2 * half)], axis=1)


def operator(across, upper, fore, width_m, away_m):
    """Right shoulder, left shoulder, left elbow, left wrist before a camera [m]."""
    middle = np.array([0.1, -0.2, away_m])
    right, left = middle - unit(across) * width_m / 2, middle + unit(across) * width_m / 2
    elbow = left + unit(upper) * SHARES.upper_arm * width_m
    return np.stack([right, left, elbow, elbow + unit(fore) * SHARES.forearm * width_m])


def reconstructed(points, guess, field_of_view_deg=60.0, aspect=4 / 3, assumed_deg=60.0, before=None):
    rays = lines_of_sight(image_of(points, field_of_view_deg, aspect), aspect, assumed_deg)
    both = shoulders(rays[:2], points[1] - points[0])
    assert both is not None
    return arm_limbs(rays[2:], guess, both[1], SHARES, before)


@given(
    directions, directions, directions, st.floats(0.25, 0.5), st.floats(1.2, 3.0), st.floats(50, 80), st.floats(1, 2)
)
def test_the_arm_is_where_it_is_whatever_its_size_its_distance_and_the_camera(
    across, upper, fore, width_m, away_m, field_of_view_deg, aspect
):
    assume(np.linalg.norm(unit(across)[:2]) > 0.5)
    points = operator(across, upper, fore, width_m, away_m)
    truth = np.diff(points[1:], axis=0)
    found = reconstructed(points, truth, field_of_view_deg, aspect, field_of_view_deg) * width_m
    rays = unit(points[2:])
    for k in range(2):  # two places are left: the guess says which, but where they are close together it can't
        along = float(unit(truth[k]) @ rays[k])
        assume(abs(along) > 0.1 and np.sign(truth[k][2]) == np.sign(along))
    assert found == pytest.approx(truth, abs=1e-6)


@pytest.mark.parametrize("error_deg", [-10, 10])
def test_ten_degrees_of_field_of_view_turn_a_limb_by_little(error_deg):
    rng = np.random.default_rng(1)
    turned = []
    for _ in range(300):
        upper, fore = rng.normal(size=(2, 3))
        points = operator(np.array([1.0, 0.0, rng.uniform(-0.4, 0.4)]), upper, fore, 0.38, 1.5)
        truth = np.diff(points[1:], axis=0)
        found, right = reconstructed(points, truth, assumed_deg=60.0 + error_deg), reconstructed(points, truth)
        turned.append(np.degrees(np.arccos(np.clip((unit(found) * unit(right)).sum(axis=1), -1, 1))))
    assert np.median(turned) < 3.0


@given(directions, directions, directions, arrays(np.float64, (2, 3), elements=coordinate), st.booleans())
def test_limbs_keep_their_lengths_whatever_the_network_guesses(across, upper, fore, guess, again):
    assume(np.linalg.norm(unit(across)[:2]) > 0.5)
    points = operator(across, upper, fore, 0.38, 1.5)
    found = reconstructed(points, guess, before=guess[::-1] if again else None)
    assert np.linalg.norm(found, axis=1) == pytest.approx([SHARES.upper_arm, SHARES.forearm], rel=1e-6)


def test_a_small_guess_does_not_flip_a_limb():
    points = operator(np.array([1.0, 0, 0]), np.array([0.2, 0.8, 0.4]), np.array([0, -0.6, 0.5]), 0.38, 1.5)
    truth = np.diff(points[1:], axis=0)
    doubtful = truth * [1, 1, -0.2]
    stayed = reconstructed(points, doubtful, before=truth)
    assert (np.sign(stayed[:, 2]) == np.sign(truth[:, 2])).all()


def test_shoulders_in_one_line_of_sight_give_no_scale():
    rays = lines_of_sight(np.array([[0.5, 0.4], [0.5, 0.4]]), 1.5)
    assert shoulders(rays, np.array([0.4, 0.0, 0.0])) is None
    assert shoulders(lines_of_sight(np.array([[0.4, 0.4], [0.6, 0.4]]), 1.5), np.array([0.0, 0.0, 0.4])) is None
    assert shoulders(rays, np.full(3, np.nan)) is None
