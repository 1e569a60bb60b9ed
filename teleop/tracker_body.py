# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's PoseLandmarker (Tasks API, VIDEO mode) as one synchronous call on one frame."""

from pathlib import Path
from types import TracebackType

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode

from teleop.camera import Image
from teleop.operator_view import BodyView


class BodyTracker:
    """Finds the body of one operator. Not thread-safe: one thread owns it."""

    def __init__(self, model: Path) -> None:
        options = PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)), running_mode=RunningMode.VIDEO, num_poses=1
        )
        self._landmarker = PoseLandmarker.create_from_options(options)
        self._last_ms = -1

    def __enter__(self) -> "BodyTracker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the model; may be called twice."""
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None

    def detect(self, image_bgr: Image, capture_ns: int) -> BodyView | None:
        """The body in one unmirrored image; None where there is none.

        Args:
            image_bgr: (height, width, 3).
            capture_ns: when it was taken; MediaPipe follows the body from image to image, so it should advance.
        """
        self._last_ms = max(self._last_ms + 1, capture_ns // 1_000_000)
        rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        result = self._landmarker.detect_for_video(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb), self._last_ms)
        if not result.pose_world_landmarks:
            return None
        world, image = result.pose_world_landmarks[0], result.pose_landmarks[0]
        return BodyView(
            world_m=np.array([[point.x, point.y, point.z] for point in world]),
            image=np.array([[point.x, point.y] for point in image]),
            visibility=np.array([point.visibility or 0.0 for point in image]),
            stamp_ns=capture_ns,
            aspect=image_bgr.shape[1] / image_bgr.shape[0],
        )
