# SPDX-License-Identifier: Apache-2.0
"""Episodes whose pictures say which row they belong to: each frame is painted in a colour of its own."""

import shutil
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import cv2
import h5py
import numpy as np
import takes
from numpy.typing import NDArray

from recorder.episode import Episode
from recorder.export_plan import Plan, Settings, make_plan
from recorder.export_run import Outcome, exported_ids, run_plan
from recorder.export_source import episode_files, select
from recorder.finalise import finalise

HEIGHT, WIDTH = 48, 64
SHORT = takes.Script(seconds=1.2, engage_at_s=0.3)


def colour(frame: int) -> tuple[int, int, int]:
    """Red, green and blue of a camera frame; neighbours differ much in red, and no channel is like another."""
    return 30 + frame * 37 % 200, 60 + frame % 50, 20


@cache
def painted(frame: int, size: int = 0, height: int = HEIGHT, width: int = WIDTH) -> bytes:
    """A JPEG in the frame's colour."""
    pixels = np.full((height, width, 3), colour(frame)[::-1], np.uint8)
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])[1])


def make_episode(path: Path, script: takes.Script = SHORT, **facts: Any) -> Path:
    """Record a synthetic take with painted frames and turn it into an episode at ``path``; the take stays beside it."""
    with patch.object(takes, "jpeg", painted):
        take = takes.make_take(path.with_suffix(".mcap"), script, takes.metadata(**facts))
    return finalise(take).path


def copy_of(path: Path, origin: Path, number: int, **attributes: Any) -> Path:
    """Another episode with the same rows: id and time follow from ``number``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(origin, path)
    with h5py.File(path, "r+") as file:
        file.attrs["episode_id"] = str(UUID(int=number + 1))
        file.attrs["created"] = f"2027-01-15T08:{number:02d}:00.000+00:00"
        file.attrs.update(attributes)
    return path


def add_camera(path: Path, name: str, frames: list[int]) -> None:
    """Give an episode one more camera; ``frames`` says what each row shows."""
    with h5py.File(path, "r+") as file:
        images = [painted(frame) for frame in frames]
        lengths = np.array([[len(image) for image in images]], np.float32)
        whole = np.concatenate([file["/compress_len"][()], lengths])
        del file["/compress_len"]
        file["/compress_len"] = whole
        file["/compress_len"].attrs["cameras"] = f'["cam_operator", "{name}"]'
        width = int(lengths.max())
        rows = np.array([np.frombuffer(image.ljust(width, b"\0"), np.uint8) for image in images])
        file.create_dataset(f"/observations/images/{name}", data=rows, chunks=(1, width))
        file.copy("/time/cam_operator", f"/time/{name}")
        for kind in ("stale", "lost"):
            file.copy(f"/health/{kind}/cam_operator", f"/health/{kind}/{name}")


def frames_of(path: Path) -> list[int]:
    """The number of the camera frame that each row holds."""
    with Episode.open(path) as episode:
        return [int(number) - 1 for number in episode["/time/cam_operator/sequence"]]


def plan_of(paths: list[Path], root: Path, **settings: Any) -> Plan:
    """What ``booth export`` would do with these files."""
    split = settings.pop("split", None)
    with_failed = settings.pop("with_failed", False)
    return make_plan(
        select(episode_files(paths), with_failed=with_failed),
        Settings(settings.pop("format", "lerobot"), **settings),
        split,
        exported_ids(root),
    )


def export(paths: list[Path], root: Path, **settings: Any) -> Outcome:
    """Export in this process."""
    return run_plan(plan_of(paths, root, **settings), root)


def assert_painted(pixels: NDArray[np.uint8], frame: int, within: int) -> None:
    """The picture is that of a camera frame, colours and all."""
    found = pixels.reshape(-1, 3).astype(int)
    assert np.abs(found - colour(frame)).max() <= within, (found.min(axis=0), found.max(axis=0), colour(frame))
