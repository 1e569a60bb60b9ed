# SPDX-License-Identifier: Apache-2.0
"""ACT/ALOHA as its own loader wants it: ``episode_0.hdf5`` …, raw RGB pictures, equally many rows in each."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.episode import Episode
from recorder.export_columns import action_rows
from recorder.export_errors import ExportError, ExportInputError
from recorder.export_files import finished_file, free_bytes
from recorder.export_pictures import Colours, pictures
from recorder.export_plan import Job, Plan, with_rows


def check(plan: Plan, root: Path) -> Plan:
    """Give every episode the same number of rows.

    Raises:
        ExportInputError: they differ and nobody said what to do, or the disk is too small.
    """
    lengths = [item.source.rows for item in plan.items]
    pad_to, crop_to = plan.settings.pad_to, plan.settings.crop_to
    rows = [max(min(length, crop_to or length), pad_to) for length in lengths]
    if len(set(rows)) > 1:
        raise ExportInputError(
            f"ACT's loader wants equally many rows in every episode, these have {min(rows)} to {max(rows)}:"
            f" --crop-to {min(lengths)} cuts the longer ones, --pad-to {max(lengths)} repeats the last row of the"
            " shorter ones, and both together do both"
        )
    plan = with_rows(plan, rows)
    refuse_small_disk(root, plan.rows * bytes_a_row(plan))
    return plan


def bytes_a_row(plan: Plan) -> int:
    """Bytes of the raw pictures of one row."""
    return sum(height * width * 3 for _, height, width in plan.layout.cameras)


def refuse_small_disk(root: Path, needed: int) -> None:
    """Raw pictures are ten to fifty times as large as JPEGs: better to say so now than in an hour.

    Raises:
        ExportInputError: fewer bytes are free.
    """
    if free_bytes(root) < needed:
        raise ExportInputError(
            f"raw pictures need {needed / 1e9:.1f} GB, {free_bytes(root) / 1e9:.1f} GB are free at {root}:"
            " make room, name fewer cameras with --cameras, or export to LeRobot, which stores video"
        )


def files(job: Job) -> list[str]:
    """The episode's file."""
    return [f"episode_{job.item.index}.hdf5"]


def write_episode(job: Job, tell: Any) -> dict[str, Any]:
    """Write ``episode_<index>.hdf5``.

    Raises:
        ExportError, EpisodeError: it can't be read, or the disk refuses.
    """
    target = Path(job.root, *files(job))
    rows = job.item.rows
    with Episode.open(job.item.source.path) as episode, finished_file(target) as part, h5py.File(part, "w") as file:
        file.attrs["sim"] = bool(episode.attribute("sim"))
        file.attrs["compress"] = False
        file.attrs["episode_id"] = job.item.source.episode_id
        file.attrs["padded_rows"] = max(0, rows - episode.rows)
        file["/action"] = fitted(action_rows(episode, job.settings.action), rows)
        for name in ("qpos", "qvel", "effort"):
            file[f"/observations/{name}"] = fitted(episode[f"/observations/{name}"], rows)
        for number, camera in enumerate(job.layout.cameras):
            dataset = picture_dataset(file, f"/observations/images/{camera[0]}", rows, camera)
            for row in write_pictures([dataset], [0], episode, camera, rows):
                tell((number + row / rows) / len(job.layout.cameras))
    tell(1.0)
    return {}


def fitted(values: NDArray[Any], rows: int) -> NDArray[np.float32]:
    """(rows, …) float32: cut, or the last row repeated."""
    return values[np.minimum(np.arange(rows), len(values) - 1)].astype(np.float32)


def picture_dataset(file: h5py.Group, name: str, rows: int, camera: tuple[str, int, int]) -> h5py.Dataset:
    """(rows, H, W, 3) uint8, one picture a chunk."""
    shape = (camera[1], camera[2], 3)
    return file.create_dataset(name, (rows, *shape), np.uint8, chunks=(1, *shape))


def write_pictures(
    datasets: list[h5py.Dataset], shifts: list[int], episode: Episode, camera: tuple[str, int, int], rows: int
) -> Any:
    """Write a camera's pictures, each row ``shift`` rows earlier, into each dataset; yields the rows done.

    What an episode or a shift leaves open at the end gets the last picture.

    Raises:
        ExportError: a picture can't be decoded, or the disk refuses.
    """
    pixels, last, colours = b"", None, Colours()
    try:
        for row, frame in enumerate(pictures(episode, *camera)):
            if frame is not last:
                last, pixels = frame, colours.rgb(frame).tobytes()
            for dataset, shift in zip(datasets, shifts, strict=True):
                if 0 <= row - shift < rows:
                    dataset.id.write_direct_chunk((row - shift, 0, 0, 0), pixels)
            yield min(row + 1, rows)
            if row + 1 >= rows + max(shifts):
                break
        for dataset, shift in zip(datasets, shifts, strict=True):
            for row in range(max(0, episode.rows - shift), rows):
                dataset.id.write_direct_chunk((row, 0, 0, 0), pixels)
    except OSError as error:
        raise ExportError(f"can't write the pictures of {episode.path.name}: {error}. Is the disk full?") from error


def merge(plan: Plan, root: Path, records: Any) -> str:
    """Nothing to do: every file stands by itself."""
    return f"ACT episodes episode_0.hdf5 … episode_{len(plan.items) - 1}.hdf5 in {root}"
