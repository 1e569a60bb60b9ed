# SPDX-License-Identifier: Apache-2.0
"""Whether 21 landmarks can be the operator's hand now: finite, hand-sized, of the right side, and near the last ones.

A bad frame raises with the reason and changes nothing; a good one after it passes. What is compared with the past
loosens with the time since the last good frame, so that nothing stays shut out for longer than `FORGET_S`.
"""

import numpy as np

from robots.frames import Array
from teleop.hand_bones import ADULT_SHARE, BONES, PALM_BONE, bone_lengths
from teleop.hand_geometry import HandGeometryError, Side, check_landmarks
from teleop.hand_palm import palm_axes

LONGEST_RATIO, LENGTH_SLACK_M = 1.8, 0.012
"""A bone is at most this much longer than expected: depth errors of a tracker shorten bones to a third, and lengthen
them by up to 1.4."""

SHORTEST_DIGIT = np.array([0.25, 0.4, 0.4, 0.4, 0.4])
"""A digit's three outer bones together have at least this share of their expected length; a thumb that meets a finger
points at the camera, and trackers shorten it."""

THUMB_BEHIND_M = 0.009
"""The thumb's base lies on the palm's side; this much behind the palm it is the other hand's."""

FASTEST_M_S, JUMP_M = 4.0, 0.04
"""Speed of a landmark seen from the wrist, and what tracking noise may add."""
FASTEST_RAD_S, JUMP_RAD = 20.0, 0.6
"""Speed of a palm that turns, and what tracking noise may add."""

FORGET_S = 0.25
"""So long after the last good frame the hand may be anywhere."""


class PlausibleHand:
    """The gate of one hand."""

    def __init__(self, side: Side) -> None:
        self._side: Side = side
        self._points: Array | None = None
        self.axes = np.eye(3)
        """Of the last good frame's palm."""
        self._stamp_ns = 0

    def reset(self) -> None:
        """Forget the last frame."""
        self._points = None

    def see(self, points_m: Array, stamp_ns: int, lengths_m: Array | None = None) -> Array:
        """Landmarks from the wrist (21, 3) [m], if they can be.

        Args:
            points_m: (21, 3) landmarks [m], camera axes.
            lengths_m: (23,) expected bone lengths; those of an adult when None.

        Raises:
            HandGeometryError: with what is wrong; nothing is remembered of such a frame.
        """
        points_m = np.asarray(points_m, dtype=np.float64)
        check_landmarks(points_m)
        points_m = points_m - points_m[0]
        rotation = palm_axes(points_m, self._side)
        self._check_bones(points_m, lengths_m)
        behind_m = -float((points_m[1:3] @ rotation[:, 0]).mean())
        if behind_m > THUMB_BEHIND_M:
            raise HandGeometryError(
                f"the thumb's base is {behind_m * 1e3:.0f} mm behind the palm: expected a {self._side} hand, "
                "found the other one's shape"
            )
        self._check_jump(points_m, rotation, stamp_ns)
        self._points, self.axes, self._stamp_ns = points_m, rotation, stamp_ns
        return points_m

    def _check_bones(self, points_m: Array, lengths_m: Array | None) -> None:
        found = bone_lengths(points_m)
        expected = ADULT_SHARE * found[PALM_BONE] if lengths_m is None else lengths_m
        longest = int(np.argmax(found - LONGEST_RATIO * expected))
        if found[longest] > LONGEST_RATIO * expected[longest] + LENGTH_SLACK_M:
            first, second = BONES[longest]
            raise HandGeometryError(
                f"landmarks {first} and {second} are {found[longest] * 1e3:.0f} mm apart, "
                f"expected about {expected[longest] * 1e3:.0f} mm"
            )
        digits, usual = found[:20].reshape(5, 4)[:, 1:].sum(1), expected[:20].reshape(5, 4)[:, 1:].sum(1)
        shortest = int(np.argmin(digits / (SHORTEST_DIGIT * usual)))
        if digits[shortest] < SHORTEST_DIGIT[shortest] * usual[shortest]:
            raise HandGeometryError(
                f"digit {shortest + 1} is {digits[shortest] * 1e3:.0f} mm long, "
                f"expected about {usual[shortest] * 1e3:.0f} mm"
            )

    def _check_jump(self, points_m: Array, rotation: Array, stamp_ns: int) -> None:
        elapsed_s = (stamp_ns - self._stamp_ns) * 1e-9
        if self._points is None or not 0.0 <= elapsed_s < FORGET_S:
            return
        cosine = 0.5 * (float((rotation * self.axes).sum()) - 1.0)
        turned_rad = float(np.arccos(min(1.0, max(-1.0, cosine))))
        if turned_rad > JUMP_RAD + FASTEST_RAD_S * elapsed_s:
            raise HandGeometryError(
                f"the palm turned by {np.degrees(turned_rad):.0f} degrees within {elapsed_s * 1e3:.0f} ms: "
                "not the same hand"
            )
        moved = points_m - self._points
        jump_m = float(np.sqrt((moved * moved).sum(1).max()))
        if jump_m > JUMP_M + FASTEST_M_S * elapsed_s:
            raise HandGeometryError(
                f"a landmark jumped {jump_m * 1e3:.0f} mm within {elapsed_s * 1e3:.0f} ms: not the same hand"
            )
