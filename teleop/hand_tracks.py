# SPDX-License-Identifier: Apache-2.0
"""Hands followed from frame to frame by where they are in the image, whatever a tracker calls them.

Lengths are in image heights, so that x and y count alike; "hand lengths" are those of the hand itself.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from teleop.hand_geometry import FINGER_MCPS, MIDDLE_MCP, WRIST, HandGeometryError, Side, rotation_palm_to_camera

Array = NDArray[np.float64]

HAND_M = 0.18
"""Wrist to middle fingertip of an adult."""
PALM = [WRIST, *FINGER_MCPS.tolist()]
THUMB_MP = 2
SURE_CHIRALITY = 0.15
"""The thumb's second joint stands at least this far to the palm's side, over the palm's length (measured: to 0.4)."""

JUMP, PER_S2 = 0.3, 280.0
"""How far a hand may be from where it was expected, in hand lengths: tracking noise, and half of 100 m/s²."""
FARTHEST = 2.0
LARGEST_RATIO = 1.3
"""Of a hand's size from frame to frame: 1.14 at most in 621 frames of a real one."""
UNMATCHED = 2.5
"""Cost of a track that is not found again; more than of any match."""
PREDICT_S = 0.15
"""A hand is expected to go on at its speed for this long at most."""
SAME_HAND = 0.3
"""Two detections whose landmarks lie closer together, in hand lengths, are one hand found twice."""
AMBIGUOUS = 0.35
"""Two tracks whose detections could be exchanged at this cost, in hand lengths, can't be told apart."""


class Detection(Protocol):
    """A hand as a tracker found it: its guess of the side, how sure it is, landmarks (21, 3) [m] and (21, 2) shares."""

    @property
    def side(self) -> Side: ...

    @property
    def score(self) -> float: ...

    @property
    def world_m(self) -> Array: ...

    @property
    def image(self) -> Array: ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """One detection, measured.

    Attributes:
        at: (2,) palm's middle. wrist: (2,). length: of the whole hand, were it stretched in the image plane.
        chirality: 1 where the shape is a right hand's, -1 for a left one's, nearer to 0 where it hardly shows.
    """

    detection: Detection
    at: Array
    wrist: Array
    points: Array
    length: float
    chirality: float


@dataclass(slots=True)
class Track:
    """One hand over time.

    Attributes:
        number: of this track; never used again.
        speed: (2,) per second. right: votes that it is a right hand, negative for a left one.
        side: as which it counts; None while that is not clear. barred: sides that it can never have.
        sighting: the newest. off: how far it was from the nearer of the operator's wrists, in hand lengths; None where
            that is not known. strange_frames: in a row in which that was too far.
        tangled_with, tangled_ns: the track that it could last not be told from, and when; parted_frames: in a row in
            which it clearly was itself, or negative, the other one.
    """

    number: int
    at: Array
    length: float
    seen_ns: int
    speed: Array = field(default_factory=lambda: np.zeros(2))
    frames: int = 0
    right: float = 0.0
    side: Side | None = None
    barred: set[Side] = field(default_factory=set)
    sighting: Sighting | None = None
    off: float | None = None
    strange_frames: int = 0
    tangled_with: int | None = None
    tangled_ns: int = 0
    parted_frames: int = 0

    def expected(self, stamp_ns: int) -> Array:
        """Where it should be now, (2,)."""
        return self.at + self.speed * min((stamp_ns - self.seen_ns) * 1e-9, PREDICT_S)

    def take(self, sighting: Sighting, stamp_ns: int) -> None:
        """It was found again."""
        elapsed_s = max((stamp_ns - self.seen_ns) * 1e-9, 1e-3)
        if self.frames:
            newest = (sighting.at - self.at) / elapsed_s
            self.speed = 0.5 * self.speed + 0.5 * newest if elapsed_s < PREDICT_S else np.zeros(2)
        self.at, self.sighting, self.seen_ns = sighting.at, sighting, stamp_ns
        self.length += 0.3 * (sighting.length - self.length)
        self.frames += 1


