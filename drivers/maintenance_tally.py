# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the maintenance log: what one second of all joints adds to the histograms. Pure, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

DEGC_BIN, DEGC_BINS = 5.0, 21
"""Temperature histogram: 0 … 5, …, 95 … 100, and above, deg C."""
LOAD_BIN, LOAD_BINS = 0.1, 11
"""Current histogram: shares of the joint's current limit, 0 … 10 %, …, 90 … 100 %, and above."""
SPEED_EDGES_RAD_S = (0.05, 0.5, 2.0)
"""Motion classes: standing, slow, moving, fast. Standing is below the first, about 0.5 rpm."""
SPEED_BINS = len(SPEED_EDGES_RAD_S) + 1
LONGEST_STEP_S = 10.0
"""One observation speaks for no longer than this: a suspended process has not watched the robot meanwhile."""

_WIDTHS = {
    "powered_s": 1,
    "torqued_s": 1,
    "moving_s": 1,
    "travel_rev": 1,
    "degc_s": DEGC_BINS,
    "load_s": LOAD_BINS,
    "heat_s": LOAD_BINS,
    "heat_degcs": LOAD_BINS,
    "motion_s": SPEED_BINS,
    "motion_mas": SPEED_BINS,
}


def _slices() -> dict[str, slice]:
    result, start = {}, 0
    for name, width in _WIDTHS.items():
        result[name] = slice(start, start + width)
        start += width
    return result


SLICES: Mapping[str, slice] = MappingProxyType(_slices())
"""Where each sum lies in a row:

powered_s, torqued_s, moving_s: seconds; travel_rev: revolutions of the output shaft, both directions;
degc_s: seconds in each temperature bin; load_s: torqued seconds in each current bin;
heat_s, heat_degcs: torqued seconds, and deg C times seconds, in each current bin, where both are known;
motion_s, motion_mas: torqued seconds, and mA times seconds, in each motion class.
"""

COLUMNS = tuple(
    name if width == 1 else f"{name}_{number:02d}" for name, width in _WIDTHS.items() for number in range(width)
)
"""One name for each sum; the columns of the database."""


@dataclass(slots=True)
class Tally:
    """Sums and extremes of n joints since the last time they were stored.

    Attributes:
        sums: (n, len(COLUMNS)).
        degc_max, volt_min, volt_max: (n,), NaN where nothing was known.
        seconds: time observed.
    """

    count: int
    seconds: float = 0.0
    sums: Array = field(init=False)
    degc_max: Array = field(init=False)
    volt_min: Array = field(init=False)
    volt_max: Array = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((self.count, len(COLUMNS)))
        self.degc_max, self.volt_min, self.volt_max = (np.full(self.count, np.nan) for _ in range(3))

    def add(
        self,
        seconds: float,
        temperature_degc: ArrayLike,
        current_ma: ArrayLike,
        voltage_v: ArrayLike,
        travelled_rad: ArrayLike,
        torque_on: ArrayLike,
        current_limit_ma: Array,
    ) -> None:
        """Add what was observed for ``seconds``; arrays (n,), NaN where not known.

        Args:
            seconds: duration; no more than `LONGEST_STEP_S` counts.
            temperature_degc, voltage_v: as read.
            current_ma: mean over the time, either sign.
            travelled_rad: way of the shaft in this time, all directions together.
            torque_on: 1 or 0.
            current_limit_ma: what the joint is allowed, for the shares.

        Raises:
            ValueError: an array of another length.
        """
        degc, current, volt, way, torque = (
            self._vector(values) for values in (temperature_degc, current_ma, voltage_v, travelled_rad, torque_on)
        )
        if not np.isfinite(seconds) or seconds <= 0:
            return
        seconds = min(float(seconds), LONGEST_STEP_S)
        self.seconds += seconds
        sums, current, way = self.sums, np.abs(current), np.nan_to_num(np.abs(way))
        powered = ~(np.isnan(degc) & np.isnan(current) & np.isnan(volt))
        torqued = powered & (torque > 0.5)
        speed = way / seconds
        sums[:, SLICES["powered_s"].start] += seconds * powered
        sums[:, SLICES["torqued_s"].start] += seconds * torqued
        sums[:, SLICES["moving_s"].start] += seconds * (powered & (speed > SPEED_EDGES_RAD_S[0]))
        sums[:, SLICES["travel_rev"].start] += way / (2.0 * np.pi)
        warm = ~np.isnan(degc)
        loaded = torqued & ~np.isnan(current)
        share_known = loaded & (current_limit_ma > 0)
        load = np.divide(current, current_limit_ma, out=np.zeros(self.count), where=share_known)
        load_bin = _bins(load, LOAD_BIN, LOAD_BINS)
        self._put("degc_s", warm, _bins(degc, DEGC_BIN, DEGC_BINS), np.full(self.count, seconds))
        self._put("load_s", share_known, load_bin, np.full(self.count, seconds))
        self._put("heat_s", share_known & warm, load_bin, np.full(self.count, seconds))
        self._put("heat_degcs", share_known & warm, load_bin, degc * seconds)
        pace = np.digitize(speed, SPEED_EDGES_RAD_S)
        self._put("motion_s", loaded, pace, np.full(self.count, seconds))
        self._put("motion_mas", loaded, pace, current * seconds)
        self.degc_max = np.fmax(self.degc_max, degc)
        self.volt_min, self.volt_max = np.fmin(self.volt_min, volt), np.fmax(self.volt_max, volt)

    def merge(self, other: "Tally") -> None:
        """Add another tally of the same joints."""
        self.seconds += other.seconds
        self.sums += other.sums
        self.degc_max = np.fmax(self.degc_max, other.degc_max)
        self.volt_min = np.fmin(self.volt_min, other.volt_min)
        self.volt_max = np.fmax(self.volt_max, other.volt_max)

    def _vector(self, values: ArrayLike) -> Array:
        array = np.asarray(values, dtype=np.float64)
        if array.shape != (self.count,):
            raise ValueError(f"expected one value for each of {self.count} joints, found shape {array.shape}")
        return array

    def _put(self, name: str, rows: NDArray[np.bool_], bins: NDArray[np.int64], amount: Array) -> None:
        index = np.flatnonzero(rows)
        self.sums[index, SLICES[name].start + bins[index]] += amount[index]


def _bins(values: Array, width: float, count: int) -> NDArray[np.int64]:
    return np.clip(np.nan_to_num(values) / width + 1e-9, 0, count - 1).astype(np.int64)


def quantile_degc(seconds: Array, share: float) -> float:
    """Temperature that is not exceeded for ``share`` of the time; evenly spread within a bin.

    Args:
        seconds: (DEGC_BINS,) histogram.
        share: 0 … 1.

    Returns:
        deg C; NaN for an empty histogram.
    """
    total = float(seconds.sum())
    if total <= 0:
        return float("nan")
    below = np.concatenate([[0.0], np.cumsum(seconds)]) / total
    number = int(np.clip(np.searchsorted(below, share, side="left") - 1, 0, DEGC_BINS - 1))
    inside = (share - below[number]) / max(below[number + 1] - below[number], 1e-12)
    return float((number + min(max(inside, 0.0), 1.0)) * DEGC_BIN)
