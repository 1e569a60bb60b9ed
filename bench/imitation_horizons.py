# SPDX-License-Identifier: Apache-2.0
"""What prediction gains and costs: delay, error and overshoot of the same films for several horizons."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bench.imitation_figures import GROUPS, ClipResult, error_by_lag, followed
from bench.imitation_score import LAGS_S, Quantity

Array = NDArray[np.float64]

HIGH_PERCENTILE = 95


def horizon_figures(by_horizon: Mapping[float, Sequence[ClipResult]]) -> list[dict[str, float]]:
    """One row for each horizon [ms]: of every group delay, error after it, error at the same instant, and overshoot
    where the group has angles."""
    rows = []
    for horizon_ms, results in by_horizon.items():
        engaged = followed(results)
        row = {"prediction_ms": horizon_ms}
        for group, name in GROUPS.items():
            by_lag = error_by_lag(engaged, group)
            best = int(np.argmin(by_lag))
            row |= {f"{name}_delay_ms": 1e3 * float(LAGS_S[best]), f"{name}_mae_deg": by_lag[best]}
            row[f"{name}_instant_mae_deg"] = by_lag[0]
            beyond = [
                overshoot_deg(one, result.frame_s, result.cycle_s)
                for result in engaged
                for one in result.quantities
                if one.group == group and one.operator.ndim == 1
            ]
            if beyond:
                row[f"{name}_overshoot_p95_deg"] = float(np.percentile(np.concatenate(beyond), HIGH_PERCENTILE))
        rows.append(row)
    return rows


def overshoot_deg(quantity: Quantity, frame_s: Array, cycle_s: Array) -> Array:
    """How far a measured angle was beyond all that the operator had lately shown, in every compared cycle [deg].

    "Lately" is as long as the longest delay that is tried: what the robot still has to do is no overshoot.
    """
    back = int(np.ceil(LAGS_S[-1] / float(np.median(np.diff(frame_s))))) + 1
    windows = sliding_window_view(np.concatenate([np.full(back, quantity.operator[0]), quantity.operator]), back + 1)
    low, high = windows.min(axis=1), windows.max(axis=1)
    now = np.minimum(np.searchsorted(frame_s, cycle_s[quantity.compared]), len(frame_s) - 1)
    robot = quantity.robot[quantity.compared]
    return np.asarray(np.degrees(np.maximum(np.maximum(robot - high[now], low[now] - robot), 0.0)))
