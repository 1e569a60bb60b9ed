# SPDX-License-Identifier: Apache-2.0
"""Hands made from joint angles, as a camera sees them: for tests that need no image."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clips.choreography import POSES_RAD, REST_ROTATION
from clips.hand_model import JOINT_LIMITS_RAD, landmarks_m, rotation
from graph import hands_cloud

LOWER, UPPER = JOINT_LIMITS_RAD.T
NS_PER_S = 1_000_000_000
FRAME_NS = NS_PER_S // 30

_FIST = POSES_RAD["fist"]
_STRAIGHT = (0.05, 0.04, 0.06, 0.04)
_POINT = POSES_RAD["point"]

OPEN, FIST, POINTING = POSES_RAD["open"], _FIST, _POINT
VICTORY = np.concatenate([_POINT[:8], _STRAIGHT, _POINT[12:]])
THUMB_UP = np.concatenate([[0.0, 0.0, 0.05, 0.05], _FIST[4:]])

THUMB_ABOVE = rotation(1, np.pi / 2) @ np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Palm to camera with the thumb's side up: how a thumb is shown."""

joint_angles = arrays(np.float64, 20, elements=st.floats(0.0, 1.0)).map(lambda share: LOWER + share * (UPPER - LOWER))
small = st.floats(-1, 1, allow_subnormal=False)
rotations = (
    arrays(np.float64, 4, elements=small).filter(lambda q: np.linalg.norm(q) > 0.1).map(lambda q: _of_quaternion(q))
)
shifts = arrays(np.float64, 3, elements=st.floats(-1, 1))


def _of_quaternion(q):
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def seen(angles_rad, palm_to_camera=REST_ROTATION):
    """(21, 3) landmarks [m] of a right hand from the wrist, in the camera's axes."""
    return landmarks_m(angles_rad) @ palm_to_camera.T


def mirrored(points_m):
    """The other hand of the same person: mirrored left to right."""
    return points_m * np.array([-1.0, 1.0, 1.0])


def turned(points_m, axis, degrees):
    """Turned about a camera axis (0 right, 1 down, 2 away)."""
    return points_m @ rotation(axis, np.radians(degrees)).T


def cloud_of(right=None, left=None):
    """A hands cloud with what each hand shows; None: not seen."""
    cloud = hands_cloud.empty()
    for row, points in zip(cloud, (right, left), strict=True):
        if points is not None:
            row["x"], row["y"], row["z"] = np.asarray(points, np.float32).T
    return cloud
