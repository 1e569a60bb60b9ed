# SPDX-License-Identifier: Apache-2.0
"""One binary message to the browsers: a camera picture and the landmarks that were found in exactly this picture."""

import json
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DIGITS = 4
"""Of image shares: a tenth of a pixel."""


def pack(
    jpeg: bytes,
    hands: Mapping[str, tuple[Array, float]],
    body: Array | None,
    hint: Mapping[str, object] | None,
) -> bytes:
    """Header length (4 bytes, little-endian), JSON header, JPEG.

    Args:
        jpeg: the picture, not mirrored.
        hands: side to (21, 2) image points and score.
        body: (33, 3) image points and visibility; None: nobody.
        hint: where to stand, as a phrase.
    """
    header = json.dumps(
        {
            "hands": {
                side: {"points": np.round(points, DIGITS).tolist(), "score": round(score, 3)}
                for side, (points, score) in hands.items()
            },
            "body": None if body is None else np.round(body, DIGITS).tolist(),
            "hint": hint,
        }
    ).encode()
    return struct.pack("<I", len(header)) + header + jpeg
