# SPDX-License-Identifier: Apache-2.0
"""The page of an episode as one HTML file: no scripts, nothing from elsewhere, pictures inside."""

import base64
import io
from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure

from recorder.report import PageData

STYLE = """
body{margin:0 auto;max-width:1640px;padding:18px 24px 60px;background:#fff;color:#20262b;
font:15px/1.45 system-ui,"Segoe UI",Helvetica,Arial,sans-serif}
h1{font-size:22px;margin:0;overflow-wrap:anywhere}
h2{font-size:17px;margin:30px 0 8px}
header{display:flex;gap:18px;align-items:center;flex-wrap:wrap}
.verdict{color:#fff;font-weight:700;font-size:22px;padding:6px 18px;border-radius:8px}
.facts{color:#66707a;margin:6px 0 14px}
.facts b{font-weight:600;color:#20262b}
img{max-width:100%;height:auto;display:block;margin:14px 0}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #e6eaed;vertical-align:top}
th{color:#66707a;font-weight:600}
td.code,td.time{white-space:nowrap}
td.time{font-variant-numeric:tabular-nums;text-align:right}
.level{display:inline-block;min-width:44px;padding:0 8px;border-radius:5px;color:#fff;font-size:13px;text-align:center}
.fail{background:#b3261e}.warn{background:#c77700}.ok{background:#2e7d32}
summary{cursor:pointer;color:#66707a;margin:10px 0}
"""

CAPTIONS = {
    "pictures": "What the cameras saw",
    "streams": "When every stream spoke",
    "timing": "How old and how far apart the samples are",
    "joints": "What the joints were asked to do and did",
}


def page_html(page: PageData, colour: str, figures: Sequence[tuple[str, Figure]], dpi: int) -> str:
    """The whole file.

    Args:
        colour: of the verdict.
        figures: charts by name, in their order.
        dpi: resolution of the charts.
    """
    name = escape(page.report.path.name)
    facts = " · ".join(f"{escape(key)} <b>{escape(value)}</b>" for key, value in page.facts)
    charts = "".join(
        f'<h2>{CAPTIONS[title]}</h2><img alt="{CAPTIONS[title]}" src="data:image/png;base64,{_png(figure, dpi)}">'
        for title, figure in figures
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{name}: {page.report.verdict.value}</title><style>{STYLE}</style></head><body>
<header><span class="verdict" style="background:{colour}">{page.report.verdict.value}</span><h1>{name}</h1></header>
<p class="facts">{facts}</p>
{_findings(page)}
{charts}
{_events(page)}
</body></html>
"""


def _png(figure: Figure, dpi: int) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _findings(page: PageData) -> str:
    """What is wrong as a table; what is fine folded away."""
    reasons = page.report.reasons
    fine = [finding for finding in page.report.findings if finding not in reasons]
    rows = [
        f'<tr><td><span class="level {finding.level.value}">{finding.level.value}</span></td>'
        f'<td class="code">{escape(finding.code)}</td><td>{escape(finding.text)}</td></tr>'
        for finding in (*reasons, *fine)
    ]
    wrong, right = rows[: len(reasons)], rows[len(reasons) :]
    shown = f"<table>{''.join(wrong)}</table>" if wrong else ""
    return f"{shown}<details><summary>{len(fine)} checks are fine</summary><table>{''.join(right)}</table></details>"


def _events(page: PageData) -> str:
    rows = "".join(
        f'<tr><td class="time">{time_s:.2f} s</td><td class="code">{escape(stream)}</td><td>{escape(text)}</td></tr>'
        for time_s, stream, text in page.events
    )
    return f"<h2>Events</h2><table>{rows}</table>" if rows else ""
