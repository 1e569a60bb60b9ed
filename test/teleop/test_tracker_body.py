# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's body landmarks are what the rest of the product takes them for: sides, axes, origin, visibility."""

import numpy as np
import pytest
from drawn_bodies import HEIGHT, POSES, WIDTH, draw

from teleop.body_geometry import (
    ELBOW,
    HIP,
    NOSE,
    SHOULDER,
    WRIST,
    limbs_in_camera,
    rotation_camera_from_torso,
    torso_axes,
)
from teleop.models import pose_model
from teleop.tracker_body import BodyTracker

FRAME_NS = 33_000_000


@pytest.fixture
def tracker():
    with BodyTracker(pose_model()) as tracker:
        yield tracker


@pytest.fixture(scope="module")
def views():
    """What is seen of every painted pose."""
    seen = {}
    for name, joints in POSES.items():
        with BodyTracker(pose_model()) as tracker:
            seen[name] = [tracker.detect(draw(joints), k * FRAME_NS) for k in range(3)][-1]
    return seen


@pytest.mark.parametrize("pose", POSES)
def test_joints_are_found_where_they_are_painted(views, pose):
    body = views[pose]
    for side, joints in POSES[pose].items():
        for place, at in zip((SHOULDER, ELBOW, WRIST), joints, strict=True):
            found = body.image[place[side]] * [WIDTH, HEIGHT]
            assert np.linalg.norm(found - at) < 25.0, (side, found, at)


@pytest.mark.parametrize("pose", POSES)
def test_a_body_has_the_documented_axes_origin_and_shape(views, pose):
    body = views[pose]
    assert body.world_m.shape == (33, 3)
    assert body.image.shape == (33, 2)
    assert body.visibility.shape == (33,)
    assert body.aspect == WIDTH / HEIGHT
    assert (body.visibility >= 0.0).all()
    assert (body.visibility <= 1.0).all()
    assert np.allclose(body.world_m[list(HIP.values())].mean(axis=0), 0.0, atol=0.02)
    assert body.world_m[SHOULDER["left"], 0] > body.world_m[SHOULDER["right"], 0], "the left one is right in the image"
    assert body.world_m[NOSE, 1] < body.world_m[SHOULDER["left"], 1] < 0.0, "y is down"
    assert body.world_m[NOSE, 2] < body.world_m[list(SHOULDER.values()), 2].mean(), "z is away from the camera"


def test_a_hanging_arm_points_down_and_one_held_out_to_its_side(views):
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        upper = limbs_in_camera(views["out"], side)[0]
        assert upper[0] * outwards > 0.9 * np.linalg.norm(upper)
    torso = rotation_camera_from_torso(torso_axes(views["right up"]))
    upper, fore = limbs_in_camera(views["right up"], "right") @ torso
    assert upper[2] < 0.0 < fore[2], "upper arm down, forearm up"
    points = views["right up"].world_m
    hanging = (points[ELBOW["left"]] - points[SHOULDER["left"]]) @ torso
    assert hanging[2] < -0.8 * np.linalg.norm(hanging)


def test_a_hand_at_the_images_edge_is_seen_less_surely(views):
    """The hanging left hand touches the lower edge, the raised right one is in full view."""
    assert views["right up"].visibility[WRIST["right"]] > 0.9 > 0.5 > views["right up"].visibility[WRIST["left"]]


def test_an_empty_image_holds_nobody(tracker):
    wall = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    assert tracker.detect(wall, 0) is None


def test_stamps_that_stand_still_or_go_back_are_no_reason_to_stop(tracker):
    image = draw(POSES["out"])
    for stamp_ns in (5 * FRAME_NS, 5 * FRAME_NS, 0):
        body = tracker.detect(image, stamp_ns)
        assert body is not None
        assert body.stamp_ns == stamp_ns


def test_closing_twice_is_closing():
    tracker = BodyTracker(pose_model())
    tracker.close()
    tracker.close()
