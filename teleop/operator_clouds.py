# SPDX-License-Identifier: Apache-2.0
"""What is seen of the operator as the clouds that are published and recorded, and back."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph import body_cloud, hands_cloud
from teleop.hand_geometry import Side
from teleop.operator_view import BodyView, HandView

Array = NDArray[np.float64]
Cloud = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Origin:
    """How landmarks came about.

    Attributes:
        frame: number of the camera frame.
        aspect: width over height of its image.
        inference_ms: what the model took. tracked_ms: from the capture to the landmarks.
    """

    frame: int
    aspect: float
    inference_ms: float
    tracked_ms: float


def hands_to_cloud(hands: Mapping[Side, HandView], origin: Origin) -> Cloud:
    """Hands as a (2, 21) cloud, see `graph.hands_cloud`."""
    cloud = hands_cloud.empty()
    _stamp(cloud, origin)
    for side, hand in hands.items():
        _fill(
            cloud[hands_cloud.HANDS.index(side)], hand.world_m, hand.image, np.full(hands_cloud.LANDMARKS, hand.score)
        )
    return cloud


def body_to_cloud(body: BodyView | None, origin: Origin) -> Cloud:
    """A body as a (1, 33) cloud, see `graph.body_cloud`."""
    cloud = body_cloud.empty()
    _stamp(cloud, origin)
    if body is not None:
        _fill(cloud[0], body.world_m, body.image, body.visibility)
    return cloud


def hands_of(cloud: Cloud) -> dict[Side, HandView]:
    """The hands of a (2, 21) cloud; a hand that was not seen is left out."""
    found: dict[Side, HandView] = {}
    for side, row in zip(hands_cloud.HANDS, cloud, strict=True):
        world_m = _world(row)
        if not bool(np.isnan(world_m).all()):
            found[side] = HandView(world_m, _image(row), float(row["score"][0]))  # type: ignore[index]
    return found


def body_of(cloud: Cloud, stamp_ns: int) -> BodyView | None:
    """The body of a (1, 33) cloud; None where nobody was seen."""
    row = cloud[0]
    world_m = _world(row)
    if bool(np.isnan(world_m).all()):
        return None
    return BodyView(world_m, _image(row), row["score"].astype(np.float64), stamp_ns, float(row["aspect"][0]))


def _stamp(cloud: Cloud, origin: Origin) -> None:
    cloud["frame"], cloud["aspect"] = origin.frame, origin.aspect
    cloud["inference_ms"], cloud["tracked_ms"] = origin.inference_ms, origin.tracked_ms


def _fill(row: Cloud, world_m: Array, image: Array, score: Array) -> None:
    for axis, name in enumerate("xyz"):
        row[name] = world_m[:, axis]
    row["u"], row["v"], row["score"] = image[:, 0], image[:, 1], score


def _world(row: Cloud) -> Array:
    return np.stack([row["x"], row["y"], row["z"]], axis=1).astype(np.float64)


def _image(row: Cloud) -> Array:
    return np.stack([row["u"], row["v"]], axis=1).astype(np.float64)
