# SPDX-License-Identifier: Apache-2.0
"""Is this episode fit to learn from? Findings, each ok, warn or fail, each with a code that scripts can test."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from recorder import check_actions, check_images, check_rows
from recorder.episode import Episode
from recorder.errors import EpisodeError
from recorder.finding import Finding, Level, fail, ok, warn

EXIT_OK = 0
EXIT_FAIL = 2


class Verdict(StrEnum):
    """The worst level among the findings."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one episode."""

    path: Path
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """``fail`` when anything failed, else ``warn`` when anything warned, else ``ok``."""
        levels = {finding.level for finding in self.findings}
        if Level.FAIL in levels:
            return Verdict.FAIL
        return Verdict.WARN if Level.WARN in levels else Verdict.OK

    @property
    def exit_code(self) -> int:
        """0 when the episode can be used (warnings included), 2 when it can't."""
        return EXIT_FAIL if self.verdict is Verdict.FAIL else EXIT_OK

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        findings = [finding.to_json() for finding in self.findings]
        return {"file": self.path.name, "verdict": self.verdict.value, "findings": findings}


def check_episode(path: str | Path) -> Report:
    """Check a file. Never raises for a bad one: what can't be opened is a finding, too."""
    path = Path(path)
    try:
        with Episode.open(path) as episode:
            return check_open_episode(episode)
    except EpisodeError as error:
        return Report(path, (fail("open", str(error)),))


def check_open_episode(episode: Episode) -> Report:
    """Check an open episode; its layout was checked when it was opened.

    Raises:
        EpisodeError: a dataset's bytes can't be read.
    """
    findings = [
        ok("open", f"schema {episode.attribute('schema_version')}, {episode.rows} rows, every dataset in place"),
        _completeness(episode),
        *check_rows.findings(episode),
        *check_actions.findings(episode),
        *check_images.findings(episode),
    ]
    return Report(episode.path, tuple(findings))


def _completeness(episode: Episode) -> Finding:
    if episode.attribute("complete"):
        return ok("complete", f"the take was closed properly: {episode.attribute('end_reason')}")
    return warn("complete", "recovered from a take that was cut short: the end of the demonstration is missing")
