# SPDX-License-Identifier: Apache-2.0
"""Which of the hands in view are the operator's right and left one.

A tracker's label is a vote, nothing more: MediaPipe calls two hands "Left", and a hand by the wrong side for seconds.
A hand keeps its side as long as it is followed (`teleop.hand_tracks`); sides are given by labels, by the shape of the
hand, and by the wrists of the operator's body. Whoever is not told apart is held: not in the answer, with a reason.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teleop.body_geometry import SEEN, WRIST
from teleop.hand_geometry import Side
from teleop.hand_tracks import FARTHEST, Detection, Sighting, Track, distance, match, measure, same_hand, tangles
from teleop.operator_view import BodyView, HandView

Array = NDArray[np.float64]

MS = 1_000_000
LABEL_VOTE, SHAPE_VOTE, BODY_VOTE = 0.8, 1.0, 2.0
SURE_VOTES, SURE_FRAMES = 4.0, 3
MOST_VOTES = 90.0
"""Two seconds of right labels: a second of wrong ones does not turn them."""
AGAINST = 10.0
"""Votes against its side with which a hand is given up and looked at anew."""

BACK_NS = 1000 * MS
"""So long after it vanished a hand may come back as itself; its side is nobody's meanwhile."""
GAP_NS = 100 * MS
"""After a longer gap it must be as large as it was, and where it was."""
BACK_RATIO, BACK_NEAR = 1.25, 1.0
FORGET_NS = 300 * MS
"""A hand that has no side is forgotten after this long."""

BODY_AGE_NS = 200 * MS
STRANGE_FRAMES = 5
"""Frames in a row away from both of the operator's wrists after which a hand is somebody else's."""
CLEAR = 0.5
"""A hand is one wrist's where the other is farther by this many hand lengths."""

PARTED_FRAMES = 5
TANGLE_NS = 1000 * MS
"""Hands that can't be told apart for this long after they met are held until they show themselves anew."""


def other(side: Side) -> Side:
    """The other hand."""
    return "left" if side == "right" else "right"


