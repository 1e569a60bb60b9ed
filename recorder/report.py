# SPDX-License-Identifier: Apache-2.0
"""What the page of an episode shows, as arrays: streams over time, skew, ages, the joints that moved most, pictures."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recorder.check import Report, check_open_episode
from recorder.check_clock import delays
from recorder.check_frames import frame_rows, lengths
from recorder.check_motion import span
from recorder.check_streams import stream_fact
from recorder.episode import Episode
from recorder.schema import CAMERA_STALE_NS, STALE_NS

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

MOMENTS = 8
"""Pictures of each camera, evenly over the episode."""
MOST_JOINTS = 12
PICTURE_WIDTH = 320


@dataclass(frozen=True, slots=True)
class Lane:
    """One stream over time.

    Attributes:
        age_ms: (T,) age of each row's sample, NaN where there is none.
        limit_ms: older samples are stale.
        stale: (T,) rows whose sample is stale.
        lost_s: (N,) when losses were noticed.
        delay_ms: (M,) arrival minus stamp of each different sample.
    """

    name: str
    messages: int
    rate_hz: float
    largest_ms: float
    gaps: int
    lost: int
    age_ms: Array
    limit_ms: float
    stale: Bool
    lost_s: Array
    delay_ms: Array


@dataclass(frozen=True, slots=True)
class Course:
    """One joint over time, (T,) each in ``unit``; NaN where unknown."""

    name: str
    unit: str
    requested: Array
    sent: Array
    measured: Array


@dataclass(frozen=True, slots=True)
class Picture:
    """A camera's picture at a moment; ``pixels`` (h, w, 3) is None where there was none, or none that decodes."""

    camera: str
    time_s: float
    pixels: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True)
class PageData:
    """Everything on the page.

    Attributes:
        facts: name and value of what the episode says about itself.
        time_s: (T,) seconds since the first row.
        engaged, paused: (T,).
        skew_ms: (T,).
        usual_ms: the usual interval of the slowest observed stream: the skew that can't be undercut.
        events: (seconds, stream, text).
    """

    report: Report
    facts: tuple[tuple[str, str], ...]
    time_s: Array
    engaged: Bool
    paused: Bool
    lanes: tuple[Lane, ...]
    skew_ms: Array
    usual_ms: float
    courses: tuple[Course, ...]
    joints: int
    pictures: tuple[Picture, ...]
    events: tuple[tuple[float, str, str], ...]


def page_data(path: str | Path) -> PageData:
    """Check an episode and collect what its page shows.

    Raises:
        EpisodeError: it can't be opened, or its bytes can't be read.
    """
    with Episode.open(path) as episode:
        ticks = episode["/time/tick_ns"]
        report = check_open_episode(episode)
        lanes = tuple(_lane(episode, name) for name in episode.streams)
        observed = [name for name in episode.streams if name not in ("requested", "sent")]
        return PageData(
            report,
            _facts(episode),
            (ticks - ticks[0]) * 1e-9,
            episode["/operator/engaged"].astype(np.bool_),
            _paused(episode),
            lanes,
            episode["/health/skew_ns"] * 1e-6,
            max(stream_fact(episode, name, "usual_interval_ns") for name in observed) * 1e-6,
            _courses(episode),
            len(episode.joint_names),
            tuple(picture for camera in episode.cameras for picture in _pictures(episode, camera)),
            tuple(((stamp - int(ticks[0])) * 1e-9, stream, text) for stamp, stream, text in episode.events()),
        )


def joint_units(episode: Episode) -> tuple[Array, tuple[str, ...]]:
    """(J,) factors from the file's SI units to those that people read, and their names: degrees, or mm where it slides.

    The attribute ``joint_units`` names the joints that slide.
    """
    _, _, sliding = str(episode.attribute("joint_units")).partition("; m: ")
    slides = set(sliding.split(", ")) if sliding else set()
    scale = np.array([1e3 if name in slides else np.degrees(1.0) for name in episode.joint_names])
    return scale, tuple("mm" if name in slides else "°" for name in episode.joint_names)


