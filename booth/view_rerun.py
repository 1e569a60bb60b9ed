# SPDX-License-Identifier: Apache-2.0
"""An episode as a recording for the Rerun viewer: cameras, joints, landmarks and events on one time axis."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from booth.view_film import refuse_existing
from booth.view_page import chosen_joints
from graph.errors import InputError
from recorder.episode import Episode
from recorder.export_pictures import jpeg_rows
from recorder.report import joint_units

TIMELINE = "episode"
HANDS = ("right", "left")
WORDS = {"°": "deg", "mm": "mm"}


def write_rerun(
    episode: Episode, out: Path, joints: str = "", each: Callable[[float], None] = lambda _: None
) -> dict[str, Any]:
    """Write an .rrd file; no window opens.

    Args:
        out: the file.
        joints: comma-separated names or patterns; empty: all.
        each: told again and again how much is done, 0 … 1.

    Returns:
        path and rows, JSON-able.

    Raises:
        InputError: Rerun is not installed, the file exists, or no joint has such a name.
    """
    rr = rerun()
    refuse_existing(out)
    chosen = chosen_joints(episode, joints or "*")
    part = out.with_name(out.name + ".part")
    recording = rr.RecordingStream("humanoid_booth", recording_id=str(episode.attribute("episode_id")))
    try:
        recording.save(str(part))
        _log_joints(rr, recording, episode, chosen)
        _log_events(rr, recording, episode)
        for number in range(len(episode.cameras)):
            _log_camera(rr, recording, episode, number, each)
        _log_landmarks(rr, recording, episode)
        recording.flush()
        recording.disconnect()
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    each(1.0)
    return {"recording": str(out), "rows": episode.rows}


def rerun() -> Any:
    """The Rerun SDK, imported when it is first needed.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module("rerun")
    except ImportError as error:
        raise InputError(
            f"--rerun needs rerun-sdk, which is not installed ({error}): pip install 'humanoid_booth[view]'"
        ) from error


def _times(rr: Any, episode: Episode, rows: Any = slice(None)) -> Any:
    ticks = episode["/time/tick_ns"]
    return rr.TimeColumn(TIMELINE, duration=(ticks[rows] - ticks[0]) * 1e-9)


def _log_joints(rr: Any, recording: Any, episode: Episode, chosen: list[int]) -> None:
    scale, units = joint_units(episode)
    sources = {"measured": "/observations/qpos", "requested": "/actions/requested", "sent": "/actions/sent"}
    for word, name in sources.items():
        values = episode[name].astype(np.float64) * scale
        for joint in chosen:
            known = np.flatnonzero(np.isfinite(values[:, joint]))
            if len(known):
                recording.send_columns(
                    f"joints/{episode.joint_names[joint]}/{word}_{WORDS[units[joint]]}",
                    [_times(rr, episode, known)],
                    rr.Scalars.columns(scalars=values[known, joint]),
                )
    engaged = episode["/operator/engaged"].astype(np.float64)
    recording.send_columns("state/engaged", [_times(rr, episode)], rr.Scalars.columns(scalars=engaged))


def _log_events(rr: Any, recording: Any, episode: Episode) -> None:
    first_ns = int(episode["/time/tick_ns"][0])
    for stamp, stream, text in episode.events():
        recording.set_time(TIMELINE, duration=(stamp - first_ns) * 1e-9)
        recording.log(f"events/{stream}", rr.TextLog(text))


def _log_camera(rr: Any, recording: Any, episode: Episode, number: int, each: Callable[[float], None]) -> None:
    """Every different picture, as the JPEG that it is."""
    camera = episode.cameras[number]
    ticks, last = episode["/time/tick_ns"], b""
    for row, data in enumerate(jpeg_rows(episode, camera)):
        if data and data != last:
            recording.set_time(TIMELINE, duration=float(ticks[row] - ticks[0]) * 1e-9)
            recording.log(f"cameras/{camera}", rr.EncodedImage(contents=data, media_type="image/jpeg"))
        last = data
        each((number + (row + 1) / episode.rows) / len(episode.cameras))


def _log_landmarks(rr: Any, recording: Any, episode: Episode) -> None:
    """Hands and body as points [m], each from its own origin."""
    clouds = {f"operator/{side}_hand": episode["/operator/landmarks"][:, k] for k, side in enumerate(HANDS)}
    clouds["operator/body"] = episode["/operator/body"]
    for name, points in clouds.items():
        known = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))
        if len(known):
            flat = points[known].reshape(-1, 3)
            columns = rr.Points3D.columns(positions=flat).partition([points.shape[1]] * len(known))
            recording.send_columns(name, [_times(rr, episode, known)], columns)
