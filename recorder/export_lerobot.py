# SPDX-License-Identifier: Apache-2.0
"""LeRobotDataset v3.0 and v2.1: one Parquet file and one video a camera for every episode, closed when it is done.

Layouts as lerobot 0.6.1 (v3.0) and 0.3 (v2.1) write them. v3.0 allows many episodes in a file; we never use that, so
that a kill costs at most the episode that was being written.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.episode import Episode
from recorder.export_columns import OURS, PICTURES, Column, columns
from recorder.export_errors import ExportInputError, library
from recorder.export_files import finished_file
from recorder.export_plan import Job, Plan
from recorder.export_stats import vector_stats
from recorder.export_video import CODECS, check_codec, write_video

CHUNK = 1000
"""Files in one folder."""

BLOCK_ROWS = 2048
"""Rows that are turned into Parquet at a time."""

DATA = {
    "lerobot": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
    "lerobot-v2.1": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
}
VIDEO = {
    "lerobot": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    "lerobot-v2.1": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
}


def place(pattern: str, index: int, video_key: str = "") -> str:
    """The path of an episode's file, relative to the data set."""
    numbers = {"chunk_index": index // CHUNK, "file_index": index % CHUNK}
    return pattern.format(**numbers, episode_chunk=index // CHUNK, episode_index=index, video_key=video_key)


def check(plan: Plan, root: Path) -> Plan:
    """Refuse what LeRobot can't hold.

    Raises:
        ExportInputError: splits that are no runs, a rate that is no whole number, or no encoder for the codec.
    """
    library("pyarrow")
    order = [item.split for item in plan.items]
    if sum(before != after for before, after in pairwise(order)) >= max(1, len(set(order))):
        raise ExportInputError(
            "LeRobot's splits are runs of episodes, and adding these would interrupt one: export into a new folder"
        )
    if plan.layout.rate_hz != round(plan.layout.rate_hz):
        raise ExportInputError(
            f"LeRobot counts in whole rows per second, these episodes have {plan.layout.rate_hz:g}:"
            " export them as act, robomimic or mcap"
        )
    if plan.settings.codec not in CODECS:
        raise ExportInputError(f"no codec {plan.settings.codec!r}: expected {', '.join(CODECS)}")
    if plan.layout.cameras:
        check_codec(plan.settings)
    return plan


def files(job: Job) -> list[str]:
    """The episode's files."""
    kind, index = job.settings.format, job.item.index
    videos = [place(VIDEO[kind], index, PICTURES + name) for name, _, _ in job.layout.cameras]
    return [place(DATA[kind], index), *videos]


def write_episode(job: Job, tell: Any) -> dict[str, Any]:
    """Write one episode's files.

    Args:
        job: which and where.
        tell: is called with the share that is done, 0 … 1.

    Returns:
        what the merge needs: statistics by feature.

    Raises:
        ExportError, EpisodeError: it can't be read.
    """
    data, *videos = [Path(job.root) / name for name in files(job)]
    stats: dict[str, Any] = {}
    with Episode.open(job.item.source.path) as episode:
        total = job.item.rows * len(videos)
        for number, (path, camera) in enumerate(zip(videos, job.layout.cameras, strict=True)):
            begun = number * job.item.rows
            told = lambda row, begun=begun: tell((begun + row) / total)  # noqa: E731
            stats[PICTURES + camera[0]] = write_video(path, episode, camera, job, told)
        stats |= _write_rows(data, episode, job)
    tell(1.0)
    return {"stats": stats}


def _write_rows(path: Path, episode: Episode, job: Job) -> dict[str, Any]:
    pa, parquet = library("pyarrow"), library("pyarrow.parquet")
    wanted = columns(job)
    rows = {name: _shaped(column, column.read(episode, job.item)) for name, column in wanted.items()}
    schema = pa.schema([(name, _type(column)) for name, column in wanted.items()])
    with finished_file(path) as part, parquet.ParquetWriter(part, schema, compression="snappy") as writer:
        for start in range(0, episode.rows, BLOCK_ROWS):
            block = [_arrow(values[start : start + BLOCK_ROWS]) for values in rows.values()]
            writer.write_table(pa.table(block, schema=schema))
    return {name: vector_stats(values.reshape(len(values), -1)) for name, values in rows.items() if _learned(name)}


def _learned(name: str) -> bool:
    return not name.startswith(OURS)


def _shaped(column: Column, values: NDArray[Any]) -> NDArray[Any]:
    """(T,) for single numbers, (T, D) for vectors, in the column's type."""
    shape = (len(values),) if column.shape == (1,) and column.names is None else (len(values), column.shape[0])
    return np.ascontiguousarray(values.reshape(shape), dtype=column.dtype)


def _type(column: Column) -> Any:
    pa = library("pyarrow")
    single = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_()}[column.dtype]
    return single if column.names is None else pa.list_(single, column.shape[0])


def _arrow(values: NDArray[Any]) -> Any:
    pa = library("pyarrow")
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
