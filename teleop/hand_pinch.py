# SPDX-License-Identifier: Apache-2.0
"""Thumb and finger that come together: near each other their distance counts, and touching closes the robot's gap.

A tracker sees 5 to 10 mm between digits that touch, and hands of other proportions miss each other by more. So a pinch
snaps shut below `CLOSE_M` and opens above `OPEN_M`; both go over some frames, so that no joint jumps.
"""

import numpy as np

from robots.frames import Array

NEAR_M = 0.025
"""From here on, closer, the distance to the thumb begins to count."""
CLOSE_M, OPEN_M = 0.018, 0.025
CLOSE_S, OPEN_S = 0.10, 0.15

CLOSED_WEIGHT = 1.5
"""A pinch that is closed counts this much more than one that is near."""

BESIDE_M = 0.020
"""A finger that is this much farther from the thumb than the nearest one is not meant."""

FOLDED, RAISED = 0.45, 0.60
"""A finger folded into the palm (knuckle to tip over its length) does not pinch; a raised one does."""


class Pinch:
    """The pinches of one hand: which fingers are closed on the thumb, and how far that has gone."""

    def __init__(self, fingers: int) -> None:
        self.closed = np.zeros(fingers, dtype=bool)
        self._share = np.zeros(fingers)

    def reset(self) -> None:
        """All open."""
        self.closed[:] = False
        self._share[:] = 0.0

    def see(self, gap_m: Array, extension: Array, elapsed_s: float) -> tuple[Array, Array]:
        """How much every finger's distance to the thumb counts (0 … 1), and what share of it is left to the robot.

        Args:
            gap_m: (f,) distance of the operator's finger tips from the thumb's.
            extension: (f,) how far every finger is stretched, 0 … 1.
            elapsed_s: since the last call.
        """
        raised = np.minimum(np.maximum((extension - FOLDED) / (RAISED - FOLDED), 0.0), 1.0)
        self.closed = ((gap_m < CLOSE_M) & (raised > 0.5)) | (self.closed & (gap_m < OPEN_M) & (raised > 0.0))
        step = np.where(self.closed, elapsed_s / CLOSE_S, -elapsed_s / OPEN_S)
        self._share = np.minimum(np.maximum(self._share + step, 0.0), 1.0)
        near = np.minimum(np.maximum((NEAR_M - gap_m) / (NEAR_M - CLOSE_M), 0.0), 1.0)
        meant = np.maximum(1.0 - (gap_m - gap_m.min(initial=np.inf)) / BESIDE_M, 0.0)
        near *= near * (3.0 - 2.0 * near) * meant * raised
        return np.maximum(near, CLOSED_WEIGHT * self._share), 1.0 - self._share
