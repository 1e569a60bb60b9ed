# SPDX-License-Identifier: Apache-2.0
"""The operator's shape at one instant: trunk, clothes, neck, arms and hands as solids in camera axes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clips.hand_shape import SLEEVE as SLEEVE_GROUP
from clips.hand_shape import hand_shape
from studio.camera import Camera
from studio.head_shape import add_head
from studio.operator_model import HAND, MIRROR, SIDES, Limb, Posture, Side
from studio.sizes import Sizes
from studio.solid import Frame, Part, Solids

Array = NDArray[np.float64]

_HAND_PART: dict[Side, Part] = {"right": Part.RIGHT_HAND, "left": Part.LEFT_HAND}
_HAND_BLEND_M = (0.0075, 0.0028, 0.0028, 0.0028, 0.0028, 0.0028)
CUFF_M = 0.055
"""Where a long sleeve ends, before the wrist."""


def body_solids(posture: Posture, angles_rad: Array, sizes: Sizes, camera: Camera, look: tuple[bool, bool]) -> Solids:
    """Everything of the operator for one frame's posture and its (60,) joint angles.

    Args:
        look: short sleeves, long hair.
    """
    short_sleeves, long_hair = look
    solids = Solids()
    for side in SIDES:
        limb = posture.limbs[side]
        add_hand(
            solids,
            _HAND_PART[side],
            side == "left",
            angles_rad[HAND[side]],
            Frame(camera.turn(limb.rotation_operator_from_palm), camera.place(limb.wrist_m), sizes.hand_scale),
            camera.place(limb.elbow_m),
        )
    for side in SIDES:
        _add_arm(solids, posture.limbs[side], sizes, camera, short_sleeves)
    head = Frame(camera.turn(posture.rotation_operator_from_head), camera.place(posture.head_m), sizes.head_scale)
    add_head(solids, head, long_hair)
    _add_trunk(solids, posture, sizes, camera, head)
    return solids


def add_hand(
    solids: Solids, part: Part, mirrored: bool, hand_rad: Array, palm: Frame, elbow_in_camera_m: Array
) -> None:
    """One hand with its wrist (six groups), from its (20,) finger angles; `palm` is the palm frame in the camera."""
    frame = hand_frame(palm, mirrored)
    shape = hand_shape(hand_rad, frame.to_local(elbow_in_camera_m))
    for group in range(SLEEVE_GROUP):
        solids.group(_HAND_BLEND_M[group] * frame.scale)
        for row in np.flatnonzero(shape.group == group):
            start, end = shape.start[row].astype(float), shape.end[row].astype(float)
            solids.add(part + group, frame, start, end, float(shape.near[row]), float(shape.far[row]))


def add_guest(solids: Solids, hand_rad: Array, palm: Frame, elbow_in_camera_m: Array) -> None:
    """A bystander's right hand and sleeve."""
    add_hand(solids, Part.GUEST_HAND, False, hand_rad, palm, elbow_in_camera_m)
    solids.group(0.02)
    here = Frame(np.eye(3), np.zeros(3))
    along = (elbow_in_camera_m - palm.origin_m) / np.linalg.norm(elbow_in_camera_m - palm.origin_m)
    cuff = palm.origin_m + along * CUFF_M
    solids.add(Part.GUEST_SLEEVE, here, cuff, palm.origin_m + along * 0.75, 0.038, 0.058)


def hand_frame(palm: Frame, mirrored: bool) -> Frame:
    """The frame in which a hand is drawn: the palm frame, mirrored for a left hand (the drawn hand is a right one)."""
    return Frame(palm.rotation @ MIRROR if mirrored else palm.rotation, palm.origin_m, palm.scale)


