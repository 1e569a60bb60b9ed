# SPDX-License-Identifier: Apache-2.0
"""What colour the hand is where: creases, pads, nails and cloth, as linear-light reflectance (RGB)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from clips.hand_model import bone_frames, landmarks_m
from clips.hand_shape import JOINT_RADIUS_M, PALM, SLEEVE

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

DORSAL = np.array([0.62, 0.365, 0.255], dtype=np.float32)
PALMAR = np.array([0.72, 0.405, 0.300], dtype=np.float32)
FLUSHED = np.array([0.71, 0.335, 0.255], dtype=np.float32)
NAIL = np.array([0.76, 0.47, 0.40], dtype=np.float32)
CLOTH = np.array([0.045, 0.075, 0.115], dtype=np.float32)

_PALM_LINES_M = (
    [(0.026, 0.068), (0.010, 0.061), (-0.002, 0.046), (-0.004, 0.028), (0.002, 0.010)],
    [(0.027, 0.067), (0.008, 0.060), (-0.012, 0.054), (-0.030, 0.043)],
    [(-0.045, 0.064), (-0.028, 0.068), (-0.010, 0.074), (0.004, 0.080), (0.010, 0.092)],
    [(0.020, -0.003), (0.0, -0.005), (-0.020, -0.003)],
    [(0.022, -0.009), (0.0, -0.011), (-0.022, -0.009)],
)
_TEXEL_M, _TEXTURE_ORIGIN_M = 0.00025, (-0.07, -0.03)


class Skin:
    """Reflectance of one posed hand; points and normals are in the palm frame, metres."""

    def __init__(self, angles_rad: Array) -> None:
        self._points = landmarks_m(angles_rad).astype(np.float32)
        self._frames = bone_frames(angles_rad).astype(np.float32)

    def reflectance(self, points: Array32, normals: Array32, owner: NDArray[np.int64]) -> tuple[Array32, Array32]:
        """Linear RGB (N, 3) and gloss (N,) at surface points (N, 3) belonging to groups `owner` (N,)."""
        colour = np.empty_like(points)
        gloss = np.full(len(points), 0.10, dtype=np.float32)
        for group in np.unique(owner):
            here = owner == group
            if group == PALM:
                colour[here] = self._palm(points[here], normals[here])
            elif group == SLEEVE:
                colour[here], gloss[here] = _cloth(points[here]), 0.0
            else:
                colour[here], gloss[here] = self._digit(int(group) - 1, points[here], normals[here])
        return colour * _mottle(points)[:, None], gloss

    def _palm(self, points: Array32, normals: Array32) -> Array32:
        palmar = _smooth(-0.25, 0.45, normals[:, 0])
        colour = _mix(DORSAL, PALMAR, palmar)
        heel = np.exp(-(((points[:, 2] - 0.085) / 0.014) ** 2)) * 0.5 * palmar
        colour = _mix(colour, FLUSHED, heel)
        return colour * (1.0 - 0.34 * _lines(points) * palmar)[:, None]

    def _digit(self, digit: int, points: Array32, normals: Array32) -> tuple[Array32, Array32]:
        joints, frames = self._points[1 + 4 * digit : 5 + 4 * digit], self._frames[digit]
        radii = JOINT_RADIUS_M[digit].astype(np.float32)
        bone = _nearest_bone(points, joints)
        facing = np.einsum("ni,ni->n", normals, frames[bone, :, 0])
        palmar = _smooth(-0.2, 0.4, facing)
        colour = _mix(DORSAL, PALMAR, palmar)
        colour = _mix(colour, FLUSHED, 0.6 * _smooth(0.016, 0.004, np.linalg.norm(points - joints[3], axis=1)))
        colour *= (1.0 - self._creases(digit, points, palmar))[:, None]
        nail, rim = self._nail(points - joints[2], normals, frames[2], joints[3] - joints[2], float(radii[3]))
        colour = _mix(colour * (1.0 - 0.25 * rim)[:, None], NAIL, nail)
        return colour, 0.10 + 0.5 * nail

    def _creases(self, digit: int, points: Array32, palmar: Array32) -> Array32:
        """Darkening (N,) by the folds at the joints: one sharp line on the pad side, soft wrinkles behind."""
        joints, frames = self._points[1 + 4 * digit : 5 + 4 * digit], self._frames[digit]
        dark = np.zeros(len(points), dtype=np.float32)
        for joint in (1, 2):
            along = (frames[joint - 1, :, 2] + frames[joint, :, 2]) / 2
            offset = (points - joints[joint]) @ (along / np.linalg.norm(along))
            near = np.exp(-((np.linalg.norm(points - joints[joint], axis=1) / 0.013) ** 4))
            line = 0.34 * np.exp(-((offset / 0.0009) ** 2)) + 0.10 * np.exp(-(((offset - 0.003) / 0.0008) ** 2))
            wrinkle = 0.10 * (0.5 + 0.5 * np.cos(offset * (2 * np.pi / 0.0026))) * np.exp(-((offset / 0.005) ** 2))
            dark += (line * palmar + wrinkle * (1 - palmar)) * near
        if digit > 0:
            base = joints[0] + 0.46 * (joints[1] - joints[0])
            offset = (points - base) @ frames[0, :, 2]
            dark += 0.26 * np.exp(-((offset / 0.0010) ** 2)) * palmar
        return dark

    def _nail(
        self, local: Array32, normals: Array32, frame: Array32, bone: Array32, radius: float
    ) -> tuple[Array32, Array32]:
        """Cover (N,) of the nail plate and of the dark fold around it."""
        length = float(np.linalg.norm(bone))
        along, across = local @ frame[:, 2], np.abs(local @ frame[:, 1])
        back = _smooth(0.05, 0.35, -(normals @ frame[:, 0]) + 0.45 * _smooth(0.6, 1.0, normals @ frame[:, 2]))
        span = np.maximum(0.52 * length - along, along - (length + 0.62 * radius)) + 0.0008
        edge = np.maximum(span, across - 0.70 * radius)
        fold: Array32 = np.exp(-((edge / 0.0007) ** 2)) * back
        return _smooth(0.0003, -0.0003, edge) * back, fold


def _nearest_bone(points: Array32, joints: Array32) -> NDArray[np.int64]:
    """Which of the three bones between four joints is nearest to each point: (N,) in 0..2."""
    middles = (joints[:-1] + joints[1:]) / 2
    return np.asarray(np.linalg.norm(points[:, None] - middles[None], axis=2).argmin(axis=1))


def _draw_lines() -> Array32:
    """Darkness texture of the palm's folds, indexed [z, y] in texels."""
    texture = np.zeros((600, 560), dtype=np.float32)
    for strength, line in zip((1.0, 0.8, 0.9, 0.6, 0.4), _PALM_LINES_M, strict=True):
        corners = (np.array(line) - _TEXTURE_ORIGIN_M) / _TEXEL_M
        cv2.polylines(texture, [np.round(_rounded(corners)).astype(np.int32)], False, strength, 4, cv2.LINE_AA)
    return np.asarray(np.clip(cv2.GaussianBlur(texture, (0, 0), 2.2) * 1.3, 0, 1))