def hand_length(world_m: Array, points: Array) -> float | None:
    """Length of the whole hand, were it stretched in the image plane; None where there is no hand.

    Both views of the landmarks are foreshortened alike, so neither posture nor tilt changes it.

    Args:
        world_m: (21, 3) landmarks [m]. points: (21, 2) the same in the image; the length is in their unit.
    """
    if not (np.isfinite(world_m).all() and np.isfinite(points).all()):
        return None
    extent = float(np.std(world_m[:, :2], axis=0).sum())
    seen = float(np.std(points, axis=0).sum())
    return HAND_M * seen / extent if extent > 5e-3 and seen > 1e-3 else None


def measure(detection: Detection, aspect: float) -> Sighting | None:
    """Measure a detection; None where it is none (NaN, no extent)."""
    points = detection.image * np.array([aspect, 1.0])
    length = hand_length(detection.world_m, points)
    if length is None:
        return None
    return Sighting(detection, points[PALM].mean(axis=0), points[WRIST], points, length, _chirality(detection))


def same_hand(one: Sighting, two: Sighting) -> bool:
    """Whether a tracker has found one hand twice."""
    apart = float(np.linalg.norm(one.points - two.points, axis=1).mean())
    return apart < SAME_HAND * min(one.length, two.length)


def distance(track: Track, sighting: Sighting, stamp_ns: int) -> float:
    """How ill a sighting fits a track, in hand lengths; infinite where it can't be the same hand."""
    elapsed_s = (stamp_ns - track.seen_ns) * 1e-9
    off = float(np.linalg.norm(sighting.at - track.expected(stamp_ns))) / track.length
    grown = abs(float(np.log(sighting.length / track.length)))
    if off > min(JUMP + PER_S2 * elapsed_s**2, FARTHEST) or grown > np.log(LARGEST_RATIO):
        return float("inf")
    return off + 0.5 * grown


def match(costs: Array) -> dict[int, int]:
    """Which track each sighting is, at the least total cost.

    Args:
        costs: (tracks, sightings) as `distance` gives them.

    Returns:
        sighting by track; tracks that are not found are missing.
    """
    tracks, sightings = costs.shape

    def best(sighting: int, used: frozenset[int]) -> tuple[float, dict[int, int]]:
        if sighting == sightings:
            return UNMATCHED * (tracks - len(used)), {}
        found = best(sighting + 1, used)
        for track in range(tracks):
            if track in used or not np.isfinite(costs[track, sighting]):
                continue
            cost, rest = best(sighting + 1, used | {track})
            if cost + costs[track, sighting] < found[0]:
                found = (cost + float(costs[track, sighting]), {**rest, track: sighting})
        return found

    return best(0, frozenset())[1]


def tangles(costs: Array, found: dict[int, int]) -> list[tuple[int, int]]:
    """Pairs of tracks whose sightings could as well be exchanged, or of which one could be the other's."""
    pairs = []
    for a in range(len(costs)):
        for b in range(a + 1, len(costs)):
            i, j = found.get(a), found.get(b)
            if i is not None and j is not None:
                margin = costs[a, j] + costs[b, i] - costs[a, i] - costs[b, j]
            elif i is not None:
                margin = costs[b, i] - costs[a, i]
            elif j is not None:
                margin = costs[a, j] - costs[b, j]
            else:
                continue
            if margin < AMBIGUOUS:
                pairs.append((a, b))
    return pairs


def _chirality(detection: Detection) -> float:
    try:
        normal = rotation_palm_to_camera(detection.world_m, "right")[:, 0]
    except HandGeometryError:
        return 0.0
    points = detection.world_m - detection.world_m[WRIST]
    palm_m = float(np.linalg.norm(points[MIDDLE_MCP]))
    return float(np.clip(points[THUMB_MP] @ normal / palm_m / SURE_CHIRALITY, -1.0, 1.0))