def _facts(episode: Episode) -> tuple[tuple[str, str], ...]:
    rate = float(episode.attribute("rate_hz"))
    facts = {
        "task": episode.attribute("task"),
        "robot": f"{episode.attribute('robot')}{' (virtual)' if episode.attribute('sim') else ''}",
        "operator": episode.attribute("operator"),
        "booth": episode.attribute("booth"),
        "recorded": str(episode.attribute("created"))[:19].replace("T", " ") + " UTC",
        "length": f"{episode.rows / rate:.1f} s, {episode.rows} rows at {rate:g} Hz",
        "engaged": f"{float(episode['/operator/engaged'].mean()):.0%}",
        "ended": episode.attribute("end_reason"),
    }
    return tuple((name, str(value)) for name, value in facts.items() if value)


def _paused(episode: Episode) -> Bool:
    if "/operator/paused" in episode.file:
        return episode["/operator/paused"].astype(np.bool_)
    return np.zeros(episode.rows, np.bool_)


def _lane(episode: Episode, name: str) -> Lane:
    age_ns = episode[f"/time/{name}/age_ns"]
    lost = episode[f"/health/lost/{name}"]
    ticks = episode["/time/tick_ns"]
    usual_ns = stream_fact(episode, name, "usual_interval_ns")
    delay_ms = delays(episode).get(name, (np.zeros(0), np.zeros(0)))[1]
    return Lane(
        name,
        int(stream_fact(episode, name, "messages")),
        1e9 / usual_ns if usual_ns else 0.0,
        stream_fact(episode, name, "largest_interval_ns") * 1e-6,
        int(stream_fact(episode, name, "gaps")),
        int(json.loads(episode.attribute("lost_messages")).get(name, 0)),
        np.where(age_ns >= 0, age_ns * 1e-6, np.nan),
        STALE_NS.get(name, CAMERA_STALE_NS) * 1e-6,
        episode[f"/health/stale/{name}"].astype(np.bool_),
        (ticks[lost > 0] - ticks[0]) * 1e-9,
        delay_ms,
    )


def _courses(episode: Episode) -> tuple[Course, ...]:
    """The joints that moved most, most first; a millimetre counts as a fifth of a degree."""
    scale, units = joint_units(episode)
    requested, sent = (episode[f"/actions/{name}"] * scale for name in ("requested", "sent"))
    measured = episode["/observations/qpos"].astype(np.float64) * scale
    moved = np.maximum(span(measured), span(sent)) * np.array([0.2 if unit == "mm" else 1.0 for unit in units])
    order = np.argsort(-moved, kind="stable")[:MOST_JOINTS]
    return tuple(
        Course(episode.joint_names[k], units[k], requested[:, k], sent[:, k], measured[:, k]) for k in order.tolist()
    )


def _pictures(episode: Episode, camera: str) -> list[Picture]:
    """At evenly spaced moments; where the camera had nothing yet, nothing."""
    rows = np.unique(np.linspace(0, episode.rows - 1, min(MOMENTS, episode.rows)).round().astype(int)).tolist()
    ticks, size = episode["/time/tick_ns"], lengths(episode, camera)
    images = frame_rows(episode, camera, rows)
    return [
        Picture(camera, float(ticks[row] - ticks[0]) * 1e-9, thumbnail(image) if size[row] else None)
        for row, image in zip(rows, images, strict=True)
    ]


def thumbnail(image: bytes | memoryview) -> NDArray[np.uint8] | None:
    """A JPEG as (h, w, 3) RGB, at most PICTURE_WIDTH wide; None if it can't be decoded."""
    try:
        with Image.open(io.BytesIO(image)) as picture:
            picture.draft("RGB", (PICTURE_WIDTH, PICTURE_WIDTH))
            small = picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    small.thumbnail((PICTURE_WIDTH, PICTURE_WIDTH))
    return np.asarray(small)
