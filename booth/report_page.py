# SPDX-License-Identifier: Apache-2.0
"""`booth episode report`: one page that says whether an episode can be trusted, as PNG or as a single HTML file."""

from collections.abc import Callable
from pathlib import Path
from textwrap import shorten, wrap
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from booth.report_charts import INK, QUIET, draw_joints, draw_pictures, draw_streams, draw_timing
from booth.report_html import page_html
from graph.errors import InputError
from recorder.check import Report, Verdict
from recorder.finding import Level
from recorder.report import PageData, page_data

matplotlib.use("Agg")

WIDTH = 16.0
"""Inches; with DPI 100 the page is as wide as a laptop's screen."""
DPI = 100
COLOURS = {Verdict.OK: "#2e7d32", Verdict.DEGRADED: "#c77700", Verdict.FAILED: "#b3261e"}
MARKS = {Level.FAIL: "#b3261e", Level.WARN: "#c77700", Level.OK: "#2e7d32"}
MOST_REASONS, MOST_EVENTS = 12, 40
LINE = 0.21
"""Inches of one line of text."""

Section = tuple[str, float, Callable[[Any, PageData], None]]


def write_report(episode: Path, out: Path) -> Report:
    """Check an episode and write its page; an older page of the same name is replaced, nothing else ever is.

    Raises:
        EpisodeError: the episode can't be read.
        InputError: the page's name ends in neither .html nor .png, or it can't be written.
    """
    if out.suffix not in (".html", ".png"):
        raise InputError(f"a page's name ends in .html or .png, found {out.name}: give another --out")
    page = page_data(episode)
    part = out.with_name(f".{out.name}.part")
    try:
        if out.suffix == ".png":
            _whole(page).savefig(part, dpi=DPI, format="png", facecolor="white")
        else:
            part.write_text(page_html(page, COLOURS[page.report.verdict], figures(page), DPI), encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise InputError(f"can't write {out}: {error.strerror}. Choose another place with --out") from error
    return page.report


def sections(page: PageData) -> list[Section]:
    """Name, height in inches and artist of every chart, from top to bottom."""
    cameras = len({picture.camera for picture in page.pictures})
    rows = -(-len(page.courses) // 4)
    found: list[Section] = [("pictures", 1.72 * cameras + 0.1, draw_pictures)] if cameras else []
    return [
        *found,
        ("streams", 1.5 + 0.52 * (len(page.lanes) + 1), draw_streams),
        ("timing", 1.2 + 0.25 * max(7, len(page.lanes)), draw_timing),
        ("joints", 0.9 + 1.75 * rows, draw_joints),
    ]


def figures(page: PageData) -> list[tuple[str, Figure]]:
    """Every chart as a figure of its own."""
    drawn = []
    for name, height, draw in sections(page):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure, page)
        drawn.append((name, figure))
    return drawn


def _whole(page: PageData) -> Figure:
    reasons = _reason_lines(page.report)
    parts: list[Section] = [
        ("head", 0.95 + LINE * len(reasons), _draw_head),
        *sections(page),
        ("events", 0.5 + LINE * -(-min(MOST_EVENTS, len(page.events)) // 2), _draw_events),
    ]
    heights = [height for _, height, _ in parts]
    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    places: Any = figure.subfigures(len(parts), 1, height_ratios=heights)
    for place, (_, _, draw) in zip(places, parts, strict=True):
        draw(place, page)
    return figure


def _reason_lines(report: Report) -> list[tuple[str, str, str]]:
    """(colour, code, text); long texts go on in lines without a code."""
    lines = []
    for finding in report.reasons[:MOST_REASONS]:
        first, *more = wrap(finding.text, 150) or [""]
        lines += [(MARKS[finding.level], finding.code, first), *((MARKS[finding.level], "", text) for text in more)]
    if len(report.reasons) > MOST_REASONS:
        lines.append((QUIET, "", f"and {len(report.reasons) - MOST_REASONS} more: booth episode check tells all"))
    return lines or [(COLOURS[Verdict.OK], "", f"{len(report.findings)} checks, nothing to complain about")]


def _draw_head(part: Any, page: PageData) -> None:
    lines = _reason_lines(page.report)
    height = 0.95 + LINE * len(lines)
    colour = COLOURS[page.report.verdict]

    def at(inches: float) -> float:
        return 1.0 - inches / height

    box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "none"}
    part.text(
        0.013, at(0.32), page.report.verdict.value, fontsize=17, color="white", weight="bold", va="center", bbox=box
    )
    part.text(0.115, at(0.22), page.report.path.name, fontsize=14, color=INK, weight="bold", va="center")
    facts = " · ".join(f"{name} {value}" for name, value in page.facts)
    part.text(0.115, at(0.46), shorten(facts, 190, placeholder=" …"), fontsize=9.5, color=QUIET, va="center")
    for number, (mark, code, text) in enumerate(lines):
        y = at(0.85 + LINE * number)
        if code:
            part.text(0.013, y, "●", fontsize=9, color=mark, va="center")
        part.text(0.024, y, code, fontsize=10, color=INK, weight="bold", va="center")
        part.text(0.115, y, text, fontsize=10, color=INK, va="center")


def _draw_events(part: Any, page: PageData) -> None:
    shown = page.events[:MOST_EVENTS]
    rows = -(-len(shown) // 2)
    height = 0.5 + LINE * rows
    more = f" (the first {len(shown)} of {len(page.events)})" if len(page.events) > len(shown) else ""
    part.text(0.008, 1 - 0.2 / height, f"Events{more}", fontsize=11, color=INK, weight="bold", va="center")
    for number, (time_s, stream, text) in enumerate(shown):
        x, y = 0.013 + 0.5 * (number // rows), 1 - (0.48 + LINE * (number % rows)) / height
        part.text(x, y, f"{time_s:7.2f} s", fontsize=8.5, color=QUIET, va="center", family="monospace")
        part.text(x + 0.052, y, stream, fontsize=8.5, color=QUIET, va="center")
        part.text(x + 0.13, y, shorten(text, 78, placeholder=" …"), fontsize=8.5, color=INK, va="center")
