# SPDX-License-Identifier: Apache-2.0
"""What is known of an operator, kept from day to day as a small JSON file of their own.

``$XDG_DATA_HOME/humanoid_booth/operators/NAME.json``; it holds measures of hands and arms, no picture and nothing else.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from graph.errors import InputError
from teleop.body_calibration import BodyCalibration
from teleop.hand_bones import BONES
from teleop.hand_calibration import HandCalibration
from teleop.hand_geometry import Side

VERSION: Literal[1] = 1
MAX_BYTES = 64 * 1024
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"

TOLERANCE = 0.2
"""A hand measured again differs by up to a tenth in one size (measured: 36 times one hand), two adults' by 0.15."""
MEAN_TOLERANCE = 0.1
"""Of all sizes together."""


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("must be a finite number")
    return value


Length = Annotated[float, Field(gt=0.001, lt=1.0), AfterValidator(_finite)]
Angle = Annotated[float, Field(ge=-3.2, le=3.2), AfterValidator(_finite)]
Share = Annotated[float, Field(ge=-1.0, le=1.0), AfterValidator(_finite)]


class ProfileError(InputError):
    """A profile that can't be used. Scenarios: no such operator, damaged file, another schema version, a bad name."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HandProfile(_Section):
    """One hand as `teleop.hand_calibration` measures it; ``spread``: how much its sizes varied meanwhile, 0 … 1."""

    length_m: Annotated[tuple[Length, ...], Field(min_length=len(BONES), max_length=len(BONES))]
    arch_rad: Angle | None = None
    flat_rad: Annotated[tuple[Angle, ...], Field(min_length=12, max_length=12)]
    spread: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0

    def calibration(self) -> HandCalibration:
        """As a retargeter takes it."""
        return HandCalibration(self.length_m, self.arch_rad, self.flat_rad)


class BodyProfile(_Section):
    """Arms, shoulders and head as `teleop.body_calibration` measures them: upper arm and forearm of each side."""

    limbs_m: dict[Side, tuple[Length, Length]]
    up_in_camera: tuple[Share, Share, Share] = (0.0, -1.0, 0.0)
    head_rad: tuple[Angle, Angle] = (0.0, 0.0)
    shoulders_m: Length = 0.36

    def calibration(self) -> BodyCalibration:
        """As retargeters take it."""
        return BodyCalibration(dict(self.limbs_m), self.up_in_camera, self.head_rad, self.shoulders_m)


class OperatorProfile(_Section):
    """Everything that is kept of one operator; ``measured`` is a date for people."""

    version: Literal[1] = VERSION
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    measured: Annotated[str, Field(max_length=40)] = ""
    hands: dict[Side, HandProfile] = {}
    body: BodyProfile | None = None


def hand_profile(calibration: HandCalibration, spread: float = 0.0) -> HandProfile:
    """A calibration as it is stored."""
    return HandProfile(
        length_m=calibration.length_m, arch_rad=calibration.arch_rad, flat_rad=calibration.flat_rad, spread=spread
    )


def body_profile(calibration: BodyCalibration) -> BodyProfile:
    """A calibration as it is stored."""
    return BodyProfile(
        limbs_m=dict(calibration.limbs_m),
        up_in_camera=calibration.up_in_camera,
        head_rad=calibration.head_rad,
        shoulders_m=calibration.shoulders_m,
    )


def profile_path(name: str, environ: Mapping[str, str] | None = None) -> Path:
    """Where an operator's profile is kept.

    Raises:
        ProfileError: the name can't be a file's.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise ProfileError(
            f"an operator's name has small letters, digits, _ and -, at most 63, found {name!r}: choose another"
        )
    variables = os.environ if environ is None else environ
    home = variables.get("XDG_DATA_HOME") or str(Path(variables.get("HOME", "~")).expanduser() / ".local" / "share")
    return Path(home) / "humanoid_booth" / "operators" / f"{name}.json"


def save(profile: OperatorProfile, path: Path) -> None:
    """Write a profile: whole or not at all.

    Raises:
        ProfileError: the folder can't be written.
    """
    text = profile.model_dump_json(indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ProfileError(f"{path} can't be written: {error}") from error


def load(path: Path) -> OperatorProfile:
    """Read a profile.

    Raises:
        ProfileError: there is none, or it is damaged; the message says what to do.
    """
    again = "measure the operator again"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ProfileError(f"{path} has {path.stat().st_size} bytes, a profile has at most {MAX_BYTES}: {again}")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProfileError(f"{path.stem} has no profile ({path}): {again}, or start without one") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ProfileError(f"{path} can't be read: {error}; {again}") from error
    found = data.get("version") if isinstance(data, dict) else None
    if found != VERSION:
        raise ProfileError(f"{path} has schema version {found!r}, expected {VERSION}: {again}")
    try:
        return OperatorProfile.model_validate_json(json.dumps(data))
    except (ValidationError, ValueError) as error:
        problems = error.errors() if isinstance(error, ValidationError) else []
        listed = "".join(f"\n  - {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems)
        raise ProfileError(f"{path} is damaged: {again}{listed}") from error


def hand_sizes(calibration: HandCalibration | HandProfile) -> dict[str, float]:
    """Sizes of a hand [m]: palm's length and breadth, and every digit without its metacarpal."""
    length = np.array(calibration.length_m)
    digits = length[:20].reshape(5, 4)[:, 1:].sum(axis=1)
    names = ("thumb", "index finger", "middle finger", "ring finger", "little finger")
    sizes = {"palm": float(length[8]), "breadth": float(length[20:].sum())}
    return sizes | {name: float(value) for name, value in zip(names, digits, strict=True)}


def body_sizes(calibration: BodyCalibration | BodyProfile) -> dict[str, float]:
    """Sizes of a body [m]: upper arm and forearm, mean of both sides."""
    limbs = np.array(list(calibration.limbs_m.values())).mean(axis=0)
    return {"upper arm": float(limbs[0]), "forearm": float(limbs[1])}


def check(profile: OperatorProfile, seen: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Whether these are the profile's hands and body.

    Args:
        profile: of the operator who should be there.
        seen: sizes by ``right``, ``left`` (`hand_sizes`) and ``body`` (`body_sizes`); what is missing is not checked.

    Returns:
        why not, each a sentence; empty when it may be the same person.
    """
    reasons: list[str] = []
    for part, sizes in seen.items():
        known = profile.body if part == "body" else profile.hands.get(_side(part))
        if known is None:
            continue
        expected = body_sizes(known) if isinstance(known, BodyProfile) else hand_sizes(known)
        what = "body" if part == "body" else f"{part} hand"
        ratios = {name: sizes[name] / expected[name] for name in expected if name in sizes}
        name, ratio = max(ratios.items(), key=lambda item: abs(np.log(item[1])))
        mean = float(np.exp(np.mean([abs(np.log(value)) for value in ratios.values()])) - 1.0)
        if abs(np.log(ratio)) > np.log1p(TOLERANCE) or mean > MEAN_TOLERANCE:
            reasons.append(
                f"this {what} does not look like {profile.name}'s: {name} {sizes[name] * 1e3:.0f} mm, known as "
                f"{expected[name] * 1e3:.0f} mm; measure again, or choose another operator"
            )
    return reasons


def _side(part: str) -> Side:
    return "left" if part == "left" else "right"
