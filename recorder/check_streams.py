# SPDX-License-Identifier: Apache-2.0
"""Findings about streams: silences, uneven intervals, and how far apart the moments of one row's samples are."""

import numpy as np
from numpy.typing import NDArray

from recorder.episode import Episode
from recorder.finding import Finding, graded, ok
from recorder.schema import COMMANDS

STALL_INTERVALS, STALL_LEAST_S, STALL_FAIL_S = 10, 0.25, 1.0
"""A pause of the computer is a few intervals long; from ten on the topic stood still. In a second without news of
itself the robot moves by half its range."""

GAPS_WARN_SHARE = 0.05
"""Two of a hundred intervals are long on a busy computer (LeRobot's manual calls 2 % usual and 5 % overloaded)."""

SKEW_WARN_MS, SKEW_FAIL_MS = 20.0, 100.0
"""Beyond the usual interval of the slowest observed stream, which no recorder can undercut. 20 ms is more than
scheduling does; at 100 ms picture and joints show different moments of a grasp."""

PAIR_WARN_MS = 5.0
"""Landmarks are stamped with their frame's capture, so that they differ by nothing at all."""


def findings(episode: Episode) -> list[Finding]:
    """All findings of this file."""
    return [_stalled(episode), _gaps(episode), _skew(episode), _pairs(episode)]


def stream_fact(episode: Episode, stream: str, name: str) -> float:
    """One attribute of a stream, as docs/format.md lists them."""
    return float(episode.file[f"/time/{stream}"].attrs[name])


def silence_s(episode: Episode, stream: str) -> float:
    """The longest time without a new sample; of commands, which end with a hold, only while engaged."""
    age_ns = episode[f"/time/{stream}/age_ns"]
    if stream in COMMANDS:
        age_ns = np.where(episode["/operator/engaged"], age_ns, 0)
        return float(age_ns.max(initial=0)) * 1e-9
    return max(float(age_ns.max(initial=0)), stream_fact(episode, stream, "largest_interval_ns")) * 1e-9


def _present(episode: Episode) -> list[str]:
    return [name for name in episode.streams if stream_fact(episode, name, "messages") > 1]


def _stalled(episode: Episode) -> Finding:
    found, longest = [], 0.0
    for name in _present(episode):
        silence = silence_s(episode, name)
        usual = stream_fact(episode, name, "usual_interval_ns") * 1e-9
        if silence > max(STALL_LEAST_S, STALL_INTERVALS * usual):
            found.append(f"{name} for {silence:.2f} s")
            longest = max(longest, silence)
    text = f"topics stood still: {', '.join(found)}" if found else "no topic stood still"
    return graded("stalled", text, failed=longest > STALL_FAIL_S, warned=bool(found))


def _gaps(episode: Episode) -> Finding:
    shares = {
        name: stream_fact(episode, name, "gaps") / stream_fact(episode, name, "messages")
        for name in _present(episode)
        if name not in COMMANDS  # a hold is a gap, too
    }
    listed = ", ".join(f"{name} {share:.1%}" for name, share in shares.items() if share > 0) or "none in any stream"
    text = f"intervals of more than 2.5 times the usual: {listed}"
    return graded("gaps", text, warned=any(share > GAPS_WARN_SHARE for share in shares.values()))


def _skew(episode: Episode) -> Finding:
    observed = [name for name in _present(episode) if name not in COMMANDS]
    if len(observed) < 2:
        return ok("skew", "a single observed stream has no skew")
    usual_ms = max(stream_fact(episode, name, "usual_interval_ns") for name in observed) * 1e-6
    median, p99 = np.percentile(episode["/health/skew_ns"], [50, 99]) * 1e-6
    text = (
        f"samples of one row are {median:.0f} ms apart, p99 {p99:.0f} ms;"
        f" the slowest stream comes every {usual_ms:.0f} ms"
    )
    over = p99 - usual_ms
    return graded("skew", text, failed=over > SKEW_FAIL_MS, warned=over > SKEW_WARN_MS)


def _pairs(episode: Episode) -> Finding:
    """Landmarks against the pictures that they were found in."""
    camera = "cam_operator"
    hands, frames = (_stamps(episode, name) for name in ("hands", camera))
    if not len(hands) or len(frames) < 2:
        return ok("pairs", "no landmarks or no pictures of the operator to pair")
    after = np.clip(np.searchsorted(frames, hands), 1, len(frames) - 1)
    nearest = np.minimum(np.abs(hands - frames[after]), np.abs(hands - frames[after - 1]))
    apart_ms = float(np.median(nearest)) * 1e-6
    if apart_ms > PAIR_WARN_MS:
        text = f"landmarks and pictures of the operator are not of the same moments, {apart_ms:.0f} ms apart or more"
        return graded("pairs", text, warned=True)
    return ok("pairs", "landmarks have the stamps of their pictures")


def _stamps(episode: Episode, stream: str) -> NDArray[np.int64]:
    """Different stamps that rows hold of a stream, ascending; none if there is no such stream."""
    if stream not in episode.streams:
        return np.zeros(0, np.int64)
    stamps: NDArray[np.int64] = np.unique(episode[f"/time/{stream}/stamp_ns"])
    return stamps[stamps >= 0]
