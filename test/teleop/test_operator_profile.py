# SPDX-License-Identifier: Apache-2.0
"""An operator's profile is kept whole or not at all, refused when damaged, and knows a stranger's hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fake_limbs import START
from hand_scene import Person
from hypothesis import given
from hypothesis import strategies as st

from teleop.body_calibration import BodyCalibration
from teleop.hand_calibration import HandCalibration, calibrate_hand
from teleop.operator_profile import (
    MAX_BYTES,
    OperatorProfile,
    ProfileError,
    body_profile,
    body_sizes,
    check,
    hand_profile,
    hand_sizes,
    load,
    profile_path,
    save,
)

RNG = np.random.default_rng(1)
HANDS = {
    side: calibrate_hand(np.array([Person().hands(RNG, 0.3)[k].world_m for _ in range(20)]), side)
    for k, side in enumerate(("right", "left"))
}
BODY = BodyCalibration({"right": (0.3, 0.25), "left": (0.3, 0.25)}, (0.0, -1.0, 0.0), (0.02, -0.1), 0.38)
ANNA = OperatorProfile(
    name="anna",
    measured="2026-11-21",
    hands={side: hand_profile(each, 0.02) for side, each in HANDS.items()},
    body=body_profile(BODY),
)


def grown(calibration, share):
    """The hand of somebody larger or smaller."""
    return replace(calibration, length_m=tuple(share * each for each in calibration.length_m))


@pytest.fixture
def path(tmp_path):
    return profile_path("anna", {"XDG_DATA_HOME": str(tmp_path)})


def test_a_profile_is_read_as_it_was_written(path):
    save(ANNA, path)
    assert load(path) == ANNA
    assert path.name == "anna.json" and path.parts[-3:-1] == ("humanoid_booth", "operators")
    assert load(path).hands["right"].calibration() == HANDS["right"]
    assert load(path).body.calibration() == BODY


def test_without_a_data_home_it_is_in_the_users_own():
    assert str(profile_path("anna", {"HOME": "/somewhere"})).startswith("/somewhere/.local/share/humanoid_booth/")


@pytest.mark.parametrize("name", ["", "Anna", "../anna", "a/b", ".anna", "anna.json", "a" * 64, "anna\n"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(ProfileError, match="an operator's name has small letters"):
        profile_path(name)


def test_a_new_profile_replaces_the_old_one_and_leaves_nothing_else(path):
    save(ANNA, path)
    save(ANNA.model_copy(update={"measured": "2026-11-22"}), path)
    assert load(path).measured == "2026-11-22"
    assert [each.name for each in path.parent.iterdir()] == ["anna.json"]


def test_what_cannot_be_written_leaves_the_old_profile(path, monkeypatch):
    save(ANNA, path)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(ProfileError, match="disk full"):
        save(ANNA.model_copy(update={"measured": "later"}), path)
    assert load(path) == ANNA
    assert [each.name for each in path.parent.iterdir()] == ["anna.json"]


def test_a_folder_that_is_none_is_told(tmp_path):
    (tmp_path / "humanoid_booth").write_text("a file")
    with pytest.raises(ProfileError, match="can't be written"):
        save(ANNA, profile_path("anna", {"XDG_DATA_HOME": str(tmp_path)}))


def test_who_has_no_profile_is_told_what_to_do(path):
    with pytest.raises(ProfileError, match=r"anna has no profile .* measure the operator again, or start without one"):
        load(path)


def damaged(change):
    data = json.loads(ANNA.model_dump_json())
    change(data)
    return json.dumps(data)


def set_in(*keys, value):
    def change(data):
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return damaged(change)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\x00\xff",
        "[" * 5000,
        set_in("version", value=2),
        set_in("version", value="1"),
        set_in("name", value="../x"),
        set_in("hands", "right", "length_m", value=[0.1] * 22),
        set_in("hands", "right", "length_m", 3, value=float("nan")),
        set_in("hands", "right", "length_m", 3, value=-0.1),
        set_in("hands", "right", "flat_rad", 0, value=100.0),
        set_in("hands", "middle", value={}),
        set_in("body", "limbs_m", "right", value=[0.3]),
        set_in("extra", value=1),
        damaged(lambda data: data.pop("name")),
    ],
)
def test_a_damaged_profile_is_refused_with_what_to_do(path, text):
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match="measure the operator again"):
        load(path)


def test_every_problem_of_a_damaged_profile_is_listed(path):
    path.parent.mkdir(parents=True)
    data = json.loads(ANNA.model_dump_json())
    data["hands"]["right"]["spread"], data["measured"] = 7, 3
    path.write_text(json.dumps(data))
    with pytest.raises(ProfileError) as error:
        load(path)
    assert "hands.right.spread" in str(error.value) and "measured" in str(error.value)


def test_a_file_of_any_size_is_not_read(path):
    path.parent.mkdir(parents=True)
    path.write_text("x" * (MAX_BYTES + 1))
    with pytest.raises(ProfileError, match="at most"):
        load(path)


@given(st.binary(max_size=300))
def test_no_bytes_get_past_the_reader(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("profile") / "anna.json"
    path.write_bytes(content)
    with pytest.raises(ProfileError):
        load(path)


# ---- the same person? -------------------------------------------------------------------------------------


def test_the_same_hand_measured_again_is_known():
    rng = np.random.default_rng(9)
    again = calibrate_hand(np.array([Person().hands(rng, 0.3)[0].world_m for _ in range(12)]), "right")
    assert check(ANNA, {"right": hand_sizes(again), "body": body_sizes(BODY)}) == []


@given(st.floats(0.94, 1.06))
def test_a_little_difference_is_noise(share):
    assert check(ANNA, {"right": hand_sizes(grown(HANDS["right"], share))}) == []


@given(st.floats(0.6, 0.88) | st.floats(1.13, 1.6))
def test_a_larger_or_smaller_hand_is_a_strangers(share):
    (reason,) = check(ANNA, {"right": hand_sizes(grown(HANDS["right"], share))})
    assert "right hand does not look like anna's" in reason and "measure again, or choose another operator" in reason


def test_one_finger_of_another_length_is_noticed():
    lengths = np.array(HANDS["left"].length_m)
    lengths[5:8] *= 1.3
    (reason,) = check(ANNA, {"left": hand_sizes(replace(HANDS["left"], length_m=tuple(lengths)))})
    assert "index finger" in reason


def test_another_body_is_noticed():
    small = BodyCalibration({"right": (0.22, 0.19), "left": (0.22, 0.19)})
    (reason,) = check(ANNA, {"body": body_sizes(small)})
    assert "this body" in reason and "220 mm" in reason and "300 mm" in reason


def test_what_was_never_measured_is_not_compared():
    nobody = OperatorProfile(name="bob")
    assert check(nobody, {"right": hand_sizes(HANDS["right"]), "body": body_sizes(BODY)}) == []


def test_a_profile_is_made_from_calibrations_of_full_length_only():
    with pytest.raises(ValueError, match="length_m"):
        hand_profile(HandCalibration())
    assert START > 0
