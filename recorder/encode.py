# SPDX-License-Identifier: Apache-2.0
"""Raw camera images -> JPEG, in a thread of its own."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.errors import TakeError
from recorder.inputs import IMAGE_TYPE
from recorder.messages import UNDECODABLE, deserialize, typestore
from recorder.take_thread import Message

MAX_WAITING = 2
"""Frames of one camera that wait. A further one is left out: its number is then missing, and it counts as lost."""

JPEG_QUALITY = 90
COMPRESSED_TYPE = "sensor_msgs/msg/CompressedImage"
COLORS = {"rgb8": "RGB", "bgr8": "BGR", "rgba8": "RGBA", "bgra8": "BGRA", "mono8": "GRAY"}


class JpegEncoder:
    """Makes CompressedImage messages of Image messages. ``close`` is idempotent.

    Args:
        topics: topic of the raw images to the topic of their JPEGs.
        deliver: takes every finished message, in the encoder's thread.
        quality: of the JPEGs, 1 to 100.

    Raises:
        TakeError: the library that compresses is not installed, or the quality makes no sense.
    """

    def __init__(self, topics: dict[str, str], deliver: Callable[[Message], None], quality: int = JPEG_QUALITY) -> None:
        self._topics = topics
        self._deliver = deliver
        self._compress = jpeg_compressor(quality)
        self._waiting: deque[Message] = deque()
        self._per_topic: Counter[str] = Counter()
        self._wake = threading.Condition()
        self._closing = False
        self.problem = ""
        """What is wrong with the images; empty while all is well."""
        self._thread = threading.Thread(target=self._run, name="encode", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> bool:
        """Queue one raw image; False when it had to be left out."""
        with self._wake:
            if self._per_topic[message.topic] >= MAX_WAITING:
                return False
            self._per_topic[message.topic] += 1
            self._waiting.append(message)
            self._wake.notify()
        return True

    def close(self) -> None:
        """Finish what waits and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while (message := self._next()) is not None:
            try:
                data = compressed_image(message.data, self._compress)
            except TakeError as error:
                self.problem = f"{message.topic}: {error}"
                continue
            self._deliver(message._replace(topic=self._topics[message.topic], data=data))

    def _next(self) -> Message | None:
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
            if not self._waiting:
                return None
            message = self._waiting.popleft()
            self._per_topic[message.topic] -= 1
            return message


Compressor = Callable[[NDArray[np.uint8], str], bytes]


def jpeg_compressor(quality: int) -> Compressor:
    """A function of pixels (H, W, C) uint8 and their colours (a value of ``COLORS``) that gives a JPEG.

    Raises:
        TakeError: the library is not installed, or the quality is outside 1 … 100.
    """
    if not 1 <= quality <= 100:
        raise TakeError(f"jpeg_quality should lie in 1 … 100, found {quality}")
    try:
        encode_jpeg = import_module("simplejpeg").encode_jpeg  # only now: only raw cameras need it
    except ImportError as error:
        raise TakeError("raw cameras need simplejpeg: pip install 'humanoid_booth[jpeg]'") from error

    def compress(pixels: NDArray[np.uint8], colors: str) -> bytes:
        subsampling = "Gray" if colors == "GRAY" else "420"
        return bytes(encode_jpeg(pixels, quality, colors, subsampling))

    return compress


def compressed_image(data: bytes, compress: Compressor) -> bytes:
    """A serialized sensor_msgs/Image as a serialized sensor_msgs/CompressedImage with the same header.

    Raises:
        TakeError: not an Image, or its encoding is none of ours.
    """
    try:
        image = deserialize(memoryview(data), IMAGE_TYPE)
        pixels, colors = _pixels(image)
    except UNDECODABLE as error:
        raise TakeError(f"an image can't be read: {error}") from error
    jpeg = np.frombuffer(compress(pixels, colors), np.uint8)
    message = typestore().types[COMPRESSED_TYPE](image.header, "jpeg", jpeg)
    return bytes(typestore().serialize_cdr(message, COMPRESSED_TYPE))


def _pixels(image: Any) -> tuple[NDArray[np.uint8], str]:
    """(H, W, C) view of the image without the padding of its lines, and its colours."""
    if image.encoding not in COLORS:
        raise ValueError(f"expected encoding {_one_of(COLORS)}, found {image.encoding!r}")
    colors = COLORS[image.encoding]
    channels = 1 if colors == "GRAY" else len(colors)
    height, width, step = int(image.height), int(image.width), int(image.step)
    if step < width * channels or len(image.data) < height * step or not height or not width:
        raise ValueError(f"{width} x {height} pixels need more than {len(image.data)} bytes in lines of {step}")
    lines = np.asarray(image.data)[: height * step].reshape(height, step)[:, : width * channels]
    return np.ascontiguousarray(lines.reshape(height, width, channels)), colors


def _one_of(names: Iterable[str]) -> str:
    return ", ".join(names)
