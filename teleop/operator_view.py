# SPDX-License-Identifier: Apache-2.0
"""What one camera frame shows of the operator: hands and body, as landmarks.

Axes are the camera's optical ones (x right, y down, z away); images are never mirrored; sides are the operator's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teleop.hand_geometry import Side

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HandView:
    """One hand.

    Attributes:
        world_m: (21, 3) landmarks [m] from the wrist.
        image: (21, 2) landmarks as shares of image width and height.
        score: how sure the tracker is of the side, 0 … 1.
    """

    world_m: Array
    image: Array
    score: float


@dataclass(frozen=True, slots=True)
class BodyView:
    """The body, in MediaPipe Pose's landmark order.

    Attributes:
        world_m: (33, 3) landmarks [m] from the middle of the hips.
        image: (33, 2) landmarks as shares of image width and height.
        visibility: (33,) how surely a point is in the image and not hidden, 0 … 1.
        stamp_ns: when the frame was taken.
        aspect: width over height of the image.
    """

    world_m: Array
    image: Array
    visibility: Array
    stamp_ns: int
    aspect: float = 4 / 3


@dataclass(frozen=True, slots=True)
class OperatorFrame:
    """Everything that was found in one frame; a hand that is not in ``hands`` was not seen."""

    capture_ns: int
    hands: Mapping[Side, HandView]
    body: BodyView | None
