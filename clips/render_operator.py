# SPDX-License-Identifier: Apache-2.0
"""Render the operator clip and its truth: `python -m clips.render_operator [--out DIR] [--frames A:B] [--jobs N]`.

Writes operator_hand.mp4 (what a webcam would see) and operator_hand.npz (every joint angle in it).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clips.choreography import Performance, perform
from clips.hand_model import JOINT_NAMES, landmarks_m
from clips.shading import Image, View, draw_frame, room

Array = NDArray[np.float64]

FPS = 30
WIDTH, HEIGHT = 640, 480
CAMERA_MATRIX: Array = np.array([[540.0, 0.0, 319.5], [0.0, 540.0, 239.5], [0.0, 0.0, 1.0]])
"""Pinhole intrinsics in pixels; pixel centres have integer coordinates."""

CLIP_NAME, TRUTH_NAME = "operator_hand.mp4", "operator_hand.npz"


def truth(performance: Performance) -> dict[str, NDArray[np.generic]]:
    """Everything a measurement needs to know about each frame; the arrays of operator_hand.npz."""
    points = landmarks_m(performance.angles_rad)
    pixels = project(points, performance.rotation_palm_to_camera, performance.wrist_in_camera_m)
    inside = (pixels >= 0).all(axis=-1) & (pixels <= [WIDTH - 1, HEIGHT - 1]).all(axis=-1)
    return {
        "fps": np.array(float(FPS)),
        "time_s": performance.time_s,
        "visible": np.asarray(inside.all(axis=-1)),
        "segment": performance.segment,
        "joint_names": np.array(JOINT_NAMES),
        "joint_angles_rad": performance.angles_rad,
        "landmarks_m": points,
        "rotation_palm_to_camera": performance.rotation_palm_to_camera,
        "wrist_in_camera_m": performance.wrist_in_camera_m,
        "landmarks_px": pixels,
        "camera_matrix": CAMERA_MATRIX,
    }


def project(points_m: Array, rotation_palm_to_camera: Array, wrist_in_camera_m: Array) -> Array:
    """Image points (N, 21, 2) in pixels of palm-frame points (N, 21, 3) in metres."""
    in_camera = points_m @ rotation_palm_to_camera.swapaxes(-1, -2) + wrist_in_camera_m[:, None, :]
    homogeneous = in_camera @ CAMERA_MATRIX.T
    return np.asarray(homogeneous[..., :2] / homogeneous[..., 2:])


def draw(index: int) -> Image:
    """Frame `index` of the film, BGR; the same pixels on every run."""
    performance = perform(FPS)
    view = View(
        angles_rad=performance.angles_rad[index],
        rotation_palm_to_camera=performance.rotation_palm_to_camera[index],
        wrist_in_camera_m=performance.wrist_in_camera_m[index],
        elbow_in_camera_m=performance.elbow_in_camera_m[index],
        camera_matrix=CAMERA_MATRIX,
    )
    return draw_frame(view, room(WIDTH, HEIGHT), seed=index)


def frames(indices: Iterable[int], jobs: int) -> Iterator[Image]:
    """The drawn frames in order, by `jobs` processes of one thread each."""
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.imap(draw, indices, chunksize=4)


def encode(path: Path, images: Iterable[Image], total: int) -> None:
    """Write the images as MPEG-4 video, with a progress line on stderr; OSError if the codec is missing."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise OSError(f"OpenCV cannot write {path} with the mp4v codec; install the opencv wheel from PyPI")
    try:
        for count, image in enumerate(images, start=1):
            writer.write(image)
            sys.stderr.write(f"\rframe {count}/{total}")
            sys.stderr.flush()
    finally:
        writer.release()
        sys.stderr.write("\n")


def _slice(text: str) -> slice:
    """Parse "A:B" (either may be empty)."""
    first, _, last = text.partition(":")
    return slice(int(first) if first else None, int(last) if last else None)


def main(arguments: list[str] | None = None) -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder to write into (default: clips/, for the whole film only)")
    parser.add_argument("--frames", type=_slice, default=slice(None), metavar="A:B", help="draw only these frames")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--preview", action="store_true", help="write one PNG a second, no video and no truth")
    options = parser.parse_args(arguments)
    if options.out is None:
        if options.preview or options.frames != slice(None):
            parser.error("a part of the film needs --out DIR, so that it does not replace the whole one in clips/")
        options.out = Path(__file__).parent
    options.out.mkdir(parents=True, exist_ok=True)
    performance = perform(FPS)
    chosen = range(len(performance.time_s))[options.frames]
    if options.preview:
        for index, image in zip(chosen[::FPS], frames(chosen[::FPS], options.jobs), strict=True):
            cv2.imwrite(str(options.out / f"preview_{index:04d}.png"), image)
        return
    encode(options.out / CLIP_NAME, frames(chosen, options.jobs), len(chosen))
    known = truth(performance)
    per_frame = {
        name: array[chosen] if array.shape[:1] == performance.time_s.shape else array for name, array in known.items()
    }
    np.savez_compressed(options.out / TRUTH_NAME, **per_frame)  # type: ignore[arg-type]
    print(f"{len(chosen)} frames, {int(per_frame['visible'].sum())} with the whole hand in view: {options.out}")


if __name__ == "__main__":
    main()
