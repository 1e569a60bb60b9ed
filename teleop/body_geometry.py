# SPDX-License-Identifier: Apache-2.0
"""From 33 body landmarks to the torso frame, limbs and hands.

Torso frame (REP 103, as a robot's base): x forward out of the chest, y to the operator's left, z up the spine.

What one camera can't see, a limb's component along the line of sight, is the network's guess here; `teleop.limb_depth`
restores it for an operator whose limbs were measured.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from teleop.hand_geometry import Side
from teleop.operator_view import BodyView

Array = NDArray[np.float64]

LANDMARKS = 33
NOSE = 0
EYE: dict[Side, int] = {"left": 2, "right": 5}
EAR: dict[Side, int] = {"left": 7, "right": 8}
MOUTH: dict[Side, int] = {"left": 9, "right": 10}
SHOULDER: dict[Side, int] = {"left": 11, "right": 12}
ELBOW: dict[Side, int] = {"left": 13, "right": 14}
WRIST: dict[Side, int] = {"left": 15, "right": 16}
LITTLE: dict[Side, int] = {"left": 17, "right": 18}
INDEX: dict[Side, int] = {"left": 19, "right": 20}
HIP: dict[Side, int] = {"left": 23, "right": 24}

UP_IN_CAMERA = np.array([0.0, -1.0, 0.0])
"""Where up is while the hips are out of view: the camera stands level."""

SEEN = 0.5
"""Visibility from which a landmark counts."""

LARGEST_BODY_M, LARGEST_STRAY = 3.0, 10.0
SMALLEST_SHOULDERS_M, LARGEST_SHOULDERS_M = 0.12, 0.7
LARGEST_TURN_RAD = 1.25
"""A torso turned farther from the camera hides one arm; which shoulder is which is a guess there."""

LIMB_M = {"upper arm": (0.04, 0.50), "forearm": (0.03, 0.45)}
"""Plausible lengths; the network shortens a limb that points at the camera."""


class BodyGeometryError(ValueError):
    """Landmarks that are no upper body in view. Scenarios: NaN, an arm outside the image, a limb of 1 m."""


def check_body(body: BodyView) -> None:
    """Refuse a body from which no torso can be computed.

    Raises:
        BodyGeometryError: with what is wrong.
    """
    shapes = (body.world_m.shape, body.image.shape, body.visibility.shape)
    if shapes != ((LANDMARKS, 3), (LANDMARKS, 2), (LANDMARKS,)):
        raise BodyGeometryError(f"expected landmarks (33, 3), image (33, 2) and visibility (33,), found {shapes}")
    if not all(np.isfinite(each).all() for each in (body.world_m, body.image, body.visibility)):
        raise BodyGeometryError("landmarks hold NaN or infinity")
    if not 0.2 <= body.aspect <= 5.0:
        raise BodyGeometryError(f"the image is {body.aspect:.2g} times as wide as high, expected 0.2 … 5 times")
    stray = float(np.abs(body.image).max())
    if stray > LARGEST_STRAY:
        raise BodyGeometryError(f"a landmark is {stray:.2g} images away, expected at most {LARGEST_STRAY:.0f}")
    reach_m = float(np.abs(body.world_m).max())
    if reach_m > LARGEST_BODY_M:
        raise BodyGeometryError(f"a landmark is {reach_m:.2g} m from the hips, expected at most {LARGEST_BODY_M:.0f} m")
    for side, index in SHOULDER.items():
        _require_seen(body, f"{side} shoulder", index)
    width_m = _length(_across(body))
    if not SMALLEST_SHOULDERS_M <= width_m <= LARGEST_SHOULDERS_M:
        raise BodyGeometryError(
            f"the shoulders are {width_m * 1e3:.0f} mm apart, "
            f"expected {SMALLEST_SHOULDERS_M * 1e3:.0f} … {LARGEST_SHOULDERS_M * 1e3:.0f} mm"
        )


def torso_axes(body: BodyView, up_in_camera: Array = UP_IN_CAMERA) -> Array:
    """(2, 3) unit vectors in camera axes: to the operator's left along the shoulders, and up the spine; of a body that
    `check_body` accepts.

    Up is from the hips to the shoulders while both hips are seen, ``up_in_camera`` while they are not, and in between
    where one may be out of view. Both vectors are measured apart and need not be perpendicular.

    Raises:
        BodyGeometryError: the body has no torso.
    """
    left = _unit(_across(body))
    points = body.world_m
    spine = points[SHOULDER["left"]] + points[SHOULDER["right"]] - points[HIP["left"]] - points[HIP["right"]]
    seen = float(np.clip((min(body.visibility[list(HIP.values())]) - SEEN) / 0.3, 0.0, 1.0))
    length = _length(spine)
    up = up_in_camera if length < 0.1 else (1.0 - seen) * up_in_camera + seen * spine / length
    height = _length(up)
    if height < 0.3:
        raise BodyGeometryError("the hips are above the shoulders: is the camera upside down?")
    return np.stack([left, up / height])


def rotation_camera_from_torso(axes: Array) -> Array:
    """(3, 3) from the two vectors of `torso_axes`; up is kept, left is made perpendicular to it.

    A raised arm lifts its shoulder, so the spine says better what is upright, and the shoulders say where it faces.

    Raises:
        BodyGeometryError: the shoulders lie along the spine, or the torso is turned too far from the camera.
    """
    left, z = _unit(axes[0]), _unit(axes[1])
    y = left - left.dot(z) * z
    width = _length(y)
    if width < 0.3:
        raise BodyGeometryError("the shoulders lie along the spine")
    y /= width
    x = np.array([y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]])
    turn_rad = float(np.arctan2(x[0], -x[2]))
    if abs(turn_rad) > LARGEST_TURN_RAD:
        raise BodyGeometryError(
            f"the operator is turned {np.degrees(turn_rad):.0f} deg from the camera, "
            f"expected at most {np.degrees(LARGEST_TURN_RAD):.0f} deg"
        )
    return np.array([x, y, z]).T


def limbs_in_camera(body: BodyView, side: Side) -> Array:
    """(2, 3) [m] shoulder to elbow and elbow to wrist of one arm, as the network sees them; of a body that `check_body`
    accepts.

    Raises:
        BodyGeometryError: the arm is out of view or a limb is too short or long.
    """
    for name, joint in (("elbow", ELBOW), ("wrist", WRIST)):
        _require_seen(body, f"{side} {name}", joint[side])
    points = body.world_m[[SHOULDER[side], ELBOW[side], WRIST[side]]]
    limbs = np.asarray(points[1:] - points[:-1])
    for (name, (shortest_m, longest_m)), limb in zip(LIMB_M.items(), limbs, strict=True):
        length_m = _length(limb)
        if not shortest_m <= length_m <= longest_m:
            raise BodyGeometryError(
                f"the {side} {name} is {length_m * 1e3:.0f} mm long, "
                f"expected {shortest_m * 1e3:.0f} … {longest_m * 1e3:.0f} mm"
            )
    return limbs


def hand_point(body: BodyView, side: Side) -> Array:
    """(3,) [m] the knuckles of a hand, in the landmarks' frame; carried on from the forearm while they are not seen."""
    points, knuckles = body.world_m, [LITTLE[side], INDEX[side]]
    if float(body.visibility[knuckles].min()) >= SEEN:
        return np.asarray(points[knuckles].mean(axis=0))
    forearm = points[WRIST[side]] - points[ELBOW[side]]
    return np.asarray(points[WRIST[side]] + 0.09 * _unit(forearm))


def _across(body: BodyView) -> Array:
    return np.asarray(body.world_m[SHOULDER["left"]] - body.world_m[SHOULDER["right"]])


def _require_seen(body: BodyView, name: str, index: int) -> None:
    if body.visibility[index] < SEEN:
        raise BodyGeometryError(
            f"the {name} is not in view: visibility {body.visibility[index]:.2f}, expected at least {SEEN}"
        )


def _length(vector: Array) -> float:
    return sqrt(float(vector @ vector))


def _unit(vector: Array) -> Array:
    return np.asarray(vector / max(_length(vector), 1e-9))
