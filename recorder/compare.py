# SPDX-License-Identifier: Apache-2.0
"""How well a replay repeats its recording: RMS difference and time shift, over all joints and of each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.errors import ReplayError

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

MAX_SHIFT_S = 0.5
SHIFT_STEP_S = 0.005
GRID_S = 0.01
"""Joints are compared on this grid when their own shifts are looked for."""
MIN_COMMON_SAMPLES = 10
MOVES_DEG, MOVES_M = 2.0, 0.005
"""A joint that was recorded within a smaller range has no shift of its own: noise would decide it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences, in degrees; of joints that slide in millimetres.

    Attributes:
        rmse_deg: (J,) RMS difference per joint, as the clocks say.
        shift_by_joint_s: (J,) how much later each joint's measured motion is than the recorded one; NaN where it hardly
            moved.
        slides: (J,) which joints slide; they are left out of what is said over all joints.
        overall_deg: RMS over all joints.
        shift_s: how much later the measured motion is than the recorded one, by the best match over all joints.
        shifted_deg: RMS over all joints, with that shift taken out.
    """

    rmse_deg: Float64
    shift_by_joint_s: Float64
    slides: Bool
    overall_deg: float
    shift_s: float
    shifted_deg: float

    def to_json(self, joint_names: tuple[str, ...]) -> dict[str, Any]:
        """As plain values; ``joints`` has the worst first."""
        worst_first = np.argsort(-np.nan_to_num(self.rmse_deg), kind="stable")
        per_joint = {name: round(float(value), 4) for name, value in zip(joint_names, self.rmse_deg, strict=True)}
        return {
            "rmse_deg": round(self.overall_deg, 4),
            "shift_s": round(self.shift_s, 4),
            "rmse_shifted_deg": round(self.shifted_deg, 4),
            "rmse_deg_by_joint": per_joint,
            "joints": [self._joint(joint_names, int(index)) for index in worst_first],
        }

    def _joint(self, joint_names: tuple[str, ...], index: int) -> dict[str, Any]:
        shift_s = float(self.shift_by_joint_s[index])
        return {
            "joint": joint_names[index],
            "rmse": round(float(self.rmse_deg[index]), 4),
            "unit": "mm" if self.slides[index] else "deg",
            "shift_ms": round(shift_s * 1e3, 1) if np.isfinite(shift_s) else None,
        }


def compare(
    recorded_qpos: Float64,
    recorded_t_s: Float64,
    measured_qpos: Float64,
    measured_t_s: Float64,
    slides: Bool | None = None,
) -> Comparison:
    """Compare two motions on the measured one's samples.

    Args:
        recorded_qpos: (T, J) rad (m where a joint slides), at the ascending times ``recorded_t_s`` (T,) s.
        measured_qpos: (N, J), at the ascending times ``measured_t_s`` (N,) s, same zero.
        slides: (J,) which joints slide; None: none of them.

    Raises:
        ReplayError: the motions hardly overlap in time.
    """
    slides = np.zeros(recorded_qpos.shape[1], np.bool_) if slides is None else slides
    scale = np.where(slides, 1e3, np.degrees(1.0))
    recorded, measured = recorded_qpos * scale, measured_qpos * scale
    unshifted = _rmse(recorded, recorded_t_s, measured, measured_t_s)
    if unshifted is None:
        raise ReplayError(
            f"recorded ({len(recorded_t_s)} samples) and measured motion ({len(measured_t_s)}) hardly overlap in time:"
            " nothing to compare"
        )
    turns = ~slides if not slides.all() else slides
    best_s, best_deg = 0.0, _overall(unshifted, turns)
    for shift_s in np.arange(-MAX_SHIFT_S, MAX_SHIFT_S + SHIFT_STEP_S / 2, SHIFT_STEP_S):
        shifted = _rmse(recorded, recorded_t_s, measured, measured_t_s - shift_s)
        if shifted is not None and _overall(shifted, turns) < best_deg:
            best_s, best_deg = float(shift_s), _overall(shifted, turns)
    moves = np.nanmax(recorded, axis=0) - np.nanmin(recorded, axis=0) > np.where(slides, MOVES_M * 1e3, MOVES_DEG)
    shifts = np.where(moves, _shifts_s(recorded, recorded_t_s, measured, measured_t_s), np.nan)
    return Comparison(unshifted, shifts, slides, _overall(unshifted, turns), best_s, best_deg)


def _overall(rmse: Float64, turns: Bool) -> float:
    known = rmse[turns & np.isfinite(rmse)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")


def _rmse(recorded: Float64, recorded_t: Float64, measured: Float64, measured_t: Float64) -> Float64 | None:
    """(J,) RMS difference over the common time, None for fewer than MIN_COMMON_SAMPLES of them."""
    common = (measured_t >= recorded_t[0]) & (measured_t <= recorded_t[-1]) if len(recorded_t) else np.zeros(0, bool)
    if int(np.count_nonzero(common)) < MIN_COMMON_SAMPLES:
        return None
    expected = _at(measured_t[common], recorded_t, recorded)
    rmse: Float64 = np.sqrt(np.mean((measured[common] - expected) ** 2, axis=0))
    return rmse


def _shifts_s(recorded: Float64, recorded_t: Float64, measured: Float64, measured_t: Float64) -> Float64:
    """(J,) delay of each joint at which the two correlate best, to a fraction of the grid by a parabola; NaN where the
    common time is too short for any."""
    grid = np.arange(max(recorded_t[0], measured_t[0]), min(recorded_t[-1], measured_t[-1]), GRID_S)
    lags = round(MAX_SHIFT_S / GRID_S)
    if len(grid) < 2 * lags:
        return np.full(recorded.shape[1], np.nan)
    before, after = _at(grid, recorded_t, recorded), _at(grid, measured_t, measured)
    scores = np.array([_correlation(before, after, lag) for lag in range(-lags, lags + 1)])
    best = np.clip(scores.argmax(axis=0), 1, 2 * lags - 1)
    joints = np.arange(recorded.shape[1])
    low, top, high = (scores[best + step, joints] for step in (-1, 0, 1))
    bend = low - 2.0 * top + high
    fraction = np.clip(np.where(bend < 0.0, 0.5 * (low - high) / np.where(bend == 0.0, 1.0, bend), 0.0), -1.0, 1.0)
    shifts: Float64 = (best - lags + fraction) * GRID_S
    return shifts


def _correlation(before: Float64, after: Float64, lag: int) -> Float64:
    """(J,) correlation coefficient of ``before[t]`` with ``after[t + lag]``; 0 where one stands still."""
    count = len(before) - abs(lag)
    one = before[max(0, -lag) :][:count]
    two = after[max(0, lag) :][:count]
    one, two = one - one.mean(axis=0), two - two.mean(axis=0)
    energy = np.sqrt((one**2).sum(axis=0) * (two**2).sum(axis=0))
    score: Float64 = np.where(energy > 0.0, (one * two).sum(axis=0) / np.where(energy > 0.0, energy, 1.0), 0.0)
    return score


def _at(times: Float64, sample_t: Float64, samples: Float64) -> Float64:
    """(N, J) ``samples`` (T, J) at other times; across samples that are missing, and NaN where a joint has none."""
    return np.stack([_interpolated(times, sample_t, samples[:, joint]) for joint in range(samples.shape[1])], axis=1)


def _interpolated(times: Float64, sample_t: Float64, samples: Float64) -> Float64:
    known = np.isfinite(samples)
    if not known.any():
        return np.full(len(times), np.nan)
    return np.interp(times, sample_t[known], samples[known])
