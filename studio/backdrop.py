# SPDX-License-Identifier: Apache-2.0
"""What is behind the operator: out-of-focus rooms in linear RGB."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from clips.shading import room
from graph.errors import InputError
from studio.colours import Light

Array32 = NDArray[np.float32]
_Box = tuple[float, float, float, float, tuple[float, float, float]]
"""Left, top, right, bottom as shares of the image, and linear RGB."""

_WALLS: dict[str, tuple[float, float, float]] = {
    "wall": (0.46, 0.44, 0.40),
    "shelves": (0.30, 0.26, 0.21),
    "window": (0.30, 0.31, 0.33),
    "lab": (0.40, 0.42, 0.43),
}


def backdrop(name: str, width: int, height: int, light: Light) -> Array32:
    """One background (height, width, 3) in linear RGB, as bright as its light.

    Raises:
        InputError: unknown name.
    """
    picture = room(width, height) if name == "room" else _drawn(name, width, height)
    level = np.array(light.lamp) / 1.5 * 0.6 + np.array(light.sky) / 0.65 * 0.4
    return np.asarray(picture * (level * light.exposure / 0.62).astype(np.float32), dtype=np.float32)


@cache
def _drawn(name: str, width: int, height: int) -> Array32:
    if name not in _WALLS:
        raise InputError(f"no background {name!r}: expected room, {', '.join(_WALLS)}")
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = columns / width, rows / height
    glow = 1.05 - 0.35 * y + 0.25 * np.exp(-(((x - 0.75) / 0.4) ** 2 + ((y - 0.15) / 0.5) ** 2))
    picture = (np.array(_WALLS[name], dtype=np.float32) * glow[..., None]).astype(np.float32)
    for left, top, right, bottom, colour in _boxes(name):
        picture[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = colour
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 5.0 * width / 640), dtype=np.float32)


def _boxes(name: str) -> list[_Box]:
    """Furniture of one background, back to front."""
    draw = np.random.default_rng(len(name) * 7 + 3)
    boxes: list[_Box] = []
    if name == "shelves":
        for shelf in range(5):
            top = 0.04 + 0.19 * shelf
            boxes.append((0.0, top + 0.155, 1.0, top + 0.175, (0.16, 0.11, 0.07)))
            left = 0.0
            while left < 1.0:
                wide, tall = draw.uniform(0.012, 0.035), draw.uniform(0.07, 0.14)
                red, green, blue = draw.uniform(0.04, 0.20) + draw.uniform(-0.035, 0.06, 3)
                boxes.append((left, top + 0.155 - tall, left + wide, top + 0.155, (red, green, blue)))
                left += wide + (0.08 if draw.random() < 0.12 else 0.002)
    elif name == "window":
        boxes.append((0.58, 0.05, 0.97, 0.62, (0.95, 1.0, 1.1)))
        boxes.append((0.765, 0.05, 0.785, 0.62, (0.35, 0.35, 0.35)))
        boxes.append((0.58, 0.32, 0.97, 0.34, (0.35, 0.35, 0.35)))
        boxes.append((0.05, 0.55, 0.30, 1.0, (0.10, 0.16, 0.09)))
    elif name == "lab":
        boxes.append((0.0, 0.78, 1.0, 1.0, (0.20, 0.19, 0.18)))
        for left in (0.04, 0.20, 0.74, 0.88):
            boxes.append((left, 0.28, left + 0.10, 0.50, (0.05, 0.06, 0.08)))
            boxes.append((left + 0.008, 0.29, left + 0.092, 0.48, (0.16, 0.24, 0.30)))
        boxes.append((0.0, 0.58, 0.38, 0.64, (0.33, 0.28, 0.22)))
        boxes.append((0.66, 0.58, 1.0, 0.64, (0.33, 0.28, 0.22)))
    return boxes
