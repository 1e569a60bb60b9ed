# SPDX-License-Identifier: Apache-2.0
"""Write an episode file: default HDF5 format, no filters, so that any reader opens it without a plugin."""

import json
from pathlib import Path

import h5py
import numpy as np

from recorder.assemble import EpisodeTables, ImageRows
from recorder.manifest import note_manifest
from recorder.schema import HARD_LINKS

IMAGES = "/observations/images/"
"""Group of the cameras."""

_TEXT = h5py.string_dtype("utf-8")
_EVENT = np.dtype([("stamp_ns", np.int64), ("stream", _TEXT), ("text", _TEXT)])


def write_episode(path: Path, tables: EpisodeTables) -> None:
    """Write all of an episode to ``path`` with a manifest of what it then holds.

    Raises:
        OSError: the disk refuses.
    """
    with h5py.File(path, "w") as file:
        write_tables(file, tables)
        note_manifest(file)


def write_tables(file: h5py.File, tables: EpisodeTables) -> None:
    """Write all of an episode but its manifest.

    Raises:
        OSError: the disk refuses.
    """
    for name, values in tables.datasets.items():
        file.create_dataset(name, data=values)
    file.create_dataset("/joint_names", data=list(tables.joint_names), dtype=_TEXT)
    _write_events(file, tables)
    _write_images(file, tables)
    _write_links(file, tables)
    for stream, attributes in tables.stream_attributes.items():
        file[f"/time/{stream}"].attrs.update(attributes)
    file.attrs.update(tables.attributes)


def _write_events(file: h5py.File, tables: EpisodeTables) -> None:
    rows = [(event.stamp_ns, event.stream, event.text) for event in tables.events]
    file.create_dataset("/events", data=np.array(rows, _EVENT), dtype=_EVENT)


def _write_images(file: h5py.File, tables: EpisodeTables) -> None:
    lengths = np.zeros((len(tables.images), tables.rows), np.float32)
    file.create_group(IMAGES)
    for camera, (name, images) in enumerate(tables.images.items()):
        sizes = np.array([len(image) for image in images.images] + [0])
        lengths[camera] = sizes[images.index]  # NONE picks the 0 at the end
        _write_camera(file, name, images, max(1, int(lengths[camera].max())))
    lengths_dataset = file.create_dataset("/compress_len", data=lengths)
    lengths_dataset.attrs["cameras"] = json.dumps(list(tables.images))


def _write_camera(file: h5py.File, name: str, images: ImageRows, width: int) -> None:
    """(T, width) uint8, one zero-padded image a row; rows without an image are zeros."""
    rows = len(images.index)
    dataset = file.create_dataset(f"{IMAGES}{name}", (rows, width), np.uint8, chunks=(1, width))
    dataset.attrs["encoding"] = "jpeg"
    padded = np.zeros(width, np.uint8)
    for row, index in enumerate(images.index.tolist()):
        image = np.frombuffer(images.images[index] if index >= 0 else b"", np.uint8)
        padded[: len(image)], padded[len(image) :] = image, 0
        dataset.id.write_direct_chunk((row, 0), padded)


def _write_links(file: h5py.File, tables: EpisodeTables) -> None:
    """The same bytes under robomimic's names."""
    demo = file.create_group("/data/demo_0")
    demo.attrs["num_samples"] = tables.rows
    environment = {
        "env_name": tables.attributes["task"] or "humanoid_booth",
        "type": 2,  # robomimic knows no real robot; GYM is its most neutral type
        "env_kwargs": {"robot": tables.attributes["robot"], "rate_hz": tables.attributes["rate_hz"]},
    }
    file["/data"].attrs["total"] = tables.rows
    file["/data"].attrs["env_args"] = json.dumps(environment)
    for name, origin in HARD_LINKS.items():
        file[name] = file[origin]
    for camera in tables.images:
        demo[f"obs/{camera}"] = file[f"{IMAGES}{camera}"]
