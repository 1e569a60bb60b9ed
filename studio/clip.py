# SPDX-License-Identifier: Apache-2.0
"""Which clip: script, look and seed, its content hash, and the files that belong to it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

import clips
import studio
from studio.film import FPS, Film
from studio.look import Look, described
from studio.script import Script


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip to be made; equal clips give equal pixels.

    Attributes:
        name: of the files.
        script: name of the script.
        play: the script itself, as JSON.
        look: who and what is filmed, how.
        seed: of sway and sensor noise.
        fps: frames per second.
    """

    name: str
    script: str
    play: str
    look: Look
    seed: int = 0
    fps: float = FPS

    def film(self) -> Film:
        """The clip, ready to be drawn frame by frame."""
        return Film(Script.model_validate_json(self.play), self.look, self.seed, self.fps)

    def digest(self) -> str:
        """Content hash of everything that the pixels and the truth depend on."""
        content = [self.script, self.play, described(self.look), self.seed, self.fps, code_version()]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def clip_of(name: str, script_name: str, script: Script, look: Look, seed: int) -> Clip:
    """A clip from a loaded script."""
    return Clip(name, script_name, script.model_dump_json(), look, seed)


@cache
def code_version() -> str:
    """Content hash of the sources that draw: this package's and clips'."""
    total = hashlib.sha256()
    for package in (studio, clips):
        for path in sorted(Path(str(package.__file__)).parent.glob("*.py")):
            total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def is_made(clip: Clip, directory: Path) -> bool:
    """Whether the clip's two files are there and were made from the same script, look, seed and code."""
    film, truth = film_path(clip, directory), truth_path(clip, directory)
    if not film.is_file() or not truth.is_file():
        return False
    try:
        with np.load(truth, allow_pickle=False) as data:
            return str(data["digest"]) == clip.digest()
    except (OSError, KeyError, ValueError, EOFError, BadZipFile):
        return False


def film_path(clip: Clip, directory: Path) -> Path:
    """The clip's video."""
    return directory / f"{clip.name}.mp4"


def truth_path(clip: Clip, directory: Path) -> Path:
    """The clip's truth, beside the video under the same name."""
    return directory / f"{clip.name}.npz"
