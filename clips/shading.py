# SPDX-License-Identifier: Apache-2.0
"""One film frame of the hand: sphere tracing, light, a room behind it, and an ordinary webcam's softness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from clips.hand_shape import Distance, Shape, hand_shape
from clips.skin import Skin

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]
Image = NDArray[np.uint8]

KEY_LIGHT = np.array([-0.52, -0.62, -0.58])
"""Direction towards the lamp in the camera frame (x right, y down, z into the scene)."""

KEY_RGB = np.array([1.62, 1.52, 1.38], dtype=np.float32)
SKY_RGB = np.array([0.62, 0.64, 0.68], dtype=np.float32)
BOUNCE_RGB = np.array([0.40, 0.33, 0.28], dtype=np.float32)
_WRAP = np.array([0.34, 0.16, 0.10], dtype=np.float32)
_HIT_M, _PIXEL_M = 0.00015, 0.0009
_TILE_PX, _BLEND_REACH_M, _SHADOW_REACH_M = 48, 0.015, 0.085


@dataclass(frozen=True, slots=True)
class View:
    """One instant: joint angles (20,) and where the palm and the elbow are in the camera frame, metres."""

    angles_rad: Array
    rotation_palm_to_camera: Array
    wrist_in_camera_m: Array
    elbow_in_camera_m: Array
    camera_matrix: Array


class Painter:
    """Colours rays that leave the camera; everything is computed in the palm frame."""

    def __init__(self, view: View) -> None:
        rotation = view.rotation_palm_to_camera
        self._view = view
        self._to_palm = rotation.T.astype(np.float32)
        self._eye = (-rotation.T @ view.wrist_in_camera_m).astype(np.float32)
        elbow = rotation.T @ (view.elbow_in_camera_m - view.wrist_in_camera_m)
        self.shape: Shape = hand_shape(view.angles_rad, elbow)
        self.outlines = _outlines(self.shape, view)
        self._margin_px = _BLEND_REACH_M * view.camera_matrix[0, 0] / float(view.wrist_in_camera_m[2])
        self._distance = Distance(self.shape)
        self._skin = Skin(view.angles_rad)
        light = rotation.T @ (KEY_LIGHT / np.linalg.norm(KEY_LIGHT))
        self._light, self._up = light.astype(np.float32), (rotation.T @ [0.0, -1.0, 0.0]).astype(np.float32)
        ends = np.concatenate([self.shape.start, self.shape.end])
        reach = np.linalg.norm(ends - self._eye, axis=1)
        self._near, self._far = float(reach.min()) - 0.05, float(reach.max()) + 0.05

    def rays(self, pixels: Array32) -> Array32:
        """Unit directions (N, 3) in the palm frame through image points (N, 2)."""
        camera = self._view.camera_matrix
        directions = np.ones((len(pixels), 3), dtype=np.float32)
        directions[:, 0] = (pixels[:, 0] - camera[0, 2]) / camera[0, 0]
        directions[:, 1] = (pixels[:, 1] - camera[1, 2]) / camera[1, 1]
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return directions @ self._to_palm.T

    def paint(self, pixels: Array32) -> Array32:
        """Linear RGB and cover (N, 4) of image points (N, 2); cover is 0 where the room shows."""
        result = np.zeros((len(pixels), 4), dtype=np.float32)
        tile = (pixels[:, 1] // _TILE_PX).astype(np.int64) * 1000 + (pixels[:, 0] // _TILE_PX).astype(np.int64)
        for name in np.unique(tile):
            here = np.flatnonzero(tile == name)
            self._paint_tile(pixels[here], result, here)
        return result

    def _paint_tile(self, pixels: Array32, result: Array32, here: NDArray[np.int64]) -> None:
        """Colour neighbouring image points into rows `here` of the result, with only the capsules they meet."""
        low, high = pixels.min(axis=0) - self._margin_px, pixels.max(axis=0) + self._margin_px
        meets = np.array([(rim.min(axis=0) < high).all() and (rim.max(axis=0) > low).all() for rim in self.outlines])
        if not meets.any():
            return
        rays = self.rays(pixels)
        depth = self._trace(Distance(self.shape.part(meets)), rays)
        hit = np.isfinite(depth)
        if hit.any():
            points = self._eye + depth[hit, None] * rays[hit]
            result[here[hit], :3] = self._shade(self._distance.near(points, _SHADOW_REACH_M), points, rays[hit])
            result[here[hit], 3] = 1.0

    def _trace(self, distance: Distance, rays: Array32) -> Array32:
        """Distance along each ray (N,) to the skin in metres, infinite where it misses."""
        depth = np.full(len(rays), np.inf, dtype=np.float32)
        active = np.arange(len(rays))
        travelled = np.full(len(rays), self._near, dtype=np.float32)
        gap = np.zeros_like(travelled)
        for _ in range(40):
            gap = distance(self._eye + travelled[:, None] * rays[active])
            travelled = travelled + gap
            done = gap < _HIT_M
            depth[active[done]] = travelled[done]
            going = ~done & (travelled < self._far)
            active, travelled, gap = active[going], travelled[going], gap[going]
            if not len(active):
                break
        grazing = gap < 0.5 * _PIXEL_M
        depth[active[grazing]] = travelled[grazing]
        return depth

    def _shade(self, distance: Distance, points: Array32, rays: Array32) -> Array32:
        """Linear RGB (N, 3) of surface points (N, 3) seen along `rays` (N, 3)."""
        normals, owner = distance.surface(points)
        albedo, gloss = self._skin.reflectance(points, normals, owner)
        open_sky = _openness(distance, points, normals)
        facing = normals @ self._light
        lit = _sunlit(distance, points + normals * np.float32(0.0008), self._light)
        wrapped = np.clip((facing[:, None] + _WRAP) / (1.0 + _WRAP), 0.0, 1.0)
        height = 0.5 + 0.5 * (normals @ self._up)
        ambient = BOUNCE_RGB + (SKY_RGB - BOUNCE_RGB) * height[:, None]
        tinted = open_sky[:, None] ** np.array([0.80, 1.15, 1.25], dtype=np.float32)
        colour = albedo * (KEY_RGB * wrapped * lit[:, None] + ambient * tinted) * 0.62
        half = self._light - rays
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        shine = np.clip(np.einsum("ni,ni->n", normals, half), 0.0, 1.0) ** 24 * gloss * lit
        return np.asarray(colour + 0.35 * shine[:, None], dtype=np.float32)


def _openness(distance: Distance, points: Array32, normals: Array32) -> Array32:
    """Ambient light that reaches each point (N,): 1 in the open, near 0 deep between fingers."""
    blocked = np.zeros(len(points), dtype=np.float32)
    for step, weight in ((0.003, 0.34), (0.009, 0.40), (0.022, 0.34)):
        gap = distance(points + np.float32(step) * normals)
        blocked += np.float32(weight) * np.clip(1.0 - gap / np.float32(step), 0.0, 1.0)
    return np.asarray(np.clip(1.0 - 0.95 * blocked, 0.06, 1.0))


def _sunlit(distance: Distance, points: Array32, light: Array32) -> Array32:
    """Share of the key light (N,) that is not in a soft shadow."""
    lit = np.ones(len(points), dtype=np.float32)
    for step in (0.004, 0.008, 0.014, 0.022, 0.033, 0.048, 0.068):
        gap = distance(points + np.float32(step) * light)
        np.minimum(lit, np.clip(0.25 + 5.0 * gap / np.float32(step), 0.0, 1.0), out=lit)
    return lit


@cache
def room(width: int, height: int) -> Array32:
    """A plain, out-of-focus room in linear RGB (height, width, 3): wall, window light, door, shelf, boxes."""
    scale = width / 640.0
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) / scale
    wall = np.array([0.34, 0.36, 0.36], dtype=np.float32)
    glow = 0.70 + 0.55 * np.exp(-(((columns - 90) / 300) ** 2 + ((rows - 60) / 260) ** 2))
    picture = wall * (glow - 0.22 * rows / 480)[..., None]
    boxes: list[tuple[int, int, int, int, tuple[float, float, float]]] = [
        (0, 395, 640, 480, (0.13, 0.12, 0.11)),
        (470, 60, 585, 400, (0.20, 0.22, 0.24)),
        (482, 75, 573, 400, (0.23, 0.25, 0.28)),
        (20, 150, 175, 160, (0.10, 0.085, 0.07)),
        (35, 95, 55, 150, (0.10, 0.17, 0.20)),
        (58, 105, 72, 150, (0.28, 0.27, 0.22)),
        (75, 90, 100, 150, (0.09, 0.13, 0.10)),
        (112, 120, 150, 150, (0.22, 0.24, 0.26)),
        (230, 50, 350, 140, (0.45, 0.47, 0.46)),
        (238, 58, 342, 132, (0.24, 0.30, 0.33)),
    ]
    for left, top, right, bottom, colour in boxes:
        picture[int(top * scale) : int(bottom * scale), int(left * scale) : int(right * scale)] = colour
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 7.0 * scale), dtype=np.float32)


def draw_frame(view: View, backdrop: Array32, seed: int) -> Image:
    """The finished BGR frame (height, width, 3) of one instant; `seed` chooses the sensor noise."""
    height, width = backdrop.shape[:2]
    painter = Painter(view)
    rows, columns = np.nonzero(_silhouette(painter.outlines, height, width))
    pixels = np.stack([columns, rows], axis=1).astype(np.float32)
    layer = np.zeros((height, width, 4), dtype=np.float32)
    if len(pixels):
        layer[rows, columns] = painter.paint(pixels)
        _soften_edges(painter, layer)
    linear = layer[..., :3] + backdrop * (1.0 - layer[..., 3:])
    encoded = 255.0 * np.clip(linear, 0.0, 1.0) ** (1.0 / 2.2)
    encoded = cv2.GaussianBlur(encoded, (0, 0), 0.55)
    encoded += np.random.default_rng(seed).normal(0.0, 1.6, encoded.shape).astype(np.float32)
    return np.asarray(np.clip(np.round(encoded[..., ::-1]), 0, 255), dtype=np.uint8)


def _soften_edges(painter: Painter, layer: Array32) -> None:
    """Replace pixels on outlines (cover or brightness jumps) by the mean of four samples each, in place."""
    tone = np.sqrt(layer[..., 1]) + layer[..., 3]
    contrast = cv2.morphologyEx(tone, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(contrast > 0.16)
    if not len(rows):
        return
    centre = np.stack([columns, rows], axis=1).astype(np.float32)
    shifts = np.array([[-0.375, -0.125], [0.125, -0.375], [0.375, 0.125], [-0.125, 0.375]], dtype=np.float32)
    samples = painter.paint((centre[:, None] + shifts).reshape(-1, 2)).reshape(-1, 4, 4)
    layer[rows, columns] = samples.mean(axis=1)


def _silhouette(outlines: list[Array32], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels (height, width) that the hand can touch."""
    mask = np.zeros((height, width), dtype=np.uint8)
    for outline in outlines:
        cv2.fillConvexPoly(mask, np.round(outline).astype(np.int32), 1)
    return mask > 0


def _outlines(shape: Shape, view: View) -> list[Array32]:
    """Convex image outline (K, 2) of each capsule, grown by 5 mm for the blending, pixels."""
    focal, centre = view.camera_matrix[0, 0], view.camera_matrix[:2, 2]
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1) * 1.06
    outlines = []
    for start, end, near, far in zip(shape.start, shape.end, shape.near, shape.far, strict=True):
        rims = []
        for point, radius in ((start, near), (end, far)):
            x, y, z = view.rotation_palm_to_camera @ point + view.wrist_in_camera_m
            rims.append(np.array([x, y]) / z * focal + centre + circle * (radius + 0.005) * focal / z)
        outlines.append(cv2.convexHull(np.concatenate(rims).astype(np.float32))[:, 0])
    return outlines
