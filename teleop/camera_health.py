# SPDX-License-Identifier: Apache-2.0
"""Whether a camera's images can be believed: OpenCV calls a read of a frozen or covered camera a success."""

from collections import deque
from zlib import crc32

import numpy as np

from teleop.camera import Image

FROZEN_NS = 120_000_000
"""The same image for this long: a camera's own noise makes any two images differ."""
EVERY = 4
"""Pixels that are looked at: one in so many of every row and column."""
BLACK, FLAT = 16.0, 6.0
"""Mean and standard deviation, of 255, below which an image shows nothing."""
WINDOW = 8
SLOWEST_HZ = 11.0
"""Slower cameras leave the driver without a fresh command for longer than it waits."""


class CameraHealth:
    """Judges the images of one camera in their order.

    Attributes:
        brightness: mean of the last image, 0 (black) to 255; None before the first.
    """

    def __init__(self) -> None:
        self.brightness: float | None = None
        self._stamps_ns: deque[int] = deque(maxlen=WINDOW)
        self._print = -1
        self._same_since_ns = 0

    def see(self, image_bgr: Image, capture_ns: int) -> str:
        """Look at one image.

        Args:
            image_bgr: (height, width, 3).
            capture_ns: when it was taken.

        Returns:
            why it must not move a robot, for the operator; empty when it may.
        """
        self._stamps_ns.append(capture_ns)
        few = np.ascontiguousarray(image_bgr[::EVERY, ::EVERY])
        fingerprint, self.brightness = crc32(few.tobytes()), float(few.mean())
        if fingerprint != self._print:
            self._print, self._same_since_ns = fingerprint, capture_ns
        elif capture_ns - self._same_since_ns >= FROZEN_NS:
            return "the camera shows the same image again and again: unplug it and plug it in again"
        if self.brightness < BLACK and float(few.std()) < FLAT:
            return "the camera's image is black: take its cover off, switch the light on"
        rate_hz = self.rate_hz
        if rate_hz and rate_hz < SLOWEST_HZ:
            return (
                f"the camera delivers {rate_hz:.0f} images a second, at least {SLOWEST_HZ:.0f} are needed: "
                "more light, a lower resolution, or another camera"
            )
        return ""

    @property
    def rate_hz(self) -> float:
        """Images a second over the last few; 0 as long as there are too few."""
        if len(self._stamps_ns) < WINDOW:
            return 0.0
        span_ns = self._stamps_ns[-1] - self._stamps_ns[0]
        return (WINDOW - 1) * 1e9 / span_ns if span_ns > 0 else 0.0
