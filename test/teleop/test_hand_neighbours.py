# SPDX-License-Identifier: Apache-2.0
"""No finger is commanded into or through the one beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_hand_solver import MODELS, between

from teleop.hand_neighbours import Neighbours

ALIKE = np.ones(5)
both_hands = pytest.mark.parametrize("name", ["hx5_d20_right", "hx5_d20_left"])
ways = arrays(np.float64, 4, elements=st.floats(-0.5, 0.5))


def straight(model, leans):
    """Fingers straight, leaning by these angles away from the thumb."""
    position = np.clip(np.zeros(20), model.lower_rad, model.upper_rad)
    for finger, lean in enumerate(leans, start=1):
        position[model.spread[finger]] = lean * model.spread_sign[finger]
    return position


def away(name, leans):
    """On either hand, positive leans away from the thumb."""
    return np.array(leans) if name.endswith("right") else -np.array(leans)


@both_hands
def test_fingers_side_by_side_are_left_alone(name: str) -> None:
    model = MODELS[name]
    position = straight(model, [0.0] * 4)
    neighbours = Neighbours(model)
    assert neighbours.keep_apart(position, model.place(position), ALIKE) is position


@both_hands
@pytest.mark.parametrize(
    "leans", [[0.15, -0.15, 0.0, 0.0], [0.4, 0.0, 0.0, 0.0], [0.0, 0.0, 0.3, -0.3], [0.5, -0.5, 0.0, 0.0]]
)
def test_fingers_that_would_meet_or_cross_are_parted(name: str, leans: list[float]) -> None:
    model = MODELS[name]
    position = straight(model, away(name, leans))
    neighbours = Neighbours(model)
    assert neighbours.missing_m(model.place(position))[0].max() > 0.003
    parted = neighbours.keep_apart(position, model.place(position), ALIKE)
    assert neighbours.missing_m(model.place(parted))[0].max() < 0.002
    assert ((parted >= model.lower_rad) & (parted <= model.upper_rad)).all()


@both_hands
@given(leans=ways, share=arrays(np.float64, 20, elements=st.floats(0.0, 1.0)))
def test_parting_never_makes_it_worse_and_turns_only_spread_joints(name: str, leans, share) -> None:
    model = MODELS[name]
    position = between(model, share)
    for finger, lean in enumerate(leans, start=1):
        position[model.spread[finger]] = lean
    neighbours = Neighbours(model)
    before = neighbours.missing_m(model.place(position))[0]
    parted = neighbours.keep_apart(position, model.place(position), ALIKE)
    after = neighbours.missing_m(model.place(parted))[0]
    assert np.maximum(after, 0.0).max() <= np.maximum(before, 0.0).max() + 0.002
    still = np.setdiff1d(np.arange(20), model.spread[1:])
    np.testing.assert_array_equal(parted[still], position[still])
    assert ((parted >= model.lower_rad) & (parted <= model.upper_rad)).all()


def test_a_finger_that_meets_the_thumb_stays_and_its_neighbour_yields() -> None:
    model = MODELS["hx5_d20_right"]
    position = straight(model, [0.0, 0.0, 0.0, -0.12])
    yielding = np.array([1.0, 1.0, 1.0, 1.0, 0.05])
    parted = Neighbours(model).keep_apart(position, model.place(position), yielding)
    assert abs(parted[16] - position[16]) < 0.1 * abs(parted[12] - position[12])


def test_a_finger_in_front_of_its_neighbour_may_cross_it() -> None:
    model = MODELS["hx5_d20_right"]
    position = straight(model, [0.0, 0.0, 0.0, -0.5])
    position[17] = 1.5  # the little finger's knuckle bent: it stands out of the palm
    missing = Neighbours(model).missing_m(model.place(position))[0]
    assert missing[2] <= 0.0


def test_hands_without_spread_joints_are_left_alone() -> None:
    model = MODELS["xl330_hand"]
    position = between(model, np.full(20, 0.3))
    assert Neighbours(model).keep_apart(position, model.place(position), ALIKE) is position
