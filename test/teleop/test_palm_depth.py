# SPDX-License-Identifier: Apache-2.0
"""A palm's turn comes out of image, network and wrist together: also where the network took near for far."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_bodies import rotation
from synthetic_hands import rotations

from teleop.hand_geometry import HandGeometryError, rotation_palm_to_camera
from teleop.hand_palm import arched
from teleop.limb_depth import FOCAL
from teleop.operator_view import HandView
from teleop.palm_depth import MARKS, SHAPE_M, palm_with_depth

ASPECT = 4 / 3
FACING = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""Camera from palm of a right hand that shows its palm, fingers up."""
MIRROR = np.diag([-1.0, 1.0, 1.0])
LEFT_HAND = np.diag([1.0, -1.0, 1.0])


def view(turn, at_m=(-0.2, 0.1, 1.2), depth=lambda away_m: away_m, size=1.0):
    """A hand's palm in this turn (3, 3); ``depth`` is what the network makes of its landmarks' depth."""
    points_m = np.zeros((21, 3))
    points_m[MARKS] = size * SHAPE_M @ turn.T
    seen_m = points_m + np.array(at_m)
    image = 0.5 + FOCAL * seen_m[:, :2] / seen_m[:, 2:] * [1.0, ASPECT]
    return HandView(np.column_stack([points_m[:, :2], depth(points_m[:, 2])]), image, 1.0)


def error_deg(found, turn):
    return np.degrees(np.arccos(np.clip((np.trace(found.T @ turn) - 1.0) / 2.0, -1.0, 1.0)))


def slanted(degrees, axis=0):
    """Tilted about a camera axis: 0 brings the fingertips forward, 1 turns the palm aside."""
    return rotation(axis, np.radians(degrees)) @ FACING


@given(turn=rotations)
def test_a_palm_that_is_seen_well_keeps_its_turn(turn) -> None:
    assert error_deg(palm_with_depth(view(turn), "right", ASPECT, turn[:, 2]), turn) < 12.0


@pytest.mark.parametrize("degrees", [-50, -40, 40, 50])
@pytest.mark.parametrize("axis", [0, 1])
def test_where_the_network_takes_near_for_far_the_wrist_tells(degrees, axis) -> None:
    turn, forearm = slanted(degrees, axis), slanted(degrees, axis)[:, 2]
    reversed_depth = view(turn, depth=lambda away_m: -away_m)
    network = arched(rotation_palm_to_camera(reversed_depth.world_m, "right"), "right")
    if axis == 0:
        assert error_deg(network, turn) > 60.0
        assert error_deg(palm_with_depth(reversed_depth, "right", ASPECT, forearm), turn) < 20.0
    else:
        assert error_deg(palm_with_depth(reversed_depth, "right", ASPECT, forearm), turn) < error_deg(network, turn)


@pytest.mark.parametrize("degrees", [-30, -15, 0, 15, 30])
def test_depths_that_are_all_off_by_a_fifth_of_the_palm_matter_little(degrees) -> None:
    turn = slanted(degrees)
    off = view(turn, depth=lambda away_m: away_m - 0.02 * (np.arange(21) > 0))
    network = arched(rotation_palm_to_camera(off.world_m, "right"), "right")
    assert error_deg(network, turn) > 9.0
    assert error_deg(palm_with_depth(off, "right", ASPECT, turn[:, 2]), turn) < 0.8 * error_deg(network, turn)


@given(turn=rotations)
def test_the_other_hand_is_the_mirror_image(turn) -> None:
    right = view(turn)
    left = HandView(right.world_m @ MIRROR, np.array([1.0, 0.0]) + right.image * [-1.0, 1.0], 1.0)
    found = palm_with_depth(right, "right", ASPECT, turn[:, 2])
    expected = MIRROR @ found @ LEFT_HAND
    assert error_deg(palm_with_depth(left, "left", ASPECT, MIRROR @ turn[:, 2]), expected) < 0.1


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_palm_that_turns_slowly_never_jumps(axis) -> None:
    turns = [rotation(axis, angle_rad) @ FACING for angle_rad in np.radians(np.arange(-60.0, 60.0))]
    found = [palm_with_depth(view(turn), "right", ASPECT, FACING[:, 2]) for turn in turns]
    assert max(error_deg(first, second) for first, second in pairwise(found)) < 5.0


@pytest.mark.parametrize("size", [0.85, 1.15])
def test_smaller_and_larger_hands_are_read_as_well(size) -> None:
    turn = slanted(30)
    assert error_deg(palm_with_depth(view(turn, size=size), "right", ASPECT, turn[:, 2]), turn) < 12.0


@pytest.mark.parametrize("image", [np.full((21, 2), 0.5), np.full((21, 2), np.nan)])
def test_places_in_the_image_that_are_no_palm_are_refused(image) -> None:
    hand = view(FACING)
    with pytest.raises(HandGeometryError):
        palm_with_depth(HandView(hand.world_m, image, 1.0), "right", ASPECT)


@given(
    world_m=arrays(np.float64, (21, 3), elements=st.floats(-0.2, 0.2)),
    image=arrays(np.float64, (21, 2), elements=st.floats(-3.0, 4.0)),
    side=st.sampled_from(["right", "left"]),
)
def test_any_landmarks_give_a_rotation_or_are_refused(world_m, image, side) -> None:
    try:
        found = palm_with_depth(HandView(world_m, image, 1.0), side, ASPECT, np.array([0.0, 0.0, -1.0]))
    except HandGeometryError:
        return
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(found) > 0.0
