# SPDX-License-Identifier: Apache-2.0
"""A painted operator that MediaPipe takes for one: joints in pixels in, a picture out. For what a film is too much."""

import cv2
import numpy as np

WIDTH, HEIGHT = 640, 480
SKIN, SHADE, SHIRT, SLEEVE, HAIR = (150, 180, 225), (120, 145, 185), (150, 95, 60), (120, 76, 48), (35, 45, 60)
WALL, LIPS, WHITE, PUPIL = (190, 188, 180), (95, 95, 190), (245, 245, 245), (40, 30, 25)

POSES = {
    "hanging": {"left": ((395, 190), (420, 330), (425, 440)), "right": ((245, 190), (220, 330), (215, 440))},
    "out": {"left": ((380, 190), (480, 190), (580, 190)), "right": ((260, 190), (160, 190), (60, 190))},
    "right up": {"left": ((395, 190), (420, 320), (425, 430)), "right": ((245, 190), (170, 290), (150, 170))},
}
"""Shoulder, elbow and wrist [px] of the operator's own sides."""


def draw(joints_px: dict[str, tuple[tuple[int, int], ...]]) -> np.ndarray:
    """A BGR picture (480, 640, 3) of an operator who faces the camera."""
    image = np.full((HEIGHT, WIDTH, 3), WALL, np.uint8)
    image -= np.linspace(0, 50, HEIGHT)[:, None, None].astype(np.uint8)
    left, right = (np.array(joints_px[side][0], float) for side in ("left", "right"))
    size = float(np.linalg.norm(left - right))
    middle = (left + right) / 2
    _torso(image, middle, size)
    _face(image, middle - np.array([0.0, 0.58 * size]), size)
    for shoulder, elbow, wrist in (np.array(joints_px[side], float) for side in ("right", "left")):
        _limb(image, shoulder, elbow, 0.17 * size, 0.125 * size, SLEEVE)
        _limb(image, elbow, wrist, 0.115 * size, 0.085 * size, SKIN)
        _hand(image, wrist, (wrist - elbow) / np.linalg.norm(wrist - elbow), size)
    noise = np.random.default_rng(0).normal(0.0, 3.0, image.shape)
    return np.clip(cv2.GaussianBlur(image, (5, 5), 0) + noise, 0, 255).astype(np.uint8)


def _torso(image, middle, size):
    outline = [(-0.55, -0.02), (-0.2, -0.14), (0.2, -0.14), (0.55, -0.02), (0.45, 1.4), (-0.45, 1.4)]
    cv2.fillPoly(image, [(middle + size * np.array(outline)).astype(np.int32)], SHIRT, cv2.LINE_AA)
    _limb(image, middle - [0.0, 0.35 * size], middle - [0.0, 0.08 * size], 0.13 * size, 0.16 * size, SHADE)


def _face(image, at, size):
    def oval(x, y, half_width, half_height, colour, start=0, end=360, thick=-1):
        centre = (round(at[0] + x * size), round(at[1] + y * size))
        axes = (round(half_width * size), round(half_height * size))
        cv2.ellipse(image, centre, axes, 0, start, end, colour, thick, cv2.LINE_AA)

    oval(0, -0.06, 0.26, 0.31, HAIR)
    for side in (-1, 1):
        oval(0.245 * side, 0.02, 0.04, 0.075, SHADE)
    oval(0, 0.03, 0.23, 0.29, SKIN)
    oval(0, -0.2, 0.22, 0.12, HAIR, 180, 360)
    for side in (-1, 1):
        oval(0.095 * side, -0.01, 0.048, 0.026, WHITE)
        oval(0.095 * side, -0.01, 0.025, 0.025, PUPIL)
        oval(0.095 * side, -0.06, 0.06, 0.025, HAIR, 190, 350, 3)
    oval(0.01, 0.05, 0.015, 0.055, SHADE)
    oval(0, 0.115, 0.045, 0.022, SHADE, 0, 180)
    oval(0, 0.19, 0.075, 0.025, LIPS)


def _hand(image, wrist, along, size):
    _limb(image, wrist, wrist + 0.18 * size * along, 0.085 * size, 0.09 * size, SKIN)
    across = np.array([-along[1], along[0]])
    for finger in (-1.5, -0.5, 0.5, 1.5):
        base, tip = (wrist + size * (reach * along + finger * 0.05 * across) for reach in (0.2, 0.42))
        _limb(image, base, tip, 0.024 * size, 0.02 * size, SKIN)


def _limb(image, start, end, radius, end_radius, colour):
    for share in np.linspace(0.0, 1.0, 40):
        x, y = start + share * (end - start)
        at = (round(16 * x), round(16 * y))
        cv2.circle(image, at, round(16 * (radius + share * (end_radius - radius))), colour, -1, cv2.LINE_AA, 4)
