# SPDX-License-Identifier: Apache-2.0
"""Where to stand."""

import numpy as np
import pytest

from booth.page.hints import hint


def hand(u: float, v: float, palm: float = 0.2) -> np.ndarray:
    """(21, 2): wrist below, middle knuckle above, the palm's length as a share of the image's height."""
    points = np.full((21, 2), (u, v))
    points[0, 1] += palm / 2
    points[9, 1] -= palm / 2
    return points


@pytest.mark.parametrize(
    ("points", "word"),
    [
        (hand(0.5, 0.5), ""),
        (hand(0.02, 0.5), "left"),
        (hand(0.98, 0.5), "right"),
        (hand(0.5, 0.1), "lower"),
        (hand(0.5, 0.9), "higher"),
        (hand(0.5, 0.5, 0.05), "closer"),
        (hand(0.5, 0.5, 0.7), "farther"),
    ],
)
def test_a_hand_at_an_edge_or_at_the_wrong_distance_is_told(points: np.ndarray, word: str) -> None:
    assert hint({"right": points}, 120.0, 4 / 3) == word


def test_bad_light_comes_first() -> None:
    assert hint({"right": hand(0.02, 0.5)}, 20.0, 4 / 3) == "light"
    assert hint({}, 20.0, 4 / 3) == "light"


def test_without_hands_and_in_good_light_there_is_no_hint() -> None:
    assert hint({}, None, 4 / 3) == ""
