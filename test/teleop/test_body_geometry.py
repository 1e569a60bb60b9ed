# SPDX-License-Identifier: Apache-2.0
"""Torso, limbs and face come out of landmarks as they went in; what is no body is refused with the reason."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from counted import counted
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic_bodies import (
    FACING,
    FORE_M,
    HANGING,
    SHOULDERS_M,
    SIDES,
    UPPER_M,
    angle_rad,
    body_view,
    natural_limbs,
    rotation,
)

from teleop.body_geometry import (
    ELBOW,
    HIP,
    INDEX,
    LITTLE,
    NOSE,
    SHOULDER,
    WRIST,
    BodyGeometryError,
    check_body,
    hand_point,
    limbs_in_camera,
    rotation_camera_from_torso,
    torso_axes,
)
from teleop.head_geometry import head_angles
from teleop.limb_depth import limbs_with_depth

sides = st.sampled_from(SIDES)
turns = st.tuples(st.floats(-1.0, 1.0), st.floats(-0.4, 0.4), st.floats(-0.3, 0.3)).map(
    lambda t: FACING @ rotation(2, t[0]) @ rotation(1, t[1]) @ rotation(0, t[2])
)


@given(turns)
def test_the_torso_frame_is_the_one_that_was_shown(turn):
    assert np.allclose(rotation_camera_from_torso(torso_axes(body_view(turn=turn))), turn, atol=1e-9)


@given(st.data(), sides, turns)
def test_limbs_are_the_ones_that_were_shown(data, side, turn):
    limbs = data.draw(natural_limbs(side))
    found = limbs_in_camera(body_view({side: limbs}, turn=turn), side) @ turn
    assert np.allclose(found, limbs * [[UPPER_M], [FORE_M]], atol=1e-9)


@given(st.floats(-0.6, 0.6))
def test_with_hips_out_of_view_up_is_what_the_camera_calls_up(lean_rad):
    """At a desk nobody can see whether the operator or the camera leans; how the shoulders face is still seen."""
    body = body_view(turn=FACING @ rotation(2, 0.4) @ rotation(1, lean_rad), hips_seen=0.1)
    torso = rotation_camera_from_torso(torso_axes(body))
    assert np.allclose(torso[:, 2], [0.0, -1.0, 0.0])
    assert np.allclose(torso @ torso.T, np.eye(3), atol=1e-9)
    calibrated = rotation_camera_from_torso(torso_axes(body, np.array([0.0, -0.8, -0.6])))
    assert np.allclose(calibrated[:, 2], [0.0, -0.8, -0.6])


def test_hips_that_fade_out_of_view_turn_the_torso_gradually():
    turn = FACING @ rotation(1, 0.3)
    ups = [torso_axes(body_view(turn=turn, hips_seen=seen))[1] for seen in np.linspace(0.3, 1.0, 50)]
    steps = angle_rad(np.array(ups[1:]), np.array(ups[:-1]))
    assert steps.max() < 0.05
    assert angle_rad(ups[0], ups[-1]) == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize("turn_rad", [-1.4, 1.4, 2.5, np.pi])
def test_an_operator_who_turns_away_is_refused(turn_rad):
    with pytest.raises(BodyGeometryError, match=r"turned -?\d+ deg from the camera"):
        rotation_camera_from_torso(torso_axes(body_view(turn=FACING @ rotation(2, turn_rad))))


def test_a_camera_upside_down_is_refused():
    with pytest.raises(BodyGeometryError, match=r"turned|upside down"):
        rotation_camera_from_torso(torso_axes(body_view(turn=rotation(2, np.pi) @ FACING, hips_seen=0.65)))


def changed(body, **points):
    """The body with landmarks moved to other places, by landmark number."""
    world = body.world_m.copy()
    for index, place in points.items():
        world[int(index[1:])] = place
    return replace(body, world_m=world)


GOOD = body_view()
BAD = {
    "NaN": (changed(GOOD, p13=np.full(3, np.nan)), "NaN or infinity"),
    "infinite": (changed(GOOD, p30=np.full(3, np.inf)), "NaN or infinity"),
    "NaN visibility": (replace(GOOD, visibility=np.full(33, np.nan)), "NaN or infinity"),
    "NaN image": (replace(GOOD, image=np.full((33, 2), np.nan)), "NaN or infinity"),
    "huge": (replace(GOOD, world_m=GOOD.world_m * 1e6), r"m from the hips, expected at most 3 m"),
    "far off the image": (replace(GOOD, image=GOOD.image * 1e6), "images away"),
    "no image shape": (replace(GOOD, aspect=0.0), "times as wide as high"),
    "hands": (replace(GOOD, world_m=np.zeros((21, 3))), r"expected landmarks \(33, 3\)"),
    "all at one place": (replace(GOOD, world_m=np.zeros((33, 3))), "shoulders are 0 mm apart"),
    "a doll": (replace(GOOD, world_m=GOOD.world_m * 0.3), "shoulders are 108 mm apart"),
    "hidden shoulder": (replace(GOOD, visibility=np.where(np.arange(33) == 12, 0.2, 1.0)), "the right shoulder is not"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_body_is_refused_with_the_reason(what):
    body, expected = BAD[what]
    with pytest.raises(BodyGeometryError, match=expected):
        check_body(body)


def test_an_arm_that_cannot_be_seen_or_be_is_refused_by_its_name():
    hidden = replace(GOOD, visibility=np.where(np.arange(33) == WRIST["left"], 0.1, 1.0))
    assert len(limbs_in_camera(hidden, "right")) == 2
    with pytest.raises(BodyGeometryError, match=r"the left wrist is not in view: visibility 0\.10"):
        limbs_in_camera(hidden, "left")
    long = changed(GOOD, **{f"p{WRIST['right']}": GOOD.world_m[ELBOW["right"]] + [0.0, 0.6, 0.0]})
    with pytest.raises(BodyGeometryError, match="the right forearm is 600 mm long, expected 30 … 450 mm"):
        limbs_in_camera(long, "right")
    none = changed(GOOD, **{f"p{ELBOW['right']}": GOOD.world_m[SHOULDER["right"]]})
    with pytest.raises(BodyGeometryError, match="the right upper arm is 0 mm long"):
        limbs_in_camera(none, "right")


def test_a_hand_that_is_not_seen_lies_along_its_forearm():
    body = body_view(hands={"right": np.array([1.0, 0.0, 0.0])})
    seen = hand_point(body, "right")
    assert np.allclose(seen, body.world_m[[INDEX["right"], LITTLE["right"]]].mean(axis=0))
    hidden = replace(body, visibility=np.where(np.arange(33) == INDEX["right"], 0.0, 1.0))
    assert np.allclose(hand_point(hidden, "right") - body.world_m[WRIST["right"]], [0.0, 0.09, 0.0])


# ---- depth ------------------------------------------------------------------------------------------------


def shrunk(body, share):
    """As a network sees depth: smaller than it is, about every limb's own start."""
    return replace(body, world_m=body.world_m * [1.0, 1.0, share])


