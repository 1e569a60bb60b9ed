# SPDX-License-Identifier: Apache-2.0
"""What MediaPipe's landmarkers have in common (Tasks API, VIDEO mode): one synchronous call on one frame."""

from types import TracebackType
from typing import Any, Self

import cv2
import mediapipe as mp

from teleop.camera import Image

MS = 1_000_000


class VideoLandmarker:
    """Owns a landmarker. Not thread-safe: one thread owns it.

    Args:
        landmarker: of `mediapipe.tasks.python.vision`, in VIDEO mode; freed by `close`.
    """

    def __init__(self, landmarker: Any) -> None:
        self._landmarker = landmarker
        self._last_ms = -1

    def __enter__(self) -> Self:
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

    def landmarks(self, image_bgr: Image, capture_ns: int) -> Any:
        """The landmarker's own result for one unmirrored image.

        Args:
            image_bgr: (height, width, 3).
            capture_ns: when it was taken; only its order matters (MediaPipe wants times that advance by 1 ms).
        """
        self._last_ms = max(self._last_ms + 1, capture_ns // MS)
        rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        return self._landmarker.detect_for_video(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb), self._last_ms)
