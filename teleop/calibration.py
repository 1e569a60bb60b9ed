# SPDX-License-Identifier: Apache-2.0
"""Calibration to the operator: what the tracker reads as flexion while the operator holds the hand flat.

MediaPipe reads 15 to 40 degrees of flexion in joints of a hand that is flat, differently for every hand and camera
position. The open palm that engages the robot is also the moment at which this is measured.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LARGEST_OFFSET_RAD = 0.9
LARGEST_SPREAD_RAD = 0.12
SMALLEST_SAMPLES = 8
FULL_BEND_RAD = np.pi / 2

FLEXION = np.array([False, False, True, True] + [False, True, True, True] * 4)
"""Which of the 20 joints are flexions; the others (abductions, thumb base) are directions in the palm and have no bias
that an open hand could show."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Angles that the tracker reads on the operator's flat hand, (20,) [rad]; zero where nothing is corrected."""

    offset_rad: tuple[float, ...] = (0.0,) * 20

    def apply(self, angles_rad: Array) -> Array:
        """Corrected angles: flat reads as zero, and a joint that is bent by a right angle or more reads as it did.

        The correction fades out linearly in between, because the bias of a flat hand is not there in a fist.
        """
        offset = np.array(self.offset_rad)
        corrected = (angles_rad - offset) * FULL_BEND_RAD / (FULL_BEND_RAD - offset)
        return np.where(FLEXION & (angles_rad < FULL_BEND_RAD), corrected, angles_rad)


class CalibrationError(ValueError):
    """A posture that can't calibrate. Scenarios: hand moving, hand not flat, too few frames."""


def calibrate(samples_rad: Array) -> Calibration:
    """Calibration from the angles of one held open palm.

    Args:
        samples_rad: (n, 20) uncorrected joint angles of the frames of the held posture.

    Raises:
        CalibrationError: with what to do better.
    """
    if len(samples_rad) < SMALLEST_SAMPLES:
        raise CalibrationError(f"{len(samples_rad)} frames of open palm, {SMALLEST_SAMPLES} needed: hold it longer")
    middle = np.median(samples_rad, axis=0)
    spread = np.median(np.abs(samples_rad - middle), axis=0)[FLEXION]
    if float(spread.max()) > LARGEST_SPREAD_RAD:
        raise CalibrationError(
            f"fingers moved by {np.degrees(spread.max()):.0f} degrees, "
            f"at most {np.degrees(LARGEST_SPREAD_RAD):.0f} allowed: hold the open palm still"
        )
    offset = np.where(FLEXION, np.clip(middle, 0.0, None), 0.0)
    if float(offset.max()) > LARGEST_OFFSET_RAD:
        raise CalibrationError(
            f"a finger is bent by {np.degrees(offset.max()):.0f} degrees: stretch all fingers toward the camera"
        )
    return Calibration(tuple(float(value) for value in offset))
