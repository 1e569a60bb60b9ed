# SPDX-License-Identifier: Apache-2.0
"""Layout of the /tracker/body cloud: the operator's body in the points of `graph.hands_cloud`.

33 landmarks in MediaPipe Pose's order. Positions are metres from the middle of the hips, in the axes of the camera's
optical frame (x right, y down, z away); ``score`` is how surely a point is visible, 0 … 1.
"""

import numpy as np
from numpy.typing import NDArray

from graph import hands_cloud

LANDMARKS = 33
POINT, FIELDS = hands_cloud.POINT, hands_cloud.FIELDS


def empty() -> NDArray[np.void]:
    """A (1, 33) cloud in which nobody is seen."""
    return hands_cloud.nobody(1, LANDMARKS)


def from_bytes(data: bytes) -> NDArray[np.void]:
    """Decode the ``data`` of a body cloud, (1, 33).

    Raises:
        ValueError: the length is not that of a body cloud.
    """
    return hands_cloud.decode(data, 1, LANDMARKS, "body")
