# SPDX-License-Identifier: Apache-2.0
"""The pictures of a camera, one a row, decoded one at a time: JPEG bytes -> frames, without a detour over RGB."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.check_images import is_whole_jpeg
from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.export_errors import ExportError, library

JPEG_COLOURS = {"src_colorspace": "ITU601", "src_color_range": "JPEG"}
"""JFIF fixes them, whatever the decoder makes of the bytes."""


def jpeg_rows(episode: Episode, camera: str) -> Iterator[bytes]:
    """The JPEG of each row; empty where the camera had no frame yet.

    Raises:
        ExportError: the bytes can't be read.
    """
    dataset = episode.file[f"/observations/images/{camera}"]
    lengths = episode["/compress_len"][episode.cameras.index(camera)].astype(np.int64)
    plain = dataset.chunks == (1, dataset.shape[1]) and dataset.compression is None and not dataset.shuffle
    for row, length in enumerate(lengths.tolist()):
        try:
            yield _chunk(dataset, row)[:length] if plain and length else dataset[row, :length].tobytes()
        except (OSError, RuntimeError) as error:
            raise ExportError(f"{episode.path.name}, {camera}, row {row} can't be read: {error}") from error


def _chunk(dataset: Any, row: int) -> bytes:
    """A row's bytes without HDF5's pipeline, which takes ten times as long."""
    return bytes(dataset.id.read_direct_chunk((row, 0))[1])


def picture_size(episode: Episode, camera: str) -> tuple[int, int]:
    """(height, width) [pixels] of a camera's first picture.

    Raises:
        EpisodeError: there is none, or it is no JPEG.
    """
    lengths = episode["/compress_len"][episode.cameras.index(camera)]
    try:
        frame = _Decoder(episode.path.name, camera).decode(episode.image(camera, int(np.argmax(lengths > 0))), 0)
    except ExportError as error:
        raise EpisodeError(str(error)) from error
    return int(frame.height), int(frame.width)


def pictures(episode: Episode, camera: str, height: int, width: int) -> Iterator[Any]:
    """One ``av.VideoFrame`` a row, in the JPEG's own pixel format; black where the camera had no frame yet.

    A row that repeats the last one's bytes gets the same object.

    Raises:
        ExportError: a JPEG that is cut, can't be decoded or has another size.
    """
    decoder = _Decoder(episode.path.name, camera)
    last_bytes, frame = b"", black(height, width)
    for row, data in enumerate(jpeg_rows(episode, camera)):
        if data and data != last_bytes:
            last_bytes, frame = data, decoder.decode(data, row)
            if (frame.height, frame.width) != (height, width):
                raise ExportError(
                    f"{episode.path.name}, {camera}, row {row}: expected a picture of {width}x{height} as in the"
                    f" first one, found {frame.width}x{frame.height}. Was the camera changed during the take?"
                )
        elif not data:
            last_bytes, frame = b"", black(height, width)
        yield frame


class _Decoder:
    """libavcodec's JPEG decoder; one thread, so that a picture comes out when its bytes go in."""

    def __init__(self, file: str, camera: str) -> None:
        self._av = library("av")
        self._context = self._av.CodecContext.create("mjpeg", "r")
        self._context.thread_count = 1
        self._where = f"{file}, {camera}"

    def decode(self, data: bytes, row: int) -> Any:
        try:
            frames = self._context.decode(self._av.Packet(data)) if is_whole_jpeg(data) else []
        except (self._av.error.FFmpegError, ValueError) as error:
            raise ExportError(f"{self._where}, row {row}: the JPEG can't be decoded ({error})") from error
        if len(frames) != 1:
            raise ExportError(
                f"{self._where}, row {row}: expected one whole JPEG, found {len(data)} bytes of no picture"
            )
        return frames[0]


def jpeg(frame: Any) -> bytes:
    """A picture as JPEG: the black ones that stand for rows without a picture."""
    context = library("av").CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuvj420p"
    context.time_base = Fraction(1, 30)
    picture = frame.reformat(format="yuvj420p")
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])


def black(height: int, width: int) -> Any:
    """The picture of a row before the camera's first frame."""
    return library("av").VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), format="rgb24")


class Colours:
    """Frames in other colours and sizes; one object a camera, as it keeps its tables."""

    def __init__(self) -> None:
        reformatter = library("av.video.reformatter").VideoReformatter
        self._rgb, self._video = reformatter(), reformatter()

    def rgb(self, frame: Any, height: int | None = None, width: int | None = None) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, true colours; smaller by averaging when a size is given."""
        colours = {} if frame.format.name == "rgb24" else JPEG_COLOURS
        full = {"dst_color_range": "JPEG", "interpolation": "AREA"}
        made = self._rgb.reformat(frame, width, height, "rgb24", **full, **colours)
        pixels: NDArray[np.uint8] = made.to_ndarray()
        return pixels

    def video(self, frame: Any) -> Any:
        """The same picture as limited-range BT.601 4:2:0, which every player and loader takes."""
        colours = {"src_color_range": "JPEG"} if frame.format.name == "rgb24" else JPEG_COLOURS
        limited = {"dst_colorspace": "ITU601", "dst_color_range": "MPEG"}
        return self._video.reformat(frame, format="yuv420p", **limited, **colours)
