# SPDX-License-Identifier: Apache-2.0
"""An episode as an MP4: cameras, state and joint charts under a time cursor, one frame a row."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from booth.view_page import CAMERAS_WIDTH, FOOT, HEAD, HEIGHT, MARGIN, WIDTH, Box, Page, draw_page, state_words
from graph.errors import InputError
from recorder.episode import Episode
from recorder.export_errors import library
from recorder.export_files import finished_file
from recorder.export_pictures import Colours, picture_size, pictures

Pixels = NDArray[np.uint8]

STATE_COLOURS = {"ENGAGED": "#2e7d32", "HOLD": "#b3402e", "STOPPED": "#b3402e", "RAMPING": "#7a8f2e"}
QUIET_STATE = "#66707a"
CURSOR, DOT = (32, 38, 43), (24, 84, 150)
STATE_ROOM = 96
"""Height under the cameras for the state and its reason."""
CAPTION_S = 2.0
TOLD = ("marker", "teleop_event", "recorder_event")


def write_film(
    episode: Episode, out: Path, joints: str = "", each: Callable[[float], None] = lambda _: None
) -> dict[str, Any]:
    """Write the film; it appears when it is complete.

    Args:
        out: the MP4.
        joints: see `booth.view_page.draw_page`.
        each: told again and again how much is done, 0 … 1.

    Returns:
        path, frames, rate and seconds, JSON-able.

    Raises:
        InputError: the file exists, its folder does not, or no joint has such a name.
        ExportError: PyAV is missing, or a picture can't be decoded.
    """
    refuse_existing(out)
    library("av")
    rate = Fraction(str(episode.attribute("rate_hz"))).limit_denominator(1000)
    page = draw_page(episode, joints, cameras=bool(episode.cameras))
    with finished_file(out) as part, library("av").open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "superfast", "crf": "21"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = 1 / rate
        colours = Colours()
        for row, pixels in enumerate(film_frames(episode, page)):
            frame = library("av").VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = colours.video(frame)
            frame.pts, frame.time_base = row, 1 / rate
            container.mux(stream.encode(frame))
            each((row + 1) / episode.rows)
        container.mux(stream.encode(None))
    return {"film": str(out), "frames": episode.rows, "rate_hz": float(rate), "seconds": episode.rows / float(rate)}


def refuse_existing(out: Path) -> None:
    """Nothing is overwritten.

    Raises:
        InputError: the file exists, or its folder does not.
    """
    if out.exists():
        raise InputError(f"{out} exists already and is not overwritten: move it away, or choose another --out")
    if not out.absolute().parent.is_dir():
        raise InputError(f"no folder {out.absolute().parent}: make it, or choose another --out")


def film_frames(episode: Episode, page: Page) -> Iterator[Pixels]:
    """(HEIGHT, WIDTH, 3) RGB of every row; the same array again and again."""
    cameras = [_Camera(episode, name, box) for name, box in zip(episode.cameras, _tiles(episode), strict=True)]
    words, captions = state_words(episode), _captions(episode)
    texts = _Texts()
    canvas = page.pale.copy()
    time_s = (episode["/time/tick_ns"] - episode["/time/tick_ns"][0]) * 1e-9
    left = MARGIN if cameras else WIDTH // 2
    top = HEIGHT - FOOT - STATE_ROOM + 14 if cameras else 8
    for row in range(episode.rows):
        np.copyto(canvas, page.pale)
        _draw_cursor(canvas, page, row)
        for camera in cameras:
            camera.draw(canvas)
        _paste(canvas, texts.state(words[row], bool(cameras)), left, top)
        clock = texts.line(f"{time_s[row]:6.2f} s", 22)
        _paste(canvas, clock, left + CAMERAS_WIDTH - clock.shape[1] if cameras else WIDTH - 150, top)
        if captions[row]:
            _paste(canvas, texts.line(captions[row][:90], 13, "#8a6d1d"), MARGIN, HEIGHT - FOOT + 6)
        yield canvas


def _draw_cursor(canvas: Pixels, page: Page, row: int) -> None:
    """What has been is bright, what is to come is pale; a line between, a dot where each joint stands."""
    share = page.columns[row]
    for chart in page.charts:
        box = chart.box
        at = _column(box, share)
        canvas[box.top : box.bottom, box.left : at] = page.bright[box.top : box.bottom, box.left : at]
        canvas[box.top : box.bottom, at : at + 1] = CURSOR
        if (middle := int(chart.measured[row])) >= 0:
            canvas[max(box.top, middle - 2) : middle + 3, at - 1 : at + 2] = DOT
            canvas[max(box.top, middle - 1) : middle + 2, at - 2 : at + 3] = DOT
    at = _column(page.timeline, share)
    canvas[page.timeline.top - 3 : page.timeline.bottom + 3, at : at + 2] = CURSOR


def _column(box: Box, share: float) -> int:
    return box.left + round(share * (box.right - box.left - 2))


def _tiles(episode: Episode) -> list[Box]:
    """Where each camera goes: one above the other, two abreast from three on."""
    count = len(episode.cameras)
    columns = 1 if count <= 2 else 2
    rows = -(-count // columns) if count else 1
    wide, high = CAMERAS_WIDTH // columns, (HEIGHT - HEAD - FOOT - STATE_ROOM) // rows
    gap = 4 if count > 1 else 0
    return [
        Box(
            MARGIN + (place % columns) * wide,
            HEAD + (place // columns) * high,
            MARGIN + (place % columns + 1) * wide - gap,
            HEAD + (place // columns + 1) * high - gap,
        )
        for place in range(count)
    ]


class _Camera:
    """One camera's pictures in its tile, as large as they fit; scaled once for each new picture."""

    def __init__(self, episode: Episode, name: str, box: Box) -> None:
        height, width = picture_size(episode, name)
        factor = min((box.right - box.left) / width, (box.bottom - box.top) / height)
        self._size = max(2, int(height * factor) // 2 * 2), max(2, int(width * factor) // 2 * 2)
        self._left = box.left + (box.right - box.left - self._size[1]) // 2
        self._top = box.top + (box.bottom - box.top - self._size[0]) // 2
        self._frames = pictures(episode, name, height, width)
        self._colours = Colours()
        self._last: Any = None
        self._pixels = np.zeros((*self._size, 3), np.uint8)

    def draw(self, canvas: Pixels) -> None:
        """The next row's picture."""
        frame = next(self._frames)
        if frame is not self._last:
            self._last, self._pixels = frame, self._colours.rgb(frame, *self._size)
        _paste(canvas, self._pixels, self._left, self._top)


def _captions(episode: Episode) -> list[str]:
    """Of every row what was said within the last moments; empty mostly."""
    said = [
        (stamp, f"{stream.replace('_', ' ')}: {text}") for stamp, stream, text in episode.events() if stream in TOLD
    ]
    ticks = episode["/time/tick_ns"]
    newest = np.searchsorted([stamp for stamp, _ in said], ticks, side="right") - 1
    return [
        said[index][1] if index >= 0 and tick - said[index][0] < CAPTION_S * 1e9 else ""
        for index, tick in zip(newest.tolist(), ticks.tolist(), strict=True)
    ]


class _Texts:
    """Words as pixels; what was said before is kept."""

    def __init__(self) -> None:
        folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self._regular, self._bold = folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"
        self._fonts: dict[tuple[Path, int], ImageFont.FreeTypeFont] = {}
        self._states: dict[str, Pixels] = {}

    def line(self, text: str, size: int, colour: str = "#20262b") -> Pixels:
        """One line on white."""
        font = self._font(self._regular, size)
        width = int(font.getlength(text)) + 2
        image = Image.new("RGB", (width, size + 8), "white")
        ImageDraw.Draw(image).text((0, 2), text, font=font, fill=colour)
        return np.asarray(image)

    def state(self, text: str, wide: bool) -> Pixels:
        """The state as a badge, and below it why."""
        if text not in self._states:
            word, _, reason = text.partition(":")
            font, small = self._font(self._bold, 17), self._font(self._regular, 12)
            image = Image.new("RGB", (CAMERAS_WIDTH - 120 if wide else 340, 54), "white")
            draw = ImageDraw.Draw(image)
            box = (0, 0, int(font.getlength(word)) + 24, 28)
            draw.rounded_rectangle(box, 7, fill=STATE_COLOURS.get(word, QUIET_STATE))
            draw.text((12, 4), word, font=font, fill="white")
            draw.text((2, 35), reason.strip()[:62], font=small, fill="#66707a")
            self._states[text] = np.asarray(image)
        return self._states[text]

    def _font(self, path: Path, size: int) -> ImageFont.FreeTypeFont:
        if (path, size) not in self._fonts:
            self._fonts[path, size] = ImageFont.truetype(str(path), size)
        return self._fonts[path, size]


def _paste(canvas: Pixels, pixels: Pixels, left: int, top: int) -> None:
    """Put pixels onto the canvas, as far as they fit."""
    height = min(pixels.shape[0], canvas.shape[0] - top)
    width = min(pixels.shape[1], canvas.shape[1] - left)
    canvas[top : top + height, left : left + width] = pixels[:height, :width]
