# SPDX-License-Identifier: Apache-2.0
"""How the command speaks: logs and progress on standard error, results on standard output, JSON as its last line."""

import json
import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np


def say(text: str) -> None:
    """One line for people, on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def result(text: str) -> None:
    """A result for people, on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def result_json(values: Mapping[str, object]) -> None:
    """The machine-readable result: one line of JSON; numbers that are not finite become null."""
    result(json.dumps(_plain(values), allow_nan=False))


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """A plain text table."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(header), *cells]) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    head = "  ".join(name.ljust(width) for name, width in zip(header, widths, strict=True)).rstrip()
    return "\n".join([head, "  ".join("-" * width for width in widths), *lines])


class Progress:
    """A progress bar on standard error: in place on a terminal, a line every few seconds elsewhere."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._tty = sys.stderr.isatty()
        self._shown = 0.0
        self._last = ""

    def show(self, share: float, note: str = "") -> None:
        """Draw the bar at ``share`` 0 … 1."""
        now = time.monotonic()
        if now - self._shown < (0.1 if self._tty else 5.0) and share < 1.0:
            return
        self._shown = now
        filled = round(30 * min(max(share, 0.0), 1.0))
        text = f"{self._title} [{'#' * filled}{'.' * (30 - filled)}] {share:4.0%} {note}"
        if text == self._last:
            return
        self._last = text
        if self._tty:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        else:
            say(text)

    def done(self) -> None:
        """Leave the bar and go to the next line."""
        if self._tty and self._last:
            sys.stderr.write("\n")
            sys.stderr.flush()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)
