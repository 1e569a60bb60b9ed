# SPDX-License-Identifier: Apache-2.0
"""Where to stand: one short hint at a time from what the camera sees of the hands."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DARK = 45.0
"""Mean grey of 255 below which trackers lose hands."""
EDGE = 0.06
"""A hand this near to the image's edge, as a share of it, soon leaves it."""
SMALL, LARGE = 0.07, 0.55
"""Palm length over image height: farther away or nearer than that landmarks get coarse."""

MIDDLE_MCP = 9


def hint(hands: Mapping[str, Array], brightness: float | None, aspect: float) -> str:
    """One of light, left, right, lower, higher, closer, farther, as the operator sees it in a mirror; empty: all is
    well.

    Args:
        hands: side to (21, 2) image points, u to the right and v down as shares of the image, not mirrored.
        brightness: mean grey of the image, 0 … 255; None: not known.
        aspect: width over height.
    """
    if brightness is not None and brightness < DARK:
        return "light"
    for points in hands.values():
        low, high = points.min(axis=0), points.max(axis=0)
        if low[0] < EDGE:  # the image's left is the operator's right
            return "left"
        if high[0] > 1.0 - EDGE:
            return "right"
        if low[1] < EDGE:
            return "lower"
        if high[1] > 1.0 - EDGE:
            return "higher"
    sizes = [float(np.hypot(*((points[MIDDLE_MCP] - points[0]) * (aspect, 1.0)))) for points in hands.values()]
    if sizes and min(sizes) < SMALL:
        return "closer"
    return "farther" if sizes and max(sizes) > LARGE else ""
