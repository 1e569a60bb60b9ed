# SPDX-License-Identifier: Apache-2.0
"""What the check found, as text: every finding of one episode, one line each of many."""

from collections import Counter
from collections.abc import Sequence

from booth.output import table
from recorder.check import Report, Verdict


def finding_lines(report: Report) -> str:
    """Every finding, and the verdict with its reasons as the last line."""
    lines = [f"{finding.level.value:5} {finding.code:22} {finding.text}" for finding in report.findings]
    return "\n".join([*lines, f"{report.path.name}: {verdict_words(report)}"])


def verdict_words(report: Report) -> str:
    """``degraded (skew, idle)``."""
    codes = ", ".join(dict.fromkeys(finding.code for finding in report.reasons))
    return f"{report.verdict.value} ({codes})" if codes else report.verdict.value


def summary(reports: Sequence[Report]) -> str:
    """A table with one line an episode, and how many there are of each verdict."""
    rows = [
        (report.path.name, report.verdict.value, " ".join(dict.fromkeys(finding.code for finding in report.reasons)))
        for report in reports
    ]
    counts = Counter(report.verdict for report in reports)
    total = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
    return f"{table(rows, ('episode', 'verdict', 'reasons'))}\n\n{len(reports)} episodes: {total}"
