# SPDX-License-Identifier: Apache-2.0
"""Operators without images: hands that move before a camera, what a tracker would say of them, and a body's wrists."""

from dataclasses import dataclass, replace

import numpy as np

from clips.choreography import POSES_RAD, REST_ROTATION
from clips.hand_model import landmarks_m
from teleop.body_geometry import WRIST
from teleop.operator_view import BodyView

FRAME_NS = 33_333_333
ASPECT = 4 / 3
FOCAL = 0.93
"""Focal length over the image's width: a webcam of 56 degrees."""
OTHER = {"right": "left", "left": "right"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tracker says of one hand."""

    side: str
    score: float
    world_m: np.ndarray
    image: np.ndarray


def hand(side, place_m, angles_rad=POSES_RAD["open"], rng=None, size=1.0, score=0.95):
    """A hand with its wrist at a place before the camera [m], palm to the camera, fingers up."""
    mirror = np.array([1.0, 1.0, 1.0]) if side == "right" else np.array([-1.0, 1.0, 1.0])
    world = size * (landmarks_m(np.asarray(angles_rad)) @ REST_ROTATION.T) * mirror
    world -= world[0]
    noise = 0.0 if rng is None else rng.normal(0, 0.001, world.shape)
    points = world + noise + np.asarray(place_m)
    image = np.stack([0.5 + FOCAL * points[:, 0] / points[:, 2], 0.5 + FOCAL * ASPECT * points[:, 1] / points[:, 2]], 1)
    return Seen(side, score, world + noise, image)


def called(seen, side):
    """The same hand with another label."""
    return replace(seen, side=side)


def body(stamp_ns, right, left, age_ns=33_333_333):
    """The operator's body, seen a moment ago: only its wrists matter here."""
    image, visibility = np.full((33, 2), 0.5), np.zeros(33)
    for side, seen in (("right", right), ("left", left)):
        if seen is not None:
            image[WRIST[side]], visibility[WRIST[side]] = seen.image[0], 0.9
    return BodyView(np.zeros((33, 3)), image, visibility, stamp_ns - age_ns, ASPECT)


def walk(rng, start_m, frames, speed_m_s=0.3):
    """Places of a wrist that wanders smoothly about its start, (frames, 3) [m]."""
    phases, rates = rng.uniform(0, 2 * np.pi, (2, 3)), rng.uniform(0.2, 0.8, (2, 3))
    time_s = np.arange(frames)[:, None] / 30.0
    reach = speed_m_s / (2 * np.pi * rates)
    waves = reach[0] * (np.sin(2 * np.pi * rates[0] * time_s + phases[0]) - np.sin(phases[0]))
    return np.asarray(start_m) + np.clip(waves, -0.12, 0.12)
