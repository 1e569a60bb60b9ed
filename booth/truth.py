# SPDX-License-Identifier: Apache-2.0
"""Where the operator's true joint angles are known (the rendered clip), how far the robot was from them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.errors import InputError
from recorder.episode import Episode

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """Truth of a rendered clip: (N, 20) angles [rad] in the robot's joint order, (N,) hand in view, frames per
    second."""

    angles_rad: Array
    visible: NDArray[np.bool_]
    fps: float


def load_truth(clip: Path) -> ClipTruth | None:
    """The truth beside a clip (same name, .npz), or None where there is none.

    Raises:
        InputError: the file is there but is no truth file.
    """
    path = clip.with_suffix(".npz")
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as data:
            return ClipTruth(data["joint_angles_rad"].astype(float), data["visible"].astype(bool), float(data["fps"]))
    except (KeyError, OSError, ValueError) as error:
        raise InputError(
            f"{path} is not a truth file of a rendered clip ({error}): remove it or render it again"
        ) from error


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
    seen = known & np.isfinite(at_tick).all(axis=1)
    measured = np.degrees(np.abs(episode["/observations/qpos"][seen] - at_tick[seen]))
    return TruthComparison(
        float(np.mean(requested)) if known.any() else float("nan"),
        float(np.mean(measured)) if seen.any() else float("nan"),
        np.asarray(requested.mean(axis=0)) if known.any() else np.full(truth.angles_rad.shape[1], np.nan),
        int(known.sum()),
        at_tick,
    )


def _interpolate(truth: ClipTruth, frame: Array) -> Array:
    """(T, 20) true angles at fractional frame numbers; NaN outside the clip and where the hand is not in view."""
    numbers = np.arange(len(truth.visible))
    angles = np.stack(
        [np.interp(frame, numbers, column, left=np.nan, right=np.nan) for column in truth.angles_rad.T], 1
    )
    nearest = np.clip(np.rint(frame), 0, len(truth.visible) - 1).astype(int)
    angles[~truth.visible[nearest]] = np.nan
    return angles
