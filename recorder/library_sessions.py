# SPDX-License-Identifier: Apache-2.0
"""Sessions: what one operator recorded at one booth without a longer break, or in one session of the booth.

Neighbouring takes share light, clothes, the place of every object and a person's habits of that hour. A learner that
was trained on one of them is not tested by the next, so a session is what a split must never cut.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

BREAK_S = 30 * 60.0
"""A session ends where nothing was recorded for this long."""


def sessions(episodes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Path of each episode to the name of its session.

    Args:
        episodes: with ``path``, ``operator``, ``booth``, ``created_s``, ``length_s``, and ``session_id`` where they
            belong to a session of the booth, which goes on after a break as well.
    """

    def whose(episode: Mapping[str, Any]) -> tuple[str, str]:
        return (episode["operator"], episode["booth"])

    ordered = sorted(episodes, key=lambda episode: (*whose(episode), episode["created_s"], episode["path"]))
    named: dict[str, str] = {}
    for (operator, booth), taken in groupby(ordered, key=whose):
        name, end_s = "", float("-inf")
        known: dict[str, str] = {}
        for episode in taken:
            told = episode.get("session_id", "")
            if told in known:
                name = known[told]
            elif episode["created_s"] - end_s >= BREAK_S:
                name = _name(episode["created_s"], operator, booth)
            if told:
                known[told] = name
            end_s = max(end_s, episode["created_s"] + episode["length_s"])
            named[episode["path"]] = name
    return named


def _name(start_s: float, operator: str, booth: str) -> str:
    start = datetime.fromtimestamp(start_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    return " ".join([start, operator or "nobody", "at", booth or "nowhere"])
