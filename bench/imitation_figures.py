# SPDX-License-Identifier: Apache-2.0
"""Figures of many films: errors of every group and joint, by delay, by film, and by what varies from film to film."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.imitation_score import LAGS_S, Quantity
from graph.errors import BoothError

Array = NDArray[np.float64]

GROUPS = {"fingers": "flexion", "arms": "arm", "wrists": "wrist", "head": "head"}
"""Groups of quantities, and what their figures are called."""
WORDS = {
    "flexion": "finger flexion",
    "arm": "upper arms and elbows",
    "wrist": "palms' normal and fingers' direction",
    "head": "head",
}
"""Figures' names for people."""
AIMS_DEG = {"flexion": 10.0, "arm": 12.0, "wrist": 15.0, "head": 8.0}
NO_VARIATION = ("width", "height")
"""Of a look: the picture's size is chosen for all films together."""


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One film: what was found in it, for how long the robot followed, what the operator was told.

    Attributes:
        look: what was filmed and how, as the studio describes it; see `studio.look.Look`.
        frame_s: (N,) of the film. cycle_s: (C,) of the driver, on the film's clock.
    """

    name: str
    hand_found_share: float
    body_found_share: float
    followed_s: float
    reasons: tuple[str, ...]
    look: Mapping[str, str | float]
    frame_s: Array
    cycle_s: Array
    quantities: tuple[Quantity, ...]

    def errors_deg(self, group: str, lag_s: float) -> Array:
        """All errors of a group's quantities [deg]; empty where the robot did not follow."""
        found = [one.error_deg(self.frame_s, self.cycle_s, lag_s) for one in self.quantities if one.group == group]
        return np.concatenate(found) if found else np.empty(0)


def figures(results: Sequence[ClipResult]) -> dict[str, object]:
    """The machine-readable figures of several films.

    Raises:
        BoothError: the robot followed in no film.
    """
    engaged = followed(results)
    found: dict[str, object] = {}
    curves: dict[str, list[float]] = {"delay_ms": [1e3 * float(lag_s) for lag_s in LAGS_S]}
    lags: dict[str, float] = {}
    for group, name in GROUPS.items():
        by_lag = error_by_lag(engaged, group)
        best = int(np.argmin(by_lag))
        curves[name], lags[name] = by_lag, float(LAGS_S[best])
        found[f"{name}_mae_deg"] = by_lag[best]
        found[f"{name}_delay_ms"] = 1e3 * lags[name]
        found[f"{name}_instant_mae_deg"] = by_lag[0]
        found[f"{name}_per_joint_deg"] = _per_joint(engaged, group, lags[name])
    found["flexion_r"] = _correlation(engaged, lags["flexion"])
    found["hand_found_share"] = float(np.mean([result.hand_found_share for result in results]))
    found["body_found_share"] = float(np.mean([result.body_found_share for result in results]))
    found["followed_share"] = _followed_share(results)
    found["clips"] = len(results)
    found["error_by_delay"] = curves
    found["per_clip"] = {
        result.name: {
            "followed_s": result.followed_s,
            "both_hands_share": result.hand_found_share,
            **_errors([result], lags),
            "told": list(result.reasons[-3:]),
        }
        for result in results
    }
    found["per_variation"] = _per_variation(results, lags)
    return found


def followed(results: Sequence[ClipResult]) -> list[ClipResult]:
    """The films in which the robot followed.

    Raises:
        BoothError: there are none.
    """
    engaged = [result for result in results if result.followed_s > 0]
    if not engaged:
        told = "; ".join(f"{result.name}: {result.reasons[-1] if result.reasons else '?'}" for result in results)
        raise BoothError(f"the robot followed in none of {len(results)} films: {told}")
    return engaged


def error_by_lag(results: Sequence[ClipResult], group: str) -> list[float]:
    """Mean error of a group [deg] for each of `LAGS_S`."""
    return [_mean([result.errors_deg(group, float(lag_s)) for result in results]) for lag_s in LAGS_S]


def variations(results: Sequence[ClipResult]) -> dict[str, dict[str, list[ClipResult]]]:
    """Films by every attribute of their look that has more than one value among them, and by that value."""
    found: dict[str, dict[str, list[ClipResult]]] = {}
    for factor in results[0].look:
        values = sorted({result.look[factor] for result in results}, key=_order)
        if len(values) > 1 and factor not in NO_VARIATION:
            found[factor] = {str(value): [r for r in results if r.look[factor] == value] for value in values}
    return found


def _order(value: str | float) -> tuple[float, str]:
    return (0.0, value) if isinstance(value, str) else (float(value), "")


def _per_variation(results: Sequence[ClipResult], lags: Mapping[str, float]) -> dict[str, object]:
    """Errors for each value of what varies. Films with one value may differ in what is done in them, too."""
    return {
        factor: {
            value: {
                "clips": len(films),
                "films": [film.name for film in films],
                **_errors(films, lags),
                "hand_found_share": float(np.mean([film.hand_found_share for film in films])),
                "body_found_share": float(np.mean([film.body_found_share for film in films])),
                "followed_share": _followed_share(films),
            }
            for value, films in by_value.items()
        }
        for factor, by_value in variations(results).items()
    }


def _errors(results: Sequence[ClipResult], lags: Mapping[str, float]) -> dict[str, float]:
    """Mean error of every group [deg] after the delays of all films together [s]; NaN where nothing was followed."""
    return {
        f"{name}_mae_deg": _mean([result.errors_deg(group, lags[name]) for result in results])
        for group, name in GROUPS.items()
    }


def _mean(errors: Sequence[Array]) -> float:
    """Mean over all samples; NaN where there are none."""
    count = sum(len(each) for each in errors)
    return float(sum(each.sum() for each in errors) / count) if count else float("nan")


def _followed_share(results: Sequence[ClipResult]) -> float:
    return sum(result.followed_s for result in results) / sum(float(result.frame_s[-1]) for result in results)


def _per_joint(results: Sequence[ClipResult], group: str, lag_s: float) -> dict[str, float]:
    by_name: dict[str, list[Array]] = {}
    for result in results:
        for one in result.quantities:
            if one.group == group:
                by_name.setdefault(one.name, []).append(one.error_deg(result.frame_s, result.cycle_s, lag_s))
    return {name: _mean(errors) for name, errors in by_name.items()}


def _correlation(results: Sequence[ClipResult], lag_s: float) -> float:
    """Pearson's r between operator and robot over all samples of all finger flexions."""
    shown, done = [], []
    for result in results:
        for quantity in result.quantities:
            if quantity.group == "fingers":
                shown.append(quantity.shown(result.frame_s, result.cycle_s, lag_s))
                done.append(quantity.robot[quantity.compared])
    return float(np.corrcoef(np.concatenate(shown), np.concatenate(done))[0, 1])
