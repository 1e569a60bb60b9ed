# SPDX-License-Identifier: Apache-2.0
"""Named hand poses of the scripts, and the points of a hand that a script can place.

Pinches were solved once so that the tips stand 11.5 mm apart, pad to pad: skin meets skin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clips.choreography import POSES_RAD
from clips.hand_model import FINGER_JOINTS, JOINT_NAMES, THUMB_JOINTS

Array = NDArray[np.float64]


def _changed(base: str, **angles_rad: float) -> Array:
    """A pose with some joints set otherwise."""
    pose = POSES_RAD[base].copy()
    for joint, angle in angles_rad.items():
        pose[JOINT_NAMES.index(joint)] = angle
    return pose


def _grasp(curl_rad: float) -> Array:
    """All fingers bent alike around something, the thumb opposite."""
    pose = _changed("open", thumb_cmc_roll=1.25, thumb_cmc_yaw=-0.55, thumb_mp=0.25, thumb_ip=0.25)
    for finger in ("index", "middle", "ring", "little"):
        for joint, share in (("mcp", 0.75), ("pip", 1.0), ("dip", 0.55)):
            pose[JOINT_NAMES.index(f"{finger}_{joint}")] = share * curl_rad
    return pose


def _pinch(thumb: tuple[float, ...], **fingers: tuple[float, ...]) -> Array:
    """A pinch: thumb and fingers in radians, fingers that are not named stay open."""
    angles = {f"thumb_{joint}": value for joint, value in zip(THUMB_JOINTS, thumb, strict=True)}
    for finger, bends in fingers.items():
        angles |= {f"{finger}_{joint}": value for joint, value in zip(FINGER_JOINTS, bends, strict=True)}
    return _changed("open", **angles)


_HALF_BENT = (0.40, 0.35, 0.20)
"""MCP, PIP and DIP of a neighbour of the pinching finger."""

HAND_POSES: dict[str, Array] = {
    **{name.replace("pinch_", "pinch "): pose for name, pose in POSES_RAD.items()},
    "pinch ring": _pinch(
        (1.57, -0.851, 0.613, 0.0),
        index=(-0.12, 0.25, 0.25, 0.12),
        middle=(0.0, *_HALF_BENT),
        ring=(0.284, 1.056, 0.773, 0.361),
        little=(0.20, 0.25, 0.25, 0.15),
    ),
    "pinch little": _pinch(
        (1.57, -0.959, 0.977, 0.0),
        index=(-0.12, 0.25, 0.25, 0.12),
        middle=(0.0, 0.25, 0.25, 0.12),
        ring=(0.10, *_HALF_BENT),
        little=(0.387, 1.367, 0.466, 0.107),
    ),
    "relaxed": _grasp(0.45),
    "grasp": _grasp(0.85),
    "flat": _changed("open", index_abduction=0.0, ring_abduction=0.0, little_abduction=0.03, thumb_cmc_roll=0.95),
}
"""(20,) joint angles of every named pose [rad], in the order of `clips.hand_model.JOINT_NAMES`."""


def _weights(*landmarks: int) -> Array:
    weights = np.zeros(21)
    weights[list(landmarks)] = 1.0 / len(landmarks)
    return weights


HAND_POINTS: dict[str, Array] = {
    "palm": _weights(0, 5, 9, 17),
    "wrist": _weights(0),
    "index tip": _weights(8),
    "pinch": _weights(4, 8),
    "middle tip": _weights(12),
    "knuckles": _weights(5, 9, 13, 17),
}
"""(21,) weights over the landmarks."""
