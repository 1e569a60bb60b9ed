# SPDX-License-Identifier: Apache-2.0
"""RLDS as TensorFlow Datasets reads it: one TFRecord file, and in it one record, for every episode.

A record holds all steps, feature by feature, as TFDS 4.9 writes a ``Dataset`` of steps. Pictures are the camera's own
JPEGs, bit for bit.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recorder.episode import Episode
from recorder.export_columns import OURS, Column, columns
from recorder.export_errors import ExportError, ExportInputError, library
from recorder.export_files import finished_file
from recorder.export_pictures import black, jpeg, jpeg_rows, pictures
from recorder.export_plan import Job, Plan
from recorder.tfrecord import MAX_EXAMPLE_BYTES, Value, example_size, floats, integers, text, texts, write_record

STAGE = "booth_export/rlds"
"""Where episodes wait for their names, which hold the number of all."""

STEPS, OBSERVATION, METADATA = "steps/", "steps/observation/", "episode_metadata/"
TEXTS = ("episode_id", "created", "operator", "booth", "robot", "verdict")
"""What is said of an episode, in words."""


def check(plan: Plan, root: Path) -> Plan:
    """Refuse what TFDS can't name.

    Raises:
        ExportInputError: the folder's or a split's name is none that TFDS takes, or a library is missing.
    """
    name = dataset_name(root)
    if not (name.isascii() and name.isidentifier() and name == name.lower()):
        raise ExportInputError(
            f"TFDS calls a data set like its folder, in small letters, digits and _: found {name!r}, expected --out"
            " my_dataset or the like"
        )
    for split in {item.split for item in plan.items if item.split}:
        if not (split.isascii() and split.isidentifier()):
            raise ExportInputError(f"TFDS takes letters, digits and _ for a split's name, found {split!r}")
    if plan.layout.cameras:
        library("av")
    return plan


def dataset_name(root: Path) -> str:
    """What ``tfds.load`` calls the data set."""
    return root.resolve().name


def stage(index: int) -> str:
    """Where an episode's file waits, relative to the folder."""
    return f"{STAGE}/{index:06d}.tfrecord"


def files(job: Job) -> list[str]:
    """The episode's file, before the merge."""
    return [stage(job.item.index)]


def write_episode(job: Job, tell: Any) -> dict[str, Any]:
    """Write one episode's record; returns its size for the merge.

    Raises:
        ExportError, EpisodeError: it can't be read, or is longer than a record may be.
    """
    target = Path(job.root, *files(job))
    with Episode.open(job.item.source.path) as episode:
        values = _values(episode, job, tell)
        size = example_size(values)
        if size > MAX_EXAMPLE_BYTES:
            raise ExportError(
                f"{episode.path.name} makes a record of {size / 1e9:.1f} GB, protobuf allows 2.1 GB:"
                " leave cameras out with --cameras, or the episode with --except"
            )
        with finished_file(target) as part, part.open("wb") as file:
            write_record(file, values)
    tell(1.0)
    return {"bytes": size}


def step_columns(job: Job) -> dict[str, Column]:
    """Everything of a step that is a number, by RLDS's names; LeRobot's own counters stay out."""
    found = {}
    for name, column in columns(job).items():
        if name.startswith("observation."):
            found[OBSERVATION + name.removeprefix("observation.")] = column
        elif name == "action":
            found[STEPS + name] = column
        elif name.startswith(OURS):
            found[f"{STEPS}booth/{name.removeprefix(OURS)}"] = column
    return found


def _values(episode: Episode, job: Job, tell: Any) -> dict[str, Value]:
    rows, source = job.item.rows, job.item.source
    last = np.arange(rows) == rows - 1
    numbers = {name: (column.dtype, column.read(episode, job.item)) for name, column in step_columns(job).items()}
    numbers |= {
        STEPS + "is_first": ("bool", np.arange(rows) == 0),
        STEPS + "is_last": ("bool", last),
        STEPS + "is_terminal": ("bool", last & source.complete),
        STEPS + "reward": ("float32", (last & source.complete).astype(np.float32)),
        STEPS + "discount": ("float32", np.ones(rows, np.float32)),
        METADATA + "complete": ("bool", np.array([source.complete])),
        METADATA + "rate_hz": ("float32", np.array([source.rate_hz])),
    }
    values = {name: floats(array) if kind == "float32" else integers(array) for name, (kind, array) in numbers.items()}
    values |= {METADATA + name: text(getattr(source, name)) for name in TEXTS}
    values |= {METADATA + "file_path": text(source.name), STEPS + "language_instruction": text(job.item.task, rows)}
    for number, camera in enumerate(job.layout.cameras):
        values[OBSERVATION + camera[0]] = _pictures(episode, camera, number / len(job.layout.cameras), job, tell)
    return values


def _pictures(episode: Episode, camera: tuple[str, int, int], begun: float, job: Job, tell: Any) -> Value:
    """A camera's JPEGs, each decoded once to know that it can be; black before the first one."""
    name, height, width = camera
    nothing = jpeg(black(height, width))
    lengths = episode["/compress_len"][episode.cameras.index(name)].astype(int).tolist()

    def values() -> Iterator[bytes]:
        frames = pictures(episode, name, height, width)
        for row, (data, _) in enumerate(zip(jpeg_rows(episode, name), frames, strict=True), 1):
            yield data or nothing
            tell(begun + row / job.item.rows / len(job.layout.cameras))

    return texts([length or len(nothing) for length in lengths], values)
