# SPDX-License-Identifier: Apache-2.0
"""Light on the solids: a lamp with soft shadows, the sky of a room, light from the floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.colours import Light
from studio.compiled import compiled
from studio.painting import Paint
from studio.tracing import Surface

Array = NDArray[np.float64]

_MAP = 320
"""Side of the shadow map in texels."""


class Shadows:
    """Depth of the solids as the lamp sees them."""

    def __init__(self, capsules: Array, toward: Array) -> None:
        self.away = -toward / np.linalg.norm(toward)
        side = np.cross(self.away, [0.0, 1.0, 0.0])
        side /= np.linalg.norm(side)
        self._axes = np.stack([side, np.cross(self.away, side), self.away])
        start, axis = capsules[:, :3] @ self._axes.T, capsules[:, 3:6] @ self._axes.T
        radius = np.maximum(capsules[:, 7], capsules[:, 7] + capsules[:, 8])[:, None]
        low = np.minimum(start, start + axis)[:, :2] - radius
        high = np.maximum(start, start + axis)[:, :2] + radius
        self._corner = low.min(axis=0)
        self._texel = float((high.max(axis=0) - self._corner).max()) / (_MAP - 1)
        self._depth = np.full((_MAP, _MAP), 1e9)
        _fill(np.column_stack([start, axis, capsules[:, 7:9]]), self._corner, self._texel, self._depth)

    def lit(self, surface: Surface) -> Array:
        """Share (S,) of the lamp that reaches each point."""
        share = np.ones(len(surface.parts))
        offset = surface.points_m + surface.normals * 0.006
        _look_up(offset @ self._axes.T, self._corner, self._texel, self._depth, share)
        return share


@compiled
def _fill(capsules: Array, corner: Array, texel: float, depth: Array) -> None:
    """Nearest depth of every texel over all capsules (M, 8) in the lamp's axes."""
    for m in range(len(capsules)):
        x, y, z = capsules[m, 0], capsules[m, 1], capsules[m, 2]
        ax, ay, az = capsules[m, 3], capsules[m, 4], capsules[m, 5]
        near, taper = capsules[m, 6], capsules[m, 7]
        big = max(near, near + taper)
        length2 = ax * ax + ay * ay + 1e-12
        c0 = max(int((min(x, x + ax) - big - corner[0]) / texel), 0)
        c1 = min(int((max(x, x + ax) + big - corner[0]) / texel) + 1, _MAP - 1)
        r0 = max(int((min(y, y + ay) - big - corner[1]) / texel), 0)
        r1 = min(int((max(y, y + ay) + big - corner[1]) / texel) + 1, _MAP - 1)
        for row in range(r0, r1 + 1):
            for column in range(c0, c1 + 1):
                px, py = corner[0] + column * texel - x, corner[1] + row * texel - y
                for option in range(3):
                    s = min(max((px * ax + py * ay) / length2, 0.0), 1.0) if option == 0 else option - 1.0
                    radius = near + taper * s
                    gap2 = (px - s * ax) ** 2 + (py - s * ay) ** 2
                    if gap2 < radius * radius:
                        here = z + s * az - np.sqrt(radius * radius - gap2)
                        depth[row, column] = min(depth[row, column], here)


@compiled
def _look_up(points: Array, corner: Array, texel: float, depth: Array, share: Array) -> None:
    """Soft comparison of points in the lamp's axes with the shadow map: mean of 5 × 5 texels, weighted."""
    for i in range(len(points)):
        column, row = (points[i, 0] - corner[0]) / texel, (points[i, 1] - corner[1]) / texel
        c, r = int(column), int(row)
        if c < 2 or r < 2 or c > _MAP - 4 or r > _MAP - 4:
            continue
        total, weight_sum = 0.0, 0.0
        for dr in range(-2, 4):
            for dc in range(-2, 4):
                weight = max(2.6 - abs(r + dr - row), 0.0) * max(2.6 - abs(c + dc - column), 0.0)
                free = (depth[r + dr, c + dc] - points[i, 2] + 0.016) / 0.010
                total += weight * min(max(free, 0.0), 1.0)
                weight_sum += weight
        share[i] = total / weight_sum


def shade(surface: Surface, lit: Array, paint: Paint, light: Light, up: Array) -> Array:
    """Linear RGB (S, 3) of surface points.

    Args:
        surface: points, normals, openness.
        lit: (S,) share of the lamp that reaches each point.
        paint: what the points are painted with.
        light: lamp and room.
        up: (3,) up in camera axes.
    """
    colour = np.zeros_like(surface.points_m)
    toward = np.array(light.toward) / np.linalg.norm(light.toward)
    _shade(
        surface.points_m, surface.normals, surface.openness, lit,
        paint.albedo, paint.gloss, paint.softness, toward, up,
        np.array(light.lamp) * light.exposure, np.array(light.sky) * light.exposure,
        np.array(light.floor) * light.exposure, colour,
    )  # fmt: skip
    return colour


@compiled
def _shade(
    points: Array, normals: Array, openness: Array, lit: Array,
    albedo: Array, gloss: Array, softness: Array,
    toward: Array, up: Array, lamp: Array, sky: Array, floor: Array, colour: Array,
) -> None:  # fmt: skip
    """Fills linear RGB: wrapped diffuse lamp, sky and floor by height of the normal, one highlight."""
    for i in range(len(points)):
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        facing = nx * toward[0] + ny * toward[1] + nz * toward[2]
        height = 0.5 + 0.5 * (nx * up[0] + ny * up[1] + nz * up[2])
        away = 1.0 / np.sqrt(points[i, 0] ** 2 + points[i, 1] ** 2 + points[i, 2] ** 2)
        hx, hy = toward[0] - points[i, 0] * away, toward[1] - points[i, 1] * away
        hz = toward[2] - points[i, 2] * away
        half = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz)
        shine = 0.35 * gloss[i] * lit[i] * max(half, 0.0) ** 24
        for c in range(3):
            wrap = softness[i] * (0.30 if c == 0 else (0.13 if c == 1 else 0.07)) + 0.04
            tint = openness[i] ** (1.0 if softness[i] == 0.0 else (0.80 if c == 0 else 1.15 + 0.05 * c))
            direct = min(max((facing + wrap) / (1.0 + wrap), 0.0), 1.0) * lit[i]
            around = (floor[c] + (sky[c] - floor[c]) * height) * tint
            colour[i, c] = albedo[i, c] * (lamp[c] * direct + around) + shine
