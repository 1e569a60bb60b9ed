# SPDX-License-Identifier: Apache-2.0
"""Operators that stand before a pinhole camera: limb directions in, the landmarks of a perfect tracker out."""

import numpy as np
from hypothesis import strategies as st

from teleop.body_geometry import EAR, ELBOW, EYE, HIP, INDEX, LITTLE, MOUTH, NOSE, SHOULDER, WRIST
from teleop.head_geometry import NOSE_AHEAD, NOSE_BELOW
from teleop.limb_depth import FOCAL
from teleop.operator_view import BodyView

FRAME_NS = 33_333_333
FACING = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""Camera from torso of an operator who faces a level camera."""

SHOULDERS_M, UPPER_M, FORE_M, SPINE_M = 0.36, 0.29, 0.25, 0.48
HANGING = np.array([[0.0, 0.0, -1.0], [0.0, 0.0, -1.0]])
SIDES = ("right", "left")
OUTWARDS = {"left": 1.0, "right": -1.0}
MIRROR = np.array([1.0, -1.0, 1.0])


def rotation(axis, angle_rad):
    """(3, 3) about coordinate axis 0, 1 or 2."""
    sine, cosine = np.sin(angle_rad), np.cos(angle_rad)
    result = np.eye(3)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    result[j, j] = result[k, k] = cosine
    result[j, k], result[k, j] = -sine, sine
    return result


def body_view(
    limbs=None, *, stamp_ns=0, turn=FACING, head_rad=(0.0, 0.0), hands=None, distance_m=1.5, aspect=4 / 3, hips_seen=1.0
):
    """What a perfect tracker sees.

    Args:
        limbs: by side, (2, 3) directions of upper arm and forearm in torso axes; a side that is missing hangs.
        turn: (3, 3) camera from torso.
        head_rad: yaw and pitch of the head against the torso.
        hands: by side, (3,) direction of the hand in torso axes; along the forearm when missing.
        distance_m: of the shoulders from the camera.
    """
    limbs, hands = limbs or {}, hands or {}
    points = np.zeros((33, 3))
    for side in SIDES:
        upper, fore = limbs.get(side, HANGING)
        shoulder = np.array([0.0, OUTWARDS[side] * SHOULDERS_M / 2, SPINE_M])
        elbow = shoulder + UPPER_M * upper
        wrist = elbow + FORE_M * fore
        points[[SHOULDER[side], ELBOW[side], WRIST[side]]] = shoulder, elbow, wrist
        points[[INDEX[side], LITTLE[side]]] = wrist + 0.09 * hands.get(side, fore)
        points[HIP[side]] = [0.0, OUTWARDS[side] * 0.12, 0.0]
    head = rotation(2, head_rad[0]) @ rotation(1, head_rad[1])
    ears_m = 0.07
    face = {NOSE: (NOSE_AHEAD, 0.0, -NOSE_BELOW)}
    for side in SIDES:
        face |= {EAR[side]: (0.0, OUTWARDS[side], 0.0), EYE[side]: (1.0, 0.45 * OUTWARDS[side], 0.1)}
        face |= {MOUTH[side]: (1.0, 0.35 * OUTWARDS[side], -0.9)}
    for index, place in face.items():
        points[index] = [0.0, 0.0, SPINE_M + 0.2] + head @ (ears_m * np.array(place))
    world = points @ turn.T
    seen = world + np.array([0.0, 0.0, distance_m]) - world[list(SHOULDER.values())].mean(axis=0) * [0.0, 1.0, 1.0]
    image = 0.5 + FOCAL * seen[:, :2] / np.maximum(seen[:, 2:], 0.05) * [1.0, aspect]
    visibility = np.ones(33)
    visibility[list(HIP.values())] = hips_seen
    return BodyView(world, image, visibility, stamp_ns, aspect)


def mirrored_limbs(limbs):
    """The operator's mirror image: left is right, y is -y."""
    return {"right" if side == "left" else "left": np.asarray(of_side) * MIRROR for side, of_side in limbs.items()}


def angle_rad(a, b):
    """(...,) angle between unit vectors (..., 3)."""
    return np.arccos(np.clip((np.asarray(a) * b).sum(axis=-1), -1.0, 1.0))


shares = st.floats(0.0, 1.0)


@st.composite
def natural_limbs(draw, side):
    """(2, 3) directions as a person's arm can take, in torso axes."""
    flexion, abduction, twist, elbow = (
        np.radians(low + draw(shares) * (high - low)) for low, high in ((-30, 150), (0, 110), (-60, 80), (0, 140))
    )
    upper = rotation(1, -flexion) @ rotation(0, -abduction) @ rotation(2, twist)
    fore = upper @ rotation(1, -elbow)
    limbs = -np.stack([upper[:, 2], fore[:, 2]])
    return limbs if side == "right" else limbs * MIRROR
