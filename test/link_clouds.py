# SPDX-License-Identifier: Apache-2.0
"""Landmarks of nobody in particular, to be sent over the link."""

import numpy as np

from graph import body_cloud, hands_cloud


def hands(rng: np.random.Generator, frame: int = 0, right: bool = True, left: bool = False) -> np.ndarray:
    """A (2, 21) cloud in which some hands are seen."""
    return _filled(hands_cloud.empty(), rng, frame, (right, left))


def body(rng: np.random.Generator, frame: int = 0, seen: bool = True) -> np.ndarray:
    """A (1, 33) cloud."""
    return _filled(body_cloud.empty(), rng, frame, (seen,))


def _filled(cloud: np.ndarray, rng: np.random.Generator, frame: int, seen: tuple[bool, ...]) -> np.ndarray:
    cloud["frame"], cloud["aspect"], cloud["inference_ms"], cloud["tracked_ms"] = frame, 4 / 3, 20.0, 25.0
    for row, there in zip(cloud, seen, strict=True):
        if there:
            for name in ("x", "y", "z"):
                row[name] = rng.uniform(-0.2, 0.2, len(row))
            for name in ("u", "v", "score"):
                row[name] = rng.uniform(0.0, 1.0, len(row))
    return cloud