def _add_arm(solids: Solids, limb: Limb, sizes: Sizes, camera: Camera, short_sleeves: bool) -> None:
    """Upper arm and forearm, cloth or skin, in the camera's axes."""
    k = sizes.body_scale
    here = Frame(np.eye(3), np.zeros(3))
    shoulder, elbow, wrist = (camera.place(point) for point in (limb.shoulder_m, limb.elbow_m, limb.wrist_m))
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    across = camera.turn(limb.rotation_operator_from_palm)[:, 1]
    across = across - across.dot(along) * along
    across = across / max(float(np.linalg.norm(across)), 1e-6)
    solids.group(0.022)
    middle = 0.45 * shoulder + 0.55 * elbow
    solids.add(Part.SLEEVE, here, shoulder, middle, 0.056 * k, 0.047 * k)
    if short_sleeves:
        solids.group(0.022)
        solids.add(Part.FOREARM, here, shoulder, elbow, 0.047 * k, 0.038 * k)
        bulge = elbow + 0.22 * (wrist - elbow)
        solids.add(Part.FOREARM, here, elbow, bulge, 0.037 * k, 0.041 * k)
        for sign in (-1.0, 1.0):
            end = wrist - 0.05 * along + sign * across * 0.012 * sizes.hand_scale
            solids.add(Part.FOREARM, here, bulge, end, 0.040 * k, 0.0190 * sizes.hand_scale)
        return
    solids.add(Part.SLEEVE, here, shoulder, elbow, 0.050 * k, 0.040 * k)
    for sign in (-1.0, 1.0):
        cuff = wrist - CUFF_M * along + sign * across * 0.012 * sizes.hand_scale
        solids.add(Part.SLEEVE, here, elbow, cuff, 0.037 * k, 0.0260 * sizes.hand_scale)
    solids.group(0.006)
    for sign in (-1.0, 1.0):
        cuff = wrist - CUFF_M * along + sign * across * 0.012 * sizes.hand_scale
        solids.add(Part.COLLAR, here, cuff, cuff - 0.020 * along, 0.0262 * sizes.hand_scale, 0.0272 * sizes.hand_scale)


def _add_trunk(solids: Solids, posture: Posture, sizes: Sizes, camera: Camera, head: Frame) -> None:
    """Chest, belly, shoulders, collar, neck and what of the legs a wide lens may show."""
    k = sizes.body_scale
    torso = Frame(camera.turn(posture.rotation_operator_from_torso), camera.place(np.zeros(3)))
    wide, top = sizes.half_shoulders_m, sizes.shoulder_height_m
    solids.group(0.055)
    for y in (-1.0, 1.0):
        side = np.array([0.0, y, 0.0])
        chest = side * 0.44 * wide + [0.005 * k, 0, top - 0.085 * k]
        waist = side * 0.32 * wide + [0.005 * k, 0, 0.36 * top]
        solids.add(Part.SHIRT, torso, chest, waist, 0.086 * k, 0.084 * k)
        solids.add(Part.SHIRT, torso, waist, side * 0.42 * wide + [0, 0, -0.13 * k], 0.084 * k, 0.096 * k)
        solids.add(
            Part.SHIRT, torso, side * 0.25 * wide + [-0.015 * k, 0, top + 0.030 * k],
            side * 0.97 * wide + [0, 0, top - 0.004 * k], 0.052 * k, 0.056 * k,
        )  # fmt: skip
    breast, belly = np.array([0.020 * k, 0.0, top - 0.100 * k]), np.array([0.015 * k, 0.0, -0.13 * k])
    solids.add(Part.SHIRT, torso, breast, belly, 0.082 * k, 0.086 * k)
    neck_base = torso.to_camera(np.array([-0.010 * k, 0.0, top + 0.030 * k]))
    neck_top = head.to_camera(np.array([-0.012, 0.0, 0.020]))
    here = Frame(np.eye(3), np.zeros(3))
    solids.group(0.02)
    solids.add(Part.NECK, here, neck_base, neck_top, 0.058 * k, 0.052 * sizes.head_scale)
    solids.group(0.004)
    _add_collar(solids, torso, np.array([0.005 * k, 0.0, top + 0.052 * k]), k)
    solids.group(0.03)
    for y in (-1.0, 1.0):
        hip = np.array([0.0, y * 0.9 * sizes.half_hips_m, -0.12 * k])
        knee = np.array([0.0, y * (0.9 * sizes.half_hips_m + 0.01), -0.48 * k])
        solids.add(Part.TROUSERS, torso, hip, knee, 0.086 * k, 0.065 * k)


def _add_collar(solids: Solids, torso: Frame, middle: Array, k: float) -> None:
    """A ring of cloth around the neck, lower in front."""
    turn = np.linspace(0.0, 2 * np.pi, 25)
    ring = np.stack([0.062 * np.cos(turn) - 0.006, 0.066 * np.sin(turn), -0.024 * np.cos(turn)], axis=1) * k + middle
    for start, end in pairwise(ring):
        solids.add(Part.COLLAR, torso, start, end, 0.009 * k, 0.009 * k)
