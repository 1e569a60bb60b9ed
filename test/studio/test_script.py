# SPDX-License-Identifier: Apache-2.0
"""Scripts: all of them play for small and tall operators, begin with the engage gesture, and errors are answers."""

from pathlib import Path

import numpy as np
import pytest

from clips.hand_model import JOINT_NAMES as HAND_JOINTS
from clips.hand_model import landmarks_m
from studio.film import Film
from studio.hand_poses import HAND_POSES
from studio.look import LookError, checked_look
from studio.operator_model import JOINT_LIMITS_RAD, JOINT_NAMES, SIDES, posture
from studio.performance import perform
from studio.reach import ReachError
from studio.script import Script, ScriptError, load_script, script_names
from studio.sizes import Sizes
from studio.standard_set import standard_set
from teleop.gestures import Gesture, classify

NAMES = script_names()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", [Sizes(1.55, 0.88, 0.94), Sizes(1.92, 1.1, 1.06)], ids=["small", "tall"])
def test_every_script_plays_smoothly_inside_the_limits(name: str, sizes: Sizes) -> None:
    play = perform(load_script(name), sizes, 30.0, seed=3)
    low, high = JOINT_LIMITS_RAD.T
    assert (play.angles_rad >= low).all() and (play.angles_rad <= high).all()
    assert 6.0 <= play.time_s[-1] <= 13.0
    assert np.abs(np.diff(play.angles_rad, axis=0)).max() < 0.25, "no joint jumps between frames"


@pytest.mark.parametrize("clip", standard_set(), ids=lambda clip: clip.name)
def test_clips_of_the_set_begin_with_both_open_palms_held_still(clip: object) -> None:
    film: Film = clip.film()  # type: ignore[attr-defined]
    still = film.performance.time_s < 1.5
    angles = film.performance.angles_rad[still]
    assert np.abs(np.diff(angles, axis=0)).max() < 1e-9
    body = posture(angles[0], film.sizes)
    for side in SIDES:
        points = film.camera.place(body.limbs[side].hand_m)
        assert film.camera.inside(film.camera.pixels(points)).all()
        assert classify(points, side) is Gesture.OPEN_PALM
        reach_px = film.camera.pixels(points[[0, 12]])
        assert np.linalg.norm(reach_px[1] - reach_px[0]) >= 60.0, "a hand has at least 60 pixels"


def test_the_set_has_twenty_clips_and_plays_every_script() -> None:
    clips = standard_set()
    assert len({clip.name for clip in clips}) == len(clips) == 20
    assert {clip.script for clip in clips} == set(NAMES)
    assert len({clip.digest() for clip in clips}) == 20


def test_every_finger_is_pinched_and_every_joint_is_moved_by_some_script() -> None:
    moved = np.zeros(60, dtype=bool)
    for name in NAMES:
        moved |= np.ptp(perform(load_script(name), Sizes(), 10.0).angles_rad, axis=0) > np.radians(12.0)
    torso = 3  # the trunk sways only
    assert [JOINT_NAMES[k] for k in np.flatnonzero(~moved) if k >= torso] == []


@pytest.mark.parametrize("finger", ["index", "middle", "ring", "little"])
def test_pinches_bring_the_tips_together(finger: str) -> None:
    points = landmarks_m(HAND_POSES[f"pinch {finger}"])
    tips = dict(zip(("index", "middle", "ring", "little"), points[8::4], strict=True))
    gaps = {name: float(np.linalg.norm(tip - points[4])) for name, tip in tips.items()}
    assert 0.009 < gaps.pop(finger) < 0.0135
    assert min(gaps.values()) > 0.02


def test_speed_shortens_all_but_the_opening() -> None:
    script = load_script("fingers")
    slow, fast = (perform(script, Sizes(), 30.0, speed) for speed in (1.0, 2.0))
    assert fast.time_s[-1] - 1.8 == pytest.approx((slow.time_s[-1] - 1.8) / 2, abs=0.1)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: x\nsteps: []", "at least 1 item"),
        ("title: x\nsteps: [{arms: up}]", "steps.0.arms"),
        ("title: [", "is not YAML"),
        ("- 1", "file: Input should be"),
    ],
)
def test_files_that_are_no_scripts_are_refused_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ScriptError, match=words):
        load_script(write(tmp_path / "own.yaml", text))


def test_unknown_script_names_the_known_ones() -> None:
    with pytest.raises(ScriptError, match="expected one of bystander, clasped"):
        load_script("nothing")
    with pytest.raises(ScriptError, match="can't be read"):
        load_script("nowhere.yaml")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"both": {"hand": "claw"}}, "no hand pose 'claw', expected one of"),
        ({"right": {"arm": {"elbow": 3.0}}}, "no joint 'elbow', expected one of shoulder_flexion"),
        ({"head": {"yaw": 120.0}}, "head_yaw: 120°, expected -75 … 75°"),
        ({"left": {"reach": {"at": [0.3, 0.1, 0.0], "faces": "up down down"}}}, None),
        ({"left": {"reach": {"at": [0.3, 0.1, 0.0], "faces": "sideways"}}}, "no direction 'sideways'"),
    ],
)
def test_steps_that_ask_too_much_are_refused_with_the_reason(step: dict[str, object], words: str | None) -> None:
    script = Script.model_validate({"title": "x", "steps": [step]})
    if words is None:
        assert len(perform(script, Sizes(), 30.0).time_s) > 0
        return
    with pytest.raises(ScriptError, match=words):
        perform(script, Sizes(), 30.0)


def test_reach_error_names_step_and_hand() -> None:
    script = Script.model_validate({"title": "x", "steps": [{"label": "far", "left": {"reach": {"at": [2, 0, 0]}}}]})
    with pytest.raises(ReachError, match=r"step 1 \(far\), left hand can't reach"):
        perform(script, Sizes(), 30.0)


def test_seed_draws_only_what_is_not_given() -> None:
    first, second = checked_look({"skin": "dark"}, 5), checked_look({"skin": "dark"}, 6)
    assert first.skin == second.skin == "dark"
    assert first != second and first == checked_look({"skin": "dark"}, 5)


def test_looks_that_cannot_be_filmed_are_refused_with_all_reasons() -> None:
    with pytest.raises(LookError) as caught:
        checked_look({"skin": "green", "fov_deg": 300.0, "width": 641, "mood": 1.0}, 0)
    assert all(word in str(caught.value) for word in ("skin", "fair, light", "20 to 110", "even", "mood"))


def test_hand_pose_names_every_joint() -> None:
    assert all(pose.shape == (len(HAND_JOINTS),) for pose in HAND_POSES.values())
