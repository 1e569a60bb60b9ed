# SPDX-License-Identifier: Apache-2.0
"""Findings about cameras: whole JPEGs, moving pictures, and enough light; bytes of all, pixels of some."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recorder.check_frames import frame_rows, lengths, small_grey
from recorder.episode import Episode
from recorder.finding import Finding, fail, graded, warn

JPEG_START = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"

FROZEN_WARN_S, FROZEN_FAIL_S = 1.0, 3.0
"""Real sensors have noise: when new frames repeat the last one byte for byte for this long, the camera is stuck. Three
seconds are a whole grasp that was not filmed."""

DUPLICATED_WARN_SHARE = 0.05
"""Some webcams fill up to their rate in low light by sending a frame twice; a few do no harm."""

FEW_FRAMES_SHARE = 0.5

LOOK_EVERY_S = 1.0
SMALL_SHARE, MOST_SMALL = 0.4, 60
"""Frames to decode: one a second, and those that are much smaller than usual, as black ones are; at most so many."""

BLACK_LEVEL = 16
"""Black in video range: where 99 of 100 pixels are below, there is no picture, only the sensor's noise."""
BLACK_FAIL_SHARE = 0.1
DARK_MEAN = 30.0
WHITE_LEVEL, BLOWN_SHARE = 250, 0.6
"""Below that mean a hand is hardly told from its background; a white wall fills less than that share of a picture."""
LIGHT_WARN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class _Bytes:
    """What the bytes alone tell: rows without a picture, broken ones, repeats under a new stamp, longest still time."""

    absent: int
    broken: int
    repeated: int
    new: int
    still_s: float


def findings(episode: Episode) -> list[Finding]:
    """All findings of this file; one pass over each camera's images."""
    if not episode.cameras:
        return [warn("images", "no camera was recorded")]
    return [finding for camera in episode.cameras for finding in _camera(episode, camera)]


def _camera(episode: Episode, camera: str) -> list[Finding]:
    seen = _read(episode, camera)
    whole = episode.rows - seen.absent - seen.broken
    repeated = seen.repeated / max(1, seen.new)
    return [
        graded(
            "images",
            f"{camera}: {whole} whole images, {seen.broken} broken, {seen.absent} rows without one",
            failed=seen.broken > 0,
            warned=seen.absent > 0,
        ),
        graded(
            "frozen",
            f"{camera}: the longest still picture lasts {seen.still_s:.2f} s",
            failed=seen.still_s > FROZEN_FAIL_S,
            warned=seen.still_s > FROZEN_WARN_S,
        ),
        graded(
            "duplicated",
            f"{camera}: {seen.repeated} of {seen.new} new frames repeat the bytes of the last one",
            warned=repeated > DUPLICATED_WARN_SHARE,
        ),
        graded(
            "frame_rate",
            f"{camera}: {seen.new} different frames in {episode.rows} rows",
            warned=seen.new < FEW_FRAMES_SHARE * episode.rows,
        ),
        *_light(episode, camera),
    ]


def _read(episode: Episode, camera: str) -> _Bytes:
    stamps = episode[f"/time/{camera}/stamp_ns"].tolist()
    absent = broken = repeated = 0
    still_ns, since_ns = 0, stamps[0]
    previous = memoryview(b"")
    for row, image in enumerate(frame_rows(episode, camera)):
        absent += not len(image)
        broken += bool(len(image)) and not _whole(image)
        if image != previous:
            previous, since_ns = image, stamps[row]
        elif len(image) and stamps[row] != stamps[row - 1]:
            repeated += 1
        still_ns = max(still_ns, stamps[row] - since_ns)
    new = int(np.count_nonzero(np.diff(stamps))) + 1
    return _Bytes(absent, broken, repeated, new, still_ns / 1e9)


def _whole(image: memoryview) -> bool:
    return (image[:3] == JPEG_START and image[-2:] == JPEG_END) or is_whole_jpeg(bytes(image))


def is_whole_jpeg(image: bytes) -> bool:
    """Starts and ends as a JPEG does; cut or overwritten files do not."""
    return image.startswith(JPEG_START) and image.rstrip(b"\0").endswith(JPEG_END)


def _light(episode: Episode, camera: str) -> list[Finding]:
    """Black, dark and blown-out pictures among those that are looked at."""
    greys = [small_grey(image) for image in frame_rows(episode, camera, rows_to_look_at(episode, camera))]
    pictures = [grey for grey in greys if grey is not None]
    undecodable = len(greys) - len(pictures)
    if undecodable:
        text = f"{camera}: {undecodable} of {len(greys)} pictures that were looked at can't be decoded"
        return [fail("undecodable", text)]
    black = sum(is_black(grey) for grey in pictures)
    dark = sum(float(grey.mean()) < DARK_MEAN for grey in pictures) - black
    blown = sum(float((grey >= WHITE_LEVEL).mean()) > BLOWN_SHARE for grey in pictures)
    count = len(pictures)
    text = f"{camera}: of {count} pictures that were looked at"
    return [
        graded(
            "black",
            f"{text}, {black} are black",
            failed=black > BLACK_FAIL_SHARE * count,
            warned=black > 0,
        ),
        graded(
            "light",
            f"{text}, {max(0, dark)} are too dark and {blown} blown out",
            warned=dark + blown > LIGHT_WARN_SHARE * count,
        ),
    ]


def is_black(grey: NDArray[np.uint8]) -> bool:
    """Whether a grey picture (h, w) holds nothing but noise about black."""
    return bool(np.quantile(grey, 0.99) < BLACK_LEVEL)


def rows_to_look_at(episode: Episode, camera: str) -> list[int]:
    """Rows whose pictures are decoded: one a second, and new frames that are far smaller than usual."""
    size = lengths(episode, camera)
    stamps = episode[f"/time/{camera}/stamp_ns"]
    new = np.flatnonzero((size > 0) & np.append(True, np.diff(stamps) != 0))
    if not len(new):
        return []
    step = max(1, round(float(episode.attribute("rate_hz")) * LOOK_EVERY_S))
    regular = np.flatnonzero(size > 0)[::step]
    small = new[size[new] < SMALL_SHARE * np.median(size[new])]
    small = small[:: max(1, -(-len(small) // MOST_SMALL))]
    return [int(row) for row in np.union1d(regular, small)]
