# SPDX-License-Identifier: Apache-2.0
"""What the tracker counts about itself."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

WINDOW = 150


@dataclass(slots=True)
class TrackerCounts:
    """Frames, hands found, rate and inference time of the last 150 frames."""

    frames: int = 0
    hand_found_frames: int = 0
    _stamps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _inference_ms: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def add(self, capture_ns: int, found: bool, inference_ms: float) -> None:
        """Count one frame."""
        self.frames += 1
        self.hand_found_frames += found
        self._stamps_ns.append(capture_ns)
        self._inference_ms.append(inference_ms)

    def summary(self) -> dict[str, object]:
        """Counts, frame rate [Hz] and inference percentiles [ms], ready to be published."""
        stamps = list(self._stamps_ns)
        span_s = (stamps[-1] - stamps[0]) * 1e-9 if len(stamps) > 1 else 0.0
        p50, p99 = np.percentile(list(self._inference_ms), [50, 99]) if self._inference_ms else (0.0, 0.0)
        return {
            "frames": self.frames,
            "hand_found_frames": self.hand_found_frames,
            "rate_hz": f"{(len(stamps) - 1) / span_s:.1f}" if span_s > 0 else "0",
            "inference_p50_ms": f"{p50:.2f}",
            "inference_p99_ms": f"{p99:.2f}",
        }
