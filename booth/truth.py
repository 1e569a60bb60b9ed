# SPDX-License-Identifier: Apache-2.0
"""Where the operator's true joint angles are known (the rendered clip), how far the robot was from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.errors import InputError
from recorder.episode import Episode
from robots import Robot

Array = NDArray[np.float64]

MIRRORED = (1, 2, 3, 4, 5, 9, 13, 17)
"""Joints of an HX5-D20 that count the other way on its left hand."""
DIGITS = ("thumb", "index", "middle", "ring", "little")


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """Truth of a rendered clip: (N, J) angles [rad] in the robot's joint order, NaN where it is not known; (N,) hands
    in view; frames per second."""

    angles_rad: Array
    visible: NDArray[np.bool_]
    fps: float


def load_truth(clip: Path, robot: Robot) -> ClipTruth | None:
    """The truth beside a clip (same name, .npz) in the joints of a robot, or None where there is none.

    Hands and head are known as angles; of the arms a robot has other joints than an operator.

    Raises:
        InputError: the file is there but is no truth file.
    """
    path = clip.with_suffix(".npz")
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as data:
            known = _of_operator(data) if "truth_version" in data else _of_hand(data)
            fps = float(data["fps"])
    except (KeyError, OSError, ValueError) as error:
        raise InputError(
            f"{path} is not a truth file of a rendered clip ({error}): remove it or render it again"
        ) from error
    visible, columns = known
    angles = np.full((len(visible), len(robot.joints)), np.nan)
    for k, joint in enumerate(robot.joints):
        if joint.name in columns:
            angles[:, k] = np.clip(columns[joint.name], joint.min_rad, joint.max_rad)
    return ClipTruth(angles, visible, fps)


def _of_hand(data: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.bool_], dict[str, Array]]:
    """The bundled clip: one right hand."""
    angles = data["joint_angles_rad"].astype(float)
    return data["visible"].astype(bool), {f"finger_r_joint{k + 1}": angles[:, k] for k in range(angles.shape[1])}


def _of_operator(data: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.bool_], dict[str, Array]]:
    """A clip of the studio: both hands and the head of an AI Worker (joint 1 pitch, down; joint 2 yaw, to the left)."""
    angles = {str(name): data["joint_angles_rad"][:, k] for k, name in enumerate(data["joint_names"])}
    columns = {"head_joint1": angles["head_pitch"], "head_joint2": angles["head_yaw"]}
    for side in ("right", "left"):
        fingers = [name for name in angles if name.startswith(tuple(f"{side}_{digit}_" for digit in DIGITS))]
        for k, name in enumerate(fingers, 1):  # a left hand's angles have the right one's signs
            columns[f"finger_{side[0]}_joint{k}"] = -angles[name] if side == "left" and k in MIRRORED else angles[name]
    return np.asarray(data["hands_inside"].all(axis=(1, 2))), columns


@dataclass(frozen=True, slots=True)
class TruthComparison:
    """Mean absolute errors over engaged rows with the hand in view, all joints [deg], and the truth on the rows' ticks.

    ``requested_deg`` compares each command with the camera frame that caused it: how well the hand was understood.
    ``measured_deg`` compares the robot with the operator at the same instant: understanding and delay together.
    """

    requested_deg: float
    measured_deg: float
    per_joint_deg: Array
    rows: int
    truth_rad: Array


def compare_with_truth(episode: Episode, truth: ClipTruth) -> TruthComparison:
    """Compare an episode of a rendered clip with the clip's truth."""
    frame = episode["/operator/frame"].astype(float)
    hands_ns = episode["/time/hands/stamp_ns"]
    engaged = episode["/operator/engaged"].astype(bool) & (frame >= 0)
    ticks = episode["/time/tick_ns"]
    capture = episode["/time/requested/capture_ns"]
    cause = np.rint(frame + (capture - hands_ns) * 1e-9 * truth.fps).astype(int)
    now = frame + (ticks - hands_ns) * 1e-9 * truth.fps
    at_tick = _interpolate(truth, now)
    known = engaged & (cause >= 0) & (cause < len(truth.visible))
    known[known] &= truth.visible[cause[known]]
    requested = np.degrees(np.abs(episode["/actions/requested"][known] - truth.angles_rad[cause[known]]))
    seen = known & np.isfinite(at_tick).any(axis=1)
    measured = np.degrees(np.abs(episode["/observations/qpos"][seen] - at_tick[seen]))
    return TruthComparison(
        _mean(requested),
        _mean(measured),
        np.array([_mean(column) for column in requested.T]),
        int(known.sum()),
        at_tick,
    )


def _mean(values: Array) -> float:
    """Of all that is known; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _interpolate(truth: ClipTruth, frame: Array) -> Array:
    """(T, 20) true angles at fractional frame numbers; NaN outside the clip and where the hand is not in view."""
    numbers = np.arange(len(truth.visible))
    angles = np.stack(
        [np.interp(frame, numbers, column, left=np.nan, right=np.nan) for column in truth.angles_rad.T], 1
    )
    nearest = np.clip(np.rint(frame), 0, len(truth.visible) - 1).astype(int)
    angles[~truth.visible[nearest]] = np.nan
    return angles