def restored(body, side, palm_z=None):
    return limbs_with_depth(body, side, SHOULDERS_M, (UPPER_M, FORE_M), palm_z)


def worst_rad(limbs, expected, turn=FACING):
    units = limbs / np.linalg.norm(limbs, axis=1, keepdims=True)
    return angle_rad(units @ turn, expected)


@pytest.mark.parametrize("side", SIDES)
def test_depth_that_the_network_shrinks_is_restored_from_lengths(side):
    """Over many natural poses: a network that loses two thirds of the depth errs by far more than what is restored."""
    draw = np.random.default_rng(3)
    before, after = [], []
    for _ in range(200):
        flexion, abduction, twist, elbow = np.radians(draw.uniform((0, 0, -30, 10), (90, 80, 60, 110)))
        upper = rotation(1, -flexion) @ rotation(0, -abduction) @ rotation(2, twist)
        limbs = -np.stack([upper[:, 2], (upper @ rotation(1, -elbow))[:, 2]])
        limbs = limbs if side == "right" else limbs * [1.0, -1.0, 1.0]
        body = shrunk(body_view({side: limbs}), 0.35)
        before.append(worst_rad(limbs_in_camera(body, side), limbs))
        after.append(worst_rad(restored(body, side), limbs))
    assert (np.median(before, axis=0) > np.radians([14, 22])).all()
    assert (np.median(after, axis=0) < np.radians([8, 14])).all()


@given(st.data(), sides, st.floats(0.9, 3.0), st.floats(0.0, 1.0))
def test_restored_limbs_have_their_lengths(data, side, distance_m, share):
    limbs = data.draw(natural_limbs(side))
    found = restored(shrunk(body_view({side: limbs}, distance_m=distance_m), share), side)
    assert np.allclose(np.linalg.norm(found, axis=1), [UPPER_M, FORE_M])


