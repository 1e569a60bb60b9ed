# SPDX-License-Identifier: Apache-2.0
"""Which episodes an export takes, and what it has to know of each before it starts."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.export_errors import ExportInputError
from recorder.export_pictures import picture_size
from recorder.schema import STREAMS, SUFFIX

FAILED = ("fail", "failed")
ASIDE = {"trash", "unusable"}
"""Folders in which no episodes are looked for."""

OPTIONAL = ("/actions/limited", "/operator/paused", *(f"/time/{stream}/stamp_ns" for stream in STREAMS))
"""Datasets that an export takes along where all of its episodes have them; older ones may not."""


@dataclass(frozen=True, slots=True)
class Source:
    """One episode, as far as a plan has to know it.

    Attributes:
        rows: T.
        cameras: (name, height, width) of each camera that delivered frames.
        velocity, effort: measured for every joint in every row.
        holds: which of the ``OPTIONAL`` datasets are in it.
    """

    path: str
    episode_id: str
    created: str
    robot: str
    rate_hz: float
    rows: int
    joint_names: tuple[str, ...]
    cameras: tuple[tuple[str, int, int], ...]
    velocity: bool
    effort: bool
    task: str
    operator: str
    booth: str
    verdict: str
    complete: bool
    holds: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.path).name


@dataclass(frozen=True, slots=True)
class Selection:
    """Episodes to export, by the time they were made, and (file name, reason) of those left out."""

    sources: tuple[Source, ...]
    left_out: tuple[tuple[str, str], ...]


def episode_files(paths: Iterable[Path]) -> list[Path]:
    """Every ``.h5`` file named or inside a named folder, except in ``trash`` and ``unusable``.

    Raises:
        ExportInputError: a path that does not exist, or no episode at all.
    """
    paths = list(paths)
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise ExportInputError(f"no file or folder {path}: expected episodes (.h5) or folders with episodes")
        inside = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        found |= {file.resolve(): None for file in inside if not ASIDE & set(file.relative_to(path).parts[:-1])}
    if not found:
        raise ExportInputError(f"no episode (.h5) in {', '.join(map(str, paths))}: record one with booth record")
    return list(found)


def select(
    files: Sequence[Path],
    robot: str | None = None,
    with_failed: bool = False,
    sizes: bool = True,
    tell: Callable[[float], None] = lambda share: None,
) -> Selection:
    """Open each file and choose.

    Args:
        files: paths of episodes.
        robot: only this robot's.
        with_failed: those that failed their check, too.
        sizes: look into the pictures for their size.
        tell: is told the share that is done, 0 … 1.
    """
    chosen: dict[str, Source] = {}
    left_out: list[tuple[str, str]] = []
    for done, path in enumerate(files, 1):
        try:
            source = read_source(path, sizes)
        except EpisodeError as error:
            left_out.append((path.name, str(error)))
            continue
        reason = _reason_against(source, robot, with_failed, chosen)
        if reason:
            left_out.append((path.name, reason))
        else:
            chosen[source.episode_id] = source
        tell(done / len(files))
    ordered = sorted(chosen.values(), key=lambda source: (source.created, source.episode_id))
    return Selection(tuple(ordered), tuple(left_out))


def _reason_against(source: Source, robot: str | None, with_failed: bool, chosen: dict[str, Source]) -> str:
    if robot and source.robot != robot:
        return f"its robot is {source.robot}, not {robot}"
    if source.verdict in FAILED and not with_failed:
        return "it failed its check (booth episode check says why); --all takes it all the same"
    if source.episode_id in chosen:
        return f"the same episode as {chosen[source.episode_id].name}"
    return "" if source.rows else "it has no rows"


def read_source(path: Path, sizes: bool = True) -> Source:
    """What a plan needs of one file; sizes of pictures are 0 when nobody asks for them.

    Raises:
        EpisodeError: it can't be read as an episode.
    """
    with Episode.open(path) as episode:
        text = {name: str(episode.attribute(name)) for name in ("episode_id", "created", "robot", "task")}
        text |= {name: str(episode.attribute(name)) for name in ("operator", "booth", "verdict")}
        return Source(
            path=str(path),
            rate_hz=float(episode.attribute("rate_hz")),
            rows=episode.rows,
            joint_names=episode.joint_names,
            cameras=tuple(
                (camera, *(picture_size(episode, camera) if sizes else (0, 0))) for camera in episode.cameras
            ),
            velocity=bool(np.isfinite(episode["/observations/qvel"]).all()),
            effort=bool(np.isfinite(episode["/observations/effort"]).all()),
            complete=bool(episode.attribute("complete")),
            holds=tuple(name for name in OPTIONAL if name in episode.file),
            **text,
        )


def refuse_mixtures(sources: Sequence[Source], cameras: Sequence[str] | None) -> None:
    """One data set holds one robot, one rate, one list of joints and one set of cameras.

    Raises:
        ExportInputError: the episodes differ; says how, in which file, and which option chooses.
    """
    _same(sources, "robot", lambda source: source.robot, "choose one with --robot NAME")
    _same(sources, "rows per second", lambda source: f"{source.rate_hz:g}", "export each rate into a folder of its own")
    _same(
        sources,
        "joint names",
        lambda source: ", ".join(source.joint_names),
        "the robot's description has changed between them: export each list of joints into a folder of its own",
    )
    _same(
        sources,
        "cameras",
        lambda source: (
            ", ".join(f"{n} {w}x{h}" for n, h, w in source.cameras if cameras is None or n in cameras) or "none"
        ),
        "name the cameras that all have with --cameras NAME …, or leave pictures out with --no-images",
    )


def _same(sources: Sequence[Source], what: str, text: Callable[[Source], str], advice: str) -> None:
    counts = Counter(text(source) for source in sources)
    if len(counts) < 2:
        return
    example = {text(source): source.name for source in reversed(sources)}
    listed = "".join(
        f"\n  - {value[:100]}: {count} episode(s), such as {example[value]}" for value, count in counts.items()
    )
    raise ExportInputError(f"these episodes can't go into one data set, they differ in {what}:{listed}\n{advice}")
