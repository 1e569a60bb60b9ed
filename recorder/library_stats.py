# SPDX-License-Identifier: Apache-2.0
"""What a shift was worth: good takes an hour, how often a take was done again, how long nothing was recorded."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from json import loads
from typing import Any

from recorder.library_scan import is_good
from recorder.library_sessions import BREAK_S

BY = ("operator", "booth", "task", "robot", "day")
TOTAL = "all"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One demonstration that somebody gave, kept or not.

    Attributes:
        start_s: wall time of its start [s since the epoch].
        length_s: recorded time [s].
        good: kept, whole, no failed verdict, and nobody said that it did not succeed.
        discarded: the operator threw it away.
        facts: operator, booth, task, robot.
        idle_s: time since the attempt before, within the session [s].
    """

    start_s: float
    length_s: float
    good: bool
    discarded: bool
    facts: Mapping[str, str]
    idle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """Sums over attempts.

    Attributes:
        name: the operator, booth, task, robot or day.
        worked_s: recorded and idle time [s].
        redo_share: attempts that were thrown away or are not good, of all attempts.
        idle_share: time in which nothing was recorded, of the time worked.
    """

    name: str
    takes: int
    good: int
    discarded: int
    recorded_s: float
    worked_s: float
    good_per_hour: float
    redo_share: float
    idle_share: float


def attempts(episodes: Sequence[Mapping[str, Any]], discarded: Iterable[Mapping[str, Any]]) -> list[Attempt]:
    """Everything that was demonstrated, by time.

    Cuts are not counted beside their source; where the source is gone, all cuts of it are one attempt.
    """
    found = [_kept(list(cuts)) for cuts in _demonstrations(episodes)]
    found += [Attempt(row["created_s"], row["length_s"], False, True, _facts(row)) for row in discarded]
    return _with_idle_time(found)


def shifts(found: Iterable[Attempt], by: str, zone: tzinfo | None = None) -> list[Shift]:
    """Sums by operator, booth, task, robot or day (local, or of ``zone``), sorted; the last one is of all together."""
    groups: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in found:
        day = datetime.fromtimestamp(attempt.start_s, zone).date().isoformat()
        groups[day if by == "day" else attempt.facts[by]].append(attempt)
    everything = [attempt for group in groups.values() for attempt in group]
    return [_sum(name, groups[name]) for name in sorted(groups)] + [_sum(TOTAL, everything)]


def _sum(name: str, found: Sequence[Attempt]) -> Shift:
    recorded_s = sum(attempt.length_s for attempt in found)
    worked_s = recorded_s + sum(attempt.idle_s for attempt in found)
    good = sum(attempt.good for attempt in found)
    return Shift(
        name,
        len(found),
        good,
        sum(attempt.discarded for attempt in found),
        recorded_s,
        worked_s,
        good / worked_s * 3600 if worked_s else 0.0,
        1 - good / len(found) if found else 0.0,
        1 - recorded_s / worked_s if worked_s else 0.0,
    )


def _demonstrations(episodes: Sequence[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    """Recorded episodes one by one, and of what was cut from a source that is gone all cuts together."""
    sources = {str(row["episode_id"]): loads(row["derived_from"] or "[]") for row in episodes}
    gone: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in episodes:
        root = _root(str(row["episode_id"]), sources)
        if root == row["episode_id"]:
            yield [row]
        elif root not in sources:
            gone[root].append(row)
    yield from gone.values()


def _root(identity: str, sources: Mapping[str, list[str]]) -> str:
    """What an episode was cut from in the first place; of a merged one, its first part's origin."""
    seen: set[str] = set()
    while sources.get(identity) and identity not in seen:
        seen.add(identity)
        identity = str(sources[identity][0])
    return identity


def _kept(cuts: list[Mapping[str, Any]]) -> Attempt:
    good = any(is_good(row) for row in cuts)
    start_s = min(row["created_s"] for row in cuts)
    end_s = max(row["created_s"] + row["length_s"] for row in cuts)
    return Attempt(start_s, end_s - start_s, good, False, _facts(cuts[0]))


def _facts(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(row[name]) or "(none)" for name in BY if name != "day"}


def _with_idle_time(found: list[Attempt]) -> list[Attempt]:
    """In order of time, each with the pause before it; a pause that ends a session is nobody's."""
    ends: dict[tuple[str, str], float] = {}
    timed = []
    for item in sorted(found, key=lambda item: item.start_s):
        whose = (item.facts["operator"], item.facts["booth"])
        pause_s = item.start_s - ends.get(whose, float("-inf"))
        idle_s = max(0.0, pause_s) if pause_s < BREAK_S else 0.0
        timed.append(Attempt(item.start_s, item.length_s, item.good, item.discarded, item.facts, idle_s))
        ends[whose] = max(ends.get(whose, 0.0), item.start_s + item.length_s)
    return timed