class HandIdentity:
    """Remembers the hands in view; called once for each camera frame.

    Attributes:
        reasons: for a side that is held although a hand is in view: why.
        strangers: hands in the newest frame that are nobody's; ``doubts``: frames in which a hand was held.
    """

    def __init__(self, aspect: float = 16 / 9) -> None:
        """Aspect: the image's width over its height."""
        self._aspect = aspect
        self._tracks: list[Track] = []
        self._born = 0
        self.reasons: dict[Side, str] = {}
        self.strangers = self.doubts = 0

    def see(self, detections: Sequence[Detection], body: BodyView | None, stamp_ns: int) -> dict[Side, HandView]:
        """The operator's hands in one frame.

        Args:
            detections: all hands that were found.
            body: the newest view of the operator's body, if there is one; a view older than 200 ms does not count.
            stamp_ns: the frame's capture stamp.
        """
        sightings = [seen for each in detections if (seen := measure(each, self._aspect)) is not None]
        wrists = self._wrists(body, stamp_ns)
        self._follow(sightings, wrists, stamp_ns)
        for track in self._tracks:
            if track.seen_ns == stamp_ns:
                self._vote(track, wrists)
        self._untangle(stamp_ns)
        self._forget(stamp_ns)
        self.reasons = {}
        self._give_sides(stamp_ns)
        return self._answer(stamp_ns)

    def status(self) -> dict[str, str | int]:
        """For the node's state: who is held and why, strangers in view, frames with a doubt."""
        held = "; ".join(f"{side}: {why}" for side, why in self.reasons.items())
        return {"hands_held": held, "strangers": self.strangers, "identity_doubts": self.doubts}

    # ---- from frame to frame ----------------------------------------------------------------------------------

    def _follow(self, sightings: list[Sighting], wrists: "_Wrists | None", stamp_ns: int) -> None:
        costs = np.array([[self._cost(track, each, wrists, stamp_ns) for each in sightings] for track in self._tracks])
        costs = costs.reshape(len(self._tracks), len(sightings))
        found = match(costs)
        for a, b in tangles(costs, found):
            for one, two in ((self._tracks[a], self._tracks[b]), (self._tracks[b], self._tracks[a])):
                if one.side is not None or two.side is not None:
                    one.tangled_with, one.tangled_ns, one.parted_frames = two.number, stamp_ns, 0
        for track, k in found.items():
            self._tracks[track].take(sightings[k], stamp_ns)
        known = [sightings[k] for k in found.values()]
        for sighting in sightings:
            if not any(sighting is each or same_hand(sighting, each) for each in known):
                self._begin(sighting, stamp_ns)
                known.append(sighting)

    def _cost(self, track: Track, sighting: Sighting, wrists: "_Wrists | None", stamp_ns: int) -> float:
        cost = distance(track, sighting, stamp_ns)
        if not np.isfinite(cost) and wrists is not None and track.side == _whose(sighting, wrists, track.length):
            return FARTHEST  # a jump of the tracker, or of the hand: it is at the wrist where this hand belongs
        if stamp_ns - track.seen_ns <= GAP_NS:
            return cost
        grown = max(sighting.length / track.length, track.length / sighting.length)
        agrees = track.side is None or _leans(sighting) * (1.0 if track.side == "right" else -1.0) > 0.0
        off = float(np.linalg.norm(sighting.at - track.at)) / track.length
        return cost if grown <= BACK_RATIO and off <= BACK_NEAR and agrees else float("inf")

    def _begin(self, sighting: Sighting, stamp_ns: int) -> None:
        """A hand that nobody has seen before; who comes beside a hand of the operator's is never that hand."""
        self._born += 1
        track = Track(self._born, sighting.at, sighting.length, stamp_ns)
        track.barred = {known.side for known in self._tracks if known.side is not None and known.seen_ns == stamp_ns}
        track.take(sighting, stamp_ns)
        self._tracks.append(track)

    def _forget(self, stamp_ns: int) -> None:
        for track in list(self._tracks):
            gone_ns = stamp_ns - track.seen_ns
            if gone_ns > (BACK_NS if track.side is not None else FORGET_NS):
                self._tracks.remove(track)

    # ---- whose hand it is -------------------------------------------------------------------------------------

    def _wrists(self, body: BodyView | None, stamp_ns: int) -> "_Wrists | None":
        """The operator's wrists in the image, and how old they are [s]."""
        if body is None or not 0 <= stamp_ns - body.stamp_ns <= BODY_AGE_NS or not np.isfinite(body.image).all():
            return None
        scale = np.array([self._aspect, 1.0])
        wrists = {side: body.image[k] * scale for side, k in WRIST.items() if body.visibility[k] >= SEEN}
        return (wrists, (stamp_ns - body.stamp_ns) * 1e-9) if wrists else None

    def _vote(self, track: Track, wrists: "_Wrists | None") -> None:
        assert track.sighting is not None
        votes, track.off = _leans(track.sighting), None
        if wrists is not None and len(wrists[0]) == 2:
            places, age_s = wrists
            slack = float(np.linalg.norm(track.speed)) * age_s
            off = min(float(np.linalg.norm(track.sighting.wrist - at)) for at in places.values()) - slack
            track.off = off / track.length
            whose = _whose(track.sighting, wrists, track.length)
            if whose is not None and track.off <= 1.0:
                votes += BODY_VOTE if whose == "right" else -BODY_VOTE
        track.strange_frames = track.strange_frames + 1 if track.off is not None and track.off > 1.0 else 0
        track.right = float(np.clip(track.right + votes, -MOST_VOTES, MOST_VOTES))
        against = track.right if track.side == "left" else -track.right
        if track.side is not None and (against > AGAINST or track.strange_frames > STRANGE_FRAMES):
            self._give_up(track)

    def _give_up(self, track: Track) -> None:
        """It was not what it seemed: a new hand from now on, of which nothing is known."""
        self._born += 1
        track.number, track.side, track.frames, track.right = self._born, None, 0, 0.0
        track.tangled_with = None

    def _untangle(self, stamp_ns: int) -> None:
        """Hands that have met and parted again: each as whom it shows itself, if all that shows agrees."""
        numbers = {track.number: track for track in self._tracks}
        strangers = {track.number for track in self._tracks if track.side is None}
        for track in self._tracks:
            if track.tangled_with is None or track.side is None or track.tangled_ns == stamp_ns:
                continue
            partner = numbers.get(track.tangled_with)
            if stamp_ns - track.tangled_ns > TANGLE_NS:
                if track.tangled_with in strangers:
                    track.barred.add(track.side)
                self._give_up(track)
            elif partner is not None and stamp_ns == track.seen_ns == partner.seen_ns != partner.tangled_ns:
                self._compare(track, partner)

    def _compare(self, track: Track, partner: Track) -> None:
        own, theirs = _agrees(track, track.side), _agrees(partner, track.side)
        if own is True and theirs is False:
            track.parted_frames = max(track.parted_frames, 0) + 1
        elif own is False and theirs is True:
            track.parted_frames = min(track.parted_frames, 0) - 1
        else:
            track.parted_frames = 0
        if abs(track.parted_frames) < PARTED_FRAMES:
            return
        if track.parted_frames < 0:
            track.side, partner.side = partner.side, track.side
            track.right, partner.right = partner.right, track.right
            track.barred, partner.barred = partner.barred, track.barred
        for each in (track, partner):
            each.tangled_with, each.parted_frames = None, 0

    def _give_sides(self, stamp_ns: int) -> None:
        """Sides for hands that have none, where exactly one hand has a claim."""
        taken = {track.side for track in self._tracks}
        for side in ("right", "left"):
            barred = [
                track for track in self._tracks if side in track.barred and self._votes_for(track, side, stamp_ns)
            ]
            if barred and side not in taken:
                self.reasons[side] = f"a {side} hand came beside the operator's: take it out of view, then show one"
            claims = [track for track in self._tracks if self._claims(track, side, stamp_ns)]
            if not claims or side in taken:
                continue
            if len(claims) > 1:
                self.reasons[side] = f"{len(claims)} {side} hands are in view: show one only"
                continue
            claims[0].side = side
            taken.add(side)

    def _votes_for(self, track: Track, side: Side, stamp_ns: int) -> bool:
        votes = track.right if side == "right" else -track.right
        known = track.frames >= SURE_FRAMES and votes >= SURE_VOTES and track.seen_ns == stamp_ns
        return track.side is None and known and not track.strange_frames

    def _claims(self, track: Track, side: Side, stamp_ns: int) -> bool:
        return side not in track.barred and self._votes_for(track, side, stamp_ns)

    def _answer(self, stamp_ns: int) -> dict[Side, HandView]:
        hands: dict[Side, HandView] = {}
        in_view = [track for track in self._tracks if track.seen_ns == stamp_ns]
        for track in in_view:
            if track.side is None or track.sighting is None:
                continue
            if track.tangled_with is not None:
                self.reasons[track.side] = "hands too close to be told apart: move them apart"
            elif track.strange_frames:
                self.reasons[track.side] = f"this hand is not at the operator's {track.side} wrist"
            else:
                found = track.sighting.detection
                hands[track.side] = HandView(found.world_m, found.image, found.score)
        self.strangers = sum(track.side is None and track.frames >= SURE_FRAMES for track in in_view)
        self.doubts += bool(self.reasons)
        return hands


