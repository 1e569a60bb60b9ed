# SPDX-License-Identifier: Apache-2.0
"""Makes clips: at most two drawing processes, frames in order into an MPEG-4 file, the truth beside it.

Files appear under their names only when they are complete; an interrupted run leaves nothing behind.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from graph.errors import BoothError, InputError
from studio.clip import Clip, film_path, truth_path
from studio.film import Film, Shot
from studio.truth import truth

MOST_JOBS = 2
_CHUNK = 4


class StudioError(BoothError):
    """A clip that could not be made. Scenarios: no codec, a drawing process died (memory)."""


class Workshop:
    """Drawing processes that stay warm from clip to clip; use as a context manager."""

    def __init__(self, jobs: int = MOST_JOBS) -> None:
        self._jobs = max(1, min(jobs, MOST_JOBS))
        os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_prepare)

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def make(self, clip: Clip, directory: Path, on_frame: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Draw a clip and write its two files.

        Args:
            clip: what to make.
            directory: where to; made where it is missing.
            on_frame: told how many frames are done, of how many.

        Returns:
            number of frames.

        Raises:
            InputError: the folder can't be written to, or the script asks for what its operator can't do.
            StudioError: no codec, or a drawing process died.
        """
        film = clip.film()
        total = len(film.performance.time_s)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".studio-", dir=directory) as scratch:
                video, known = Path(scratch) / "clip.mp4", Path(scratch) / "clip.npz"
                seen = self._write(video, film, self._shots(clip, total), total, on_frame)
                arrays = truth(film, seen, clip.script, clip.digest())
                np.savez_compressed(known, **arrays)  # type: ignore[arg-type]
                truth_path(clip, directory).unlink(missing_ok=True)
                video.replace(film_path(clip, directory))
                known.replace(truth_path(clip, directory))
        except OSError as error:
            raise InputError(
                f"{directory} can't hold the clip: {error.strerror or error}; choose another --out"
            ) from error
        except BrokenProcessPool as error:
            raise StudioError("a drawing process died; is there memory left? try --jobs 1") from error
        return total

    def _shots(self, clip: Clip, total: int) -> Iterator[Shot]:
        yield from self._pool.map(_shoot, [clip] * total, range(total), chunksize=_CHUNK)

    @staticmethod
    def _write(
        path: Path, film: Film, shots: Iterator[Shot], total: int, on_frame: Callable[[int, int], None]
    ) -> NDArray[np.bool_]:
        """Encode the shots; which hand landmarks were seen (N, 2, 21)."""
        size = (film.camera.width, film.camera.height)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), film.fps, size)
        if not writer.isOpened():
            raise StudioError(f"OpenCV can't write {path} with the mp4v codec: install the opencv wheel from PyPI")
        seen = []
        try:
            for done, shot in enumerate(shots, start=1):
                writer.write(shot.picture)
                seen.append(shot.seen)
                on_frame(done, total)
        finally:
            writer.release()
        return np.array(seen)


def _prepare() -> None:
    """A drawing process: one thread, Ctrl-C is the parent's business, and no life after the parent's death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """End this process when the other one has ended."""
    wait([sentinel])
    os._exit(1)


@lru_cache(maxsize=2)
def _film(clip: Clip) -> Film:
    return clip.film()


def _shoot(clip: Clip, index: int) -> Shot:
    """One frame, in a drawing process."""
    return _film(clip).shoot(index)
