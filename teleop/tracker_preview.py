# SPDX-License-Identifier: Apache-2.0
"""The picture for people: the camera's frame with the tracked skeleton on it."""

from collections.abc import Mapping

import cv2
import numpy as np

from teleop.camera import Image
from teleop.hand_geometry import Side
from teleop.operator_view import BodyView, HandView

BONES = (
    *((0, 1), (1, 2), (2, 3), (3, 4)),
    *((0, 5), (5, 6), (6, 7), (7, 8)),
    *((5, 9), (9, 10), (10, 11), (11, 12)),
    *((9, 13), (13, 14), (14, 15), (15, 16)),
    *((13, 17), (17, 18), (18, 19), (19, 20), (0, 17)),
)
LIMBS = ((11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (11, 23), (12, 24), (23, 24), (7, 8), (0, 2), (0, 5))
"""Of the body: shoulders, arms, trunk, and the face's direction."""
BODY_BGR = (200, 200, 120)
LEAST_VISIBILITY = 0.5
COLOURS_BGR = {"right": (80, 220, 60), "left": (240, 160, 40)}
SUBPIXEL_BITS = 3


def draw(image_bgr: Image, hands: Mapping[Side, HandView], body: BodyView | None = None, caption: str = "") -> Image:
    """A copy of the image with the body's limbs and every hand's bones drawn; the side is written at the wrist."""
    picture = image_bgr.copy()
    height, width = picture.shape[:2]
    thick = max(1, width // 320)
    if body is not None:
        points = np.rint(body.image * (width, height) * (1 << SUBPIXEL_BITS)).astype(int)
        for start, end in LIMBS:
            if body.visibility[[start, end]].min() > LEAST_VISIBILITY:
                cv2.line(picture, points[start], points[end], BODY_BGR, 2 * thick, cv2.LINE_AA, SUBPIXEL_BITS)
    for side, hand in hands.items():
        points = np.rint(hand.image * (width, height) * (1 << SUBPIXEL_BITS)).astype(int)
        colour = COLOURS_BGR[side]
        for start, end in BONES:
            cv2.line(picture, points[start], points[end], colour, thick, cv2.LINE_AA, SUBPIXEL_BITS)
        for point in points:
            cv2.circle(picture, point, (2 * thick) << SUBPIXEL_BITS, (255, 255, 255), -1, cv2.LINE_AA, SUBPIXEL_BITS)
        label = f"{side} {hand.score:.2f}"
        corner = points[0] // (1 << SUBPIXEL_BITS) + (0, 8 * thick)
        cv2.putText(picture, label, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.25 * thick, colour, thick, cv2.LINE_AA)
    if caption:
        cv2.putText(picture, caption, (6, 9 * thick), cv2.FONT_HERSHEY_SIMPLEX, 0.25 * thick, (255, 255, 255), thick)
    return picture
