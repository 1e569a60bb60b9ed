# SPDX-License-Identifier: Apache-2.0
"""One picture: rays for every pixel that the solids may touch, more of them along outlines, then lens and sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from studio.camera import Camera
from studio.colours import Light, Palette
from studio.compiled import compiled
from studio.lighting import Shadows, shade
from studio.painting import paint
from studio.solid import Solids
from studio.tracing import NOTHING, Surface, Tracer

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]
Ints = NDArray[np.int64]
Image = NDArray[np.uint8]

_SHIFTS = np.array([[0.38, 0.12], [-0.30, 0.33], [-0.08, -0.42]])
"""Further rays of a pixel on an outline, in pixels."""

_EDGE_DEPTH_M = 0.010


@dataclass(frozen=True, slots=True)
class Scene:
    """What is the same in all frames of a clip."""

    camera: Camera
    light: Light
    palette: Palette
    backdrop: Array32


@dataclass(frozen=True, slots=True)
class Exposure:
    """Linear RGB (height, width, 3) of one instant, and the part (height, width) that each pixel's ray met."""

    linear: Array32
    parts: NDArray[np.int8]


def expose(solids: Solids, hands_rad: dict[int, Array], scene: Scene) -> Exposure:
    """Draw the solids before the backdrop, without lens blur and noise."""
    camera = scene.camera
    tracer = Tracer(solids, float(camera.matrix[0, 0]), camera.matrix[:2, 2], (camera.width, camera.height))
    linear = scene.backdrop.copy()
    parts = np.full((camera.height, camera.width), NOTHING, dtype=np.int8)
    pixels = tracer.pixels()
    first = tracer.trace(pixels)
    outline = _outline(pixels, first.rays, first.parts, first.points_m, parts)
    second = tracer.trace((outline[:, None] + _SHIFTS).reshape(-1, 2))
    colour = _coloured(_joined(first, second), solids, hands_rad, scene, tracer)
    met = len(first.rays)
    _put(linear, pixels, first.rays, colour[:met])
    _average(linear, scene.backdrop, outline, second.rays, colour[met:])
    return Exposure(linear, parts)


def develop(linear: Array32, softness_px: float, noise: float, seed: int) -> Image:
    """The sensor's BGR picture (height, width, 3): lens blur, gamma, noise, 8 bit; the same for the same seed."""
    blurred = cv2.GaussianBlur(linear, (0, 0), softness_px) if softness_px > 0.05 else linear
    draw = np.random.default_rng(seed)
    grain = _grain(*linear.shape[:2])
    down, across = draw.integers(0, _GRAIN_MARGIN, 2)
    picture = np.empty(linear.shape, dtype=np.uint8)
    _encode(np.asarray(blurred, dtype=np.float32), grain, int(down), int(across), noise, _GAMMA, picture)
    return picture


def _joined(first: Surface, second: Surface) -> Surface:
    """The hits of both, one after the other."""
    return Surface(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in Surface.__slots__))


def _coloured(surface: Surface, solids: Solids, hands_rad: dict[int, Array], scene: Scene, tracer: Tracer) -> Array:
    """Linear RGB (S, 3) of what the rays met."""
    paints = paint(surface, scene.palette, solids.frames, hands_rad)
    lit = Shadows(tracer.capsules, np.array(scene.light.toward)).lit(surface)
    up = scene.camera.rotation_camera_from_operator @ np.array([0.0, 0.0, 1.0])
    return shade(surface, lit, paints, scene.light, up)


@compiled
def _outline(pixels: Array, rays: Ints, met: Ints, points: Array, parts: NDArray[np.int8]) -> Array:
    """Fills the picture of parts; image points (E, 2) of pixels that touch another part or another depth."""
    rows, columns = parts.shape
    depth = np.full((rows, columns), np.float32(99.0))
    for i in range(len(rays)):
        column, row = int(pixels[rays[i], 0]), int(pixels[rays[i], 1])
        parts[row, column], depth[row, column] = met[i], points[i, 2]
    edge = np.zeros((rows, columns), dtype=np.bool_)
    count = 0
    for r in range(rows - 1):
        for c in range(columns - 1):
            for dr, dc in ((0, 1), (1, 0)):
                if parts[r, c] != parts[r + dr, c + dc] or abs(depth[r, c] - depth[r + dr, c + dc]) > _EDGE_DEPTH_M:
                    count += 2 - int(edge[r, c]) - int(edge[r + dr, c + dc])
                    edge[r, c] = edge[r + dr, c + dc] = True
    found = np.empty((count, 2))
    count = 0
    for r in range(rows):
        for c in range(columns):
            if edge[r, c]:
                found[count, 0], found[count, 1] = c, r
                count += 1
    return found


@compiled
def _put(linear: Array32, pixels: Array, rays: Ints, colour: Array) -> None:
    """Colours of hits into their pixels, in place."""
    for i in range(len(rays)):
        column, row = int(pixels[rays[i], 0]), int(pixels[rays[i], 1])
        for c in range(3):
            linear[row, column, c] = colour[i, c]


@compiled
def _average(linear: Array32, backdrop: Array32, outline: Array, rays: Ints, colour: Array) -> None:
    """Mix the three further rays of outline pixels into the picture, in place."""
    total, met = np.zeros((len(outline), 3)), np.zeros(len(outline))
    for i in range(len(rays)):
        met[rays[i] // 3] += 1.0
        for c in range(3):
            total[rays[i] // 3, c] += colour[i, c]
    for i in range(len(outline)):
        column, row = int(outline[i, 0]), int(outline[i, 1])
        for c in range(3):
            missed = (3.0 - met[i]) * backdrop[row, column, c]
            linear[row, column, c] = (linear[row, column, c] + total[i, c] + missed) / 4.0


_GAMMA = (255.0 * np.linspace(0.0, 1.0, 4096) ** (1.0 / 2.2)).astype(np.float32)
_GRAIN_MARGIN = 64
_grains: dict[tuple[int, int], Array32] = {}


def _grain(rows: int, columns: int) -> Array32:
    """Unit noise, larger than the picture, made once per process and size."""
    if (rows, columns) not in _grains:
        shape = (rows + _GRAIN_MARGIN, columns + _GRAIN_MARGIN, 3)
        _grains[rows, columns] = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return _grains[rows, columns]


@compiled
def _encode(
    linear: Array32, grain: Array32, down: int, across: int, noise: float, gamma: Array32, picture: Image
) -> None:
    """Gamma by table, noise, 8 bit, RGB to BGR."""
    for r in range(linear.shape[0]):
        for column in range(linear.shape[1]):
            for c in range(3):
                level = min(max(linear[r, column, c], 0.0), 1.0)
                value = gamma[int(level * 4095.0)] + noise * grain[r + down, column + across, c]
                picture[r, column, 2 - c] = int(min(max(value + 0.5, 0.0), 255.0))
