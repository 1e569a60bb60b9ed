# SPDX-License-Identifier: Apache-2.0
"""Findings about cameras: whole JPEGs and moving pictures, judged by their bytes."""

import numpy as np

from recorder.episode import Episode
from recorder.finding import Finding, graded, warn

JPEG_START = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"
FROZEN_WARN_S = 1.0
"""Real sensors have noise: when new frames repeat the last one byte for byte for this long, the camera is stuck."""


def findings(episode: Episode) -> list[Finding]:
    """All findings of this file; one pass over each camera's images."""
    if not episode.cameras:
        return [warn("images", "no camera was recorded")]
    return [finding for camera in episode.cameras for finding in _camera(episode, camera)]


def _camera(episode: Episode, camera: str) -> list[Finding]:
    stamps = episode[f"/time/{camera}/stamp_ns"].tolist()
    absent = broken = 0
    still_ns, since_ns = 0, stamps[0]
    previous = b""
    for row in range(episode.rows):
        image = episode.image(camera, row)
        absent += not image
        broken += bool(image) and not is_whole_jpeg(image)
        if image != previous:
            previous, since_ns = image, stamps[row]
        still_ns = max(still_ns, stamps[row] - since_ns)
    still_s = still_ns / 1e9
    return [
        graded(
            "images",
            f"{camera}: {episode.rows - absent - broken} whole images, {broken} broken, {absent} rows without one",
            failed=broken > 0,
            warned=absent > 0,
        ),
        graded("frozen", f"{camera}: the longest still picture lasts {still_s:.2f} s", warned=still_s > FROZEN_WARN_S),
        _interval(episode, camera),
    ]


def is_whole_jpeg(image: bytes) -> bool:
    """Starts and ends as a JPEG does; cut or overwritten files do not."""
    return image.startswith(JPEG_START) and image.rstrip(b"\0").endswith(JPEG_END)


def _interval(episode: Episode, camera: str) -> Finding:
    new = int(np.count_nonzero(np.diff(episode[f"/time/{camera}/stamp_ns"]))) + 1
    share = new / max(1, episode.rows)
    text = f"{camera}: {new} different frames in {episode.rows} rows"
    return graded("frame_rate", text, warned=share < 0.5)
