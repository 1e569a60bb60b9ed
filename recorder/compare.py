# SPDX-License-Identifier: Apache-2.0
"""How well a replay repeats its recording."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.errors import ReplayError

Float64 = NDArray[np.float64]

MAX_SHIFT_S = 0.5
SHIFT_STEP_S = 0.005
MIN_COMMON_SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """Root mean square difference in degrees.

    Attributes:
        rmse_deg: (J,) per joint, as the clocks say.
        overall_deg: over all joints.
        shift_s: how much later the measured motion is than the recorded one, by the best match.
        shifted_deg: over all joints, with that shift taken out.
    """

    rmse_deg: Float64
    overall_deg: float
    shift_s: float
    shifted_deg: float

    def to_json(self, joint_names: tuple[str, ...]) -> dict[str, Any]:
        """As plain values."""
        per_joint = {name: round(float(value), 4) for name, value in zip(joint_names, self.rmse_deg, strict=True)}
        return {
            "rmse_deg": round(self.overall_deg, 4),
            "shift_s": round(self.shift_s, 4),
            "rmse_shifted_deg": round(self.shifted_deg, 4),
            "rmse_deg_by_joint": per_joint,
        }


def compare(recorded_qpos: Float64, recorded_t_s: Float64, measured_qpos: Float64, measured_t_s: Float64) -> Comparison:
    """Compare two motions on the measured one's samples.

    Args:
        recorded_qpos: (T, J) rad, at the ascending times ``recorded_t_s`` (T,) s.
        measured_qpos: (N, J) rad, at the ascending times ``measured_t_s`` (N,) s, same zero.

    Raises:
        ReplayError: the motions hardly overlap in time.
    """
    unshifted = _rmse_deg(recorded_qpos, recorded_t_s, measured_qpos, measured_t_s)
    if unshifted is None:
        raise ReplayError(
            f"recorded ({len(recorded_t_s)} samples) and measured motion ({len(measured_t_s)}) hardly overlap in time:"
            " nothing to compare"
        )
    best_s, best_deg = 0.0, _overall(unshifted)
    for shift_s in np.arange(-MAX_SHIFT_S, MAX_SHIFT_S + SHIFT_STEP_S / 2, SHIFT_STEP_S):
        shifted = _rmse_deg(recorded_qpos, recorded_t_s, measured_qpos, measured_t_s - shift_s)
        if shifted is not None and _overall(shifted) < best_deg:
            best_s, best_deg = float(shift_s), _overall(shifted)
    return Comparison(unshifted, _overall(unshifted), best_s, best_deg)


def _overall(rmse_deg: Float64) -> float:
    return float(np.sqrt(np.mean(rmse_deg**2)))


def _rmse_deg(recorded: Float64, recorded_t: Float64, measured: Float64, measured_t: Float64) -> Float64 | None:
    """(J,) RMS difference over the common time, None for fewer than MIN_COMMON_SAMPLES of them."""
    common = (measured_t >= recorded_t[0]) & (measured_t <= recorded_t[-1]) if len(recorded_t) else np.zeros(0, bool)
    if int(np.count_nonzero(common)) < MIN_COMMON_SAMPLES:
        return None
    expected = np.stack(
        [np.interp(measured_t[common], recorded_t, recorded[:, joint]) for joint in range(recorded.shape[1])], axis=1
    )
    rmse: Float64 = np.degrees(np.sqrt(np.mean((measured[common] - expected) ** 2, axis=0)))
    return rmse
