# SPDX-License-Identifier: Apache-2.0
"""The laws of the drawn operator: rigid bones, mirror symmetry, angles that can be read back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clips.hand_model import BONE_M
from studio.body_landmarks import BODY_LANDMARKS, body_landmarks_m
from studio.operator_model import (
    ARM,
    ARM_LIMITS_RAD,
    HAND,
    HEAD,
    JOINT_LIMITS_RAD,
    JOINT_NAMES,
    MIRROR,
    SIDES,
    TORSO,
    arm_angles,
    posture,
)
from studio.sizes import Sizes
from teleop.hand_geometry import rotation_palm_to_camera

Array = NDArray[np.float64]

SHARES = st.lists(st.floats(0.0, 1.0), min_size=60, max_size=60).map(np.array)
SIZES = st.builds(Sizes, st.floats(1.4, 2.0), st.floats(0.85, 1.15), st.floats(0.9, 1.1), st.floats(0.9, 1.1))


def angles_at(shares: Array) -> Array:
    low, high = JOINT_LIMITS_RAD.T
    return low + shares * (high - low)


def test_every_joint_has_a_name_of_its_own_and_a_range() -> None:
    assert len(set(JOINT_NAMES)) == len(JOINT_NAMES) == len(JOINT_LIMITS_RAD) == 60
    assert (JOINT_LIMITS_RAD[:, 0] < JOINT_LIMITS_RAD[:, 1]).all()
    assert JOINT_NAMES[ARM["left"]][0] == "left_shoulder_flexion"
    assert JOINT_NAMES[HAND["right"]][0] == "right_thumb_cmc_roll"


@settings(max_examples=40)
@given(SHARES, SIZES)
def test_bones_keep_their_length_in_every_posture(shares: Array, sizes: Sizes) -> None:
    body = posture(angles_at(shares), sizes)
    for side in SIDES:
        limb = body.limbs[side]
        assert np.linalg.norm(limb.elbow_m - limb.shoulder_m) == pytest.approx(sizes.upper_arm_m)
        assert np.linalg.norm(limb.wrist_m - limb.elbow_m) == pytest.approx(sizes.forearm_m)
        assert np.abs(limb.hand_m[0] - limb.wrist_m).max() < 1e-12
        bones = np.linalg.norm(np.diff(limb.hand_m[1:].reshape(5, 4, 3), axis=1), axis=2)
        assert np.abs(bones - BONE_M * sizes.hand_scale).max() < 1e-12
    shoulders = body.limbs["left"].shoulder_m - body.limbs["right"].shoulder_m
    assert np.linalg.norm(shoulders) == pytest.approx(2 * sizes.half_shoulders_m)


@settings(max_examples=40)
@given(SHARES, SIZES)
def test_swapped_angles_give_the_mirror_image(shares: Array, sizes: Sizes) -> None:
    angles = angles_at(shares)
    swapped = angles.copy()
    for part in (ARM, HAND):
        swapped[part["right"]], swapped[part["left"]] = angles[part["left"]], angles[part["right"]]
    for part in (TORSO, HEAD):
        swapped[part] *= [-1.0, 1.0, -1.0]
    body, mirrored = posture(angles, sizes), posture(swapped, sizes)
    for side, other in (("right", "left"), ("left", "right")):
        assert np.abs(mirrored.limbs[side].hand_m - body.limbs[other].hand_m @ MIRROR).max() < 1e-9  # type: ignore[index]
    points, image = body_landmarks_m(body, sizes), body_landmarks_m(mirrored, sizes)
    pairs = [_other_side(name) for name in BODY_LANDMARKS]
    assert np.abs(image - points[pairs] @ MIRROR).max() < 1e-9


@settings(max_examples=60)
@given(st.lists(st.floats(0.02, 0.98), min_size=60, max_size=60).map(np.array), SIZES)
def test_arm_angles_are_read_back_from_the_limbs(shares: Array, sizes: Sizes) -> None:
    angles = angles_at(shares)
    for side in SIDES:
        abduction = ARM[side].start + 1
        angles[abduction] = np.clip(angles[abduction], ARM_LIMITS_RAD[1, 0], np.radians(88.0))
    body = posture(angles, sizes)
    torso = body.rotation_operator_from_torso.T
    for side in SIDES:
        limb = body.limbs[side]
        frames = (limb.rotation_operator_from_upper_arm, limb.rotation_operator_from_forearm)
        upper, fore = (torso @ frame for frame in frames)
        found = arm_angles(side, upper, fore, torso @ limb.rotation_operator_from_palm)
        assert np.abs(found - angles[ARM[side]]).max() < 1e-6


@settings(max_examples=40)
@given(SHARES)
def test_palm_frames_are_those_that_the_tracker_computes_from_the_landmarks(shares: Array) -> None:
    body = posture(angles_at(shares), Sizes())
    for side in SIDES:
        limb = body.limbs[side]
        expected = rotation_palm_to_camera(limb.hand_m, side)
        assert np.abs(limb.rotation_operator_from_palm - expected).max() < 1e-9


def test_signs_of_the_angles_are_those_of_their_names() -> None:
    def hand_after(joint: str, angle_deg: float, base: dict[str, float] | None = None) -> Array:
        angles = np.zeros(60)
        for name, value in {**(base or {}), joint: angle_deg}.items():
            angles[JOINT_NAMES.index(name)] = np.radians(value)
        return posture(angles, Sizes()).limbs["right"].hand_m

    hanging = hand_after("right_elbow_flexion", 0.0)
    assert hand_after("right_shoulder_flexion", 40.0)[0, 0] > hanging[0, 0] + 0.1, "forward"
    assert hand_after("right_shoulder_abduction", 40.0)[0, 1] < hanging[0, 1] - 0.1, "away from the body"
    bent = {"right_elbow_flexion": 90.0}
    assert hand_after("right_elbow_flexion", 90.0)[0, 0] > 0.2, "the forearm comes forward"
    assert hand_after("right_shoulder_rotation", 30.0, bent)[0, 1] > hanging[0, 1] + 0.05, "inward"
    thumb, little = (hand_after("right_forearm_pronation", 80.0, bent)[k] for k in (5, 17))
    assert thumb[1] > little[1] + 0.03, "palm down: the right thumb is on the left"
    straight = hand_after("right_wrist_flexion", 0.0, bent)
    assert hand_after("right_wrist_flexion", 40.0, bent)[9, 1] > straight[9, 1] + 0.03, "to the palm"
    assert hand_after("right_wrist_deviation", 20.0, bent)[9, 2] > straight[9, 2] + 0.02, "to the thumb"


def test_head_turns_left_nods_down_and_tilts_right() -> None:
    def nose_and_ears(joint: str) -> tuple[Array, Array, Array]:
        angles = np.zeros(60)
        angles[JOINT_NAMES.index(joint)] = 0.4
        points = body_landmarks_m(posture(angles, Sizes()), Sizes())
        return points[0], points[7], points[8]

    nose, _, _ = nose_and_ears("head_yaw")
    assert nose[1] > 0.03
    straight = body_landmarks_m(posture(np.zeros(60), Sizes()), Sizes())
    nose, _, _ = nose_and_ears("head_pitch")
    assert nose[2] < straight[0, 2] - 0.02
    _, left_ear, right_ear = nose_and_ears("head_roll")
    assert left_ear[2] > right_ear[2] + 0.02


def test_wrong_number_of_angles_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 60\)"):
        posture(np.zeros(59), Sizes())


def _other_side(name: str) -> int:
    swapped = name.replace("left", "#").replace("right", "left").replace("#", "right")
    return BODY_LANDMARKS.index(swapped)
