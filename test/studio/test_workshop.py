# SPDX-License-Identifier: Apache-2.0
"""Clip and truth belong together: as many frames, the same operator, readable without pickles, whole or not there."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from graph.errors import InputError
from studio.body_landmarks import BODY_LANDMARKS
from studio.clip import Clip, clip_of, film_path, is_made, truth_path
from studio.look import checked_look
from studio.operator_model import HAND, JOINT_NAMES, posture
from studio.script import Script, load_script
from studio.sizes import Sizes
from studio.solid import Part
from studio.truth import truth as truth_of
from studio.workshop import Workshop

Truth = dict[str, NDArray[np.generic]]

PLAY = {
    "title": "a fist while a guest passes",
    "engage": False,
    "steps": [
        {"label": "fist", "move_s": 0.2, "hold_s": 0.0, "both": {"hand": "fist"}, "head": {"yaw": 20}},
        {"label": "guest", "move_s": 0.1, "hold_s": 0.1, "guest": {"at": [-0.4, 0.1, 1.1]}},
    ],
}


def short_clip(**look: float) -> Clip:
    script = Script.model_validate(PLAY)
    return clip_of("short", "own", script, checked_look({"width": 320.0, "height": 240.0, **look}, 0), seed=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, Path]:
    folder, clip = tmp_path_factory.mktemp("studio"), short_clip()
    reports: list[tuple[int, int]] = []
    with Workshop(jobs=1) as workshop:
        frames = workshop.make(clip, folder, lambda done, total: reports.append((done, total)))
    assert reports == [(k, frames) for k in range(1, frames + 1)]
    return clip, folder


@pytest.fixture(scope="module")
def truth(made: tuple[Clip, Path]) -> Truth:
    with np.load(truth_path(*made), allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


def test_clip_has_a_frame_for_every_row_of_the_truth(made: tuple[Clip, Path], truth: Truth) -> None:
    film = cv2.VideoCapture(str(film_path(*made)))
    count = 0
    while film.grab():
        count += 1
    assert count == len(truth["time_s"]) == 12
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(float(truth["fps"]))
    size = (film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT))
    assert size == tuple(truth["image_size"]) == (320, 240)
    film.release()


def test_only_the_two_files_are_there(made: tuple[Clip, Path]) -> None:
    assert sorted(path.name for path in made[1].iterdir()) == ["short.mp4", "short.npz"]


def test_landmarks_follow_from_the_joint_angles(truth: Truth) -> None:
    assert tuple(truth["joint_names"]) == JOINT_NAMES and tuple(truth["sides"]) == ("right", "left")
    sizes = dict(zip(truth["size_names"], truth["sizes"], strict=True))
    body = posture(truth["joint_angles_rad"], Sizes(sizes["height_m"], sizes["hand_scale"], sizes["limb_scale"]))
    turn, origin = truth["rotation_camera_from_operator"], truth["operator_in_camera_m"]
    for row, side in enumerate(("right", "left")):
        hand = body.limbs[side].hand_m @ turn.T + origin  # type: ignore[index]
        assert np.abs(hand - truth["hands_in_camera_m"][:, row]).max() < 1e-9
        palm = turn @ body.limbs[side].rotation_operator_from_palm  # type: ignore[index]
        assert np.abs(palm - truth["rotation_camera_from_palm"][:, row]).max() < 1e-9
    fist = truth["joint_angles_rad"][-1, HAND["right"]]
    assert np.degrees(fist[5]) > 70.0, "the index knuckle is bent at the end"
    assert np.degrees(truth["head_angles_rad"][-1, 0]) == pytest.approx(20.0, abs=3.0)


def test_pixels_are_the_projection_of_the_landmarks(truth: Truth) -> None:
    for points, pixels in (("hands_in_camera_m", "hands_px"), ("body_in_camera_m", "body_px")):
        projected = truth[points] @ truth["camera_matrix"].T
        assert np.abs(projected[..., :2] / projected[..., 2:] - truth[pixels]).max() < 1e-6
    width, height = truth["image_size"]
    x, y = truth["body_px"][..., 0], truth["body_px"][..., 1]
    assert (((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)) == truth["body_inside"]).all()


def test_landmarks_outside_the_picture_are_marked_so() -> None:
    clip = clip_of("leaving", "leaving", load_script("leaving"), checked_look({}, 0), 0)
    film = clip.film()
    known = truth_of(film, np.zeros((len(film.performance.time_s), 2, 21), dtype=bool), "leaving", "")
    x, y = known["hands_px"][..., 0], known["hands_px"][..., 1]
    inside = (x >= 0) & (x <= film.camera.width - 1) & (y >= 0) & (y <= film.camera.height - 1)
    assert (known["hands_inside"] == inside).all()
    both = known["segment"] == "both leave"
    assert inside[0].all() and not inside[both][-1].all(axis=-1).any()


def test_body_and_hands_share_wrists_and_knuckles(truth: Truth) -> None:
    names = list(truth["body_names"])
    assert tuple(names) == BODY_LANDMARKS
    for row, side in enumerate(truth["sides"]):
        for name, landmark in (("wrist", 0), ("pinky", 17), ("index", 5), ("thumb", 2)):
            body = truth["body_in_camera_m"][:, names.index(f"{side}_{name}")]
            assert np.abs(body - truth["hands_in_camera_m"][:, row, landmark]).max() < 1e-9


def test_head_rotation_agrees_with_the_faces_landmarks(truth: Truth) -> None:
    face, names = truth["body_in_camera_m"], list(truth["body_names"])
    ears = face[:, names.index("left_ear")] - face[:, names.index("right_ear")]
    left = truth["rotation_camera_from_head"][:, :, 1]
    assert np.abs(ears / np.linalg.norm(ears, axis=1, keepdims=True) - left).max() < 1e-9


def test_seen_landmarks_are_inside_and_the_guest_comes_at_the_end(truth: Truth) -> None:
    assert (truth["hands_seen"] <= truth["hands_inside"]).all()
    assert truth["hands_seen"][:3].all()
    assert np.isnan(truth["guest_in_camera_m"][0]).all()
    assert np.isfinite(truth["guest_in_camera_m"][-1]).all() and truth["guest_inside"][-1].all()


def test_a_made_clip_is_known_until_script_look_or_code_change(
    made: tuple[Clip, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, folder = made
    assert is_made(clip, folder)
    assert not is_made(short_clip(noise=3.0), folder)
    monkeypatch.setattr("studio.clip.code_version", lambda: "another")
    assert not is_made(clip, folder)


def test_a_damaged_truth_file_is_not_taken_for_a_made_clip(made: tuple[Clip, Path], tmp_path: Path) -> None:
    clip, folder = made
    film_path(clip, tmp_path).write_bytes(film_path(clip, folder).read_bytes())
    assert not is_made(clip, tmp_path), "no truth"
    truth_path(clip, tmp_path).write_bytes(truth_path(clip, folder).read_bytes()[:2000])
    assert not is_made(clip, tmp_path), "half a truth"


def test_the_guests_hand_is_drawn(made: tuple[Clip, Path], truth: Truth) -> None:
    film = made[0].film()
    exposure = film._expose(film._timeline.at(np.array([truth["time_s"][-1]])), 0)
    column, row = np.round(truth["guest_px"][-1]).astype(int).T
    parts = exposure.parts[row, column]
    assert ((parts >= Part.GUEST_HAND) & (parts < Part.GUEST_HAND + 6)).mean() > 0.9


def test_an_interrupted_clip_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Workshop(jobs=1) as workshop:
        workshop.make(short_clip(), tmp_path, interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(InputError, match="can't hold the clip"), Workshop(jobs=1) as workshop:
        workshop.make(short_clip(), file / "sub")
