# SPDX-License-Identifier: Apache-2.0
"""Write an episode, read all of it back, judge it: only what lies in the file as it was meant gets a manifest."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.assemble import EpisodeTables, ImageRows
from recorder.check import Report, check_open_episode
from recorder.episode import Episode
from recorder.episode_writer import IMAGES, write_tables
from recorder.errors import EpisodeError
from recorder.manifest import ATTRIBUTE, datasets, digest, row_blocks
from recorder.publish import sync_file


def write_checked(part: Path, tables: EpisodeTables) -> Report:
    """Write an episode with its verdict and manifest; the caller publishes it.

    Raises:
        OSError: the disk refuses.
        EpisodeError: what was written does not read back.
    """
    tables.attributes.update({"verdict": "unchecked", "findings": "[]", ATTRIBUTE: "{}"})
    with h5py.File(part, "w") as file:
        write_tables(file, tables)
    with ThreadPoolExecutor(1) as pool, Episode.open(part) as written:
        synced = pool.submit(sync_file, part)  # the disk is busy while the processor is
        manifest = read_back(written.file, tables)
        report = check_open_episode(written, just_read=True)
        synced.result()
    with h5py.File(part, "r+") as file:
        file.attrs[ATTRIBUTE] = json.dumps(manifest)
        file.attrs["verdict"] = report.verdict.value
        file.attrs["findings"] = json.dumps([finding.to_json() for finding in report.findings])
    return report


def read_back(file: h5py.File, tables: EpisodeTables) -> dict[str, str]:
    """The manifest of a file that holds what the tables hold.

    Raises:
        EpisodeError: it does not.
        OSError: it can't be read.
    """
    return {name: digest(_proven(name, dataset, tables)) for name, dataset in datasets(file).items()}


def _proven(name: str, dataset: h5py.Dataset, tables: EpisodeTables) -> Iterator[NDArray[Any]]:
    """The dataset's rows, which are those of the tables."""
    rows = 0
    for block in row_blocks(dataset):
        same = True
        if name.startswith(IMAGES):
            same = _is_image(block, tables.images[name.removeprefix(IMAGES)], rows)
        elif name in tables.datasets:
            same = _same_bytes(block, tables.datasets[name][rows : rows + len(block)])
        if not same:
            raise EpisodeError(f"{name} does not read back as it was written: is the disk or the memory failing?")
        rows += len(block)
        yield block


def _is_image(block: NDArray[Any], images: ImageRows, row: int) -> bool:
    """Whether these rows are the images and behind them nothing but zeros."""
    for offset, found in enumerate(block):
        index = images.index[row + offset]
        image = np.frombuffer(images.images[index] if index >= 0 else b"", np.uint8)
        if not np.array_equal(found[: len(image)], image) or found[len(image) :].any():
            return False
    return True


def _same_bytes(found: NDArray[Any], meant: NDArray[Any]) -> bool:
    """Whether two arrays are alike to the last bit, NaN included."""
    return found.dtype == meant.dtype and bool(found.tobytes() == np.ascontiguousarray(meant).tobytes())
