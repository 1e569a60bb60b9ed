# SPDX-License-Identifier: Apache-2.0
"""What goes where in an export: every episode's number and first row are fixed before the first byte is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from recorder.export_errors import ExportInputError
from recorder.export_source import Selection, Source, refuse_mixtures


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a person can choose that changes the bytes.

    Attributes:
        format: a name in ``export_formats.FORMATS``.
        cameras: names of the cameras to export; None: all; empty: no pictures.
        action: ``learner`` is ``/action``; ``requested``, ``limited``, ``sent`` are those of the following row.
        landmarks: export the operator's landmarks (LeRobot).
        task: instead of what the episodes say.
        codec, crf, preset, gop: the video (LeRobot).
        pad_to, crop_to: rows of every episode (ACT).
        normalise: actions as -1 … 1 within the joint limits (robomimic).
        next_obs: robomimic's second copy of the observations, one row later.
    """

    format: str
    cameras: tuple[str, ...] | None = None
    action: str = "learner"
    landmarks: bool = False
    task: str = ""
    codec: str = "h264"
    crf: int = 23
    preset: str = "ultrafast"
    gop: int = 2
    pad_to: int = 0
    crop_to: int = 0
    normalise: bool = False
    next_obs: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """What all episodes of one data set share.

    ``velocity``, ``effort``: measured in every row of every episode; ``holds``: optional datasets that all have.
    """

    robot: str
    rate_hz: float
    joint_names: tuple[str, ...]
    cameras: tuple[tuple[str, int, int], ...]
    velocity: bool
    effort: bool
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One episode's place: its number, the data set's rows before it, the rows that it gets and its task's number."""

    index: int
    first_row: int
    rows: int
    task: str
    task_index: int
    split: str
    source: Source


@dataclass(frozen=True, slots=True)
class Job:
    """All that writes one episode; travels to a worker."""

    root: str
    settings: Settings
    layout: Layout
    item: Item

    @property
    def key(self) -> str:
        """Changes when anything does that the episode's bytes depend on."""
        values = [asdict(self.settings), asdict(self.layout), asdict(self.item)]
        values[2]["source"] = self.item.source.episode_id
        return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole export. ``tasks`` are in the order of their numbers."""

    settings: Settings
    layout: Layout
    items: tuple[Item, ...]
    tasks: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def rows(self) -> int:
        """Rows of all episodes."""
        return sum(item.rows for item in self.items)

    @property
    def seconds(self) -> float:
        """Length of what is exported [s]."""
        return self.rows / self.layout.rate_hz

    def job(self, root: Path, item: Item) -> Job:
        """The work that one episode is."""
        return Job(str(root), self.settings, self.layout, item)

    def to_json(self, root: Path) -> dict[str, Any]:
        """As plain values: the provenance that stays in the folder."""
        episodes = [
            {"index": item.index, "key": self.job(root, item).key, "rows": item.rows, "split": item.split}
            | {name: getattr(item.source, name) for name in ("episode_id", "name", "created", "verdict")}
            for item in self.items
        ]
        return {
            "settings": asdict(self.settings),
            "layout": asdict(self.layout),
            "tasks": list(self.tasks),
            "episodes": episodes,
            "left_out": [list(entry) for entry in self.left_out],
        }


def make_plan(
    selection: Selection,
    settings: Settings,
    split: Mapping[str, Sequence[str]] | None = None,
    first: Sequence[str] = (),
) -> Plan:
    """Number the episodes by the time they were made.

    Args:
        selection: the episodes.
        settings: what was chosen.
        split: part -> ids of its episodes; the first part comes first, and episodes in no part are left out.
        first: ids of the episodes that a finished export holds already; they keep their numbers.

    Raises:
        ExportInputError: nothing is left, the episodes differ, or a camera that none has is asked for.
    """
    sources, left_out = list(selection.sources), list(selection.left_out)
    part_of = {episode_id: part for part, ids in (split or {}).items() for episode_id in ids}
    if split is not None:
        parts = list(split)
        left_out += [(s.name, "it is in no part of the split") for s in sources if s.episode_id not in part_of]
        kept = [source for source in sources if source.episode_id in part_of]
        sources = sorted(kept, key=lambda source: parts.index(part_of[source.episode_id]))
    if not sources:
        listed = "".join(f"\n  - {name}: {reason}" for name, reason in left_out[:20])
        raise ExportInputError(f"no episode is left to export:{listed}")
    place = {episode_id: number for number, episode_id in enumerate(first)}
    sources.sort(key=lambda source: place.get(source.episode_id, len(place)))
    layout = _layout(sources, settings)
    tasks: dict[str, int] = {}
    items: list[Item] = []
    for index, source in enumerate(sources):
        task = settings.task or source.task or f"teleoperate {source.robot}"
        number = tasks.setdefault(task, len(tasks))
        begin = items[-1].first_row + items[-1].rows if items else 0
        items.append(Item(index, begin, source.rows, task, number, part_of.get(source.episode_id, ""), source))
    return Plan(settings, layout, tuple(items), tuple(tasks), tuple(left_out))


def _layout(sources: Sequence[Source], settings: Settings) -> Layout:
    wanted = settings.cameras
    if settings.format != "mcap":
        refuse_mixtures(sources, wanted)
    first = sources[0]
    known = [name for name, _, _ in first.cameras]
    for name in wanted or ():
        if name not in known:
            raise ExportInputError(f"no camera {name!r} in {first.name}: expected {', '.join(known) or 'none'}")
    cameras = tuple(camera for camera in first.cameras if wanted is None or camera[0] in wanted)
    measured = {name: all(getattr(source, name) for source in sources) for name in ("velocity", "effort")}
    holds = tuple(name for name in first.holds if all(name in source.holds for source in sources))
    return Layout(first.robot, first.rate_hz, first.joint_names, cameras, **measured, holds=holds)


def with_rows(plan: Plan, rows: Sequence[int]) -> Plan:
    """The same plan with other lengths of its episodes."""
    items: list[Item] = []
    for item, count in zip(plan.items, rows, strict=True):
        first = items[-1].first_row + items[-1].rows if items else 0
        items.append(replace(item, rows=count, first_row=first))
    return replace(plan, items=tuple(items))


def read_split(path: Path) -> dict[str, list[str]]:
    """A split manifest: ``{"train": [episode id, …], "val": […]}``.

    Raises:
        ExportInputError: not such a file, or an episode in two parts.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        parts = {str(part): [str(entry) for entry in ids] for part, ids in loaded.items() if isinstance(ids, list)}
    except (OSError, ValueError, AttributeError) as error:
        raise ExportInputError(
            f"can't read the split {path}: {error}. Expected {{'train': [episode id, …]}}"
        ) from error
    ids = [entry for part in parts.values() for entry in part]
    if not ids or len(ids) != len(set(ids)):
        raise ExportInputError(
            f"{path} is no split: expected lists of episode ids, each id in one list; found "
            + (f"{len(ids) - len(set(ids))} id(s) more than once" if ids else f"the keys {', '.join(loaded) or 'none'}")
        )
    return parts
