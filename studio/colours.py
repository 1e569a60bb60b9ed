# SPDX-License-Identifier: Apache-2.0
"""Colours of light and of things, in linear light."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Light:
    """The lamp's direction (towards it, camera axes) and the linear RGB of lamp, room above and floor below."""

    toward: tuple[float, float, float] = (-0.52, -0.62, -0.58)
    lamp: tuple[float, float, float] = (1.62, 1.52, 1.38)
    sky: tuple[float, float, float] = (0.62, 0.64, 0.68)
    floor: tuple[float, float, float] = (0.40, 0.33, 0.28)
    exposure: float = 0.62


@dataclass(frozen=True, slots=True)
class Palette:
    """Linear RGB reflectances of the operator, and of a guest's skin and sleeve."""

    skin: tuple[float, float, float] = (0.62, 0.365, 0.255)
    hair: tuple[float, float, float] = (0.040, 0.026, 0.018)
    shirt: tuple[float, float, float] = (0.060, 0.105, 0.190)
    collar: tuple[float, float, float] = (0.045, 0.080, 0.150)
    trousers: tuple[float, float, float] = (0.050, 0.050, 0.055)
    guest_skin: tuple[float, float, float] = (0.50, 0.30, 0.21)
    guest_sleeve: tuple[float, float, float] = (0.22, 0.08, 0.07)
