# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's HandLandmarker (Tasks API, VIDEO mode) as one synchronous call on one frame.

Convention, checked by ``self_test`` on the bundled clip: images are not mirrored and labels are the subject's own
hands.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import HandLandmarker, HandLandmarkerOptions, RunningMode
from numpy.typing import NDArray

from teleop.camera import Image, bundled_clip
from teleop.hand_geometry import Side
from teleop.models import ModelError
from teleop.tracker_landmarker import VideoLandmarker

Array = NDArray[np.float64]

SELF_TEST_S = 1.5
"""Moment of the bundled clip at which an open right hand is in view."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One hand found in a frame.

    Attributes:
        side: the subject's own hand.
        score: how sure the tracker is of the side, 0 … 1.
        world_m: (21, 3) landmarks [m] from the wrist, in the camera's optical axes (x right, y down, z away).
        image: (21, 2) landmarks as shares of image width and height.
    """

    side: Side
    score: float
    world_m: Array
    image: Array


class HandTracker(VideoLandmarker):
    """Finds up to two hands."""

    def __init__(self, model: Path) -> None:
        options = HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)), running_mode=RunningMode.VIDEO, num_hands=2
        )
        super().__init__(HandLandmarker.create_from_options(options))

    def detect(self, image_bgr: Image, capture_ns: int) -> tuple[Hand, ...]:
        """Hands in one unmirrored image, as the model labels them; whose they are, `teleop.identity` decides.

        Args:
            image_bgr: (height, width, 3).
            capture_ns: when it was taken; only its order matters.
        """
        result = self.landmarks(image_bgr, capture_ns)
        return tuple(
            Hand(
                "right" if label[0].category_name == "Right" else "left",
                float(label[0].score),
                _from_wrist(world),
                np.array([[point.x, point.y] for point in image]),
            )
            for label, world, image in zip(
                result.handedness, result.hand_world_landmarks, result.hand_landmarks, strict=True
            )
        )


def self_test(tracker: HandTracker) -> None:
    """Make sure that the installed MediaPipe calls a right hand right.

    Raises:
        ModelError: it finds no hand in the bundled clip, or calls it left.
    """
    capture = cv2.VideoCapture(str(bundled_clip()))
    capture.set(cv2.CAP_PROP_POS_MSEC, SELF_TEST_S * 1e3)
    found, image = capture.read()
    capture.release()
    sides = [hand.side for hand in tracker.detect(image, 0)] if found else []
    if sides != ["right"]:
        raise ModelError(
            f"tracker self-test failed: expected one right hand in the bundled clip, found {sides or 'none'}; "
            "this MediaPipe version may have changed its handedness convention: install the pinned one"
        )


def _from_wrist(landmarks: list[object]) -> Array:
    points = np.array([[point.x, point.y, point.z] for point in landmarks])  # type: ignore[attr-defined]
    return np.asarray(points - points[0])
