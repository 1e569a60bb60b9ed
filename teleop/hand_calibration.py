# SPDX-License-Identifier: Apache-2.0
"""What a still open palm tells about the operator: bone lengths, the arch of the palm, and what flat fingers read.

Trackers read 15 to 40 degrees of flexion in the joints of a hand that is flat, differently for every hand and camera
position. The open palm that engages the robot is also the moment at which this is measured.
"""

from dataclasses import dataclass

import numpy as np

from robots.frames import Array
from teleop.hand_bones import BONES, bone_lengths
from teleop.hand_geometry import HandGeometryError, Side, bone_directions, check_landmarks
from teleop.hand_palm import arch_rad, palm_axes, points_in_arched_palm
from teleop.hand_posture import finger_posture

SMALLEST_SAMPLES = 8
LARGEST_OFFSET_RAD = 0.9
LARGEST_DRIFT_RAD, LARGEST_SPREAD_RAD = 0.15, 0.25
"""Of a finger joint in a hand that is held still: from the first half of the frames to the second one, and the median
deviation, which tracking noise of 2 mm makes 0.15."""
LARGEST_LENGTH_SPREAD = 0.15
"""Median deviation of a bone's length over the length."""


class HandCalibrationError(ValueError):
    """A posture that can't calibrate. Scenarios: hand moving, hand not flat, too few frames, not a hand."""


@dataclass(frozen=True, slots=True)
class HandCalibration:
    """The operator's hand. The default knows nothing: lengths are learned on the way, flat fingers read as they do.

    Attributes:
        length_m: (23,) lengths of `teleop.hand_bones.BONES`; empty when not known.
        arch_rad: angle between the palm at index and middle finger and the line to the little finger; None: not known.
        flat_rad: (12,) MCP, PIP, DIP flexion that is read on a flat hand: index, middle, ring, little finger.
    """

    length_m: tuple[float, ...] = ()
    arch_rad: float | None = None
    flat_rad: tuple[float, ...] = (0.0,) * 12

    def __post_init__(self) -> None:
        if len(self.length_m) not in (0, len(BONES)) or len(self.flat_rad) != 12:
            raise HandCalibrationError(
                f"expected {len(BONES)} lengths or none and 12 angles, "
                f"found {len(self.length_m)} and {len(self.flat_rad)}"
            )


def calibrate_hand(frames_m: Array, side: Side) -> HandCalibration:
    """Calibration from the frames of one held open palm.

    Args:
        frames_m: (n, 21, 3) landmarks [m], camera axes.

    Raises:
        HandCalibrationError: with what to do better.
    """
    if len(frames_m) < SMALLEST_SAMPLES:
        raise HandCalibrationError(f"{len(frames_m)} frames of open palm, {SMALLEST_SAMPLES} needed: hold it longer")
    try:
        for points in frames_m:
            check_landmarks(points)
        hands = [points - points[0] for points in frames_m]
        axes = [palm_axes(points, side) for points in hands]
    except HandGeometryError as error:
        raise HandCalibrationError(f"not a hand in every frame: {error}; show an open palm") from error
    arch = float(np.median([arch_rad(points, palm, side) for points, palm in zip(hands, axes, strict=True)]))
    palms = [points_in_arched_palm(points, palm, side, arch) for points, palm in zip(hands, axes, strict=True)]
    lengths = np.array([bone_lengths(points) for points in frames_m])
    length, length_spread = _middle(lengths)
    if float((length_spread / length).max()) > LARGEST_LENGTH_SPREAD:
        raise HandCalibrationError(
            "the tracker is not sure of the hand's shape: hold the open palm still, in good light"
        )
    angles = np.array([finger_posture(bone_directions(points)[1:])[:, 1:].ravel() for points in palms])
    flat, spread = _middle(angles)
    half = len(angles) // 2
    drift = float(np.abs(np.median(angles[:half], axis=0) - np.median(angles[half:], axis=0)).max())
    if drift > LARGEST_DRIFT_RAD or float(spread.max()) > LARGEST_SPREAD_RAD:
        raise HandCalibrationError(
            f"fingers moved by {np.degrees(max(drift, float(spread.max()))):.0f} degrees, "
            f"at most {np.degrees(LARGEST_DRIFT_RAD):.0f} allowed: hold the open palm still"
        )
    flat = np.maximum(flat, 0.0)
    if float(flat.max()) > LARGEST_OFFSET_RAD:
        raise HandCalibrationError(
            f"a finger is bent by {np.degrees(flat.max()):.0f} degrees: stretch all fingers toward the camera"
        )
    return HandCalibration(tuple(map(float, length)), arch, tuple(map(float, flat)))


def _middle(samples: Array) -> tuple[Array, Array]:
    """Median, and median deviation from it."""
    middle = np.median(samples, axis=0)
    return middle, np.median(np.abs(samples - middle), axis=0)
