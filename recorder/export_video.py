# SPDX-License-Identifier: Apache-2.0
"""One MP4 a camera and episode: one frame a row, at exact multiples of one row's time."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from recorder.episode import Episode
from recorder.export_errors import ExportError, ExportInputError, library
from recorder.export_files import finished_file
from recorder.export_pictures import Colours, jpeg, jpeg_rows, pictures
from recorder.export_plan import Job, Settings
from recorder.export_stats import PictureStats, Stats

CODECS = ("h264", "mpeg4", "copy")
ENCODERS = {"h264": "libx264", "mpeg4": "mpeg4", "copy": "mjpeg"}
SAMPLED_PICTURES = 100
"""So many pictures of an episode, evenly spread, are looked at for the statistics."""

SMALL = 4
"""Statistics see pictures that are this many times smaller, as LeRobot's do."""

SMPTE170M = 6
"""BT.601 in ITU-T H.273's table."""


def check_codec(settings: Settings) -> None:
    """Fail before the first episode when this build of PyAV has no such encoder.

    Raises:
        ExportInputError: says which codecs there are.
    """
    av = library("av")
    have = [codec for codec in CODECS if ENCODERS[codec] in av.codecs_available]
    if settings.codec not in have:
        raise ExportInputError(
            f"PyAV {av.__version__} has no encoder for {settings.codec!r}: expected --codec {' or '.join(have)}"
        )


def video_facts(job: Job, height: int, width: int) -> dict[str, Any]:
    """What LeRobot's ``info.json`` tells of a video."""
    settings = job.settings
    encoded = settings.codec != "copy"
    facts: dict[str, Any] = {
        "video.height": height,
        "video.width": width,
        "video.codec": settings.codec if encoded else "mjpeg",
        "video.pix_fmt": "yuv420p" if encoded else "yuvj420p",
        "video.fps": round(job.layout.rate_hz),
        "video.channels": 3,
        "has_audio": False,
        "is_depth_map": False,
    }
    if settings.codec == "h264":
        facts |= {"video.g": settings.gop, "video.crf": settings.crf, "video.preset": settings.preset}
    return facts


def write_video(path: Path, episode: Episode, camera: tuple[str, int, int], job: Job, tell: Any) -> Stats:
    """Write a camera's rows and read the file back: as many frames as rows, each at its time.

    Args:
        path: the MP4; appears when it is complete.
        episode: the open episode.
        camera: name, height and width.
        job: settings and rate.
        tell: is called with the number of rows done.

    Returns:
        statistics of the pictures.

    Raises:
        ExportError: a picture can't be decoded, or what was written does not read back.
    """
    with finished_file(path) as part:
        if job.settings.codec == "copy":
            stats = _copy(part, episode, camera, job, tell)
        else:
            stats = _encode(part, episode, camera, job, tell)
        _read_back(part, episode.rows, round(job.layout.rate_hz))
    return stats


def _encode(part: Path, episode: Episode, camera: tuple[str, int, int], job: Job, tell: Any) -> Stats:
    stats, every, colours = PictureStats(), max(1, episode.rows // SAMPLED_PICTURES), Colours()
    with library("av").open(str(part), "w", format="mp4") as container:
        stream = _stream(container, camera, job)
        for row, frame in enumerate(pictures(episode, *camera)):
            if row % every == 0:
                stats.add(colours.rgb(frame, max(1, camera[1] // SMALL), max(1, camera[2] // SMALL)))
            picture = colours.video(frame)
            picture.pts, picture.time_base = row, stream.codec_context.time_base
            container.mux(stream.encode(picture))
            tell(row + 1)
        container.mux(stream.encode(None))
    return stats.stats()


def _stream(container: Any, camera: tuple[str, int, int], job: Job) -> Any:
    settings, fps = job.settings, round(job.layout.rate_hz)
    options = {"g": str(settings.gop), "bf": "0"}
    if settings.codec == "h264":
        options |= {"crf": str(settings.crf), "preset": settings.preset}
    else:
        options |= {"qscale": "3", "flags": "+qscale"}
    stream = container.add_stream(ENCODERS[settings.codec], rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt = camera[2], camera[1], "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, fps)
    context.thread_count = 1  # many episodes at a time make better use of cores than threads within one
    context.color_range, context.colorspace = 1, SMPTE170M
    return stream


def _copy(part: Path, episode: Episode, camera: tuple[str, int, int], job: Job, tell: Any) -> Stats:
    """The camera's own JPEGs, bit for bit, as a Motion-JPEG stream."""
    av, fps = library("av"), round(job.layout.rate_hz)
    name, height, width = camera
    stats, every, colours = PictureStats(), max(1, episode.rows // SAMPLED_PICTURES), Colours()
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, fps)
        frames = pictures(episode, *camera)
        for row, (data, frame) in enumerate(zip(jpeg_rows(episode, name), frames, strict=True)):
            packet = av.Packet(data or jpeg(frame))
            packet.stream, packet.time_base = stream, Fraction(1, fps)
            packet.pts = packet.dts = row
            packet.duration, packet.is_keyframe = 1, True
            container.mux(packet)
            if row % every == 0:
                stats.add(colours.rgb(frame, max(1, height // SMALL), max(1, width // SMALL)))
            tell(row + 1)
    return stats.stats()


def _read_back(part: Path, rows: int, fps: int) -> None:
    with library("av").open(str(part)) as container:
        stream = container.streams.video[0]
        times = sorted(p.pts * stream.time_base for p in container.demux(stream) if p.pts is not None)
    if times != [Fraction(row, fps) for row in range(rows)]:
        raise ExportError(
            f"{part.name} does not read back: expected {rows} frames at multiples of 1/{fps} s, found {len(times)}"
            f" from {float(times[0]) if times else 0:.4f} s to {float(times[-1]) if times else 0:.4f} s"
        )
