# SPDX-License-Identifier: Apache-2.0
"""A camera's pictures for checks: every row's bytes quickly, and small grey copies of a few."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.raw_rows import has_raw_rows, raw_rows

SHRINK = 8
"""libjpeg decodes to an eighth of the size without computing the rest: five times faster, and enough for brightness."""

BLOCK_BYTES = 8 << 20


def lengths(episode: Episode, camera: str) -> NDArray[np.int64]:
    """(T,) bytes of each row's JPEG; 0 where the camera had no frame yet."""
    size: NDArray[np.int64] = np.rint(episode["/compress_len"][episode.cameras.index(camera)]).astype(np.int64)
    return size


def frame_rows(episode: Episode, camera: str, rows: Sequence[int] | None = None) -> Iterator[memoryview]:
    """The JPEG of each row, or of these ``rows``, without padding.

    Our own files hold one picture a chunk, which HDF5 hands out as it lies on the disk; others are read in blocks.

    Raises:
        EpisodeError: the bytes can't be read.
    """
    dataset = episode.file[f"/observations/images/{camera}"]
    size = lengths(episode, camera).tolist()
    wanted = range(episode.rows) if rows is None else rows
    width = int(dataset.shape[1])
    try:
        if has_raw_rows(dataset):
            for row, data in zip(wanted, raw_rows(dataset, wanted), strict=True):
                yield memoryview(data)[: size[row]]
            return
        block = max(1, BLOCK_BYTES // max(1, width)) if rows is None else 1
        for first in range(0, len(wanted), block):
            start = wanted[first]
            for offset, image in enumerate(dataset[start : start + block]):
                yield memoryview(image.tobytes())[: size[start + offset]]
    except (OSError, RuntimeError) as error:
        raise EpisodeError(f"{episode.path.name}: {camera} can't be read: {error}. Copy the file again") from error


def small_grey(image: bytes | memoryview) -> NDArray[np.uint8] | None:
    """The picture at an eighth of its size, (h, w) 0 … 255; None if it can't be decoded."""
    try:
        with Image.open(io.BytesIO(image)) as picture:
            picture.draft("L", (max(1, picture.width // SHRINK), max(1, picture.height // SHRINK)))
            return np.asarray(picture.convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
