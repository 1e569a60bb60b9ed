# SPDX-License-Identifier: Apache-2.0
"""How a clip looks: who is filmed, by which camera, in what light, before what; chosen by option or by seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from graph.errors import InputError
from studio.colours import Light, Palette
from studio.sizes import Sizes

RGB = tuple[float, float, float]

SKINS: dict[str, RGB] = {
    "fair": (0.68, 0.425, 0.315),
    "light": (0.62, 0.365, 0.255),
    "olive": (0.50, 0.305, 0.195),
    "brown": (0.30, 0.165, 0.100),
    "dark": (0.145, 0.078, 0.050),
}
CLOTHS: dict[str, RGB] = {
    "navy": (0.060, 0.105, 0.190),
    "grey": (0.22, 0.22, 0.23),
    "red": (0.30, 0.055, 0.050),
    "green": (0.070, 0.150, 0.090),
    "white": (0.62, 0.62, 0.60),
    "black": (0.022, 0.022, 0.025),
    "sand": (0.42, 0.34, 0.24),
}
HAIRS: dict[str, RGB] = {
    "black": (0.016, 0.013, 0.012),
    "brown": (0.045, 0.027, 0.017),
    "blond": (0.32, 0.21, 0.10),
    "grey": (0.26, 0.26, 0.26),
}
LIGHTS: dict[str, Light] = {
    "room": Light(),
    "window": Light((0.85, -0.30, -0.45), (1.75, 1.85, 2.0), (0.42, 0.44, 0.50), (0.30, 0.28, 0.26)),
    "overhead": Light((0.10, -0.95, -0.35), (1.35, 1.32, 1.22), (0.62, 0.62, 0.62), (0.30, 0.28, 0.26)),
    "evening": Light((-0.60, -0.25, -0.70), (1.70, 1.25, 0.80), (0.34, 0.30, 0.28), (0.28, 0.21, 0.16)),
    "dim": Light((-0.40, -0.70, -0.55), (0.80, 0.76, 0.70), (0.36, 0.37, 0.40), (0.22, 0.19, 0.17)),
}
BACKGROUNDS = ("room", "wall", "shelves", "window", "lab")
LENGTHS = ("short", "long")


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that may vary from clip to clip; the defaults are the standard look.

    Attributes:
        skin, cloth, hair, light, background: names of the tables above.
        sleeves, hair_length: short or long.
        camera_height_m: lens above (+) or below (-) the operator's chin.
        camera_distance_m: lens to the operator's trunk.
        camera_side_m: lens to the operator's left (+) of the middle.
        fov_deg: horizontal angle of view.
        height_m, hand_scale, limb_scale: of the operator.
        speed: how fast the script is played.
        exposure_ms: how long the shutter is open; 0 freezes all motion.
        noise: standard deviation of the sensor noise, in steps of 8 bit.
        softness_px: blur of the lens, standard deviation.
        width, height: of the image.
    """

    skin: str = "light"
    cloth: str = "navy"
    hair: str = "brown"
    light: str = "room"
    background: str = "room"
    sleeves: str = "long"
    hair_length: str = "short"
    camera_height_m: float = 0.0
    camera_distance_m: float = 1.40
    camera_side_m: float = 0.0
    fov_deg: float = 56.0
    height_m: float = 1.75
    hand_scale: float = 1.0
    limb_scale: float = 1.0
    speed: float = 1.0
    exposure_ms: float = 0.0
    noise: float = 1.6
    softness_px: float = 0.6
    width: int = 960
    height: int = 720

    def sizes(self) -> Sizes:
        """The operator's body."""
        return Sizes(self.height_m, self.hand_scale, self.limb_scale)

    def palette(self) -> Palette:
        """Colours of operator and guest; the guest's differ."""
        guest_skin = SKINS["brown" if self.skin in {"fair", "light"} else "light"]
        cloth = CLOTHS[self.cloth]
        collar = tuple(0.72 * value for value in cloth)
        return Palette(
            skin=SKINS[self.skin],
            hair=HAIRS[self.hair],
            shirt=cloth,
            collar=(collar[0], collar[1], collar[2]),
            guest_skin=guest_skin,
            guest_sleeve=CLOTHS["red" if self.cloth != "red" else "grey"],
        )


