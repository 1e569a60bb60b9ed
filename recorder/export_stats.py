# SPDX-License-Identifier: Apache-2.0
"""Statistics that learners normalise with: of one episode, and of many put together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
Stats = dict[str, Any]
"""``min max mean std q01 q10 q50 q90 q99`` as lists of the feature's shape, ``count`` as a list of one number."""

BINS = 256


def vector_stats(values: NDArray[Any]) -> Stats:
    """Statistics over the rows of (N, D) numbers; missing ones (NaN) are left out, a column of them stays NaN."""
    numbers = values.astype(np.float64)
    empty = np.isnan(numbers).all(axis=0)
    filled = np.where(empty, 0.0, numbers)
    quantiles = np.nanquantile(filled, list(QUANTILES.values()), axis=0)
    found = {"min": np.nanmin(filled, axis=0), "max": np.nanmax(filled, axis=0)}
    found |= {"mean": np.nanmean(filled, axis=0), "std": np.nanstd(filled, axis=0)}
    found |= dict(zip(QUANTILES, quantiles, strict=True))
    stats: Stats = {name: np.where(empty, np.nan, value).tolist() for name, value in found.items()}
    return stats | {"count": [len(values)]}


class PictureStats:
    """Statistics of pictures by channel, 0 … 1, from a histogram: exact to a grey level, in no memory to speak of."""

    def __init__(self) -> None:
        self._histogram = np.zeros((3, BINS), np.int64)
        self._pictures = 0

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Count one (H, W, 3) picture."""
        for channel in range(3):
            self._histogram[channel] += np.bincount(pixels[:, :, channel].ravel(), minlength=BINS)
        self._pictures += 1

    def stats(self) -> Stats:
        """In the shape (3, 1, 1); ``count`` is the number of pictures."""
        levels = np.arange(BINS) / (BINS - 1)
        weights = self._histogram / self._histogram.sum(axis=1, keepdims=True)
        mean = weights @ levels
        spread = np.sqrt(np.maximum(weights @ levels**2 - mean**2, 0.0))
        share = weights.cumsum(axis=1)
        found = {"mean": mean, "std": spread}
        found |= {"min": levels[(weights > 0).argmax(axis=1)]}
        found |= {"max": levels[BINS - 1 - (weights[:, ::-1] > 0).argmax(axis=1)]}
        for name, quantile in QUANTILES.items():
            found[name] = levels[np.minimum((share < quantile - 1e-12).sum(axis=1), BINS - 1)]
        stats: Stats = {name: value.reshape(3, 1, 1).tolist() for name, value in found.items()}
        return stats | {"count": [self._pictures]}


def together(stats: Sequence[Mapping[str, Any]]) -> Stats:
    """Statistics of one feature over many episodes.

    Mean and standard deviation are exact (parallel variance); quantiles are the episodes' own, weighted by their
    lengths, as LeRobot puts them together.
    """
    counts = np.array([entry["count"][0] for entry in stats], np.float64)
    arrays = {name: np.array([entry[name] for entry in stats]) for name in stats[0] if name != "count"}
    weights = (counts / counts.sum()).reshape(-1, *[1] * (arrays["mean"].ndim - 1))
    mean = (arrays["mean"] * weights).sum(axis=0)
    variance = ((arrays["std"] ** 2 + (arrays["mean"] - mean) ** 2) * weights).sum(axis=0)
    found = {"min": arrays["min"].min(axis=0), "max": arrays["max"].max(axis=0), "mean": mean, "std": np.sqrt(variance)}
    found |= {name: (arrays[name] * weights).sum(axis=0) for name in QUANTILES}
    merged: Stats = {name: value.tolist() for name, value in found.items()}
    return merged | {"count": [int(counts.sum())]}