_Wrists = tuple[dict[Side, Array], float]
"""The operator's wrists in the image, and how old they are [s]."""


def _whose(sighting: Sighting, wrists: _Wrists, length: float) -> Side | None:
    """At which of the operator's two wrists a hand clearly is; None: at neither, or too near to both."""
    off = {side: float(np.linalg.norm(sighting.wrist - at)) for side, at in wrists[0].items()}
    if len(off) < 2:
        return None
    near = min(off, key=lambda side: off[side])
    return near if off[near] <= length and off[other(near)] - off[near] > CLEAR * length else None


def _agrees(track: Track, side: Side | None) -> bool | None:
    """Whether everything that shows in this frame calls a track the operator's hand of this side; None: unclear."""
    assert track.sighting is not None
    sign = 1.0 if side == "right" else -1.0
    leans = sign * _leans(track.sighting)
    if track.off is not None and track.off > 1.0:
        return False
    if abs(leans) < 0.5 * (LABEL_VOTE + SHAPE_VOTE):
        return None
    return leans > 0.0


def _leans(sighting: Sighting) -> float:
    """What one detection says by itself: positive for a right hand."""
    label = 1.0 if sighting.detection.side == "right" else -1.0
    return LABEL_VOTE * label * sighting.detection.score + SHAPE_VOTE * sighting.chirality
