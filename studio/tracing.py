# SPDX-License-Identifier: Apache-2.0
"""Where rays from the camera meet the solids: capsules sorted into image tiles, then sphere tracing tile by tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.compiled import compiled
from studio.solid import Solids
from studio.tiles import TILE_PX, covered_pixels, sort_into_tiles

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = -1
"""Part of a pixel whose ray met nothing."""

_HIT_PX, _STEPS = 0.4, 48
"""A ray ends this near to the surface (after one more step), or after so many steps."""

_CROWD = 512
"""Most capsules that one tile may hold."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What the rays that met something met: S hits in the order of the rays.

    Attributes:
        rays: (S,) number of each hit's ray.
        points_m, normals: (S, 3) in camera axes, normals outward.
        parts: (S,) the painted part.
        openness: (S,) share of the room that lights the point, 0 … 1.
    """

    rays: Ints
    points_m: Array
    normals: Array
    parts: Ints
    openness: Array


class Tracer:
    """The solids of one instant, ready for rays through image points."""

    def __init__(self, solids: Solids, focal_px: float, centre_px: Array, size: tuple[int, int]) -> None:
        table, blends = solids.table(), solids.blends()
        self.columns, self.rows = -(-size[0] // TILE_PX), -(-size[1] // TILE_PX)
        self._size = size
        self._lens = (focal_px, float(centre_px[0]), float(centre_px[1]))
        axis = table[:, 3:6] - table[:, :3]
        length2 = np.maximum((axis**2).sum(axis=1), 1e-12)
        self.capsules = np.column_stack([table[:, :3], axis, 1.0 / length2, table[:, 6], table[:, 7] - table[:, 6]])
        self._groups, self._parts = table[:, 8].astype(np.int64), table[:, 9].astype(np.int64)
        self._blends = blends
        self._reach = np.where(blends < 0.010, 0.022, 0.040)
        self._first, self._items = sort_into_tiles(
            self.capsules, self._groups, self._reach, *self._lens, self.columns, self.rows
        )

    def pixels(self) -> Array:
        """Image points (R, 2) of all pixels whose rays may meet something: column, row."""
        return covered_pixels(self._first, self.columns, self.rows, *self._size)

    def trace(self, pixels: Array) -> Surface:
        """What the rays through image points (R, 2) meet."""
        count = len(pixels)
        rays, points, normals = np.empty(count, dtype=np.int64), np.empty((count, 3)), np.empty((count, 3))
        parts, openness = np.empty(count, dtype=np.int64), np.empty(count)
        hits = _trace(
            np.ascontiguousarray(pixels, dtype=np.float64), *self._lens, self.columns, self.rows, TILE_PX,
            self._first, self._items, self.capsules, self._groups, self._parts, self._blends, self._reach,
            rays, points, normals, parts, openness,
        )  # fmt: skip
        return Surface(rays[:hits], points[:hits], normals[:hits], parts[:hits], openness[:hits])


@compiled
def _distance(x: float, y: float, z: float, capsules: Array, m: int) -> float:
    """Signed distance of a point to one capsule."""
    px, py, pz = x - capsules[m, 0], y - capsules[m, 1], z - capsules[m, 2]
    ax, ay, az = capsules[m, 3], capsules[m, 4], capsules[m, 5]
    s = min(max((px * ax + py * ay + pz * az) * capsules[m, 6], 0.0), 1.0)
    px, py, pz = px - s * ax, py - s * ay, pz - s * az
    return float(np.sqrt(px * px + py * py + pz * pz) - capsules[m, 7] - capsules[m, 8] * s)


@compiled
def _union(
    x: float, y: float, z: float, capsules: Array, groups: Ints, blends: Array, chosen: Ints, count: int
) -> float:
    """Signed distance of a point to the chosen capsules: smooth inside a group, sharp between groups."""
    best = 1e9
    i = 0
    while i < count:
        group = groups[chosen[i]]
        blend = blends[group]
        melted = _distance(x, y, z, capsules, chosen[i])
        i += 1
        while i < count and groups[chosen[i]] == group:
            other = _distance(x, y, z, capsules, chosen[i])
            near = blend - abs(melted - other)
            melted = min(melted, other)
            if near > 0.0:
                melted -= near * near / (4.0 * blend)
            i += 1
        best = min(best, melted)
    return best


@compiled
def _normal(
    x: float, y: float, z: float, capsules: Array, groups: Ints, blends: Array, chosen: Ints, count: int
) -> tuple[float, float, float, int]:
    """Gradient of the union at a surface point, and the capsule that owns it."""
    best, bx, by, bz, owner = 1e9, 0.0, 0.0, -1.0, 0
    melted, gx, gy, gz, least, mine = 1e9, 0.0, 0.0, 0.0, 1e9, 0
    for i in range(count + 1):
        fresh = i == count or i == 0 or groups[chosen[i]] != groups[chosen[i - 1]]
        if fresh and i > 0 and melted < best:
            best, bx, by, bz, owner = melted, gx, gy, gz, mine
        if i == count:
            break
        m = chosen[i]
        px, py, pz = x - capsules[m, 0], y - capsules[m, 1], z - capsules[m, 2]
        ax, ay, az = capsules[m, 3], capsules[m, 4], capsules[m, 5]
        raw = (px * ax + py * ay + pz * az) * capsules[m, 6]
        s = min(max(raw, 0.0), 1.0)
        px, py, pz = px - s * ax, py - s * ay, pz - s * az
        core = np.sqrt(px * px + py * py + pz * pz) + 1e-12
        taper = capsules[m, 8] * capsules[m, 6] if 0.0 < raw < 1.0 else 0.0
        nx, ny, nz = px / core - taper * ax, py / core - taper * ay, pz / core - taper * az
        gap = core - capsules[m, 7] - capsules[m, 8] * s
        if fresh:
            melted, gx, gy, gz, least, mine = gap, nx, ny, nz, gap, m
            continue
        blend = blends[groups[m]]
        near = max(blend - abs(melted - gap), 0.0)
        share = 0.5 * near / blend
        if gap < melted:
            share = 1.0 - share
        gx, gy, gz = gx + (nx - gx) * share, gy + (ny - gy) * share, gz + (nz - gz) * share
        melted = min(melted, gap) - near * near / (4.0 * blend)
        if gap < least:
            least, mine = gap, m
    length = np.sqrt(bx * bx + by * by + bz * bz) + 1e-12
    return bx / length, by / length, bz / length, owner


@compiled
def _trace(
    pixels: Array, focal: float, cx: float, cy: float, columns: int, rows: int, tile_px: int,
    first: Ints, items: Ints, capsules: Array, groups: Ints, part_of: Ints, blends: Array, reach: Array,
    rays: Ints, points: Array, normals: Array, parts: Ints, openness: Array,
) -> int:  # fmt: skip
    """Sphere tracing of every image point among the capsules of its tile; fills the last arrays, returns the hits."""
    chosen = np.zeros(_CROWD, dtype=np.int64)
    hits = 0
    for ray in range(len(pixels)):
        dx, dy = (pixels[ray, 0] - cx) / focal, (pixels[ray, 1] - cy) / focal
        norm = 1.0 / np.sqrt(dx * dx + dy * dy + 1.0)
        dx, dy, dz = dx * norm, dy * norm, norm
        tx = min(max(int(pixels[ray, 0] + 0.5) // tile_px, 0), columns - 1)
        ty = min(max(int(pixels[ray, 1] + 0.5) // tile_px, 0), rows - 1)
        low, high = first[ty * columns + tx], first[ty * columns + tx + 1]
        count, start, end = 0, 1e9, 0.0
        for i in range(low, high):
            m = items[i]
            ax, ay, az = capsules[m, 3], capsules[m, 4], capsules[m, 5]
            px, py, pz = capsules[m, 0], capsules[m, 1], capsules[m, 2]
            lean = dx * ax + dy * ay + dz * az
            toward = dx * px + dy * py + dz * pz
            square = 1.0 - lean * lean * capsules[m, 6]
            along = (lean * toward - (ax * px + ay * py + az * pz)) * capsules[m, 6]
            free = along / square if square > 1e-6 else 0.0
            s = min(max(free, 0.0), 1.0)
            px, py, pz = px + s * ax, py + s * ay, pz + s * az
            t = dx * px + dy * py + dz * pz
            radius = max(capsules[m, 7], capsules[m, 7] + capsules[m, 8])
            grown, bulge = radius + blends[groups[m]], radius + 0.6 * blends[groups[m]]
            apart2 = px * px + py * py + pz * pz - t * t
            if apart2 < grown * grown and count < _CROWD:
                chosen[count] = m
                count += 1
                entry = min(toward, toward + lean) - bulge
                if s == free and square > 1e-3:
                    entry = max(entry, t - np.sqrt(max(bulge * bulge - apart2, 0.0) / square))
                start = min(start, entry)
                end = max(end, max(toward, toward + lean) + radius)
        if count == 0:
            continue
        t, gap, met = start, 1e9, False
        for _ in range(_STEPS):
            gap = _union(dx * t, dy * t, dz * t, capsules, groups, blends, chosen, count)
            t += gap
            if gap < _HIT_PX * t / focal:
                met = True
                break
            if t > end:
                break
        if not met and (t > end or gap > 0.5 * t / focal):
            continue
        x, y, z = dx * t, dy * t, dz * t
        nx, ny, nz, owner = _normal(x, y, z, capsules, groups, blends, chosen, count)
        rays[hits], parts[hits] = ray, part_of[owner]
        points[hits, 0], points[hits, 1], points[hits, 2] = x, y, z
        normals[hits, 0], normals[hits, 1], normals[hits, 2] = nx, ny, nz
        far = 0.5 * reach[groups[owner]]
        count, alone = 0, blends[groups[owner]] > 0.02
        for i in range(low, high):
            if _distance(x, y, z, capsules, items[i]) < 2.0 * far and count < _CROWD:
                chosen[count] = items[i]
                count += 1
                alone = alone and groups[items[i]] == groups[owner]
        blocked = 0.0
        for level in range(0 if alone else 3):
            step = far * (0.28 if level == 0 else (0.55 if level == 1 else 1.0))
            free = _union(x + step * nx, y + step * ny, z + step * nz, capsules, groups, blends, chosen, count)
            blocked += (0.34 if level != 1 else 0.40) * min(max(1.0 - free / step, 0.0), 1.0)
        openness[hits] = min(max(1.0 - 0.95 * blocked, 0.06), 1.0)
        hits += 1
    return hits
