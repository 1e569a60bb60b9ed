# SPDX-License-Identifier: Apache-2.0
"""Findings about time: ticks, causality, stale and dropped rows, losses, hands and engagement."""

import json

import numpy as np

from recorder.episode import Episode
from recorder.finding import Finding, graded, ok

STALE_SHARE_WARN = 0.01
STALE_SHARE_FAIL = 0.2
DROPPED_SHARE_FAIL = 0.02
HANDS_SHARE_WARN = 0.8
LATE_SHARE_WARN = 0.25
"""Late rows are as good to learn from as others; many of them tell of an overloaded computer."""


def findings(episode: Episode) -> list[Finding]:
    """All findings of this file."""
    checks = (_ticks, _causal, _stale, _dropped, _late, _lost, _hands, _engaged)
    return [check(episode) for check in checks]


def _ticks(episode: Episode) -> Finding:
    ticks = episode["/time/tick_ns"]
    period_ns = 1e9 / float(episode.attribute("rate_hz"))
    off = np.abs(np.diff(ticks) - period_ns)
    wrong = int((off > 2).sum())  # each tick is rounded to a nanosecond
    text = f"{len(ticks)} ticks at {episode.attribute('rate_hz'):g} Hz"
    return graded(
        "ticks", f"{text}, {wrong} of them not one period after the last" if wrong else text, failed=wrong > 0
    )


def _causal(episode: Episode) -> Finding:
    problems = []
    ticks = episode["/time/tick_ns"]
    for stream in episode.streams:
        age, stamp = episode[f"/time/{stream}/age_ns"], episode[f"/time/{stream}/stamp_ns"]
        present = age >= 0
        if (age < -1).any() or (ticks[present] - stamp[present] != age[present]).any():
            problems.append(stream)
    text = "no row holds a sample from its future"
    return graded(
        "causal", f"ages and stamps disagree in {', '.join(problems)}" if problems else text, failed=bool(problems)
    )


def _stale(episode: Episode) -> Finding:
    share = int(episode.attribute("stale_rows")) / max(1, episode.rows)
    worst = {name: float(episode[f"/health/stale/{name}"].mean()) for name in episode.streams}
    listed = ", ".join(f"{name} {part:.1%}" for name, part in worst.items() if part > 0) or "none in any stream"
    text = f"{share:.1%} of the rows hold a stale sample ({listed})"
    return graded("stale", text, failed=share > STALE_SHARE_FAIL, warned=share > STALE_SHARE_WARN)


def _dropped(episode: Episode) -> Finding:
    dropped = int(episode["/health/dropped"].sum())
    text = f"{dropped} of {episode.rows} rows dropped"
    return graded("dropped", text, failed=dropped > DROPPED_SHARE_FAIL * episode.rows, warned=dropped > 0)


def _late(episode: Episode) -> Finding:
    late = int(episode["/health/late"].sum())
    return graded(
        "late",
        f"{late} rows hold a sample that arrived after the next tick",
        warned=late > LATE_SHARE_WARN * episode.rows,
    )


def _lost(episode: Episode) -> Finding:
    lost = {name: count for name, count in json.loads(episode.attribute("lost_messages")).items() if count}
    listed = ", ".join(f"{name} {count}" for name, count in lost.items())
    return graded("lost", f"messages lost on the way: {listed}" if lost else "no message was lost", warned=bool(lost))


def _hands(episode: Episode) -> Finding:
    if not (episode["/time/hands/age_ns"] >= 0).any():
        return graded("hands", "no landmarks were recorded: the operator's side is not in this episode", warned=True)
    seen = np.isfinite(episode["/operator/landmarks"]).all(axis=(2, 3))
    share = float(seen.any(axis=1).mean())
    return graded("hands", f"a hand was found in {share:.1%} of the rows", warned=share < HANDS_SHARE_WARN)


def _engaged(episode: Episode) -> Finding:
    if episode.attribute("engaged_source") == "none":
        return graded("engaged", "nobody said when the operator was engaged", warned=True)
    engaged = episode["/operator/engaged"]
    text = f"engaged in {float(engaged.mean()):.1%} of the rows, says {episode.attribute('engaged_source')}"
    return graded("engaged", text, warned=True) if not engaged.any() else ok("engaged", text)
