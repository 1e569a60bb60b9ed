# SPDX-License-Identifier: Apache-2.0
"""What colour everything is, as linear-light reflectance: skin, hair and cloth, with details on face and hands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clips.skin import DORSAL, Skin
from studio.colours import Palette
from studio.compiled import compiled
from studio.face_paint import paint_face
from studio.solid import Frame, Part
from studio.tracing import Surface

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

HANDS = (Part.RIGHT_HAND, Part.LEFT_HAND, Part.GUEST_HAND)


@dataclass(frozen=True, slots=True)
class Paint:
    """Reflectance (S, 3), gloss (S,) and softness (S,) (0 cloth, 1 skin) of surface points."""

    albedo: Array
    gloss: Array
    softness: Array


def paint(surface: Surface, palette: Palette, frames: dict[int, Frame], hands_rad: dict[int, Array]) -> Paint:
    """Paint for every surface point.

    Args:
        surface: (S,) points with their parts.
        palette: colours.
        frames: the frame of each part, as the solids keep it.
        hands_rad: (20,) finger angles of each hand part that is there.
    """
    count = len(surface.parts)
    result = Paint(np.zeros((count, 3)), np.zeros(count), np.zeros(count))
    _plain(surface.points_m, surface.parts, _base_colours(palette), result.albedo, result.gloss, result.softness)
    for part in HANDS:
        if part in hands_rad:
            tone = palette.guest_skin if part == Part.GUEST_HAND else palette.skin
            _paint_hand(surface, part, frames[part], hands_rad[part], np.array(tone), result)
    here = np.flatnonzero(surface.parts == Part.FACE)
    if len(here):
        head = frames[Part.FACE]
        points, normals = head.to_local(surface.points_m[here]), head.direction_to_local(surface.normals[here])
        result.albedo[here], result.gloss[here] = paint_face(
            points, normals, np.array(palette.skin), np.array(palette.hair)
        )
    return result


def _base_colours(palette: Palette) -> Array:
    """(64, 4) linear RGB and kind (0 cloth, 1 skin, 2 hair) by part."""
    skin = palette.skin
    table = np.zeros((64, 4))
    table[:] = (*skin, 1.0)
    for part, colour in (
        (Part.SHIRT, palette.shirt),
        (Part.SLEEVE, palette.shirt),
        (Part.COLLAR, palette.collar),
        (Part.TROUSERS, palette.trousers),
        (Part.GUEST_SLEEVE, palette.guest_sleeve),
    ):
        table[part] = (*colour, 0.0)
    table[Part.HAIR] = (*palette.hair, 2.0)
    table[Part.EAR] = (skin[0] * 1.05, skin[1] * 0.92, skin[2] * 0.92, 1.0)
    return table


@compiled
def _plain(points: Array, parts: Ints, colours: Array, albedo: Array, gloss: Array, softness: Array) -> None:
    """The part's colour with the slight unevenness of its kind."""
    for i in range(len(parts)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        kind = colours[parts[i], 3]
        if kind == 0.0:
            tone = 1.0 + 0.09 * np.sin(1250.0 * x + 300.0 * y) * np.sin(1100.0 * y - 200.0 * z)
        elif kind == 1.0:
            tone = 1.0 + 0.012 * (np.sin(310.0 * x + 170.0 * y - 140.0 * z) + np.sin(120.0 * x - 260.0 * y + 230.0 * z))
            gloss[i], softness[i] = 0.10, 1.0
        else:
            tone = 1.0 + 0.30 * np.sin(900.0 * x + 150.0 * np.sin(9.0 * y)) * np.sin(210.0 * x + 160.0 * z)
            gloss[i] = 0.20
        for c in range(3):
            albedo[i, c] = colours[parts[i], c] * tone


def _paint_hand(surface: Surface, part: Part, frame: Frame, hand_rad: Array, tone: Array, result: Paint) -> None:
    """Creases, pads and nails of one hand, in place."""
    here = np.flatnonzero((surface.parts >= part) & (surface.parts < part + 6))
    if not len(here):
        return
    points = frame.to_local(surface.points_m[here]).astype(np.float32)
    normals = frame.direction_to_local(surface.normals[here]).astype(np.float32)
    colour, gloss = Skin(hand_rad).reflectance(points, normals, surface.parts[here] - int(part))
    result.albedo[here] = colour * (tone / DORSAL)
    result.gloss[here] = gloss
    result.softness[here] = 1.0
