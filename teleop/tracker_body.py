# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's PoseLandmarker (Tasks API, VIDEO mode) as one synchronous call on one frame."""

from pathlib import Path

import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import PoseLandmarker, PoseLandmarkerOptions, RunningMode

from teleop.camera import Image
from teleop.operator_view import BodyView
from teleop.tracker_landmarker import VideoLandmarker


class BodyTracker(VideoLandmarker):
    """Finds the body of one operator."""

    def __init__(self, model: Path) -> None:
        options = PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)), running_mode=RunningMode.VIDEO, num_poses=1
        )
        super().__init__(PoseLandmarker.create_from_options(options))

    def detect(self, image_bgr: Image, capture_ns: int) -> BodyView | None:
        """The body in one unmirrored image; None where there is none.

        Args:
            image_bgr: (height, width, 3).
            capture_ns: when it was taken; MediaPipe follows the body from image to image, so it should advance.
        """
        result = self.landmarks(image_bgr, capture_ns)
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
