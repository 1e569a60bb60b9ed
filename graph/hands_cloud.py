# SPDX-License-Identifier: Apache-2.0
"""Layout of the /tracker/hands cloud: one NumPy dtype that is also the PointCloud2 field list.

Positions are metres relative to the wrist (landmark 0), in the axes of the camera's optical frame (REP 103: x right,
y down, z away from the camera). ``u``/``v`` are image coordinates as a share of width and height; ``score`` is the
handedness score. The others hold for the whole message and are repeated in every point, so that a recorded cloud
explains itself: ``frame``, number of the camera frame; ``aspect``, width over height of its image; ``inference_ms``,
what the model took; ``tracked_ms``, from the capture to these landmarks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HANDS = ("right", "left")
LANDMARKS = 21

POINT = np.dtype(
    [
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("u", "<f4"),
        ("v", "<f4"),
        ("score", "<f4"),
        ("inference_ms", "<f4"),
        ("tracked_ms", "<f4"),
        ("aspect", "<f4"),
        ("frame", "<u4"),
    ]
)


class Field(NamedTuple):
    """Name, byte offset and sensor_msgs/PointField datatype code of one field."""

    name: str
    offset: int
    datatype: int


_DATATYPE = {"<f4": 7, "<u4": 6}

FIELDS = tuple(
    Field(name, int(POINT.fields[name][1]), _DATATYPE[POINT.fields[name][0].str])  # type: ignore[index]
    for name in POINT.names or ()
)


def empty() -> NDArray[np.void]:
    """A (2, 21) cloud in which no hand is seen."""
    return nobody(len(HANDS), LANDMARKS)


def from_bytes(data: bytes) -> NDArray[np.void]:
    """Decode the ``data`` of a hands cloud, (2, 21).

    Raises:
        ValueError: the length is not that of a hands cloud.
    """
    return decode(data, len(HANDS), LANDMARKS, "hands")


def nobody(rows: int, points: int) -> NDArray[np.void]:
    """A (rows, points) cloud of landmarks that were not seen."""
    cloud = np.zeros((rows, points), POINT)
    for name in ("x", "y", "z", "u", "v", "score"):
        cloud[name] = np.nan
    return cloud


def decode(data: bytes, rows: int, points: int, what: str) -> NDArray[np.void]:
    """Decode the ``data`` of a (rows, points) cloud.

    Raises:
        ValueError: the length is another one.
    """
    expected = rows * points * POINT.itemsize
    if len(data) != expected:
        raise ValueError(f"a {what} cloud has {expected} bytes, this one has {len(data)}: not made by our tracker?")
    return np.frombuffer(data, POINT).reshape(rows, points)
