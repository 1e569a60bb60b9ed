# SPDX-License-Identifier: Apache-2.0
"""The pictures show what the truth says: joints lie on their limbs, nearer limbs hide farther ones, light comes from
the lamp's side."""

import numpy as np
import pytest
from numpy.typing import NDArray

from studio.body_landmarks import body_landmarks_m
from studio.film import Film
from studio.lighting import Shadows
from studio.look import checked_look
from studio.operator_model import SIDES, posture
from studio.script import load_script
from studio.solid import Frame, Part, Solids
from studio.tracing import Tracer

Array = NDArray[np.float64]

SMALL = {"width": 480.0, "height": 360.0}
FOCAL, CENTRE, SIZE = 500.0, np.array([160.0, 120.0]), (320, 240)
HERE = Frame(np.eye(3), np.zeros(3))


def ball(solids: Solids, part: Part, at: tuple[float, float, float], radius: float) -> None:
    solids.group(0.01)
    solids.add(part, HERE, np.array(at), np.array(at) * (1.0 + 1e-6), radius, radius)


def tracer_of(solids: Solids) -> Tracer:
    return Tracer(solids, FOCAL, CENTRE, SIZE)


def test_a_ball_has_its_depth_its_outline_and_its_normals() -> None:
    solids = Solids()
    ball(solids, Part.SHIRT, (0.0, 0.0, 1.0), 0.1)
    columns, rows = np.meshgrid(np.arange(320.0), np.arange(240.0))
    pixels = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    hits = tracer_of(solids).trace(pixels)
    from_middle = np.linalg.norm(pixels - CENTRE, axis=1)
    outline = FOCAL * np.tan(np.arcsin(0.1))
    found = np.zeros(len(pixels), dtype=bool)
    found[hits.rays] = True
    assert found[from_middle < outline - 1.5].all() and not found[from_middle > outline + 1.5].any()
    inner = from_middle[hits.rays] < outline - 3
    radius = np.linalg.norm(hits.points_m - [0.0, 0.0, 1.0], axis=1)
    assert np.abs(radius[inner] - 0.1).max() < 5e-4
    expected = (hits.points_m - [0.0, 0.0, 1.0]) / radius[:, None]
    assert np.abs(hits.normals - expected)[inner].max() < 1e-6
    assert hits.points_m[:, 2].min() == pytest.approx(0.9, abs=1e-3)


def test_rays_are_traced_only_where_solids_may_be() -> None:
    solids = Solids()
    ball(solids, Part.SHIRT, (0.0, 0.0, 1.0), 0.05)
    pixels = tracer_of(solids).pixels()
    assert 0 < len(pixels) < 0.2 * 320 * 240
    assert len(tracer_of(Solids()).pixels()) == 0


def test_the_nearer_solid_hides_the_farther_one() -> None:
    for near, far in ((Part.SHIRT, Part.FACE), (Part.FACE, Part.SHIRT)):
        solids = Solids()
        ball(solids, far, (0.0, 0.0, 1.2), 0.2)
        ball(solids, near, (0.0, 0.0, 0.8), 0.05)
        hits = tracer_of(solids).trace(CENTRE + np.array([[0.0, 0.0], [60.0, 0.0]]))
        assert hits.parts.tolist() == [near, far]


def test_the_lamp_does_not_reach_behind_a_ball() -> None:
    solids = Solids()
    ball(solids, Part.SHIRT, (0.0, 0.0, 1.5), 0.3)
    ball(solids, Part.FACE, (0.0, 0.0, 0.9), 0.05)
    tracer = tracer_of(solids)
    hits = tracer.trace(CENTRE + np.array([[-45.0, 0.0], [0.0, 0.0], [60.0, 0.0]]))
    assert hits.parts.tolist() == [Part.SHIRT, Part.FACE, Part.SHIRT]
    shaded, ball_itself, free = Shadows(tracer.capsules, np.array([0.25, 0.0, -1.0])).lit(hits)
    assert shaded < 0.3 and ball_itself > 0.9 and free > 0.9


def parts_at(film: Film, index: int, points_m: Array) -> NDArray[np.int64]:
    """The part at each point's pixel; -1 where nothing is, -2 outside the picture."""
    exposure = film._expose(film._timeline.at(np.array([index / film.fps])), 0)
    pixels = film.camera.pixels(film.camera.place(points_m))
    inside = film.camera.inside(pixels)
    column, row = np.where(inside[:, None], np.round(pixels), 0).astype(int).T
    return np.where(inside, exposure.parts[row, column].astype(np.int64), -2)


