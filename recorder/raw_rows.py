# SPDX-License-Identifier: Apache-2.0
"""Rows of a dataset as they lie on the disk: our images are one chunk a row, without a filter."""

from collections.abc import Iterable, Iterator

import h5py


def has_raw_rows(dataset: h5py.Dataset) -> bool:
    """Whether every row is a chunk of plain bytes of its own, which HDF5 hands out without copying it about."""
    if dataset.dtype != "uint8" or dataset.chunks != (1, *dataset.shape[1:]):
        return False
    filters = dataset.id.get_create_plist().get_nfilters()  # behind a filter the bytes are packed
    return not filters and bool(dataset.id.get_num_chunks() == len(dataset))


def raw_rows(dataset: h5py.Dataset, rows: Iterable[int]) -> Iterator[bytes]:
    """The bytes of these rows.

    Raises:
        OSError: they can't be read.
    """
    rest = (0,) * (len(dataset.shape) - 1)
    for row in rows:
        yield dataset.id.read_direct_chunk((row, *rest))[1]
