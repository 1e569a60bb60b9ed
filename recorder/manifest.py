# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of every dataset of an episode: tells bit rot and tampering from what was recorded.

Numbers are hashed as their bytes, little-endian, row after row; text and tables as JSON. The same function makes the
manifest when an episode is written and looks at it later.
"""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.errors import EpisodeError
from recorder.raw_rows import has_raw_rows, raw_rows

ATTRIBUTE = "manifest"
LINKED = "data"
"""Group of links to other datasets: the same bytes under other names."""
BLOCK_BYTES = 8 << 20


def digest(blocks: Iterable[NDArray[Any]]) -> str:
    """SHA-256 of arrays one after the other, hexadecimal."""
    hashed = sha256()
    for block in blocks:
        hashed.update(np.ascontiguousarray(block).data)
    return hashed.hexdigest()


def datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Every dataset by its path; links to the same bytes under other names are left out."""
    found: dict[str, h5py.Dataset] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[f"/{name}"] = item

    for top, item in file.items():
        visit(top, item)
        if isinstance(item, h5py.Group) and top != LINKED:
            item.visititems(lambda name, child, top=top: visit(f"{top}/{name}", child))
    return found


def make_manifest(file: h5py.File) -> dict[str, str]:
    """Dataset path to SHA-256 of what the file holds now.

    Raises:
        OSError: a dataset's bytes can't be read.
    """
    return {name: digest(row_blocks(dataset)) for name, dataset in datasets(file).items()}


def note_manifest(file: h5py.File) -> None:
    """Write the manifest of what a file holds now.

    Raises:
        OSError: a dataset's bytes can't be read.
    """
    file.attrs[ATTRIBUTE] = json.dumps(make_manifest(file))


def changed_datasets(file: h5py.File) -> list[str]:
    """Paths whose bytes are no longer those of the manifest, or which it does not know, or which are gone.

    Raises:
        EpisodeError: the manifest is no JSON object.
        OSError: a dataset's bytes can't be read.
    """
    try:
        stated = dict(json.loads(file.attrs[ATTRIBUTE]))
    except (KeyError, ValueError, TypeError) as error:
        raise EpisodeError(f"the manifest is unusable ({error}): expected JSON, dataset to SHA-256") from error
    found = make_manifest(file)
    return sorted(name for name in {*stated, *found} if stated.get(name) != found.get(name))


def row_blocks(dataset: h5py.Dataset) -> Iterator[NDArray[Any]]:
    """All rows, some at a time, as a manifest hashes them.

    Raises:
        OSError: they can't be read.
    """
    if dataset.dtype.hasobject:
        yield np.frombuffer(json.dumps(dataset[()].tolist(), default=_text).encode(), np.uint8)
        return
    if has_raw_rows(dataset):
        yield from (np.frombuffer(row, np.uint8)[None] for row in raw_rows(dataset, range(len(dataset))))
        return
    row_bytes = dataset.dtype.itemsize * int(np.prod(dataset.shape[1:], dtype=np.int64))
    step = max(1, BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, len(dataset), step):
        block = dataset[start : start + step]
        yield block.astype(block.dtype.newbyteorder("<"), copy=False)


def _text(value: bytes) -> str:
    return value.decode()
