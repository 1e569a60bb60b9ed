# SPDX-License-Identifier: Apache-2.0
"""An operator who stands still is measured; one who does not is told what to do differently."""

from dataclasses import replace

import numpy as np
import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_bodies import FACING, FORE_M, OUTWARDS, SHOULDERS_M, SIDES, UPPER_M, body_view, rotation

from teleop.body_calibration import SMALLEST_VIEWS, BodyCalibrationError, calibrate_body
from teleop.body_geometry import WRIST

OUT = {side: np.array([[0.0, OUTWARDS[side], 0.0]] * 2) for side in SIDES}
AHEAD = {side: np.array([[1.0, 0.0, 0.0]] * 2) for side in SIDES}


def trembling(body, spread_m=0.003, count=SMALLEST_VIEWS, seed=0):
    draw = np.random.default_rng(seed)
    return [
        replace(
            body,
            world_m=body.world_m + draw.normal(0.0, spread_m, (33, 3)),
            image=body.image + draw.normal(0.0, spread_m / 2, (33, 2)),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("limbs", [{}, OUT], ids=["hanging", "out"])
@pytest.mark.parametrize("aspect", [4 / 3, 16 / 9])
def test_limbs_are_measured_against_the_shoulders(limbs, aspect):
    found = calibrate_body(trembling(body_view(limbs, distance_m=1.8, aspect=aspect), count=30))
    assert found.shoulders_m == pytest.approx(SHOULDERS_M, rel=0.03)
    for side in SIDES:
        assert found.limbs_m[side] == pytest.approx((UPPER_M, FORE_M), rel=0.06)


def test_the_networks_own_depth_does_not_change_the_lengths():
    """It often sees hanging forearms point at the camera."""
    body = body_view()
    world = body.world_m.copy()
    world[list(WRIST.values()), 2] -= 0.09
    found, biased = calibrate_body(trembling(body)), calibrate_body(trembling(replace(body, world_m=world)))
    assert biased.limbs_m["right"] == pytest.approx(found.limbs_m["right"], rel=0.01)


def test_the_neutral_head_is_measured_against_the_torso():
    found = calibrate_body(trembling(body_view(head_rad=(0.1, 0.1), turn=FACING @ rotation(2, 0.3), distance_m=3.0)))
    assert found.head_rad[0] == pytest.approx(0.1, abs=0.05)
    assert found.head_rad[1] > 0.03


def test_up_is_measured_where_the_hips_are_seen():
    turn = FACING @ rotation(1, 0.2)
    assert np.allclose(calibrate_body(trembling(body_view(turn=turn))).up_in_camera, turn[:, 2], atol=0.02)
    assert calibrate_body(trembling(body_view(turn=turn, hips_seen=0.1))).up_in_camera == (0.0, -1.0, 0.0)


REFUSED = {
    "too few": (lambda: trembling(body_view(), count=SMALLEST_VIEWS - 1), r"saw the body 7 times, expected 8"),
    "none": (list, "saw the body 0 times"),
    "moving": (lambda: trembling(body_view(), spread_m=0.05, seed=4), "arm moved by .* hold still"),
    "arm moves once": (
        lambda: [*trembling(body_view(), count=12), *trembling(body_view({"left": OUT["left"]}), count=2)],
        "left arm moved",
    ),
    "turned": (lambda: trembling(body_view(turn=FACING @ rotation(2, 0.8))), "turned 4[0-9] deg.* face the camera"),
    "arms ahead": (lambda: trembling(body_view(AHEAD)), "points at the camera: let both arms hang"),
    "hand hidden": (
        lambda: [
            replace(view, visibility=np.where(np.arange(33) == WRIST["left"], 0.0, 1.0))
            for view in trembling(body_view())
        ],
        "the left wrist is not in view.* stand back",
    ),
    "hidden foreshortening": (
        lambda: trembling(replace(body_view({"left": AHEAD["left"]}), world_m=body_view().world_m)),
        "let both arms hang",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_measures_nobody_is_refused_with_what_to_do(why):
    views, expected = REFUSED[why]
    with pytest.raises(BodyCalibrationError, match=expected):
        calibrate_body(views())


anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=counted(100, 10_000))
@given(
    arrays(np.float64, (33, 3), elements=st.one_of(st.floats(-1, 1), anything)),
    arrays(np.float64, (33, 2), elements=st.one_of(st.floats(0, 1), anything)),
)
def test_whatever_is_seen_the_measures_are_plausible_or_refused(world, image):
    try:
        found = calibrate_body([replace(body_view(), world_m=world, image=image)] * SMALLEST_VIEWS)
    except BodyCalibrationError:
        return
    assert all(0.1 < length < 0.5 for lengths in found.limbs_m.values() for length in lengths)
    assert np.isfinite([*found.up_in_camera, *found.head_rad, found.shoulders_m]).all()
