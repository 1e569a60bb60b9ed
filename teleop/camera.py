# SPDX-License-Identifier: Apache-2.0
"""Frames of an operator's camera: a webcam, or a video file played at its own speed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from graph.errors import DeviceError, InputError

Image = NDArray[np.uint8]

CLIP = "clip"
TOPIC_PREFIX = "topic:"
NS_PER_S = 1_000_000_000
MOST_CAMERA_DIGITS = 4

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@dataclass(frozen=True, slots=True)
class Frame:
    """One image.

    Attributes:
        number: counts from 0; for a video file the frame's position in the file.
        capture_ns: when it was taken, monotonic clock [ns]; for a file, when it was due.
        image_bgr: (height, width, 3).
    """

    number: int
    capture_ns: int
    image_bgr: Image


class FrameSource(Protocol):
    """Where frames come from."""

    name: str

    def read(self) -> Frame | None:
        """Wait for the next frame; None when there will be no more."""

    def close(self) -> None:
        """Let go of the device or file; may be called twice."""


class VideoFile:
    """A video file, played in real time: frame k is due k / fps after the first read."""

    def __init__(self, path: Path, loop: bool = False, sleep_s: Callable[[float], object] = time.sleep) -> None:
        if not path.is_file():
            raise InputError(
                f"no video file at {path}: expected a file that OpenCV can read, a camera number, or `clip`"
            )
        self.name = path.name
        self._path, self._loop, self._sleep_s = path, loop, sleep_s
        self._capture = self._open()
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS)) or 30.0
        self._number = 0
        self._start_ns = 0

    @property
    def duration_s(self) -> float:
        """Length by the file's own frame count [s]; 0 where it does not say."""
        return max(0.0, float(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))) / self.fps

    def _open(self) -> Any:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened() or not capture.grab():
            raise InputError(
                f"{self._path} can't be read as a video: expected MP4, WebM or AVI with at least one frame"
            )
        capture.release()
        return cv2.VideoCapture(str(self._path))

    def read(self) -> Frame | None:
        """The next frame, at the moment it is due."""
        found, image = self._capture.read()
        if not found and self._loop:
            self._capture.release()
            self._capture, self._number, self._start_ns = self._open(), 0, 0
            found, image = self._capture.read()
        if not found:
            return None
        now_ns = time.monotonic_ns()
        if self._start_ns == 0:
            self._start_ns = now_ns
        due_ns = self._start_ns + round(self._number * NS_PER_S / self.fps)
        if due_ns > now_ns:
            self._sleep_s((due_ns - now_ns) / NS_PER_S)
        frame = Frame(self._number, due_ns, image)
        self._number += 1
        return frame

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


class Webcam:
    """A camera of this computer, by number or device path."""

    def __init__(self, device: int | str) -> None:
        self.name = f"camera {device}"
        self._capture = cv2.VideoCapture(device)
        self._number = 0
        if not self._capture.isOpened():
            raise DeviceError(
                f"no camera at {device}: expected one that OpenCV can open; cameras found: {_cameras() or 'none'}. "
                "Plug one in, check that no other program uses it, or play a file with --source FILE"
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> Frame | None:
        """The next frame of the camera.

        Raises:
            DeviceError: the camera stopped delivering.
        """
        found, image = self._capture.read()
        capture_ns = time.monotonic_ns()
        if not found:
            raise DeviceError(f"{self.name} stopped delivering images: was it unplugged?")
        frame = Frame(self._number, capture_ns, image)
        self._number += 1
        return frame

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def _cameras() -> str:
    return ", ".join(str(path) for path in sorted(Path("/dev").glob("video*")))


def bundled_clip() -> Path:
    """The operator clip that comes with the package."""
    return Path(str(files("clips").joinpath("operator_hand.mp4")))


def open_source(text: str, loop: bool = False) -> FrameSource:
    """Open what ``--source`` names: `clip`, a camera number, a /dev/video device, or a video file.

    Raises:
        InputError: no such file, or not a video.
        DeviceError: no such camera.
    """
    if text == CLIP:
        return VideoFile(bundled_clip(), loop)
    if text.isdecimal() and len(text) <= MOST_CAMERA_DIGITS:
        return Webcam(int(text))
    if text.startswith("/dev/"):
        return Webcam(text)
    return VideoFile(Path(text), loop)


def decode_jpeg(data: bytes) -> Image | None:
    """An image from JPEG or PNG bytes, or None where they are damaged."""
    if not data:
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)


def encode_jpeg(image_bgr: Image, quality: int = 90) -> bytes:
    """JPEG bytes of an image."""
    _, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data)


def unmirror(image_bgr: Image) -> Image:
    """Undo a mirroring camera, so that left and right hands are what they are."""
    return np.ascontiguousarray(image_bgr[:, ::-1])
