# SPDX-License-Identifier: Apache-2.0
"""What the filmed hand does, and when: joint angles and the wrist's place for every frame.

Camera frame: x right, y down, z into the scene, metres. At rest the fingers point up in the image and the
palm faces the camera. The pinches, the fist and the point were solved once so that skin meets skin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clips.hand_model import FINGERS, rotation

Array = NDArray[np.float64]

REST_ROTATION: Array = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""Palm to camera with the palm towards the camera and the fingers up."""

REST_WRIST_M: Array = np.array([0.0, 0.085, 0.50])
REST_ELBOW_M: Array = np.array([0.045, 0.255, 0.085])
"""Elbow from the wrist at rest, camera axes."""

STILL_MARGIN_S = 0.6
"""Natural sway fades in and out over this time around a still hold."""

_OPEN_THUMB = (0.75, -0.25, 0.10, 0.10)
_OPEN_FINGERS = {
    "index": (-0.12, 0.06, 0.08, 0.05),
    "middle": (0.00, 0.06, 0.08, 0.05),
    "ring": (0.10, 0.06, 0.08, 0.05),
    "little": (0.20, 0.06, 0.08, 0.05),
}
_CURLED = (1.35, 1.40, 0.75)
_FISTED = {
    "index": (-0.02, 1.42, 1.50, 1.20),
    "middle": (0.00, 1.45, 1.50, 1.20),
    "ring": (0.03, 1.47, 1.50, 1.20),
    "little": (0.06, 1.47, 1.50, 1.20),
}


def _pose(thumb: tuple[float, ...] = _OPEN_THUMB, **fingers: tuple[float, ...]) -> Array:
    """(20,) joint angles of an open hand with some digits replaced."""
    return np.array([*thumb, *(angle for finger in FINGERS for angle in fingers.get(finger, _OPEN_FINGERS[finger]))])


POSES_RAD: dict[str, Array] = {
    "open": _pose(),
    **{finger: _pose(**{finger: (_OPEN_FINGERS[finger][0] * 0.6, *_CURLED)}) for finger in FINGERS},
    "thumb": _pose(thumb=(1.15, -0.75, 0.95, 0.95)),
    "fist": _pose(thumb=(1.004, -0.931, 0.764, 0.709), **_FISTED),
    "pinch_index": _pose(thumb=(1.247, -0.696, 0.170, 0.321), index=(-0.061, 0.811, 0.845, 0.345)),
    "pinch_middle": _pose(
        thumb=(1.425, -0.632, 0.411, 0.115), index=(-0.14, 0.20, 0.20, 0.10), middle=(-0.040, 0.647, 1.107, 0.633)
    ),
    "point": _pose(thumb=(1.392, -0.879, 0.569, 0.748), **{**_FISTED, "index": (-0.06, 0.04, 0.06, 0.04)}),
    "spread": _pose(
        thumb=(0.62, -0.12, 0.05, 0.05),
        index=(-0.30, 0.04, 0.05, 0.04),
        middle=(-0.06, 0.04, 0.05, 0.04),
        ring=(0.20, 0.04, 0.05, 0.04),
        little=(0.42, 0.04, 0.05, 0.04),
    ),
}
"""(20,) joint angles of every pose, in the order of `hand_model.JOINT_NAMES`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the hand is held: offset from the rest wrist (metres, camera axes) and turns (degrees)."""

    offset_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0

    def vector(self) -> Array:
        """Offset in metres, then yaw (vertical axis), pitch (image x) and roll (optical axis) in radians: (6,)."""
        return np.array([*self.offset_m, *np.radians([self.yaw_deg, self.pitch_deg, self.roll_deg])])


HELD, BELOW, BESIDE = (
    Place(),
    Place((0.05, 0.37, 0.03), roll_deg=12.0),
    Place((0.10, 0.38, 0.02), roll_deg=20.0),
)


@dataclass(frozen=True, slots=True)
class Step:
    """Move to a pose and place in `duration_s`; with `thumb_lag` > 0 the thumb starts later than the fingers."""

    label: str
    duration_s: float
    pose: str = "open"
    place: Place = HELD
    still: bool = False
    thumb_lag: float = 0.0


@dataclass(frozen=True, slots=True)
class Performance:
    """N frames: time (N,) s, labels (N,), angles (N, 20) rad, rotation_palm_to_camera (N, 3, 3), wrist and
    elbow in the camera frame (N, 3) m."""

    time_s: Array
    segment: NDArray[np.str_]
    angles_rad: Array
    rotation_palm_to_camera: Array
    wrist_in_camera_m: Array
    elbow_in_camera_m: Array


def script() -> list[Step]:
    """Every step of the film in order."""
    steps = [Step("enter", 0.8), Step("open", 2.0, still=True)]
    for digit in (*FINGERS, "thumb"):
        steps += _there_and_back(digit, 0.7, 0.4)
    steps += _there_and_back("fist", 0.8, 0.5, thumb_lag=0.3)
    steps += _there_and_back("pinch_index", 0.7, 0.4)
    steps += _there_and_back("pinch_middle", 0.7, 0.4)
    steps += _there_and_back("point", 0.8, 0.5, thumb_lag=0.3)
    steps += _there_and_back("spread", 0.5, 0.5)
    steps += _turns("yaw", Place(yaw_deg=35), Place(yaw_deg=-35))
    steps += _turns("pitch", Place(pitch_deg=25), Place(pitch_deg=-25))
    steps += _turns("roll", Place(roll_deg=30), Place(roll_deg=-30))
    steps += [Step("leave", 0.7, place=BELOW), Step("away", 0.4, place=BESIDE), Step("return", 0.8)]
    steps += [Step("open", 1.6, still=True), *_there_and_back("fist", 0.8, 0.5, thumb_lag=0.3)]
    return [*steps, Step("open", 1.0, still=True), Step("leave", 0.8, place=BELOW)]


