# SPDX-License-Identifier: Apache-2.0
"""Findings about clocks, from what a stamp can be held against: the moment at which its message arrived."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recorder.check_streams import stream_fact
from recorder.episode import Episode
from recorder.finding import Finding, graded, ok

AHEAD_FAIL_MS = 5.0
"""Nothing arrives before it happened. Clocks of two machines, synchronised over a network, agree to a millisecond or
two; more means that rows hold samples from their future."""

BACKWARDS_MS = 5.0
"""Messages of one publisher arrive in order. In the order of their stamps they may swap by scheduling, not by more."""

DELAY_WARN_MS = {"joint_states": 30.0, "requested": 30.0, "sent": 30.0, "body": 300.0}
OBSERVED_DELAY_WARN_MS = 200.0
"""Least delay of a message on its way: one computer's topics need a millisecond, cameras and trackers an exposure and
an inference. What is always later than this is stamped wrongly, or too late for anybody who learns or acts live."""

SHIFT_WARN_MS, SHIFT_FAIL_MS, SHIFT_WINDOW_S = 20.0, 100.0, 3.0
"""The least delay of three seconds does not follow the load of the computer: when it moves, a clock did."""

FEWEST_SAMPLES = 20
"""Of fewer the least delay is a matter of luck."""

WALL_WARN_MS = 100.0
"""NTP slews less than that during a take; a step hides behind more. Rows do not depend on it, `created` does."""

Delays = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


def findings(episode: Episode) -> list[Finding]:
    """All findings of this file."""
    found = delays(episode)
    checks: tuple[Callable[[Delays], Finding], ...] = (_ahead, _backwards, _delay, _shift)
    return [*(check(found) for check in checks), _wall(episode)]


def delays(episode: Episode) -> Delays:
    """For each stream with samples: (N,) arrival [s], not necessarily rising, and (N,) arrival minus stamp [ms]."""
    found = {}
    for name in episode.streams:
        stamp, receive = episode[f"/time/{name}/stamp_ns"], episode[f"/time/{name}/receive_ns"]
        new = (stamp >= 0) & (receive >= 0) & np.append(True, np.diff(stamp) != 0)
        if stream_fact(episode, name, "messages") > 1 and new.any():
            found[name] = receive[new] * 1e-9, (receive - stamp)[new] * 1e-6
    return found


def _ahead(found: Delays) -> Finding:
    ahead = {name: -float(delay.min()) for name, (_, delay) in found.items() if delay.min() < 0}
    listed = ", ".join(f"{name} by {ms:.0f} ms" for name, ms in ahead.items() if ms > AHEAD_FAIL_MS)
    text = f"stamps lie ahead of their arrival: {listed}" if listed else "no stamp lies ahead of its arrival"
    return graded("ahead", text, failed=bool(listed))


def _backwards(found: Delays) -> Finding:
    """Rows are sorted by stamp: where arrivals fall, the stamps ran backwards."""
    steps = {name: int((np.diff(arrival) < -BACKWARDS_MS * 1e-3).sum()) for name, (arrival, _) in found.items()}
    listed = ", ".join(f"{name} {count} times" for name, count in steps.items() if count)
    text = f"stamps ran backwards: {listed}" if listed else "stamps never ran backwards"
    return graded("backwards", text, failed=bool(listed))


def _delay(found: Delays) -> Finding:
    least = {name: float(np.percentile(ms, 5)) for name, (_, ms) in found.items() if len(ms) >= FEWEST_SAMPLES}
    slow = [name for name, ms in least.items() if ms > DELAY_WARN_MS.get(name, OBSERVED_DELAY_WARN_MS)]
    if slow:
        return graded(
            "delay", f"always late: {', '.join(f'{name} {least[name]:.0f} ms' for name in slow)}", warned=True
        )
    return ok("delay", f"least delay on the way: {', '.join(f'{name} {ms:.0f} ms' for name, ms in least.items())}")


def shift_ms(arrival_s: NDArray[np.float64], delay_ms: NDArray[np.float64]) -> float:
    """How far the least delay of one window of SHIFT_WINDOW_S lies from another's, at most.

    A take that is shorter than two windows is split in the middle. Windows with few samples tell nothing.
    """
    since_s = arrival_s - arrival_s.min()
    length_s = min(SHIFT_WINDOW_S, max(since_s.max() / 2, 1e-3))
    window = (since_s // length_s).astype(np.int64)
    parts = [delay_ms[window == number] for number in range(int(window.max()) + 1)]
    least = [float(part.min()) for part in parts if len(part) >= FEWEST_SAMPLES]
    return max(least) - min(least) if least else 0.0


def _shift(found: Delays) -> Finding:
    shifts = {name: shift_ms(*item) for name, item in found.items()}
    moved = {name: ms for name, ms in shifts.items() if ms > SHIFT_WARN_MS}
    if not moved:
        return ok("clock_shift", "the delay between stamp and arrival stays the same in every stream")
    listed = ", ".join(f"{name} by {ms:.0f} ms" for name, ms in moved.items())
    text = f"a clock moved, or the computer stood still: the least delay changed in {listed}"
    return graded("clock_shift", text, failed=max(moved.values()) > SHIFT_FAIL_MS, warned=True)


def _wall(episode: Episode) -> Finding:
    drift_ms = float(episode.attribute("wall_drift_ns")) * 1e-6
    text = f"wall time moved by {drift_ms:.1f} ms against graph time"
    return graded("wall", text, warned=abs(drift_ms) > WALL_WARN_MS)
