# SPDX-License-Identifier: Apache-2.0
"""The tracker finds the drawn operator: both hands with the right names, and the body, near their true places."""

import numpy as np
import pytest
from numpy.typing import NDArray

from booth.verb_models import ensure_model
from studio.film import Film
from studio.look import checked_look
from studio.script import load_script
from studio.truth import truth
from teleop.models import pose_model
from teleop.tracker import HandTracker
from teleop.tracker_body import BodyTracker

pytestmark = pytest.mark.slow

LOOKS: list[dict[str, str | float]] = [
    {},
    {"skin": "dark", "cloth": "white", "light": "window", "background": "shelves", "sleeves": "short"},
]


@pytest.mark.parametrize("look", LOOKS, ids=["standard", "other"])
def test_hands_and_body_are_found_where_they_are(look: dict[str, str | float]) -> None:
    film = Film(load_script("two_hands"), checked_look(look, 0), 0)
    known = truth(film, np.zeros((len(film.performance.time_s), 2, 21), dtype=bool), "two_hands", "")
    size = known["image_size"].astype(float)
    found, errors_px, body_px = [], [], []
    with HandTracker(ensure_model()) as hands, BodyTracker(pose_model()) as bodies:
        for index in range(0, 60, 6):
            picture, stamp_ns = film.shoot(index).picture, round(index / film.fps * 1e9)
            views = {hand.side: hand for hand in hands.detect(picture, stamp_ns)}
            found.append(set(views) == {"right", "left"})
            for row, side in enumerate(("right", "left")):
                if side in views:  # type: ignore[comparison-overlap]
                    errors_px.append(_off(views[side].image * size, known["hands_px"][index, row]))  # type: ignore[index]
            body = bodies.detect(picture, stamp_ns)
            assert body is not None
            body_px.append(np.linalg.norm(body.image * size - known["body_px"][index], axis=1)[:17])
    assert np.mean(found) >= 0.9
    assert np.median(errors_px) < 8.0, "pixels of 960; a palm has about 60"
    assert np.median(body_px) < 25.0


def _off(found: NDArray[np.float64], true: NDArray[np.generic]) -> float:
    """Mean distance of landmarks, pixels."""
    return float(np.linalg.norm(found - true, axis=1).mean())