def perform(fps: float) -> Performance:
    """The whole script sampled at `fps` frames per second."""
    steps = script()
    ends = np.cumsum([step.duration_s for step in steps])
    time_s = np.arange(round(ends[-1] * fps)) / fps
    index = np.minimum(np.searchsorted(ends, time_s + 1e-9, side="right"), len(steps) - 1)
    progress = (time_s - (ends - [step.duration_s for step in steps])[index]) / np.array(
        [step.duration_s for step in steps]
    )[index]
    angles, places = _blend(steps, index, progress)
    places += _sway(time_s) * _sway_gain(time_s, np.array([step.still for step in steps])[index])[:, None]
    wrist = REST_WRIST_M + places[:, :3]
    yaw, pitch, roll = rotation(1, places[:, 3]), rotation(0, places[:, 4]), rotation(2, places[:, 5])
    lean = rotation(2, 0.6 * places[:, 5]) @ rotation(0, 0.4 * places[:, 4])
    return Performance(
        time_s=time_s,
        segment=np.array([steps[i].label for i in index]),
        angles_rad=angles,
        rotation_palm_to_camera=yaw @ pitch @ roll @ REST_ROTATION,
        wrist_in_camera_m=wrist,
        elbow_in_camera_m=wrist + lean @ REST_ELBOW_M,
    )


def minimum_jerk(progress: Array) -> Array:
    """Smooth 0..1 blend with zero speed and acceleration at both ends (Flash and Hogan, 1985)."""
    x = np.clip(progress, 0.0, 1.0)
    return x**3 * (10.0 - 15.0 * x + 6.0 * x**2)


def _there_and_back(pose: str, move_s: float, hold_s: float, thumb_lag: float = 0.0) -> Iterator[Step]:
    """Open hand to `pose`, hold, and back; a thumb that closes last opens first."""
    yield Step(pose, move_s, pose, thumb_lag=thumb_lag)
    yield Step(pose, hold_s, pose)
    yield Step(pose, move_s, thumb_lag=-thumb_lag)
    yield Step(pose, 0.2)


def _turns(label: str, first: Place, second: Place) -> list[Step]:
    """Turn one way, the other way, and back."""
    return [
        Step(label, 0.7, place=first),
        Step(label, 0.15, place=first),
        Step(label, 1.0, place=second),
        Step(label, 0.15, place=second),
        Step(label, 0.7),
    ]


def _blend(steps: list[Step], index: NDArray[np.int64], progress: Array) -> tuple[Array, Array]:
    """Joint angles (N, 20) and places (N, 6) between the end of the previous step and the end of each one."""
    poses = np.stack([POSES_RAD["open"], *(POSES_RAD[step.pose] for step in steps)])
    places = np.stack([BESIDE.vector(), *(step.place.vector() for step in steps)])
    lag = np.array([step.thumb_lag for step in steps])[index]
    thumb = minimum_jerk(_delayed(progress, np.maximum(lag, 0), np.maximum(-lag, 0)))
    fingers = minimum_jerk(_delayed(progress, np.maximum(-lag, 0), np.maximum(lag, 0)))
    share = np.concatenate([np.repeat(thumb[:, None], 4, 1), np.repeat(fingers[:, None], 16, 1)], axis=1)
    angles = poses[index] + (poses[index + 1] - poses[index]) * share
    moved = places[index] + (places[index + 1] - places[index]) * minimum_jerk(progress)[:, None]
    return angles, moved


def _delayed(progress: Array, late_start: Array, early_end: Array) -> Array:
    """Progress squeezed into the part of the step between `late_start` and 1 - `early_end`."""
    return np.clip((progress - late_start) / (1.0 - late_start - early_end), 0.0, 1.0)


def _sway(time_s: Array) -> Array:
    """Slow drift of a hand held in the air: (N, 6) metres and radians."""
    size = np.array([0.005, 0.004, 0.008, 0.035, 0.030, 0.020])
    slow, quick = (
        np.array([0.19, 0.23, 0.13, 0.27, 0.21, 0.17]),
        np.array([0.61, 0.53, 0.37, 0.71, 0.59, 0.67]),
    )
    phase = np.array([0.0, 1.1, 2.3, 3.7, 4.1, 5.2])
    turns = 2 * np.pi * time_s[:, None]
    return np.asarray(size * (0.75 * np.sin(turns * slow + phase) + 0.25 * np.sin(turns * quick + 2 * phase)))


def _sway_gain(time_s: Array, still: NDArray[np.bool_]) -> Array:
    """0 inside still holds, 1 away from them, smooth between: (N,)."""
    distance = np.abs(time_s[:, None] - time_s[still][None]).min(axis=1)
    return minimum_jerk(distance / STILL_MARGIN_S)
