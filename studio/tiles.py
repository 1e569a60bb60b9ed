# SPDX-License-Identifier: Apache-2.0
"""The picture in tiles, and which capsules each of them may show: rays need to look at those only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.compiled import compiled

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

TILE_PX = 12


@compiled
def sort_into_tiles(
    capsules: Array, groups: Ints, reach: Array, focal: float, cx: float, cy: float, columns: int, rows: int
) -> tuple[Ints, Ints]:
    """For every tile the capsules whose grown image touches it: offsets (tiles + 1,) and capsule numbers."""
    counts = np.zeros(columns * rows + 1, dtype=np.int64)
    items = np.zeros(1, dtype=np.int64)
    half = TILE_PX * 0.7072
    for filling in range(2):
        if filling:
            total = 0
            for tile in range(columns * rows + 1):
                total, counts[tile] = total + counts[tile], total
            items = np.zeros(max(total, 1), dtype=np.int64)
        for m in range(len(capsules)):
            az, bz = capsules[m, 2], capsules[m, 2] + capsules[m, 5]
            if az < 0.05 or bz < 0.05:
                continue
            grow = reach[groups[m]]
            u0, v0 = capsules[m, 0] / az * focal + cx, capsules[m, 1] / az * focal + cy
            u1 = (capsules[m, 0] + capsules[m, 3]) / bz * focal + cx
            v1 = (capsules[m, 1] + capsules[m, 4]) / bz * focal + cy
            r0 = (capsules[m, 7] + grow) / az * focal * 1.12
            r1 = (capsules[m, 7] + capsules[m, 8] + grow) / bz * focal * 1.12
            du, dv = u1 - u0, v1 - v0
            length2 = du * du + dv * dv + 1e-9
            low_x = max(int((min(u0 - r0, u1 - r1)) // TILE_PX), 0)
            high_x = min(int((max(u0 + r0, u1 + r1)) // TILE_PX), columns - 1)
            low_y = max(int((min(v0 - r0, v1 - r1)) // TILE_PX), 0)
            high_y = min(int((max(v0 + r0, v1 + r1)) // TILE_PX), rows - 1)
            for ty in range(low_y, high_y + 1):
                for tx in range(low_x, high_x + 1):
                    x, y = (tx + 0.5) * TILE_PX - 0.5, (ty + 0.5) * TILE_PX - 0.5
                    s = min(max(((x - u0) * du + (y - v0) * dv) / length2, 0.0), 1.0)
                    gap2 = (x - u0 - s * du) ** 2 + (y - v0 - s * dv) ** 2
                    if gap2 > (max(r0, r1) + half) ** 2:
                        continue
                    tile = ty * columns + tx
                    if filling:
                        items[counts[tile]] = m
                    counts[tile] += 1
    for tile in range(columns * rows, 0, -1):
        counts[tile] = counts[tile - 1]
    counts[0] = 0
    return counts, items


@compiled
def covered_pixels(first: Ints, columns: int, rows: int, width: int, height: int) -> Array:
    """Pixels of the tiles that hold anything."""
    total = 0
    for tile in range(columns * rows):
        total += TILE_PX * TILE_PX if first[tile + 1] > first[tile] else 0
    pixels = np.empty((total, 2))
    count = 0
    for tile in range(columns * rows):
        if first[tile + 1] > first[tile]:
            left, top = tile % columns * TILE_PX, tile // columns * TILE_PX
            for row in range(top, min(top + TILE_PX, height)):
                for column in range(left, min(left + TILE_PX, width)):
                    pixels[count, 0], pixels[count, 1] = column, row
                    count += 1
    return pixels[:count]
