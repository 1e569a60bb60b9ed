# SPDX-License-Identifier: Apache-2.0
"""Statistics against NumPy over all values at once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.export_stats import QUANTILES, PictureStats, together, vector_stats


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), seed=st.integers(0, 2**32 - 1))
def test_many_episodes_together_are_as_one(lengths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    parts = [random.normal(random.uniform(-5, 5), random.uniform(0.1, 3), (length, 3)) for length in lengths]
    merged, whole = together([vector_stats(part) for part in parts]), vector_stats(np.concatenate(parts))
    for name in ("min", "max", "mean", "std", "count"):
        np.testing.assert_allclose(merged[name], whole[name], rtol=1e-9, atol=1e-9, err_msg=name)
    for name in QUANTILES:
        assert (np.array(merged["min"]) <= merged[name]).all() and (np.array(merged[name]) <= merged["max"]).all()


def test_missing_values_are_left_out_and_an_empty_column_stays_missing() -> None:
    stats = vector_stats(np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]]))
    assert stats["mean"][:2] == [2.0, 5.0] and np.isnan(stats["mean"][2]) and np.isnan(stats["q50"][2])
    assert stats["count"] == [2]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_pictures_are_counted_to_a_grey_level(seed: int) -> None:
    random = np.random.default_rng(seed)
    pictures = random.integers(random.integers(0, 200), 256, (4, 6, 5, 3), np.uint8)
    counted = PictureStats()
    for picture in pictures:
        counted.add(picture)
    stats = {name: np.array(value).ravel() for name, value in counted.stats().items()}
    shares = pictures.reshape(-1, 3) / 255
    for name, expected in {
        "min": shares.min(axis=0),
        "max": shares.max(axis=0),
        "mean": shares.mean(axis=0),
        "std": shares.std(axis=0),
        **{name: np.quantile(shares, q, axis=0, method="inverted_cdf") for name, q in QUANTILES.items()},
    }.items():
        np.testing.assert_allclose(stats[name], expected, atol=1e-6, err_msg=name)
    assert stats["count"].tolist() == [4]
