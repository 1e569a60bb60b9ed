# SPDX-License-Identifier: Apache-2.0
"""Measures of one operator's body, from a moment of standing still before the camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from teleop.body_geometry import (
    ELBOW,
    HIP,
    SEEN,
    SHOULDER,
    UP_IN_CAMERA,
    WRIST,
    BodyGeometryError,
    check_body,
    limbs_in_camera,
    rotation_camera_from_torso,
    torso_axes,
)
from teleop.hand_geometry import Side
from teleop.head_geometry import head_angles
from teleop.limb_depth import rays
from teleop.operator_view import BodyView

Array = NDArray[np.float64]

SMALLEST_VIEWS = 8
LARGEST_MOTION_M = 0.04
"""How far a landmark of the arms may stray from its median."""
LARGEST_FORESHORTENING = 0.5
"""Depth over length of a limb from which its length is not measured but guessed."""
LARGEST_DIFFERENCE = 1.35
"""Of the longer arm's limb over the other's."""
LARGEST_TURN_RAD = 0.5
LIMBS = ("upper arm", "forearm")
SIDES: tuple[Side, Side] = ("right", "left")
UPPER_ARM_M, FOREARM_M = (0.18, 0.42), (0.15, 0.36)


class BodyCalibrationError(ValueError):
    """Views that measure nobody. Scenarios: too few, the operator moved, an arm is hidden or points at the camera."""


@dataclass(frozen=True, slots=True)
class BodyCalibration:
    """What is known of one operator.

    Attributes:
        limbs_m: upper arm and forearm of each side [m]; a side that is missing was not measured, and its depth is the
            network's guess.
        up_in_camera: where up is while the hips are out of view, unit vector in camera axes.
        head_rad: yaw and pitch that the head shows against the torso when it looks straight ahead.
        shoulders_m: distance of the shoulders [m], as the network sees it; ``limbs_m`` are to its scale.
    """

    limbs_m: Mapping[Side, tuple[float, float]] = field(default_factory=dict)
    up_in_camera: tuple[float, float, float] = (0.0, -1.0, 0.0)
    head_rad: tuple[float, float] = (0.0, 0.0)
    shoulders_m: float = 0.36


UPPER_ARM_SHARE, FOREARM_SHARE = 0.80, 0.68
"""Of the distance between the shoulder joints: 0.186 and 0.146 of the body's height (Winter, "Biomechanics and Motor
Control of Human Movement"), the joints 0.22 to 0.23 of it apart."""


def average_adult(shoulders_m: float = 0.36) -> BodyCalibration:
    """An operator who was not measured: proportions hardly differ, and depth from average ones beats a guess by far."""
    lengths_m = (UPPER_ARM_SHARE * shoulders_m, FOREARM_SHARE * shoulders_m)
    return BodyCalibration({"right": lengths_m, "left": lengths_m}, shoulders_m=shoulders_m)


def calibrate_body(views: Sequence[BodyView]) -> BodyCalibration:
    """Measure an operator who stands still, faces the camera and lets both arms hang or holds them out to the sides.

    Arms in the image plane are as long as they look, against the shoulders in the same image.

    Raises:
        BodyCalibrationError: with what to do differently.
    """
    if len(views) < SMALLEST_VIEWS:
        raise BodyCalibrationError(f"saw the body {len(views)} times, expected {SMALLEST_VIEWS}: stay in view")
    try:
        for view in views:
            check_body(view)
        limbs = {side: np.array([limbs_in_camera(view, side) for view in views]) for side in SIDES}
        axes = np.array([torso_axes(view) for view in views])
        torso = rotation_camera_from_torso(np.median(axes, axis=0))
        heads = np.array([head_angles(view) for view in views])
    except BodyGeometryError as error:
        raise BodyCalibrationError(f"{error}: stand back so that head, shoulders and both arms are in view") from error
    for side, of_side in limbs.items():
        _require_still(side, of_side)
    turn_rad = float(np.arctan2(torso[0, 0], -torso[2, 0]))
    if abs(turn_rad) > LARGEST_TURN_RAD:
        raise BodyCalibrationError(
            f"the body is turned {np.degrees(turn_rad):.0f} deg, expected at most "
            f"{np.degrees(LARGEST_TURN_RAD):.0f} deg: face the camera"
        )
    shoulders_m = float(np.median([_distance(view.world_m, SHOULDER["left"], SHOULDER["right"]) for view in views]))
    measured = np.array([_lengths(side, limbs[side], views) for side in SIDES]) * shoulders_m
    _require_plausible(measured)
    hips = np.array([view.visibility[list(HIP.values())] for view in views])
    up = torso[:, 2] if hips.min() >= SEEN else UP_IN_CAMERA
    yaw, pitch = np.median(heads, axis=0)
    # A person's arms are of one length: the mean halves the noise.
    upper_m, fore_m = measured.mean(axis=0)
    lengths_m = (float(upper_m), float(fore_m))
    return BodyCalibration(
        limbs_m=dict.fromkeys(SIDES, lengths_m),
        up_in_camera=(float(up[0]), float(up[1]), float(up[2])),
        head_rad=(float(yaw) - turn_rad, float(pitch)),
        shoulders_m=shoulders_m,
    )


def _require_still(side: str, limbs_m: Array) -> None:
    motion_m = float(np.abs(limbs_m - np.median(limbs_m, axis=0)).max())
    if motion_m > LARGEST_MOTION_M:
        raise BodyCalibrationError(
            f"the {side} arm moved by {motion_m * 1e3:.0f} mm, expected at most "
            f"{LARGEST_MOTION_M * 1e3:.0f} mm: hold still"
        )


def _lengths(side: Side, limbs_m: Array, views: Sequence[BodyView]) -> tuple[float, float]:
    """Upper arm and forearm over the distance of the shoulders, all in the image."""
    middle = np.median(limbs_m, axis=0)
    for name, limb in zip(LIMBS, middle, strict=True):
        if abs(limb[2]) > LARGEST_FORESHORTENING * np.linalg.norm(limb):
            raise BodyCalibrationError(
                f"the {side} {name} points at the camera: let both arms hang, or hold both out to the sides"
            )
    images = [rays(view) for view in views]
    across = float(np.median([_distance(image, SHOULDER["left"], SHOULDER["right"]) for image in images]))
    upper = float(np.median([_distance(image, SHOULDER[side], ELBOW[side]) for image in images]))
    fore = float(np.median([_distance(image, ELBOW[side], WRIST[side]) for image in images]))
    return upper / across, fore / across


def _require_plausible(lengths_m: Array) -> None:
    """Lengths (2, 2) of both sides' upper arm and forearm [m]."""
    for name, pair, (low, high) in zip(LIMBS, lengths_m.T, (UPPER_ARM_M, FOREARM_M), strict=True):
        shorter, longer = sorted(float(length) for length in pair)
        if longer > LARGEST_DIFFERENCE * shorter:
            raise BodyCalibrationError(
                f"one {name} looks {shorter * 1e3:.0f} mm long, the other {longer * 1e3:.0f} mm: "
                "let both arms hang, or hold both out to the sides"
            )
        if not low <= (shorter + longer) / 2 <= high:
            raise BodyCalibrationError(
                f"the {name}s look {(shorter + longer) / 2 * 1e3:.0f} mm long, expected {low * 1e3:.0f} … "
                f"{high * 1e3:.0f} mm: let both arms hang in full view, or hold both out to the sides"
            )


def _distance(points: Array, first: int, second: int) -> float:
    return float(np.linalg.norm(points[first] - points[second]))