def _rounded(corners: Array) -> Array:
    """A polyline (K, 2) with its corners cut three times (Chaikin)."""
    for _ in range(3):
        early, late = 0.75 * corners[:-1] + 0.25 * corners[1:], 0.25 * corners[:-1] + 0.75 * corners[1:]
        corners = np.concatenate([corners[:1], np.stack([early, late], 1).reshape(-1, 2), corners[-1:]])
    return corners


_TEXTURE = _draw_lines()


def _lines(points: Array32) -> Array32:
    """Darkness (N,) of the palm's folds at points of the palm frame."""
    texel = np.round((points[:, 1:] - np.array(_TEXTURE_ORIGIN_M, dtype=np.float32)) / _TEXEL_M).astype(np.int64)
    column = np.clip(texel[:, 0], 0, _TEXTURE.shape[1] - 1)
    row = np.clip(texel[:, 1], 0, _TEXTURE.shape[0] - 1)
    return _TEXTURE[row, column]


def _cloth(points: Array32) -> Array32:
    """A knitted sleeve: fine ribs around a dark yarn."""
    ribs = 1.0 + 0.14 * np.sin(points[:, 1] * 1500.0) + 0.05 * np.sin(points[:, 2] * 900.0)
    return np.asarray(CLOTH * ribs[:, None], dtype=np.float32)


def _mottle(points: Array32) -> Array32:
    """Slow uneven tone of real skin, about 4 percent (N,)."""
    waves = np.sin(points @ np.array([[310.0, 120.0], [170.0, -260.0], [-140.0, 230.0]], dtype=np.float32) + [0.3, 1.7])
    fine = np.sin(points @ np.array([900.0, 700.0, -800.0], dtype=np.float32))
    return np.asarray(1.0 + 0.025 * waves.sum(axis=1) / 2 + 0.01 * fine, dtype=np.float32)


def _mix(first: Array32, second: Array32, share: Array32) -> Array32:
    """Blend colours by `share` (N,) of the second."""
    return np.asarray(first + (second - first) * share[:, None], dtype=np.float32)


def _smooth(low: float, high: float, value: Array32) -> Array32:
    """Smooth step from 0 at `low` to 1 at `high` (which may be the smaller)."""
    x = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), dtype=np.float32)
