# SPDX-License-Identifier: Apache-2.0
"""Training and validation without a leak: whole sessions, and with a session everything that shares its data.

Copies, cuts of one another and cuts of one source tie their sessions together, whoever is said to have recorded them.
Among the ways to choose sessions, the tasks decide: each task should have its share of validation episodes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from json import loads
from random import Random
from typing import Any

from recorder.library_errors import LibraryError

SCHEMA = "humanoid_booth/train_val"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Episodes that must stay together, and how many of each task they are."""

    name: str
    episodes: tuple[Row, ...]

    @property
    def tasks(self) -> Counter[str]:
        """Task to number of episodes."""
        return Counter(str(episode["task"]) for episode in self.episodes)


@dataclass(frozen=True, slots=True)
class Division:
    """Which episodes train and which validate, by time; and what could not be had."""

    train: tuple[Row, ...]
    val: tuple[Row, ...]
    groups: int
    warnings: tuple[str, ...]


def divide(chosen: Sequence[Row], everything: Iterable[Row], val: float, seed: int) -> Division:
    """Divide the chosen episodes.

    Args:
        chosen: rows of the index.
        everything: all rows of the index: what is not chosen may still tie two sessions together.
        val: share of the episodes that should validate, 0 … 1.
        seed: another seed, another choice; the same seed and the same episodes, the same choice.

    Raises:
        LibraryError: a share outside 0 … 1, nothing chosen, or all of it is one group.
    """
    if not 0.0 < val < 1.0:
        raise LibraryError(f"the share of validation should lie between 0 and 1, such as 0.2; found {val:g}")
    groups = tied_groups(chosen, everything)
    if len(groups) < 2:
        raise LibraryError(
            f"{len(chosen)} episodes form {len(groups)} group(s) that must stay together, two are needed: any split"
            " would leak. Record in another session, or choose more episodes"
        )
    Random(seed).shuffle(groups)
    totals = sum((group.tasks for group in groups), Counter[str]())
    taken = _share(groups, totals, val)
    _reach_every_task(groups, taken, totals)
    picked = [group for group in groups if group.name in taken]
    rest = [group for group in groups if group.name not in taken]
    return Division(_episodes(rest), _episodes(picked), len(groups), _warnings(rest, picked, totals))


def tied_groups(chosen: Sequence[Row], everything: Iterable[Row]) -> list[Group]:
    """The chosen episodes in groups that share no session, no data and no source; sorted by name."""
    above: dict[str, str] = {}

    def top(key: str) -> str:
        while above.setdefault(key, key) != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for episode in everything:
        keys = [f"session {episode['session']}", f"id {episode['episode_id']}"]
        keys += [f"id {source}" for source in loads(episode["derived_from"] or "[]")]
        keys += [f"content {episode['content_sha256']}"] if episode["content_sha256"] else []
        for one, other in pairwise(keys):
            above[top(one)] = top(other)
    members: dict[str, list[Row]] = defaultdict(list)
    for episode in sorted(chosen, key=lambda row: (row["created_s"], row["path"])):
        members[top(f"session {episode['session']}")].append(episode)
    groups = [Group(str(episodes[0]["session"]), tuple(episodes)) for episodes in members.values()]
    return sorted(groups, key=lambda group: (group.name, str(group.episodes[0]["path"])))


def manifest(division: Division, val: float, seed: int) -> dict[str, Any]:
    """As plain values; the same division gives the same text."""

    def listed(episodes: Iterable[Row]) -> list[dict[str, Any]]:
        names = ("path", "episode_id", "task", "session", "content_sha256")
        return [{name: episode[name] for name in names} for episode in episodes]

    counts = {part: Counter(str(row["task"]) for row in getattr(division, part)) for part in ("train", "val")}
    tasks = sorted({*counts["train"], *counts["val"]})
    return {
        "schema": SCHEMA,
        "version": 1,
        "val_share": val,
        "seed": seed,
        "groups": division.groups,
        "tasks": {task: {part: counts[part][task] for part in counts} for task in tasks},
        "warnings": list(division.warnings),
        "train": listed(division.train),
        "val": listed(division.val),
    }


def _share(groups: Sequence[Group], totals: Counter[str], val: float) -> set[str]:
    """Names of groups, each taken because it brings the tasks nearer to their shares."""
    taken: set[str] = set()
    have: Counter[str] = Counter()
    for group in groups:
        more = have + group.tasks
        if _distance(more, totals, val) < _distance(have, totals, val):
            taken.add(group.name)
            have = more
    return taken


def _distance(have: Counter[str], totals: Counter[str], val: float) -> float:
    return sum((have[task] / total - val) ** 2 for task, total in totals.items())


def _reach_every_task(groups: Sequence[Group], taken: set[str], totals: Counter[str]) -> None:
    """Let the smallest group that can be spared validate a task that nothing validates yet."""
    for task in sorted(totals):
        within = [group for group in groups if group.tasks[task]]
        if len(within) < 2 or any(group.name in taken for group in within):
            continue
        for group in sorted(within, key=lambda group: len(group.episodes)):
            left = [other for other in groups if other.name not in taken and other is not group]
            if all(any(other.tasks[name] for other in left) for name in group.tasks):
                taken.add(group.name)
                break


def _episodes(groups: Iterable[Group]) -> tuple[Row, ...]:
    episodes = [episode for group in groups for episode in group.episodes]
    return tuple(sorted(episodes, key=lambda row: (row["created_s"], row["path"])))


def _warnings(rest: Sequence[Group], picked: Sequence[Group], totals: Counter[str]) -> tuple[str, ...]:
    said = []
    for task in sorted(totals):
        for name, groups in (("training", rest), ("validation", picked)):
            if not any(group.tasks[task] for group in groups):
                said.append(f"task {task!r} has no {name} episode: its {totals[task]} episodes can't be divided")
    return tuple(said)
