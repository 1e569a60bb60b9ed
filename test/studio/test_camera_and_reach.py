# SPDX-License-Identifier: Apache-2.0
"""The camera's projection, and arms that are brought to places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from studio.camera import aimed_camera
from studio.hand_poses import HAND_POINTS, HAND_POSES
from studio.operator_model import ARM_LIMITS_RAD, limb
from studio.reach import Goal, ReachError, reach
from studio.sizes import Sizes

Array = NDArray[np.float64]

TARGET = np.array([0.0, 0.0, 0.45])


@settings(max_examples=50)
@given(st.floats(0.8, 3.0), st.floats(-1.0, 1.0), st.floats(-0.5, 1.5), st.floats(40.0, 80.0))
def test_camera_shows_its_target_in_the_middle_and_upright(away: float, side: float, height: float, fov: float) -> None:
    camera = aimed_camera(position_m=np.array([away, side, height]), target_m=TARGET, fov_deg=fov, size=(960, 720))
    turn = camera.rotation_camera_from_operator
    assert np.linalg.det(turn) == pytest.approx(1.0) and np.abs(turn @ turn.T - np.eye(3)).max() < 1e-12
    assert np.abs(camera.pixels(camera.place(TARGET)) - [479.5, 359.5]).max() < 1e-6
    above, left = camera.pixels(camera.place(TARGET + np.array([[0.0, 0.0, 0.1], [0.0, 0.1, 0.0]])))
    assert above[0] == pytest.approx(479.5) and above[1] < 359.5
    assert left[0] > 479.5, "the operator's left is on the right of an unmirrored image"


def test_angle_of_view_spans_the_width() -> None:
    camera = aimed_camera(position_m=np.array([1.0, 0, 0.45]), target_m=TARGET, fov_deg=90.0, size=(640, 480))
    edge = camera.pixels(camera.place(np.array([0.0, 1.0, 0.45])))
    assert edge[0] == pytest.approx(319.5 + 320.0)


def test_points_behind_the_camera_have_no_pixel() -> None:
    camera = aimed_camera(position_m=np.array([1.0, 0, 0.45]), target_m=TARGET, fov_deg=60.0, size=(640, 480))
    pixels = camera.pixels(camera.place(np.array([2.0, 0.0, 0.45])))
    assert np.isnan(pixels).all() and not camera.inside(pixels)


@settings(max_examples=25)
@given(st.floats(0.22, 0.45), st.floats(0.0, 0.40), st.floats(-0.25, 0.15), st.sampled_from(["palm", "index tip"]))
def test_reach_brings_the_point_there_inside_the_limits(forward: float, out: float, up: float, name: str) -> None:
    sizes, hand, place = Sizes(), HAND_POSES["open"], np.array([forward, out, up])
    angles = reach(Goal(place, HAND_POINTS[name]), hand, sizes)
    assert (angles >= ARM_LIMITS_RAD[:, 0]).all() and (angles <= ARM_LIMITS_RAD[:, 1]).all()
    found = limb("right", angles, hand, np.eye(3), sizes).hand_m.T @ HAND_POINTS[name]
    wanted = np.array([forward, -out, up + sizes.shoulder_height_m])
    assert np.linalg.norm(found - wanted) < 0.02


def test_reach_turns_the_palm_as_asked() -> None:
    sizes, hand = Sizes(), HAND_POSES["open"]
    goal = Goal(np.array([0.24, 0.33, 0.0]), HAND_POINTS["palm"], np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))
    palm = limb("right", reach(goal, hand, sizes), hand, np.eye(3), sizes).rotation_operator_from_palm
    assert palm[0, 0] > 0.98 and palm[2, 2] > 0.98


def test_place_out_of_reach_is_said_so() -> None:
    with pytest.raises(ReachError, match=r"the right hand can't reach .*nearer to the body"):
        reach(Goal(np.array([1.5, 0.2, 0.0]), HAND_POINTS["palm"]), HAND_POSES["open"], Sizes(), "the right hand")