def test_restored_limbs_do_not_jump_where_near_and_far_meet():
    """A forearm that swings through the image plane: its two possible depths meet there and change places."""
    swings = np.radians(np.linspace(-60, 60, 121))
    found = []
    for swing_rad in swings:
        fore = np.array([np.sin(swing_rad), 0.0, np.cos(swing_rad)])
        limbs = np.stack([[0.0, -1.0, 0.0], fore])
        found.append(restored(shrunk(body_view({"right": limbs}), 0.5), "right")[1] / FORE_M)
    steps = angle_rad(np.array(found[1:]), np.array(found[:-1]))
    assert steps.max() < np.radians(6)
    assert found[0][2] > 0.3
    assert found[-1][2] < -0.3


def test_the_palm_tells_a_forearm_that_points_at_the_camera_from_one_that_points_away():
    limbs = np.stack([[0.0, -0.7, -0.714], [0.8, -0.6, 0.0]])
    body = shrunk(body_view({"right": limbs}), 0.0)
    without, towards, away = (
        restored(body, "right", None if ahead is None else FACING @ np.array([ahead, -0.6, 0.0]))[1, 2]
        for ahead in (None, 0.8, -0.8)
    )
    assert towards < without < away


def test_a_body_that_is_too_near_or_far_to_be_one_is_refused():
    body = body_view()
    with pytest.raises(BodyGeometryError, match="m from the camera"):
        restored(replace(body, image=np.full((33, 2), 0.5)), "right")


# ---- face -------------------------------------------------------------------------------------------------


@given(st.floats(-0.9, 0.9), st.floats(-0.5, 0.5))
def test_the_faces_direction_is_read_from_the_image(yaw_rad, pitch_rad):
    """Turned heads closely, nodding ones by up to half more, as said in the module; more is always more."""
    yaw, pitch = head_angles(body_view(head_rad=(yaw_rad, pitch_rad), distance_m=3.0))
    assert yaw == pytest.approx(yaw_rad, abs=0.06 + 0.2 * abs(pitch_rad))
    assert abs(pitch - pitch_rad) < 0.1 + 0.5 * abs(pitch_rad)
    more_yaw, _ = head_angles(body_view(head_rad=(yaw_rad + 0.1, pitch_rad), distance_m=3.0))
    _, more_pitch = head_angles(body_view(head_rad=(yaw_rad, pitch_rad + 0.1), distance_m=3.0))
    assert more_yaw > yaw
    assert more_pitch > pitch


@given(st.floats(-0.6, 0.6))
def test_a_tilted_head_does_not_turn(tilt_rad):
    """The camera (or head) rolled about its axis."""
    roll = rotation(2, tilt_rad)
    straight, tilted = (head_angles(body_view(head_rad=(0.4, 0.1), turn=turn)) for turn in (FACING, roll @ FACING))
    assert np.allclose(straight, tilted, atol=0.06)


def test_a_face_that_is_not_seen_or_too_small_is_refused():
    hidden = replace(GOOD, visibility=np.where(np.arange(33) == NOSE, 0.1, 1.0))
    with pytest.raises(BodyGeometryError, match="the face is not in view"):
        head_angles(hidden)
    with pytest.raises(BodyGeometryError, match="come nearer"):
        head_angles(replace(GOOD, image=0.5 + 0.01 * (GOOD.image - 0.5)))


# ---- anything ---------------------------------------------------------------------------------------------

anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=counted(300, 30_000))
@given(
    arrays(np.float64, (33, 3), elements=st.one_of(st.floats(-2, 2), anything)),
    arrays(np.float64, (33, 2), elements=st.one_of(st.floats(0, 1), anything)),
    sides,
)
def test_whatever_comes_in_comes_out_finite_or_as_the_documented_error(world, image, side):
    body = replace(GOOD, world_m=world, image=image)
    try:
        check_body(body)
    except BodyGeometryError:
        return
    for use in (
        lambda: rotation_camera_from_torso(torso_axes(body)),
        lambda: limbs_in_camera(body, side),
        lambda: limbs_with_depth(body, side, SHOULDERS_M, (UPPER_M, FORE_M)),
        lambda: head_angles(body),
    ):
        with suppress(BodyGeometryError):
            assert np.isfinite(use()).all()


def test_hanging_is_what_it_says():
    assert np.allclose(limbs_in_camera(body_view(), "left") @ FACING, HANGING * [[UPPER_M], [FORE_M]])
    assert np.allclose(body_view().world_m[list(HIP.values())].mean(axis=0), 0.0)
