# SPDX-License-Identifier: Apache-2.0
"""Trim, split and merge: each makes new episodes of rows that were recorded and leaves the old ones as they are."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from recorder.check import check_open_episode
from recorder.episode import Episode
from recorder.identity import take_stem, uuid7, wall_iso
from recorder.library_errors import LibraryError
from recorder.library_hash import content_sha256
from recorder.library_labels import Labels, read_labels, write_labels
from recorder.library_rows import Piece, copy_rows
from recorder.library_scan import DERIVED_FROM
from recorder.library_sums import correct_sums
from recorder.manifest import note_manifest
from recorder.metadata import software_version
from recorder.publish import publish
from recorder.schema import PART_SUFFIX, SUFFIX

MIN_ROWS = 2
TICK_TOLERANCE_NS = 2
"""Each tick is rounded to a nanosecond."""

SHARED = ("schema_version", "robot", "robot_sha256", "rate_hz", "operator", "booth", "task", "wall_offset_ns", "sim")
"""Attributes in which the parts of one demonstration agree."""

MARKS = "marker: *"


@dataclass(frozen=True, slots=True)
class Cut:
    """A new episode: where it is, how long, and what the check says of it."""

    path: Path
    rows: int
    length_s: float
    verdict: str


def trim(source: Path, start: int, stop: int) -> Cut:
    """A new episode of rows ``start`` … ``stop`` - 1, beside the old one.

    Raises:
        LibraryError: no such rows, or all of them.
        EpisodeError: the source is no episode.
    """
    with Episode.open(source) as episode:
        piece = _piece(episode, start, stop)
        if piece.rows == episode.rows:
            raise LibraryError(f"{source.name} has {episode.rows} rows and all of them would stay: nothing to trim")
        return _make([piece], "trim")


def split(source: Path, at: Sequence[int]) -> list[Cut]:
    """New episodes, cut before each of these rows.

    Raises:
        LibraryError: a cut that leaves less than two rows.
        EpisodeError: the source is no episode.
    """
    with Episode.open(source) as episode:
        edges = [0, *sorted(set(at)), episode.rows]
        if len(edges) < 3:
            raise LibraryError(f"{source.name} would stay in one piece: name a row to cut at, or a mark")
        pieces = [_piece(episode, start, stop) for start, stop in pairwise(edges)]
        return [_make([piece], "split") for piece in pieces]


def merge(sources: Sequence[Path]) -> Cut:
    """One new episode of parts of one demonstration, each beginning where the one before ended.

    Raises:
        LibraryError: they do not follow one another row by row, or differ in robot, rate or anything else that has to
            be the same.
        EpisodeError: a source is no episode.
    """
    if len(sources) < 2:
        raise LibraryError("merge takes two or more parts of one demonstration")
    with ExitStack() as stack:
        parts = [stack.enter_context(Episode.open(source)) for source in sources]
        parts.sort(key=lambda part: int(part.file["/time/tick_ns"][0]))
        for first, second in pairwise(parts):
            _refuse_strangers(first, second)
        return _make([Piece(part, 0, part.rows) for part in parts], "merge")


def rows_between(episode: Episode, from_s: float | None, to_s: float | None) -> tuple[int, int]:
    """(start, stop) of the rows whose time since the first row [s] lies in from … to, the end excluded."""
    seconds = np.arange(episode.rows) / float(episode.attribute("rate_hz"))
    start = 0 if from_s is None else int(np.searchsorted(seconds, from_s - 1e-9))
    stop = episode.rows if to_s is None else int(np.searchsorted(seconds, to_s - 1e-9))
    return start, stop


def engaged_rows(episode: Episode) -> tuple[int, int]:
    """(start, stop) from the first to the last engaged row.

    Raises:
        LibraryError: no row is engaged.
    """
    engaged = np.flatnonzero(episode["/operator/engaged"])
    if not len(engaged):
        raise LibraryError(f"no row of {episode.path.name} is engaged: name the rows to keep")
    return int(engaged[0]), int(engaged[-1]) + 1


def marked_rows(episode: Episode, pattern: str = MARKS) -> list[int]:
    """Rows at which an event was told whose ``stream: text`` fits the pattern; the first and the last row are none."""
    ticks = episode["/time/tick_ns"]
    fits = [stamp for stamp, stream, text in episode.events() if fnmatch(f"{stream}: {text}".lower(), pattern.lower())]
    rows = {int(row) for row in np.searchsorted(ticks, fits)}
    return sorted(row for row in rows if 0 < row < episode.rows)


def _piece(episode: Episode, start: int, stop: int) -> Piece:
    if not 0 <= start < stop <= episode.rows or stop - start < MIN_ROWS:
        raise LibraryError(
            f"rows {start}:{stop} of {episode.path.name} can't be an episode: it has rows 0:{episode.rows}, and at"
            f" least {MIN_ROWS} are needed"
        )
    return Piece(episode, start, stop)


def _refuse_strangers(first: Episode, second: Episode) -> None:
    names = f"{first.path.name} and {second.path.name}"
    for name in SHARED:
        if first.attribute(name) != second.attribute(name):
            found = f"{str(first.attribute(name))[:60]!r} and {str(second.attribute(name))[:60]!r}"
            raise LibraryError(f"{names} are no parts of one demonstration: {name} is {found}")
    for what, one, other in (
        ("joints", first.joint_names, second.joint_names),
        ("cameras", first.cameras, second.cameras),
        ("streams", first.streams, second.streams),
    ):
        if one != other:
            raise LibraryError(f"{names} are no parts of one demonstration: their {what} differ")
    gap_ns = int(second.file["/time/tick_ns"][0] - first.file["/time/tick_ns"][-1])
    period_ns = 1e9 / float(first.attribute("rate_hz"))
    if abs(gap_ns - period_ns) > TICK_TOLERANCE_NS:
        raise LibraryError(
            f"{second.path.name} begins {gap_ns / 1e9:.3f} s after the last row of {first.path.name}, expected one row"
            f" ({period_ns / 1e9:.3f} s) later: rows in between would have to be made up. Keep them as two episodes"
        )


def _make(pieces: list[Piece], verb: str) -> Cut:
    """Write, check, and give it its name in one step."""
    episode, start = pieces[0].episode, pieces[0].start
    ticks = episode.file["/time/tick_ns"]
    created_ns = _created_ns(episode) + int(ticks[start] - ticks[0])
    identity = uuid7(created_ns, os.urandom(10))
    stem = take_stem(created_ns, str(episode.attribute("robot")), identity)
    target = episode.path.with_name(f"{stem}{SUFFIX}")
    part = target.with_name(f"{stem}{PART_SUFFIX}")
    own = {"episode_id": str(identity), "created": wall_iso(created_ns), **_history(pieces, verb)}
    try:
        with h5py.File(part, "w") as file:
            copy_rows(file, pieces)
            correct_sums(file)
            file.attrs.update(own)
            note_manifest(file)
        cut = _checked(part, target)
        publish(part, target)
    except OSError as error:
        raise LibraryError(f"can't write {target}: {error}. The sources are untouched: free some space") from error
    finally:
        part.unlink(missing_ok=True)
    _inherit(pieces, target)
    return cut


def _created_ns(episode: Episode) -> int:
    return round(datetime.fromisoformat(str(episode.attribute("created"))).timestamp() * 1000) * 1_000_000


def _history(pieces: list[Piece], verb: str) -> dict[str, str | bool]:
    sources = [
        {
            "episode_id": str(piece.episode.attribute("episode_id")),
            "file": piece.episode.path.name,
            "rows": [piece.start, piece.stop],
            "content_sha256": content_sha256(piece.episode.file),
        }
        for piece in pieces
    ]
    last = pieces[-1]
    cut_short = last.stop < last.episode.rows
    return {
        DERIVED_FROM: json.dumps(sources),
        "derived_by": f"{verb}, humanoid_booth {software_version()}",
        "end_reason": f"{verb}: rows end here" if cut_short else str(last.episode.attribute("end_reason")),
        "complete": all(bool(piece.episode.attribute("complete")) for piece in pieces),
    }


def _checked(part: Path, target: Path) -> Cut:
    with Episode.open(part) as written:
        report = check_open_episode(written)
        rows, rate_hz = written.rows, float(written.attribute("rate_hz"))
    with h5py.File(part, "r+") as file:
        file.attrs["verdict"] = report.verdict.value
        file.attrs["findings"] = json.dumps([finding.to_json() for finding in report.findings])
    return Cut(target, rows, rows / rate_hz, report.verdict.value)


def _inherit(pieces: list[Piece], target: Path) -> None:
    """Labels on which all sources agree, the tags of any, and the success of all."""
    said = [read_labels(piece.episode.path) for piece in pieces]
    first, others = said[0], said[1:]
    agreed = Labels(
        {name: text for name, text in first.labels.items() if all(o.labels.get(name) == text for o in others)},
        tuple(sorted({tag for one in said for tag in one.tags})),
        first.success if all(other.success == first.success for other in others) else None,
    )
    if agreed != Labels():
        write_labels(target, agreed)
