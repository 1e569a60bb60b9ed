# SPDX-License-Identifier: Apache-2.0
"""Pictures of a drawn operator with the landmarks that belong to them, as the page gets them from a camera."""

from collections.abc import Mapping
from functools import cache, lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from booth.page.camera_message import pack

Array = NDArray[np.float64]

SCRIPT, SEED = "two_hands", 3
POSES: Mapping[str, int] = {"open": 12, "fist": 48, "pinch": 96, "work": 160, "raised": 238}
"""Frames of the script."""

JPEG_QUALITY = 80
SIDES = ("right", "left")


@lru_cache(maxsize=64)
def picture_message(pose: str, sides: tuple[str, ...] = SIDES, hint: str = "", dark: bool = False) -> bytes:
    """The page's binary message for one pose.

    Args:
        pose: one of POSES; empty: a plain grey picture, which needs no drawing.
        sides: which hands are found.
        hint: a word of `booth.page.hints`; empty: none.
        dark: as if the light were low.
    """
    told = {"key": f"hint.{hint}", "args": {}, "text": hint} if hint else None
    if not pose:
        return pack(_jpeg(np.full((72, 96, 3), 90, np.uint8)), {}, None, told)
    rgb, hands, body = _drawn(pose)
    scores = {"right": 0.97, "left": 0.71}
    shown = {side: (hands[side], scores[side]) for side in sides}
    return pack(_jpeg((rgb * 0.3).astype(np.uint8) if dark else rgb), shown, body, told)


@cache
def _drawn(pose: str) -> tuple[NDArray[np.uint8], Mapping[str, Array], Array]:
    """RGB picture, hands' (21, 2) and the body's (33, 3) image points; the first one takes some seconds."""
    from studio.body_landmarks import body_landmarks_m
    from studio.film import Film
    from studio.look import Look
    from studio.operator_model import posture
    from studio.script import load_script

    film = Film(load_script(SCRIPT), Look(width=640, height=480), SEED)
    index = POSES[pose]
    body = posture(film.performance.angles_rad[index], film.sizes)
    size = np.array([film.camera.width, film.camera.height])

    def shares(points_m: Array) -> Array:
        return np.asarray(film.camera.pixels(film.camera.place(points_m)) / size)

    hands: dict[str, Array] = {side: shares(limb.hand_m) for side, limb in body.limbs.items()}
    skeleton = shares(body_landmarks_m(body, film.sizes))
    inside = ((skeleton >= 0.0) & (skeleton <= 1.0)).all(axis=1)
    picture = film.shoot(index).picture[:, :, ::-1]
    return picture, hands, np.asarray(np.column_stack([skeleton, inside]), dtype=np.float64)


def _jpeg(rgb: NDArray[np.uint8]) -> bytes:
    out = BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
