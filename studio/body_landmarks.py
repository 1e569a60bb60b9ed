# SPDX-License-Identifier: Apache-2.0
"""The 33 body landmarks of MediaPipe's pose, as they truly are for a posture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.head_shape import FACE_LANDMARKS_M
from studio.operator_model import MIRROR, Posture
from studio.sizes import Sizes

Array = NDArray[np.float64]

BODY_LANDMARKS: tuple[str, ...] = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky"),
    *("left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel"),
    *("left_foot_index", "right_foot_index"),
)
"""MediaPipe's names in MediaPipe's order."""

_FACE = ("eye_inner", "eye", "eye_outer")
_HAND_POINTS = (17, 5, 2)
"""Hand landmarks that are the pose's pinky, index and thumb: the knuckles (checked against the tracker)."""


def body_landmarks_m(posture: Posture, sizes: Sizes) -> Array:
    """(..., 33, 3) landmarks in the operator frame (origin in the middle of the hips), metres.

    Shoulders, elbows, wrists, hips, knees and ankles are joint centres, the face's points lie on the skin. The
    operator stands upright on straight legs.
    """
    shape = posture.head_m.shape[:-1]
    points = np.zeros((*shape, len(BODY_LANDMARKS), 3))
    face = [FACE_LANDMARKS_M["nose"]]
    face += [FACE_LANDMARKS_M[name] for name in _FACE] + [MIRROR @ FACE_LANDMARKS_M[name] for name in _FACE]
    face += [side @ FACE_LANDMARKS_M[name] for name in ("ear", "mouth") for side in (np.eye(3), MIRROR)]
    head = np.array(face) * sizes.head_scale
    points[..., :11, :] = head @ posture.rotation_operator_from_head.swapaxes(-1, -2) + posture.head_m[..., None, :]
    for offset, limb in enumerate((posture.limbs["left"], posture.limbs["right"])):
        points[..., 11 + offset, :] = limb.shoulder_m
        points[..., 13 + offset, :] = limb.elbow_m
        points[..., 15 + offset, :] = limb.wrist_m
        for row, landmark in zip((17, 19, 21), _HAND_POINTS, strict=True):
            points[..., row + offset, :] = limb.hand_m[..., landmark, :]
        points[..., 23 + offset :: 2, :][..., :5, :] = _leg(sizes) * [1.0, 1.0 - 2.0 * offset, 1.0]
    return points


def _leg(sizes: Sizes) -> Array:
    """Hip, knee, ankle, heel and toes (5, 3) of the left leg, metres; heights after Winter (2009)."""
    y, tall = sizes.half_hips_m, sizes.height_m
    return np.array(
        [
            [0.0, y, 0.0],
            [0.0, y, -0.245 * tall],
            [-0.01 * tall, y, -0.491 * tall],
            [-0.04 * tall, y, -0.520 * tall],
            [0.09 * tall, 1.2 * y, -0.522 * tall],
        ]
    )