@pytest.mark.parametrize(("script", "index"), [("two_hands", 10), ("reaches", 95), ("spread", 75)])
def test_every_landmark_lies_on_its_own_limb(script: str, index: int) -> None:
    film = Film(load_script(script), checked_look(SMALL, 0), 0)
    body = posture(film.performance.angles_rad[index], film.sizes)
    for side, part in zip(SIDES, (Part.RIGHT_HAND, Part.LEFT_HAND), strict=True):
        found = parts_at(film, index, body.limbs[side].hand_m)
        assert ((found >= part) & (found < part + 6)).mean() >= 0.95
    skeleton = body_landmarks_m(body, film.sizes)
    assert set(parts_at(film, index, skeleton[[11, 12]])) <= {Part.SHIRT, Part.SLEEVE}
    assert set(parts_at(film, index, skeleton[:11])) <= {Part.FACE, Part.EAR, Part.HAIR}
    assert film.shoot(index).seen.mean() >= 0.95


def test_the_hand_in_front_hides_the_hand_behind() -> None:
    film = Film(load_script("clasped"), checked_look(SMALL, 0), 0)
    play = film.performance
    index = int(np.flatnonzero(play.segment == "clasped")[-1])
    seen = film.shoot(index).seen
    assert seen.mean(axis=1).min() < 0.8, "clasped hands hide one another"
    assert seen.any(axis=1).all()
    body = posture(play.angles_rad[index], film.sizes)
    for row, part in enumerate((Part.RIGHT_HAND, Part.LEFT_HAND)):
        there = parts_at(film, index, body.limbs[SIDES[row]].hand_m)
        own = (there >= part) & (there < part + 6)
        assert (seen[row] == own).all() and (there[~own] >= Part.RIGHT_HAND).any()
    depth = {side: film.camera.place(body.limbs[side].hand_m)[:, 2] for side in SIDES}
    pixels = {side: film.camera.pixels(film.camera.place(body.limbs[side].hand_m)) for side in SIDES}
    for side, other, row in (("right", "left", 0), ("left", "right", 1)):
        for point in range(21):
            gaps = np.linalg.norm(pixels[other] - pixels[side][point], axis=1)  # type: ignore[index]
            hidden_by = depth[other][gaps < 3.0]  # type: ignore[index]
            if len(hidden_by) and (hidden_by < depth[side][point] - 0.03).any():  # type: ignore[index]
                assert not seen[row, point]


def test_a_hand_outside_the_picture_is_not_seen() -> None:
    film = Film(load_script("leaving"), checked_look(SMALL, 0), 0)
    away = int(np.flatnonzero(film.performance.segment == "right leaves")[-1])
    seen = film.shoot(away).seen
    assert not seen[0].any() and seen[1].all()


def test_the_same_frame_has_the_same_pixels_and_another_frame_other_noise() -> None:
    film, again = (Film(load_script("fingers"), checked_look(SMALL, 0), 4) for _ in range(2))
    picture = film.shoot(12).picture
    assert picture.shape == (360, 480, 3) and picture.dtype == np.uint8
    assert (picture == again.shoot(12).picture).all()
    assert (picture[:40] != film.shoot(13).picture[:40]).any(), "noise differs on the same wall"


def test_an_open_shutter_blurs_what_moves_and_nothing_else() -> None:
    script = load_script("reaches")
    sharp = Film(script, checked_look({**SMALL, "noise": 0.0}, 0), 0)
    blurred = Film(script, checked_look({**SMALL, "noise": 0.0, "exposure_ms": 30.0, "speed": 1.0}, 0), 0)
    assert (sharp.shoot(20).picture == blurred.shoot(20).picture).all(), "nothing moves in the opening"
    moving = sharp.performance.segment == "up"
    index = int(np.flatnonzero(moving)[0]) + 13
    assert (sharp.shoot(index).picture != blurred.shoot(index).picture).any(axis=-1).mean() > 0.01


@pytest.mark.parametrize("light", ["room", "window"])
def test_the_lamps_side_of_the_face_is_brighter(light: str) -> None:
    film = Film(load_script("head"), checked_look({**SMALL, "light": light, "noise": 0.0}, 0), 0)
    body = posture(film.performance.angles_rad[5], film.sizes)
    cheeks = body.head_m + np.array([[0.07, -0.045, 0.02], [0.07, 0.045, 0.02]]) @ body.rotation_operator_from_head.T
    pixels = np.round(film.camera.pixels(film.camera.place(cheeks))).astype(int)
    picture = film.shoot(5).picture.astype(float)
    left, right = (picture[row - 1 : row + 2, column - 1 : column + 2].mean() for column, row in pixels)
    lamp_on_image_left = film._scene.light.toward[0] < 0
    assert (left > right) == lamp_on_image_left
