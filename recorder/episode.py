# SPDX-License-Identifier: Apache-2.0
"""Open a finished episode: a frozen view that reads a dataset when it is asked for one."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from recorder.errors import EpisodeError
from recorder.schema import (
    CAMERA_DATASETS,
    CAUSED_DATASETS,
    COMMANDS,
    DATASETS,
    ROOT_ATTRIBUTES,
    SCHEMA_NAME,
    SCHEMA_VERSION,
    STREAM_DATASETS,
    STREAMS,
    Dataset,
)


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode, open for reading. Use as a context manager, or call ``close``, which is idempotent.

    Attributes:
        path: the file.
        joint_names: (J,) order of every joint vector in it.
        cameras: dataset names of the cameras that delivered frames, in the order of ``/compress_len``.
        rows: T.
    """

    path: Path
    joint_names: tuple[str, ...]
    cameras: tuple[str, ...]
    rows: int
    file: h5py.File

    @classmethod
    def open(cls, path: str | Path) -> "Episode":
        """Open and check the layout: every dataset there, every shape right.

        Raises:
            EpisodeError: no such file, not an episode, truncated, incomplete, or of a newer schema.
        """
        path = Path(path)
        file = _open(path)
        try:
            _refuse_other_schemas(path, file)
            return _checked(path, file)
        except EpisodeError:
            file.close()
            raise
        except (KeyError, OSError, RuntimeError, ValueError, TypeError) as error:
            file.close()
            raise EpisodeError(_damaged(path, str(error))) from error

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The whole of one dataset, such as ``/observations/qpos``.

        Raises:
            EpisodeError: no such dataset, or its bytes can't be read.
        """
        return _read(self.path, self.file, name)

    def attribute(self, name: str) -> Any:
        """One attribute of the root as a plain Python value."""
        value = self.file.attrs[name]
        return value.item() if isinstance(value, np.generic) else value

    def image(self, camera: str, row: int) -> bytes:
        """The JPEG of one row, without its padding; empty where the camera had no frame yet.

        Raises:
            EpisodeError: no such camera.
        """
        if camera not in self.cameras:
            raise EpisodeError(f"{self.path.name} has no camera {camera!r}: expected one of {', '.join(self.cameras)}")
        length = int(self.file["/compress_len"][self.cameras.index(camera), row])
        return bytes(self.file[f"/observations/images/{camera}"][row, :length].tobytes())

    def events(self) -> list[tuple[int, str, str]]:
        """(graph time [ns], stream, text) of everything that was said, in order."""
        rows = self["/events"]
        return [(int(row["stamp_ns"]), _text(row["stream"]), _text(row["text"])) for row in rows]

    def info(self) -> dict[str, Any]:
        """What ``booth episode info`` shows: JSON-able, from the attributes and the small datasets only."""
        skipped = {"robot_yaml", "findings", "lost_messages", "manifest", "provenance"}
        attributes = {name: self.attribute(name) for name in ROOT_ATTRIBUTES if name not in skipped}
        engaged = self["/operator/engaged"]
        return {
            "file": self.path.name,
            "bytes": self.path.stat().st_size,
            **attributes,
            "lost_messages": json.loads(self.attribute("lost_messages")),
            "findings": json.loads(self.attribute("findings")),
            "provenance": json.loads(self.attribute("provenance")),
            "duration_s": self.rows / float(self.attribute("rate_hz")),
            "engaged_share": float(engaged.mean()) if self.rows else 0.0,
            "joints": list(self.joint_names),
            "cameras": list(self.cameras),
            "events": len(self.file["/events"]),
            "replays": [stored.name for stored in sorted(self.path.parent.glob(f"{self.path.stem}.replay-*.json"))],
        }

    def summary(self) -> list[dict[str, str]]:
        """Name, type and shape of every dataset, sorted by name; robomimic's links to them are left out."""
        found: list[dict[str, str]] = []

        def visit(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                dtype = "table" if item.dtype.names else "text" if item.dtype.hasobject else str(item.dtype)
                found.append({"name": name, "dtype": dtype, "shape": " × ".join(str(size) for size in item.shape)})

        for top, item in self.file.items():
            visit(f"/{top}", item)
            if isinstance(item, h5py.Group) and top != "data":
                item.visititems(lambda name, child, top=top: visit(f"/{top}/{name}", child))
        return sorted(found, key=lambda entry: entry["name"])

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams that have stamps: those of every episode, then the cameras."""
        cameras = sorted(set(self.file["/health/stale"]) - set(STREAMS))
        return STREAMS + tuple(cameras)

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def __enter__(self) -> "Episode":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise EpisodeError(f"no episode at {path}: expected a finished .h5 file; booth episode info takes its path")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise EpisodeError(_damaged(path, str(error))) from error


def _damaged(path: Path, found: str) -> str:
    return (
        f"{path.name} can't be read as an episode: expected an HDF5 file with schema {SCHEMA_NAME}, found: {found}."
        " Was it copied completely? The take (.mcap) beside it can be turned into an episode again"
    )


def _refuse_other_schemas(path: Path, file: h5py.File) -> None:
    name = file.attrs.get("schema_name")
    if name != SCHEMA_NAME:
        raise EpisodeError(
            f"{path.name} is HDF5 but no episode of ours: expected schema {SCHEMA_NAME!r}, found {name!r}."
            " Is it a file of another tool?"
        )
    version = int(file.attrs["schema_version"])
    if version > SCHEMA_VERSION:
        raise EpisodeError(
            f"{path.name} was written by a newer version (schema {version}, this reads up to {SCHEMA_VERSION}):"
            " update humanoid_booth"
        )


def _checked(path: Path, file: h5py.File) -> Episode:
    cameras = tuple(json.loads(file["/compress_len"].attrs["cameras"]))
    rows, joints = (int(size) for size in file["/observations/qpos"].shape)
    problems = [f"attribute {name} is missing" for name in ROOT_ATTRIBUTES if name not in file.attrs]
    for name, expected in expected_datasets(cameras, tuple(file["/health/stale"])).items():
        problems += _dataset_problems(file, name, expected, {"T": rows, "J": joints})
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise EpisodeError(f"{path.name} is no complete episode, {len(problems)} problem(s):\n{listed}")
    names = tuple(_text(name) for name in file["/joint_names"][()])
    return Episode(path, names, cameras, rows, file)


def expected_datasets(cameras: tuple[str, ...], streams: tuple[str, ...]) -> dict[str, Dataset]:
    """Every dataset of an episode with these cameras and streams, by path."""
    expected = dict(DATASETS)
    for stream in sorted({*STREAMS, *streams}):
        expected.update({name.format(stream=stream): item for name, item in STREAM_DATASETS.items()})
    for stream in COMMANDS:
        expected.update({name.format(stream=stream): item for name, item in CAUSED_DATASETS.items()})
    for camera in cameras:
        expected.update({name.format(camera=camera): item for name, item in CAMERA_DATASETS.items()})
    return expected


def _dataset_problems(file: h5py.File, name: str, expected: Dataset, sizes: dict[str, int]) -> list[str]:
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset):
        return [f"{name} is missing"]
    wanted = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in expected.shape)
    fits = len(dataset.shape) == len(wanted) and all(
        isinstance(want, str) or want == found for want, found in zip(wanted, dataset.shape, strict=True)
    )
    if not fits or dataset.dtype != np.dtype(expected.dtype):
        found = f"{dataset.dtype} {tuple(dataset.shape)}"
        return [f"{name}: expected {expected.dtype} {wanted}, found {found}"]
    return []


def _read(path: Path, file: h5py.File, name: str) -> NDArray[Any]:
    try:
        values: NDArray[Any] = file[name][()]
    except KeyError as error:
        raise EpisodeError(f"{path.name} has no dataset {name}: docs/format.md lists them") from error
    except OSError as error:
        raise EpisodeError(_damaged(path, str(error))) from error
    return values


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
