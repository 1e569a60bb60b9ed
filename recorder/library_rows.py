# SPDX-License-Identifier: Apache-2.0
"""Copy rows A … B of episodes into a new file, whatever datasets they have: hard links and attributes come along.

What a dataset's rows are is what the schema says of it; one that the schema does not know has them on its first axis,
if that is as long as the episode, and is copied whole otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.episode import Episode, expected_datasets
from recorder.library_errors import LibraryError
from recorder.library_hash import BLOCK_BYTES

EVENTS = "/events"
STATES = ("driver_state", "teleop_state")
"""Streams of events that hold until the next one."""

PAUSES = ("recorder_event", ("paused", "resumed"))
"""So do these texts of this stream."""

LINKS = "data"
"""robomimic's names of datasets: looked at last, so that each is copied under the name that the schema knows."""

OTHER_AXES = {"/compress_len": 1}
"""Axis of the rows where it is not the first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows ``start`` … ``stop`` - 1 of an open episode."""

    episode: Episode
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start


def copy_rows(target: h5py.File, pieces: Sequence[Piece]) -> None:
    """Write the pieces' rows, one after the other, into an empty file, with the tree of the first piece.

    Attributes are copied as they are: the caller corrects those that count rows, and makes the manifest anew.

    Raises:
        LibraryError: the pieces do not have the same datasets.
        OSError: the disk refuses, or a source can't be read.
    """
    _Copy(target, pieces).group("")


class _Copy:
    def __init__(self, target: h5py.File, pieces: Sequence[Piece]) -> None:
        first = pieces[0].episode
        self.target = target
        self.pieces = pieces
        self.expected = expected_datasets(first.cameras, first.streams)
        self.done: dict[int, str] = {}  # address in the first source -> path in the target

    def group(self, path: str) -> None:
        """Copy a group; the root is the empty path."""
        source = self.pieces[0].episode.file[path or "/"]
        made = self.target.require_group(path or "/")
        for name, value in source.attrs.items():
            made.attrs[name] = value
        for name in sorted(source, key=lambda name: (name == LINKS, name)):
            self._child(f"{path}/{name}", source.get(name, getlink=True))

    def _child(self, path: str, link: object) -> None:
        if isinstance(link, h5py.SoftLink):
            self.target[path] = h5py.SoftLink(link.path)
            return
        item = self.pieces[0].episode.file[path]
        address = h5py.h5o.get_info(item.id).addr
        if address in self.done:
            self.target[path] = self.target[self.done[address]]
            return
        self.done[address] = path
        if isinstance(item, h5py.Group):
            self.group(path)
        else:
            self._dataset(path)

    def _dataset(self, path: str) -> None:
        sources = [self._source(piece, path) for piece in self.pieces]
        if path == EVENTS:
            made = self.target.create_dataset(path, data=self._events(), dtype=sources[0].dtype)
        elif (axis := self._axis(path)) is not None:
            made = self._create(path, sources, axis)
            self._fill(made, sources, axis)
        else:
            self._same(path, sources)
            made = self.target.create_dataset(path, data=sources[0][()], dtype=sources[0].dtype)
        made.attrs.update(sources[0].attrs)

    def _source(self, piece: Piece, path: str) -> h5py.Dataset:
        found = piece.episode.file.get(path)
        if not isinstance(found, h5py.Dataset):
            raise LibraryError(
                f"{piece.episode.path.name} has no {path}, which {self._first_name} has: can't join them"
            )
        return found

    def _axis(self, path: str) -> int | None:
        """Which axis counts rows; None where none does."""
        if path in OTHER_AXES:
            return OTHER_AXES[path]
        if path in self.expected:
            shape = self.expected[path].shape
            return shape.index("T") if "T" in shape else None
        first = self.pieces[0].episode
        shape = first.file[path].shape
        return 0 if shape and shape[0] == first.rows else None

    def _create(self, path: str, sources: list[h5py.Dataset], axis: int) -> h5py.Dataset:
        """An empty dataset for all rows, stored as the first source is; only paddings may differ in width."""
        first = sources[0]
        shape = list(first.shape)
        padded = path in self.expected and "P" in self.expected[path].shape
        for other in sources[1:]:
            widths_fit = padded or _without(other.shape, axis) == _without(first.shape, axis)
            if other.dtype != first.dtype or other.ndim != first.ndim or not widths_fit:
                raise LibraryError(f"{path} differs in type or shape between the parts: can't join them")
            shape = [max(mine, its) for mine, its in zip(shape, other.shape, strict=True)]
        shape[axis] = sum(piece.rows for piece in self.pieces)
        layout: dict[str, Any] = {}
        if first.chunks:
            sizes = zip(shape, first.chunks, first.shape, strict=True)
            layout = {"chunks": tuple(size if chunk == old else min(chunk, size) for size, chunk, old in sizes)}
            layout |= {"compression": first.compression, "compression_opts": first.compression_opts}
        return self.target.create_dataset(path, tuple(shape), first.dtype, **layout)

    def _fill(self, made: h5py.Dataset, sources: list[h5py.Dataset], axis: int) -> None:
        step = max(1, BLOCK_BYTES * max(1, made.shape[axis]) // max(1, made.nbytes))
        begin = 0
        for piece, source in zip(self.pieces, sources, strict=True):
            inner = tuple(slice(0, size) for size in source.shape)
            for row in range(piece.start, piece.stop, step):
                end = min(row + step, piece.stop)
                block = source[_with(inner, axis, slice(row, end))]
                made[_with(inner, axis, slice(begin, begin + end - row))] = block
                begin += end - row

    def _same(self, path: str, sources: list[h5py.Dataset]) -> None:
        """What belongs to no row has to be the same in all pieces."""
        first = sources[0][()]
        for piece, other in zip(self.pieces[1:], sources[1:], strict=True):
            if not np.array_equal(first, other[()], equal_nan=other.dtype.kind == "f"):
                raise LibraryError(f"{path} of {piece.episode.path.name} differs from that of {self._first_name}")

    def _events(self) -> NDArray[Any]:
        """Each once: the state in force at a piece's beginning may have been told in the piece before."""
        told = np.concatenate([events_within(piece) for piece in self.pieces])
        first = {event: number for number, event in reversed(list(enumerate(told.tolist())))}
        chosen: NDArray[Any] = told[sorted(first.values())]
        return chosen

    @property
    def _first_name(self) -> str:
        return self.pieces[0].episode.path.name


def events_within(piece: Piece) -> NDArray[Any]:
    """Events between the first and the last row, and before them the states that were in force at the first row.

    What was told before the first or after the last row of the whole episode stays with the rows it was next to.
    """
    episode = piece.episode
    events, ticks = episode[EVENTS], episode["/time/tick_ns"]
    stamps = events["stamp_ns"]
    after = stamps >= ticks[piece.start] if piece.start else np.ones(len(events), np.bool_)
    kept = after & (stamps < ticks[piece.stop]) if piece.stop < episode.rows else after
    streams, texts = events["stream"].astype("U"), events["text"].astype("U")
    holding = [streams == state for state in STATES] + [(streams == PAUSES[0]) & np.isin(texts, PAUSES[1])]
    for of_state in holding:
        kept[np.flatnonzero(~after & of_state)[-1:]] = True
    chosen: NDArray[Any] = events[kept]
    return chosen


def _with(index: tuple[slice, ...], axis: int, rows: slice) -> tuple[slice, ...]:
    return (*index[:axis], rows, *index[axis + 1 :])


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]
