# SPDX-License-Identifier: Apache-2.0
"""Where the operator's face points, from nose, eyes, mouth and ears.

A head is rigid, so its direction shows in the image, where the tracker is good: turning moves the nose sideways
against the ears and brings the ears closer together; nodding moves it up and down. Depth and metres are not used.
"""

import numpy as np
from numpy.typing import NDArray

from teleop.body_geometry import EAR, EYE, MOUTH, NOSE, SEEN, BodyGeometryError
from teleop.limb_depth import FOCAL, rays
from teleop.operator_view import BodyView

Array = NDArray[np.float64]

NOSE_AHEAD, NOSE_AHEAD_NODDING, NOSE_BELOW = 1.3, 1.0, 0.35
"""Nose before and below the line through the ears, in units of half the distance of the ears. A nod moves the tracked
nose less against the tracked ears than it moves the real one, so that it counts more."""
SMALLEST_FACE = 0.01
"""Half the distance of the ears and the nose's from between them, together, in image widths."""


def head_angles(body: BodyView) -> Array:
    """(2,) yaw (to the operator's left) and pitch (down) of the face against the camera's axis [rad].

    Args:
        body: one that `teleop.body_geometry.check_body` accepts.

    Raises:
        BodyGeometryError: the face is not in view.
    """
    face = [NOSE, *EYE.values(), *MOUTH.values()]
    seen = float(body.visibility[face].min())
    if seen < SEEN:
        raise BodyGeometryError(f"the face is not in view: visibility {seen:.2f}, expected at least {SEEN}")
    points = rays(body)
    left, right = points[EAR["left"]], points[EAR["right"]]
    middle, half = (left + right) / 2, (left - right) / 2
    nose = points[NOSE] - middle
    size = FOCAL * float(np.hypot(np.linalg.norm(half), np.linalg.norm(nose)))
    if not SMALLEST_FACE <= size <= 1.0:
        raise BodyGeometryError(f"the face is {size:.3f} image widths large, expected {SMALLEST_FACE} … 1: come nearer")
    roll = float(np.arctan2(half[1], half[0]))
    upright = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    sideways, down = upright @ nose
    yaw = float(np.arctan2(sideways / NOSE_AHEAD, np.linalg.norm(half)))
    half_width = float(np.hypot(sideways / NOSE_AHEAD, np.linalg.norm(half)))
    reach = float(np.hypot(NOSE_AHEAD_NODDING, NOSE_BELOW))
    nod = np.arcsin(np.clip(down / half_width / reach, -1.0, 1.0)) - np.arctan2(NOSE_BELOW, NOSE_AHEAD_NODDING)
    # A head beside the camera's axis is seen from the side: that much of its direction is the camera's.
    return np.asarray(np.array([yaw, nod]) - np.arctan(upright @ middle))
