# SPDX-License-Identifier: Apache-2.0
"""Is this episode fit to learn from? A verdict, and findings with codes that scripts can test."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from recorder import (
    check_actions,
    check_clock,
    check_course,
    check_images,
    check_joints,
    check_rows,
    check_streams,
)
from recorder.check_motion import motion
from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.finding import Finding, Level, fail, ok, warn
from recorder.manifest import changed_datasets

UNCHANGED = "every dataset has the SHA-256 that was noted when the episode was made"

EXIT_OK = 0
EXIT_FAIL = 2


class Verdict(StrEnum):
    """What the worst of the findings makes of the episode: ``degraded`` is usable, but know why."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one episode."""

    path: Path
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """``failed`` when any finding failed, else ``degraded`` when any warned, else ``ok``."""
        levels = {finding.level for finding in self.findings}
        if Level.FAIL in levels:
            return Verdict.FAILED
        return Verdict.DEGRADED if Level.WARN in levels else Verdict.OK

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """Why it is not ``ok``: what failed, then what warned."""
        levels = (Level.FAIL, Level.WARN)
        return tuple(finding for level in levels for finding in self.findings if finding.level is level)

    @property
    def exit_code(self) -> int:
        """0 when the episode can be used (a degraded one, too), 2 when it can't."""
        return EXIT_FAIL if self.verdict is Verdict.FAILED else EXIT_OK

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "file": self.path.name,
            "verdict": self.verdict.value,
            "reasons": [finding.code for finding in self.reasons],
            "findings": [finding.to_json() for finding in self.findings],
        }


def check_episode(path: str | Path) -> Report:
    """Check a file. Never raises for a bad one: what can't be opened is a finding, too."""
    path = Path(path)
    try:
        with Episode.open(path) as episode:
            return check_open_episode(episode)
    except EpisodeError as error:
        return Report(path, (fail("open", str(error)),))


def check_open_episode(episode: Episode, just_read: bool = False) -> Report:
    """Check an open episode; its layout was checked when it was opened.

    Args:
        just_read: all of it was compared with what it should be, and its manifest is being made from that.

    Raises:
        EpisodeError: a dataset's bytes can't be read.
    """
    moving = motion(episode)
    findings = [
        ok("open", f"schema {episode.attribute('schema_version')}, {episode.rows} rows, every dataset in place"),
        _completeness(episode),
        *([ok("manifest", UNCHANGED)] if just_read else [_unchanged(episode)]),
        *check_rows.findings(episode),
        *check_streams.findings(episode),
        *check_clock.findings(episode),
        *check_actions.findings(episode),
        *(check_joints.findings(episode, moving) if moving else ()),
        *(check_course.findings(episode, moving) if moving else ()),
        *check_images.findings(episode),
    ]
    return Report(episode.path, tuple(findings))


def _unchanged(episode: Episode) -> Finding:
    try:
        changed = changed_datasets(episode.file)
    except OSError as error:
        raise EpisodeError(f"{episode.path.name}: a dataset's bytes can't be read: {error}") from error
    if changed:
        return fail("manifest", f"not what was recorded any more: {', '.join(changed)}; edited or damaged?")
    return ok("manifest", UNCHANGED)


def _completeness(episode: Episode) -> Finding:
    if episode.attribute("complete"):
        return ok("complete", f"the take was closed properly: {episode.attribute('end_reason')}")
    return warn("complete", "recovered from a take that was cut short: the end of the demonstration is missing")
