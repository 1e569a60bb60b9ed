# SPDX-License-Identifier: Apache-2.0
"""Landmarks of one hand made calm: bones keep their lengths, then a One-Euro filter whose speed is the digit's.

Bones: the most likely landmarks, given noisy ones and lengths that are known to `LENGTH_SD_M`, to first order
(one Gauss-Newton step of the constrained least squares). A tracker's depth is its worst axis, so a bone that is too
short or too long is mended along z first.

One-Euro (Casiez, Roussel, Vogel, CHI 2012) with two changes: a digit's landmarks share one cut-off, because they move
together and their mean speed says it with a third of the noise; and the speed that noise alone would show is taken off.
"""

from dataclasses import dataclass

import numpy as np

from robots.frames import Array
from teleop.hand_bones import ADULT_SHARE, BONES, INCIDENCE, PALM_BONE, bone_lengths, bone_vectors

LONGEST_STEP_S = 0.2
"""After a longer pause the filter starts afresh: the old value says nothing about the new one."""

_SHARED = INCIDENCE @ INCIDENCE.T
_DIGIT = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_PART = np.zeros((5, 20))
_PART[_DIGIT[1:], np.arange(20)] = 0.25


@dataclass(frozen=True, slots=True)
class LandmarkSettings:
    """What is known of the tracker, and how calm its landmarks shall be.

    Attributes:
        noise_m: standard deviation of a landmark in x and y that shall not be taken for motion; twice what is usual.
        depth_ratio: how many times more it is in z (measured on a MediaPipe clip).
        length_m: standard deviation of a bone's length; the tracker's change by that much with the hand's posture.
        rest_hz: cut-off of a still digit. hz_per_m_s: how much faster it gets with the digit's speed.
        speed_hz: cut-off of that speed.
    """

    noise_m: float = 0.004
    depth_ratio: float = 2.4
    length_m: float = 0.010
    rest_hz: float = 0.05
    hz_per_m_s: float = 200.0
    speed_hz: float = 1.5


class LandmarkFilter:
    """Stateful; give it plausible landmarks only."""

    def __init__(self, settings: LandmarkSettings | None = None) -> None:
        self.settings = settings or LandmarkSettings()
        self._variance = np.array([1.0, 1.0, self.settings.depth_ratio**2])
        self._soft = np.diag(np.full(len(BONES), (self.settings.length_m / self.settings.noise_m) ** 2))
        self._points: Array | None = None
        self._velocity = np.zeros((20, 3))
        self._stamp_ns = 0

    def reset(self) -> None:
        """Forget the past; the next landmarks pass unfiltered."""
        self._points = None

    def keep_lengths(self, points_m: Array, lengths_m: Array) -> Array:
        """The likeliest landmarks (21, 3) [m] with about these bone lengths (23,) [m]; the wrist stays."""
        vectors = bone_vectors(points_m)
        found = np.sqrt((vectors * vectors).sum(1))
        along = vectors / np.maximum(found, 1e-6)[:, None]
        weighed = along * self._variance
        system = _SHARED * (weighed @ along.T) + self._soft
        pull = np.linalg.solve(system, lengths_m - found)
        mended = points_m + INCIDENCE.T @ (weighed * pull[:, None])
        return np.asarray(mended - mended[0])

    def __call__(self, points_m: Array, stamp_ns: int) -> Array:
        """Filtered landmarks (21, 3) [m], from the wrist; a stamp that does not advance returns the last ones."""
        rest = points_m[1:] - points_m[0]
        elapsed_s = (stamp_ns - self._stamp_ns) * 1e-9
        if self._points is None or elapsed_s > LONGEST_STEP_S:
            self._points = np.concatenate([np.zeros((1, 3)), rest])
            self._velocity, self._stamp_ns = np.zeros((20, 3)), stamp_ns
            return self._points.copy()
        if elapsed_s <= 0.0:
            return self._points.copy()
        settings = self.settings
        gap = rest - self._points[1:]
        share = _share(settings.speed_hz, elapsed_s)
        self._velocity += share * (gap / elapsed_s - self._velocity)
        scaled = self._velocity / np.sqrt(self._variance)
        speed = np.sqrt(_PART @ (scaled * scaled).sum(1))
        floor = settings.noise_m * np.sqrt(3.0 * 2.0 * share * share / (2.0 - share)) / elapsed_s
        cutoff = settings.rest_hz + settings.hz_per_m_s * np.maximum(speed - floor, 0.0)
        rate = 2.0 * np.pi * elapsed_s * cutoff
        self._points = self._points.copy()
        self._points[1:] += (rate / (1.0 + rate))[_DIGIT[1:], None] * gap
        self._stamp_ns = stamp_ns
        return self._points.copy()


def _share(cutoff_hz: float, elapsed_s: float) -> float:
    """Share of the new value for a cut-off frequency and a time step."""
    product = 2.0 * np.pi * cutoff_hz * elapsed_s
    return product / (1.0 + product)


class LearnedLengths:
    """A running median of every bone's length: goes up or down by a small share with every frame that is longer or
    shorter (frugal streaming: Ma, Muthukrishnan, Sandler 2013)."""

    FIRST_SHARE, LAST_SHARE = 0.05, 0.004
    LIKELY = 0.6, 1.6
    """Medians beyond these shares of an adult's bones come from a hand seen end-on: they shall not shut out others."""

    def __init__(self) -> None:
        self.lengths_m: Array | None = None
        self._seen = 0

    @property
    def likely_m(self) -> Array | None:
        """The medians (23,) [m] by which other hands may be judged; None before the first frame."""
        if self.lengths_m is None:
            return None
        adult = ADULT_SHARE * self.lengths_m[PALM_BONE]
        return np.asarray(np.minimum(np.maximum(self.lengths_m, self.LIKELY[0] * adult), self.LIKELY[1] * adult))

    def see(self, points_m: Array) -> Array:
        """Take one frame in; the medians (23,) [m]."""
        found = bone_lengths(points_m)
        if self.lengths_m is None:
            self.lengths_m = found
        self._seen += 1
        share = max(self.LAST_SHARE, self.FIRST_SHARE / self._seen**0.5)
        self.lengths_m = self.lengths_m * (1.0 + share * np.sign(found - self.lengths_m))
        return self.lengths_m