STANDARD = Look()
"""The standard look."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "skin": tuple(SKINS),
    "cloth": tuple(CLOTHS),
    "hair": tuple(HAIRS),
    "light": tuple(LIGHTS),
    "background": BACKGROUNDS,
    "sleeves": LENGTHS,
    "hair_length": LENGTHS,
}
RANGES: dict[str, tuple[float, float]] = {
    "camera_height_m": (-0.35, 0.40),
    "camera_distance_m": (1.20, 1.60),
    "camera_side_m": (-0.30, 0.30),
    "fov_deg": (50.0, 62.0),
    "height_m": (1.55, 1.92),
    "hand_scale": (0.88, 1.10),
    "limb_scale": (0.94, 1.06),
    "speed": (0.8, 1.4),
    "exposure_ms": (0.0, 16.0),
    "noise": (0.5, 4.0),
    "softness_px": (0.4, 1.0),
}
"""Lowest and highest value that a seed chooses."""


_BOUNDS: dict[str, tuple[float, float]] = {
    "camera_height_m": (-1.0, 1.5),
    "camera_distance_m": (0.8, 4.0),
    "camera_side_m": (-1.5, 1.5),
    "fov_deg": (20.0, 110.0),
    "height_m": (1.2, 2.2),
    "hand_scale": (0.6, 1.4),
    "limb_scale": (0.8, 1.2),
    "speed": (0.2, 4.0),
    "exposure_ms": (0.0, 33.0),
    "noise": (0.0, 20.0),
    "softness_px": (0.0, 5.0),
    "width": (160, 1920),
    "height": (120, 1440),
}
"""Lowest and highest value that is drawn sensibly."""


class LookError(InputError):
    """A look that can't be filmed. Scenarios: unknown colour, a lens of 200 degrees, a picture of odd size."""


def choices(name: str) -> tuple[str, ...]:
    """The names that a look's attribute may take; empty for numbers."""
    return _CHOICES.get(name, ())


def checked_look(given: Mapping[str, str | float], seed: int) -> Look:
    """The standard look for seed 0, else one that the seed draws; what is given stays as it is.

    Raises:
        LookError: unknown attributes, names or values, all of them listed.
    """
    known = {field.name: field for field in fields(Look)}
    problems = [problem for name, value in given.items() if (problem := _problem(name, value, known))]
    if problems:
        raise LookError("\n".join(["this look can't be filmed:", *(f"  {problem}" for problem in problems)]))
    draw = np.random.default_rng(seed)
    values: dict[str, str | float] = {}
    for name in known if seed != 0 else ():
        if name in _CHOICES:
            values[name] = str(draw.choice(_CHOICES[name]))
        elif name in RANGES:
            values[name] = round(float(draw.uniform(*RANGES[name])), 3)
    values |= {name: value if isinstance(value, str) else float(value) for name, value in given.items()}
    for name in ("width", "height"):
        values[name] = int(values.get(name, getattr(STANDARD, name)))
    return replace(STANDARD, **values)  # type: ignore[arg-type]


def _problem(name: str, value: str | float, known: Mapping[str, object]) -> str | None:
    """What is wrong with one attribute, if anything."""
    if name not in known:
        return f"{name}: no such attribute, expected one of {', '.join(known)}"
    if name in _CHOICES:
        return None if value in _CHOICES[name] else f"{name}: {value!r}, expected one of {', '.join(_CHOICES[name])}"
    low, high = _BOUNDS[name]
    if isinstance(value, str) or not low <= value <= high:
        return f"{name}: {value!r}, expected a number from {low:g} to {high:g}"
    if name in ("width", "height") and (value != int(value) or value % 2):
        return f"{name}: {value!r}, expected an even number of pixels"
    return None


def described(look: Look) -> dict[str, str | float | int]:
    """The look as plain values, for the truth file."""
    return asdict(look)
