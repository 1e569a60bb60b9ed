# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of files and of what episodes hold, read in blocks.

The content hash covers what was observed and done: ticks, measured and commanded joints, images. It says nothing of
names, labels, verdicts, or of what was derived from the rows, so that a renamed or newly finalised copy has the same.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import h5py

from recorder.manifest import ATTRIBUTE, digest, row_blocks

BLOCK_BYTES = 4 << 20

CONTENT = (
    "/time/tick_ns",
    "/observations/qpos",
    "/observations/qvel",
    "/observations/effort",
    "/actions/requested",
    "/actions/sent",
    "/action",
)
"""What the content hash covers, beside every dataset below ``/observations/images``."""


def file_sha256(path: Path, advance: Callable[[int], None] = lambda count: None) -> str:
    """SHA-256 of a file, hexadecimal; ``advance`` is told the bytes of each block.

    Raises:
        OSError: it can't be read.
    """
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()


def dataset_sha256(dataset: h5py.Dataset) -> str:
    """SHA-256 of a dataset of numbers, row after row, as a manifest states it.

    Raises:
        OSError: its bytes can't be read.
    """
    return digest(row_blocks(dataset))


def content_sha256(file: h5py.File) -> str:
    """SHA-256 over name, type, shape and hash of each dataset that the content hash covers, hexadecimal.

    Hashes that the episode's own manifest states are believed; ``booth library verify`` is what doubts them.

    Raises:
        OSError: the bytes can't be read.
        KeyError: a dataset is missing.
    """
    stated = manifest(file)
    digest = sha256()
    for name in content_names(file):
        dataset = file[name]
        line = f"{name} {dataset.dtype.str} {dataset.shape} {stated.get(name) or dataset_sha256(dataset)}\n"
        digest.update(line.encode())
    return digest.hexdigest()


def content_names(file: h5py.File) -> list[str]:
    """Paths of the datasets that the content hash covers, in its order."""
    images = file.get("/observations/images", {})
    return [*CONTENT, *sorted(f"/observations/images/{name}" for name in images)]


def manifest(file: h5py.File) -> dict[str, str]:
    """Dataset path to SHA-256 as the episode itself states it; empty where it states nothing usable."""
    try:
        return {str(name): value for name, value in json.loads(file.attrs[ATTRIBUTE]).items() if _is_hash(value)}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")
